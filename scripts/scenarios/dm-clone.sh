# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a clone target that copies its source
# options: DM_CLONE
# packages: dmsetup
# disks: 3x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create c --table "0 32768 clone $DISK1 $DISK2 $DISK3 8"; }
again() { dd if=/dev/zero of=/dev/mapper/c bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove c; }
