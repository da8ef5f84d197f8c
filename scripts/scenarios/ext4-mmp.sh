# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ext4, a file system that is protected from a second mount
# options: EXT4_FS
# packages: e2fsprogs
# disks: 1x64M
# limit: 60
setup() {
	modprobe ext4
	mkfs.ext4 -q -O mmp -E mmp_update_interval=1 "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t ext4 "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
