# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfs, the notice of a server's restart, with a lock held
# options: NFSD NFS_V3
# packages: nfs-kernel-server nfs-common rpcbind
# needs: net
# limit: 60
setup() {
	modprobe -a nfsd nfs nfsv3 lockd
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /srv/e "$TMP/mnt" /var/lib/nfs/sm
	mount -t tmpfs tmpfs /srv/e
	rpcbind -w
	rpc.statd --no-notify
	rpc.nfsd --grace-time 10 --lease-time 10 2
	rpc.mountd
	exportfs -o rw,no_root_squash,insecure,fsid=1 127.0.0.1:/srv/e
	mount -t nfs -o vers=3,proto=tcp,soft,retry=0 127.0.0.1:/srv/e "$TMP/mnt"
	flock "$TMP/mnt/l" sleep 1000 &
	for _ in $(seq 100); do
		! flock -n "$TMP/mnt/l" true || { sleep 0.1 && continue; }
		break
	done
}
action() { sm-notify -f -v 127.0.0.1; sleep 3; }
again() { ! flock -n "$TMP/mnt/l" true; }
teardown() {
	s=0
	pkill -f 'sleep 1000'
	umount "$TMP/mnt" || s=1
	exportfs -au
	rpc.nfsd 0
	pkill rpc.mountd
	pkill rpc.statd
	pkill rpcbind
	umount /proc/fs/nfsd /srv/e
	modprobe -r nfsv3 nfs nfsd lockd || true
	return $s
}
