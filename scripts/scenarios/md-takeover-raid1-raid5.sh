# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid1 that becomes a raid5
# options: MD_RAID1 MD_RAID456
# packages: mdadm
# disks: 2x32M
export MDADM_NO_UDEV=1
setup() {
	modprobe raid1
	modprobe raid456
	mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
}
action() { echo raid5 >/sys/block/md0/md/level; }
again() { grep raid5 /sys/block/md0/md/level && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	s=0
	dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct || s=1
	mdadm --stop /dev/md0
	return $s
}
