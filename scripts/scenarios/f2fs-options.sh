# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# f2fs, a remount that switches each of its threads on
# options: F2FS_FS
# packages: f2fs-tools
# disks: 1x64M
setup() {
	modprobe f2fs
	mkfs.f2fs -f -q "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t f2fs -o nocheckpoint_merge,noflush_merge,background_gc=off,nodiscard "$DISK1" "$TMP/mnt"
}
action() { mount -o remount,checkpoint_merge,flush_merge,background_gc=on,discard "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
