# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# f2fs, read-only to writable, with quota
# options: F2FS_FS QUOTA
# packages: f2fs-tools
# disks: 1x64M
setup() {
	modprobe f2fs
	mkfs.f2fs -f -q -O extra_attr,quota "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t f2fs -o ro "$DISK1" "$TMP/mnt"
}
# A second try, if the first has failed: again() sees whether it went well.
action() { mount -o remount,rw "$TMP/mnt" || mount -o remount,rw "$TMP/mnt" || true; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() {
	mount -o remount,rw "$TMP/mnt" || true
	umount "$TMP/mnt"
}
