# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# xfs, a file system is mounted
# options: XFS_FS
# packages: xfsprogs
# disks: 1x320M
# limit: 60
setup() {
	modprobe xfs
	mkfs.xfs -q -f -K "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t xfs "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
