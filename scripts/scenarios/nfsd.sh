# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfsd, the server's threads start, their number changes
# options: NFSD
# packages: nfs-kernel-server rpcbind
# needs: net
setup() {
	modprobe nfsd
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind
	rpcbind -w
}
action() {
	rpc.nfsd --grace-time 10 --lease-time 10 2
	echo 4 >/proc/fs/nfsd/threads
}
again() {
	echo 3 >/proc/fs/nfsd/threads
	[ "$(cat /proc/fs/nfsd/threads)" = 3 ]
	echo 4 >/proc/fs/nfsd/threads
	[ "$(cat /proc/fs/nfsd/threads)" = 4 ]
}
teardown() {
	rpc.nfsd 0
	umount /proc/fs/nfsd
	pkill rpcbind
}
