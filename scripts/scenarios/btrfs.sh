# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# btrfs, a file system is mounted
# options: BTRFS_FS
# packages: btrfs-progs
# disks: 1x160M
# limit: 60
setup() {
	modprobe btrfs
	mkfs.btrfs -q -f -K "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t btrfs "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
