# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ocfs2, the heartbeat of a region whose node is no longer the local one
# options: OCFS2_FS OCFS2_FS_O2CB
# disks: 1x16M
# needs: net
# limit: 60
dir=/sys/kernel/config/cluster/c
region=$dir/heartbeat/0123456789ABCDEF0123456789ABCDEF
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
	mkdir $region
	cd $region || return
	echo 512 >block_bytes
	echo 1 >start_block
	echo 255 >blocks
	exec 5<>"$DISK1"
	echo 5 >dev
}
again() { cat $region/pid; }
teardown() {
	pid=$(cat $region/pid) || pid=none
	echo 0 >$dir/node/n/local
	# Its thread ends at its next beat.
	for _ in $(seq 100); do
		[ -e /proc/"$pid" ] || break
		sleep 0.1
	done
	rmdir $region
	rmdir $dir/node/n
	rmdir $dir
	umount /sys/kernel/config
}
