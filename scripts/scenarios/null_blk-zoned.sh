# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# null_blk, a zoned disk, whose zones have write plugs
# options: BLK_DEV_NULL_BLK BLK_DEV_ZONED
action() { modprobe null_blk nr_devices=1 gb=1 memory_backed=0 zoned=1 zone_size=64 zone_max_open=4; }
again() { dd if=/dev/zero of=/dev/nullb0 bs=64k count=16 oflag=direct; }
teardown() { modprobe -r null_blk; }
