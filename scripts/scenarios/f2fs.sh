# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# f2fs, a file system is mounted, with merged flushes and checkpoints
# options: F2FS_FS
# packages: f2fs-tools
# disks: 1x64M
setup() {
	modprobe f2fs
	mkfs.f2fs -f -q "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t f2fs -o checkpoint_merge,flush_merge,background_gc=on,gc_merge "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
