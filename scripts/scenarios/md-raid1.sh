# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid1 over two disks, with its first resync
# options: MD_RAID1
# packages: mdadm
# disks: 2x32M
export MDADM_NO_UDEV=1
# It is in sync.
synced() {
	for _ in $(seq 100); do
		! grep -q none /sys/block/md0/md/resync_start || return 0
		sleep 0.1
	done
	return 1
}
setup() { modprobe raid1; }
action() {
	mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
