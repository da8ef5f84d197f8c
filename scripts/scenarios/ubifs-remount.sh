# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ubifs, read-only to writable
# options: MTD_NAND_NANDSIM MTD_UBI UBIFS_FS
# packages: mtd-utils
# limit: 60
setup() {
	modprobe nandsim id_bytes=0x20,0x35,0x00,0x00
	modprobe ubi mtd=0
	modprobe ubifs
	ubimkvol /dev/ubi0 -N v -m
	mkdir -p "$TMP/mnt"
	mount -t ubifs ubi0:v "$TMP/mnt"
	umount "$TMP/mnt"
	mount -t ubifs -o ro ubi0:v "$TMP/mnt"
}
action() { mount -o remount,rw "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() {
	umount "$TMP/mnt" || true
	ubidetach /dev/ubi_ctrl -d 0
	modprobe -r nandsim
}
