# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a writecache target on a disk
# options: DM_WRITECACHE
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create w --table "0 32768 writecache s $DISK1 $DISK2 4096 0"; }
again() { dd if=/dev/zero of=/dev/mapper/w bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove w; }
