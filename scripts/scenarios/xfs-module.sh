# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# xfs, the module is loaded, then a file system is mounted read-only and made writable
# options: XFS_FS
# packages: xfsprogs
# disks: 1x320M
# limit: 60
setup() { mkfs.xfs -q -f -K "$DISK1"; }
action() {
	modprobe xfs
	mkdir -p "$TMP/mnt"
	mount -t xfs -o ro "$DISK1" "$TMP/mnt"
	mount -o remount,rw "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
