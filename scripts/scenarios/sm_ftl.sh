# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# sm_ftl, mtdblock, gluebi: translation layers over a flash chip of nandsim
# options: MTD_NAND_NANDSIM MTD_BLOCK SM_FTL MTD_UBI MTD_UBI_GLUEBI
# packages: mtd-utils
setup() { modprobe nandsim id_bytes=0x20,0x33,0x00,0x00; }
action() {
	modprobe mtdblock
	modprobe sm_ftl
	modprobe ubi mtd=0
	ubimkvol /dev/ubi0 -N v -s 1MiB
	modprobe gluebi
}
again() { dd if=/dev/mtdblock1 of=/dev/null bs=4k count=4; }
teardown() {
	ubidetach /dev/ubi_ctrl -d 0 || true
	modprobe -r gluebi ubi sm_ftl mtdblock nandsim
}
