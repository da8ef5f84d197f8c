# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# gfs2, a file system is frozen and thawed
# options: GFS2_FS
# packages: gfs2-utils
# disks: 1x96M
# limit: 60
setup() {
	modprobe gfs2
	mkfs.gfs2 -q -O -K -p lock_nolock -j 1 -J 8 "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t gfs2 "$DISK1" "$TMP/mnt"
}
action() {
	fsfreeze -f "$TMP/mnt"
	fsfreeze -u "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() {
	fsfreeze -u "$TMP/mnt" 2>/dev/null || true
	umount "$TMP/mnt"
}
