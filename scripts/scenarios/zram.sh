# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# zram, a compressed disk in memory, used as swap
# options: ZRAM
# packages: util-linux
action() {
	modprobe zram num_devices=1
	echo 16M >/sys/block/zram0/disksize
	mkswap /dev/zram0
	swapon /dev/zram0
}
again() { swapon --show | grep zram0; }
teardown() {
	swapoff /dev/zram0 || true
	echo 1 >/sys/block/zram0/reset
}
