# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# overlay, on ext4, its upper layer made writable by a remount
# options: OVERLAY_FS EXT4_FS
# packages: e2fsprogs
# disks: 1x64M
setup() {
	modprobe ext4
	mkfs.ext4 -q "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt" "$TMP/o"
	mount -t ext4 "$DISK1" "$TMP/mnt"
	mkdir -p "$TMP/mnt/l" "$TMP/mnt/u" "$TMP/mnt/w"
	mount -t overlay -o "lowerdir=$TMP/mnt/l,upperdir=$TMP/mnt/u,workdir=$TMP/mnt/w" overlay "$TMP/o"
}
again() { dd if=/dev/zero of="$TMP/o/f" bs=64k count=4 conv=fsync; }
teardown() {
	umount "$TMP/o" || true
	umount "$TMP/mnt"
}
