# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a check of a raid1, asked for by hand
# options: MD_RAID1
# packages: mdadm
# disks: 2x32M
export MDADM_NO_UDEV=1
# It has been checked.
synced() {
	for _ in $(seq 100); do
		! grep -q check /sys/block/md0/md/last_sync_action || ! grep -q idle /sys/block/md0/md/sync_action || return 0
		sleep 0.1
	done
	return 1
}
setup() {
	modprobe raid1
	mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
}
action() {
	echo check >/sys/block/md0/md/sync_action
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
