# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, an era target
# options: DM_ERA
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create e --table "0 32768 era $DISK1 $DISK2 128"; }
again() { dd if=/dev/zero of=/dev/mapper/e bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove e; }
