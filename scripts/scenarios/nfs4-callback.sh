# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfs, a second client of version 4.1 while the callback service grows
# options: NFSD NFSD_V4 NFS_V4
# packages: nfs-kernel-server nfs-common rpcbind procps
# needs: net
# limit: 60
setup() {
	modprobe -a nfsd nfs nfsv4
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /srv/e "$TMP/mnt" "$TMP/mnt2" /var/lib/nfs/v4recovery
	mount -t tmpfs tmpfs /srv/e
	rpcbind -w
	rpc.nfsd --grace-time 10 --lease-time 10 2
	rpc.mountd
	exportfs -o rw,no_root_squash,insecure,fsid=0 '*:/srv/e'
	# Its grace period is over when a file can be made.
	mount -t nfs4 -o vers=4.1,soft,retry=0 127.0.0.1:/ "$TMP/mnt"
	touch "$TMP/mnt/ready"
	echo 4 >/sys/module/nfs/parameters/callback_nr_threads
}
action() { mount -t nfs4 -o vers=4.1,soft,retry=0 127.0.0.2:/ "$TMP/mnt2"; }
again() { pgrep -f 'NFSv4 callback' | wc -l | grep 4; }
teardown() {
	s=0
	umount "$TMP/mnt2" || s=1
	pgrep -f 'NFSv4 callback' || s=1
	umount "$TMP/mnt"
	echo 0 >/sys/module/nfs/parameters/callback_nr_threads
	exportfs -au
	rpc.nfsd 0
	pkill rpc.mountd
	pkill rpcbind
	umount /proc/fs/nfsd /srv/e
	return $s
}
