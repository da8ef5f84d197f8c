# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# zloop, a zoned disk of files
# options: BLK_DEV_ZONED_LOOP
setup() { modprobe zloop; }
action() {
	mkdir -p "$TMP/z/0"
	echo "add id=0,capacity_mb=64,zone_size_mb=16,base_dir=$TMP/z,buffered_io" >/dev/zloop-control
}
again() { dd if=/dev/zero of=/dev/zloop0 bs=64k count=16 oflag=direct seek=0; }
teardown() { echo "remove id=0" >/dev/zloop-control; }
