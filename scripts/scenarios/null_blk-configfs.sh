# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# null_blk, a zoned disk that configfs makes
# options: BLK_DEV_NULL_BLK BLK_DEV_ZONED
# The disk has the name of the directory.
dir=/sys/kernel/config/nullb/nullb0
setup() {
	modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}
action() {
	mkdir $dir
	echo 1 >$dir/memory_backed
	echo 64 >$dir/size
	echo 1 >$dir/zoned
	echo 16 >$dir/zone_size
	echo 1 >$dir/power
}
again() { dd if=/dev/zero of=/dev/nullb0 bs=64k count=16 oflag=direct; }
teardown() {
	rmdir $dir
	umount /sys/kernel/config
}
