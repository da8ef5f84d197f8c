# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# jfs, the module, whose init makes its threads
# options: JFS_FS
# packages: jfsutils
# disks: 1x32M
# cpus: 4
action() { modprobe jfs; }
again() {
	mkfs.jfs -q "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t jfs "$DISK1" "$TMP/mnt"
	dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync
	umount "$TMP/mnt"
}
teardown() { modprobe -r jfs; }
