# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a spare takes the place of a disk that has failed
# options: MD_RAID1
# packages: mdadm
# disks: 3x32M
export MDADM_NO_UDEV=1
# No disk is missing.
synced() {
	for _ in $(seq 100); do
		! grep -q '^0' /sys/block/md0/md/degraded || return 0
		sleep 0.1
	done
	return 1
}
setup() {
	modprobe raid1
	mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
	mdadm --fail /dev/md0 "$DISK2"
}
action() {
	mdadm --add /dev/md0 "$DISK3"
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
