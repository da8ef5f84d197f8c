# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bcache, a cache device is registered whose backing device waits for it
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
	make-bcache -B --cset-uuid $set --writeback "$DISK2"
	echo "$DISK1" >/sys/fs/bcache/register
	echo "$DISK2" >/sys/fs/bcache/register
	echo $set >/sys/block/bcache0/bcache/attach || true
	echo 1 >/sys/block/bcache0/bcache/stop
	gone /sys/block/bcache0
	echo 1 >/sys/fs/bcache/$set/unregister
	gone /sys/fs/bcache/$set
	echo "$DISK2" >/sys/fs/bcache/register
}
action() { echo "$DISK1" >/sys/fs/bcache/register; }
again() { dd if=/dev/zero of=/dev/bcache0 bs=64k count=16 oflag=direct; }
teardown() {
	# It waits for its cache set if that was not registered.
	echo 1 >"/sys/block/${DISK2##*/}/bcache/stop"
	gone "/sys/block/${DISK2##*/}/bcache"
	echo 1 >/sys/fs/bcache/$set/unregister || true
	gone /sys/fs/bcache/$set
}
