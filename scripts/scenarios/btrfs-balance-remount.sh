# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# btrfs, a paused balance goes on when the file system becomes writable
# options: BTRFS_FS
# packages: btrfs-progs
# disks: 2x160M
# limit: 90
setup() {
	modprobe btrfs
	mkfs.btrfs -q -f -K -d single -m single "$DISK1" "$DISK2"
	mkdir -p "$TMP/mnt"
	mount -t btrfs -o skip_balance "$DISK1" "$TMP/mnt"
	dd if=/dev/zero of="$TMP/mnt/f" bs=1M count=60 conv=fsync
	btrfs balance start --bg --full-balance "$TMP/mnt"
	for _ in $(seq 200); do
		! btrfs balance pause "$TMP/mnt" 2>/dev/null || break
		btrfs balance status "$TMP/mnt" | grep -q 'running\|paused' || break
	done
	btrfs balance status "$TMP/mnt" | grep paused
	umount "$TMP/mnt"
	mount -t btrfs -o ro "$DISK1" "$TMP/mnt"
}
action() { mount -o remount,rw "$TMP/mnt"; }
again() {
	btrfs balance cancel "$TMP/mnt" || true
	btrfs balance start -dusage=1 "$TMP/mnt"
}
teardown() {
	btrfs balance cancel "$TMP/mnt" || true
	umount "$TMP/mnt"
}
