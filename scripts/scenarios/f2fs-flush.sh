# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# f2fs, a remount that adds merged checkpoints to merged flushes
# options: F2FS_FS
# packages: f2fs-tools
# disks: 1x64M
setup() {
	modprobe f2fs
	mkfs.f2fs -f -q "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t f2fs -o flush_merge,nocheckpoint_merge "$DISK1" "$TMP/mnt"
}
action() { mount -o remount,flush_merge,checkpoint_merge "$TMP/mnt"; }
again() { grep -qs '^f2fs_ckpt' /proc/[0-9]*/comm; }
teardown() {
	s=0
	grep -qs '^f2fs_flush' /proc/[0-9]*/comm || s=1
	umount "$TMP/mnt"
	return $s
}
