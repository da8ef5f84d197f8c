# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid1 that needs a resync becomes writable
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
setup() {
	modprobe raid1
	echo 1 >/sys/module/md_mod/parameters/start_ro
	mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
	mdadm --stop /dev/md0
	mdadm --assemble --readonly /dev/md0 "$DISK1" "$DISK2"
}
action() {
	mdadm --readwrite /dev/md0
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	echo 0 >/sys/module/md_mod/parameters/start_ro
	mdadm --stop /dev/md0
}
