# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a delay that a workqueue waits for
# options: DM_DELAY
# packages: dmsetup
# disks: 1x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create d --table "0 32768 delay $DISK1 0 100 $DISK1 0 60 $DISK1 0 5"; }
again() { dd if=/dev/zero of=/dev/mapper/d bs=64k count=4 oflag=direct; }
teardown() { dmsetup remove d; }
