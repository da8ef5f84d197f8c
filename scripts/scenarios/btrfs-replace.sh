# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# btrfs, a mount goes on with a replacement of a disk that was suspended
# options: BTRFS_FS DM_DELAY
# packages: btrfs-progs dmsetup
# disks: 2x160M
# limit: 90
export DM_DISABLE_UDEV=1
setup() {
	modprobe btrfs
	mkfs.btrfs -q -f -K -d single -m single "$DISK1"
	dmsetup create slow --table "0 $(blockdev --getsz "$DISK2") delay $DISK2 0 200"
	mkdir -p "$TMP/mnt"
	mount -t btrfs "$DISK1" "$TMP/mnt"
	dd if=/dev/zero of="$TMP/mnt/f" bs=1M count=40 conv=fsync
	btrfs replace start -f 1 /dev/mapper/slow "$TMP/mnt"
	umount "$TMP/mnt"
}
action() { mount -t btrfs -o device=/dev/mapper/slow "$DISK1" "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/g" bs=64k count=16 conv=fsync; }
teardown() {
	btrfs replace cancel "$TMP/mnt" || true
	umount "$TMP/mnt" || true
	dmsetup remove slow
}
