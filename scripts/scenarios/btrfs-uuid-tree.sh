# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# btrfs, a mount rebuilds the tree of subvolumes' ids
# options: BTRFS_FS
# packages: btrfs-progs
# disks: 1x160M
# limit: 60
setup() {
	modprobe btrfs
	mkfs.btrfs -q -f -K "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t btrfs "$DISK1" "$TMP/mnt"
	btrfs subvolume create "$TMP/mnt/s"
	umount "$TMP/mnt"
}
action() { mount -t btrfs -o rescan_uuid_tree "$DISK1" "$TMP/mnt"; }
again() { btrfs subvolume snapshot "$TMP/mnt/s" "$TMP/mnt/t"; }
teardown() { umount "$TMP/mnt"; }
