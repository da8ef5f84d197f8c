# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# jffs2, a file system in memory that acts as flash is mounted
# options: MTD_MTDRAM MTD_BLOCK JFFS2_FS
setup() {
	modprobe mtdram total_size=1024 erase_size=16
	modprobe mtdblock
	modprobe jffs2
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t jffs2 /dev/mtdblock0 "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=4k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
