# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ocfs2, the modules of its cluster, and a node with a listening socket
# options: OCFS2_FS OCFS2_FS_O2CB
# needs: net
dir=/sys/kernel/config/cluster/c
setup() { mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; }
action() {
	modprobe ocfs2_nodemanager
	modprobe ocfs2_dlm
	mkdir $dir
	mkdir $dir/node/n
	echo 7777 >$dir/node/n/ipv4_port
	echo 127.0.0.1 >$dir/node/n/ipv4_address
	echo 1 >$dir/node/n/num
	echo 1 >$dir/node/n/local
}
again() { grep -i ':1E61' /proc/net/tcp; }
teardown() {
	rmdir $dir/node/n || true
	rmdir $dir || true
	umount /sys/kernel/config
}
