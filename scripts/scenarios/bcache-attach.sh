# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bcache, a cache is attached to a backing device in use
# options: BCACHE
# packages: bcache-tools
# disks: 2x64M
set=11111111-2222-3333-4444-555555555555
gone() {
	for _ in $(seq 200); do
		[ -e "$1" ] || return 0
		sleep 0.1
	done
	return 1
}
setup() {
	modprobe bcache
	make-bcache -C --cset-uuid $set --bucket 64k "$DISK1"
	make-bcache -B "$DISK2"
	echo "$DISK1" >/sys/fs/bcache/register
	echo "$DISK2" >/sys/fs/bcache/register
	[ -e /sys/block/bcache0 ]
}
action() { echo $set >/sys/block/bcache0/bcache/attach; }
again() {
	echo writeback >/sys/block/bcache0/bcache/cache_mode
	dd if=/dev/zero of=/dev/bcache0 bs=64k count=16 oflag=direct
	cat /sys/block/bcache0/bcache/state
}
teardown() {
	s=0
	dd if=/dev/zero of=/dev/bcache0 bs=64k count=16 oflag=direct || s=1
	echo 1 >/sys/block/bcache0/bcache/stop
	gone /sys/block/bcache0
	echo 1 >/sys/fs/bcache/$set/unregister
	gone /sys/fs/bcache/$set
	return $s
}
