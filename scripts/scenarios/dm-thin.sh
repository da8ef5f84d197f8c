# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a pool of thin devices, and one in it
# options: DM_THIN_PROVISIONING
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() {
	dmsetup create pool --table "0 32768 thin-pool $DISK1 $DISK2 128 0"
	dmsetup message pool 0 'create_thin 0'
	dmsetup create thin --table '0 32768 thin /dev/mapper/pool 0'
}
again() { dd if=/dev/zero of=/dev/mapper/thin bs=64k count=16 oflag=direct; }
teardown() {
	dmsetup remove thin || true
	dmsetup remove pool
}
