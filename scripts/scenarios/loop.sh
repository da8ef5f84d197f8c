# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# loop, a device of a file, with direct I/O
# options: BLK_DEV_LOOP
# disks: 1x16M
action() {
	modprobe loop
	losetup /dev/loop0 "$DISK1"
}
again() { dd if=/dev/zero of=/dev/loop0 bs=64k count=16 oflag=direct; }
teardown() { losetup -d /dev/loop0; }
