# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# target, a backstore of a disk, as a block device, is enabled
# options: TCM_IBLOCK
# disks: 1x16M
core=/sys/kernel/config/target/core/iblock_0
setup() {
	modprobe target_core_iblock
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir -p $core/b
	echo "udev_path=$DISK1" >$core/b/control
}
action() { echo 1 >$core/b/enable; }
again() { grep -q ACTIVATED $core/b/info; }
teardown() {
	rmdir $core/b
	rmdir $core
	umount /sys/kernel/config
}
