# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfs, version 4 on this machine, and a copy that the server makes
# options: NFSD NFSD_V4 NFS_V4
# packages: nfs-kernel-server nfs-common rpcbind xfsprogs
# needs: net
# limit: 60
setup() {
	modprobe -a nfsd nfs nfsv4
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /srv/e "$TMP/mnt" /var/lib/nfs/v4recovery
	mount -t tmpfs tmpfs /srv/e
	dd if=/dev/zero of=/srv/e/f bs=1M count=8
	rpcbind -w
	rpc.nfsd --grace-time 10 --lease-time 10 2
	rpc.mountd
	exportfs -o rw,no_root_squash,insecure,fsid=0 127.0.0.1:/srv/e
	# Its grace period is over when a file can be made.
	mount -t nfs4 -o retry=0 127.0.0.1:/ "$TMP/mnt"
	touch "$TMP/mnt/ready"
	umount "$TMP/mnt"
}
action() {
	mount -t nfs4 -o vers=4.2,soft,retry=0 127.0.0.1:/ "$TMP/mnt"
	xfs_io -f -c "copy_range $TMP/mnt/f" "$TMP/mnt/g"
}
again() { cmp "$TMP/mnt/f" "$TMP/mnt/g" && dd if=/dev/zero of="$TMP/mnt/h" bs=64k count=4 conv=fsync; }
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
