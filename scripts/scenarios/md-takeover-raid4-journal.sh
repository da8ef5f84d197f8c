# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid4 with a journal that becomes a raid5
# options: MD_RAID456
# packages: mdadm
# disks: 4x32M
export MDADM_NO_UDEV=1
setup() {
	modprobe raid456
	mdadm --create /dev/md0 --run --assume-clean --level=4 --raid-devices=3 --write-journal "$DISK4" \
		"$DISK1" "$DISK2" "$DISK3"
}
action() { echo raid5 >/sys/block/md0/md/level; }
again() { grep raid5 /sys/block/md0/md/level && dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
