# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid5 that grows from three disks to four
# options: MD_RAID456
# packages: mdadm
# disks: 4x32M
# limit: 60
export MDADM_NO_UDEV=1
# It has its new shape.
synced() {
	for _ in $(seq 300); do
		! grep -q none /sys/block/md0/md/reshape_position || return 0
		sleep 0.1
	done
	return 1
}
setup() {
	modprobe raid456
	mdadm --create /dev/md0 --run --assume-clean --level=5 --raid-devices=3 --bitmap=none "$DISK1" "$DISK2" "$DISK3"
	mdadm --add /dev/md0 "$DISK4"
}
action() {
	mdadm --grow /dev/md0 --raid-devices=4 --backup-file="$TMP/backup"
	synced || true
}
again() { synced && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	s=0
	dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct || s=1
	mdadm --stop /dev/md0
	return $s
}
