# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# gfs2, read-only to writable, with quota
# options: GFS2_FS
# packages: gfs2-utils
# disks: 1x96M
# limit: 60
setup() {
	modprobe gfs2
	mkfs.gfs2 -q -O -K -p lock_nolock -j 1 -J 8 "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t gfs2 -o ro,quota=on "$DISK1" "$TMP/mnt"
}
action() { mount -o remount,rw "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
