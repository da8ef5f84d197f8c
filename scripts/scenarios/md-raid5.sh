# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid5 over three disks, with its first recovery
# options: MD_RAID456
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
setup() { modprobe raid456; }
action() {
	mdadm --create /dev/md0 --run --level=5 --raid-devices=3 --bitmap=none "$DISK1" "$DISK2" "$DISK3"
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
