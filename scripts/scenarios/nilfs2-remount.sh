# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nilfs2, read-only to writable
# options: NILFS2_FS
# packages: nilfs-tools
# disks: 1x144M
setup() {
	modprobe nilfs2
	mkfs.nilfs2 -q -f -K "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -i -t nilfs2 -o ro "$DISK1" "$TMP/mnt"
}
action() { mount -i -t nilfs2 -o remount,rw "$DISK1" "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount -i "$TMP/mnt"; }
