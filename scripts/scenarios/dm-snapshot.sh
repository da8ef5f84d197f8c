# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a snapshot of a disk that is written to
# options: DM_SNAPSHOT
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() {
	dmsetup create origin --table "0 32768 snapshot-origin $DISK1"
	dmsetup create snap --table "0 32768 snapshot $DISK1 $DISK2 P 8"
}
again() {
	dd if=/dev/zero of=/dev/mapper/origin bs=64k count=8 oflag=direct
	dd if=/dev/mapper/snap of=/dev/null bs=64k count=8 iflag=direct
}
teardown() {
	dmsetup remove snap || true
	dmsetup remove origin
}
