# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfs, version 4, whose server restarts, so the client's manager has to recover
# options: NFSD NFSD_V4 NFS_V4
# packages: nfs-kernel-server nfs-common rpcbind
# needs: net
# limit: 90
setup() {
	modprobe -a nfsd nfs nfsv4
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /srv/e "$TMP/mnt" /var/lib/nfs/v4recovery
	mount -t tmpfs tmpfs /srv/e
	rpcbind -w
	rpc.nfsd --grace-time 10 --lease-time 10 2
	rpc.mountd
	exportfs -o rw,no_root_squash,insecure,fsid=0 127.0.0.1:/srv/e
	# Its grace period is over when a file can be made.
	mount -t nfs4 -o vers=4.2,retry=0 127.0.0.1:/ "$TMP/mnt"
	touch "$TMP/mnt/ready"
	echo >"$TMP/mnt/f"
	rpc.nfsd 0
	rpc.nfsd --grace-time 10 --lease-time 10 2
}
action() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=4 conv=fsync; }
again() { dd if=/dev/zero of="$TMP/mnt/g" bs=64k count=4 conv=fsync; }
teardown() {
	s=0
	umount "$TMP/mnt" || s=1
	exportfs -au
	rpc.nfsd 0
	pkill rpc.mountd
	pkill rpcbind
	umount /proc/fs/nfsd /srv/e
	return $s
}
