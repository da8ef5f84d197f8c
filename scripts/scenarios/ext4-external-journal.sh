# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ext4, a journal on a disk of its own
# options: EXT4_FS
# packages: e2fsprogs
# disks: 2x64M
setup() {
	modprobe ext4
	mke2fs -q -b 1024 -O journal_dev "$DISK2"
	mkfs.ext4 -q -b 1024 -J device="$DISK2" "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t ext4 "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
