# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a raid5 of md below a dm target, with metadata and a bitmap
# options: DM_RAID MD_RAID456
# packages: dmsetup
# disks: 6x16M
export DM_DISABLE_UDEV=1
action() {
	dmsetup create r --table "0 65536 raid raid5_ls 3 128 region_size 1024 3 $DISK4 $DISK1 $DISK5 $DISK2 $DISK6 $DISK3"
}
again() { dd if=/dev/zero of=/dev/mapper/r bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove r; }
