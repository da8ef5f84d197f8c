# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# erofs, the module, with a thread for each CPU, and a compressed file system
# options: EROFS_FS EROFS_FS_PCPU_KTHREAD
# packages: erofs-utils
# disks: 1x16M
# cpus: 4
setup() {
	mkdir src
	dd if=/dev/zero of=src/f bs=64k count=16
	mkfs.erofs -zlz4 image src
	dd if=image of="$DISK1" bs=64k conv=notrunc
}
action() {
	modprobe erofs
	mkdir -p "$TMP/mnt"
	mount -t erofs "$DISK1" "$TMP/mnt"
}
again() { cmp "$TMP/mnt/f" src/f; }
teardown() { umount "$TMP/mnt"; }
