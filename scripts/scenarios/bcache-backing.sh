# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bcache, a backing device is registered
# options: BCACHE
# packages: bcache-tools
# disks: 1x64M
gone() {
	for _ in $(seq 200); do
		[ -e "$1" ] || return 0
		sleep 0.1
	done
	return 1
}
setup() {
	modprobe bcache
	make-bcache -B "$DISK1"
}
action() { echo "$DISK1" >/sys/fs/bcache/register; }
again() { dd if=/dev/zero of=/dev/bcache0 bs=64k count=16 oflag=direct; }
teardown() {
	echo 1 >/sys/block/bcache0/bcache/stop
	gone /sys/block/bcache0
}
