# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ocfs2, a file system without a cluster is mounted
# options: OCFS2_FS OCFS2_FS_O2CB
# packages: ocfs2-tools
# disks: 1x128M
# limit: 60
setup() {
	modprobe -a ocfs2 ocfs2_stack_o2cb
	yes | mkfs.ocfs2 -q -F -M local -N 1 -J size=8M "$DISK1"
}
action() {
	mkdir -p "$TMP/mnt"
	mount -i -t ocfs2 "$DISK1" "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount -i "$TMP/mnt"; }
