# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ubi, a flash chip of nandsim is attached by the module's parameter
# options: MTD_NAND_NANDSIM MTD_UBI
# packages: mtd-utils
setup() { modprobe nandsim id_bytes=0x20,0x33,0x00,0x00; }
action() { modprobe ubi mtd=0; }
again() {
	[ -c /dev/ubi0 ] || return 1
	ubimkvol /dev/ubi0 -N v -s 1MiB
	ubirmvol /dev/ubi0 -N v
}
teardown() {
	modprobe -r ubi || true
	modprobe -r nandsim
}
