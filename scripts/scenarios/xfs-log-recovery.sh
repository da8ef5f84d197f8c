# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# xfs, a file system whose log has to be replayed, with an external log and quota
# options: XFS_FS XFS_QUOTA
# packages: xfsprogs
# disks: 1x320M 1x64M
# limit: 60
setup() {
	modprobe xfs
	mkfs.xfs -q -f -K -l logdev="$DISK2" "$DISK1"
	mkdir -p "$TMP/mnt"
	mount -t xfs -o logdev="$DISK2" "$DISK1" "$TMP/mnt"
	dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync
	xfs_io -x -c 'shutdown -f' "$TMP/mnt"
	umount "$TMP/mnt"
}
action() { mount -t xfs -o logdev="$DISK2",uquota,gquota "$DISK1" "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=16 conv=fsync; }
teardown() { umount "$TMP/mnt"; }
