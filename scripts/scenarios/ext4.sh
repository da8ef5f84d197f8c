# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ext4, a file system with a journal and lazy initialisation
# options: EXT4_FS
# packages: e2fsprogs
# disks: 1x64M
setup() {
	modprobe ext4
	mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -t ext4 -o init_itable=1 "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
