# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a mirror of two disks
# options: DM_MIRROR
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create m --table "0 32768 mirror core 1 1024 2 $DISK1 0 $DISK2 0"; }
again() { dd if=/dev/zero of=/dev/mapper/m bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove m; }
