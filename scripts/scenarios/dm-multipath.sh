# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, two paths to one disk
# options: DM_MULTIPATH
# packages: dmsetup
# disks: 1x16M
export DM_DISABLE_UDEV=1
action() {
	dmsetup create m --table "0 32768 multipath 0 0 1 1 round-robin 0 1 1 $DISK1 1000"
}
again() { dd if=/dev/zero of=/dev/mapper/m bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove m; }
