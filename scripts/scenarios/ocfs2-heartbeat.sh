# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ocfs2, the heartbeat of a region on a disk
# options: OCFS2_FS OCFS2_FS_O2CB
# disks: 1x16M
# needs: net
# limit: 60
dir=/sys/kernel/config/cluster/c
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe -a ocfs2_nodemanager
	mkdir $dir
	mkdir $dir/node/n
	echo 7777 >$dir/node/n/ipv4_port
	echo 127.0.0.1 >$dir/node/n/ipv4_address
	echo 1 >$dir/node/n/num
	echo 1 >$dir/node/n/local
}
action() {
	mkdir $dir/heartbeat/0123456789ABCDEF0123456789ABCDEF
	cd $dir/heartbeat/0123456789ABCDEF0123456789ABCDEF || return
	echo 512 >block_bytes
	echo 1 >start_block
	echo 255 >blocks
	exec 5<>"$DISK1"
	echo 5 >dev
}
again() { cat $dir/heartbeat/0123456789ABCDEF0123456789ABCDEF/pid; }
teardown() {
	rmdir $dir/heartbeat/0123456789ABCDEF0123456789ABCDEF || true
	rmdir $dir/node/n
	rmdir $dir
	umount /sys/kernel/config
}
