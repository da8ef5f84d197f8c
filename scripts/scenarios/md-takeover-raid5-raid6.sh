# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid5 that becomes a raid6
# options: MD_RAID456
# packages: mdadm
# disks: 3x32M
export MDADM_NO_UDEV=1
setup() {
	modprobe raid456
	mdadm --create /dev/md0 --run --assume-clean --level=5 --raid-devices=3 --bitmap=none "$DISK1" "$DISK2" "$DISK3"
}
action() { echo raid6 >/sys/block/md0/md/level; }
again() { grep raid6 /sys/block/md0/md/level && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	s=0
	dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct || s=1
	mdadm --stop /dev/md0
	return $s
}
