# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ubi, a flash chip of nandsim is attached, and a device for its volume is made
# options: MTD_NAND_NANDSIM MTD_UBI MTD_UBI_BLOCK
# packages: mtd-utils
setup() {
	modprobe nandsim id_bytes=0x20,0x33,0x00,0x00
	modprobe ubi
}
action() {
	ubiattach /dev/ubi_ctrl -m 0 -d 0
	ubimkvol /dev/ubi0 -N v -s 1MiB
	ubiblock --create /dev/ubi0_0
}
again() { dd if=/dev/ubiblock0_0 of=/dev/null bs=64k count=4; }
teardown() {
	ubiblock --remove /dev/ubi0_0 || true
	ubidetach /dev/ubi_ctrl -d 0 || true
	modprobe -r nandsim
}
