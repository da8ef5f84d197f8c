# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid0 that becomes a raid10
# options: MD_RAID0 MD_RAID10
# packages: mdadm
# disks: 2x32M
export MDADM_NO_UDEV=1
setup() {
	modprobe raid0
	modprobe raid10
	mdadm --create /dev/md0 --run --level=0 --raid-devices=2 "$DISK1" "$DISK2"
}
action() { echo raid10 >/sys/block/md0/md/level; }
again() { grep raid10 /sys/block/md0/md/level && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	s=0
	dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct || s=1
	mdadm --stop /dev/md0
	return $s
}
