# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a raid1 of md below a dm target
# options: DM_RAID MD_RAID1
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create r --table "0 32768 raid raid1 3 0 region_size 1024 2 - $DISK1 - $DISK2"; }
again() { dd if=/dev/zero of=/dev/mapper/r bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove r; }
