# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bcache, a cache device is registered
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
	make-bcache -C --cset-uuid 11111111-2222-3333-4444-555555555555 --bucket 64k "$DISK1"
}
action() { echo "$DISK1" >/sys/fs/bcache/register; }
again() { cat /sys/fs/bcache/11111111-2222-3333-4444-555555555555/btree_cache_size; }
teardown() {
	echo 1 >/sys/fs/bcache/11111111-2222-3333-4444-555555555555/unregister
	gone /sys/fs/bcache/11111111-2222-3333-4444-555555555555
}
