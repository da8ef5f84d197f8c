# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# jffs2, read-only to writable
# options: MTD_MTDRAM MTD_BLOCK JFFS2_FS
setup() {
	modprobe mtdram total_size=1024 erase_size=16
	modprobe mtdblock
	modprobe jffs2
	mkdir -p "$TMP/mnt"
	mount -t jffs2 -o ro /dev/mtdblock0 "$TMP/mnt"
}
action() { mount -o remount,rw "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=4k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
