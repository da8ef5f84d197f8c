# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid5 with a journal that is stopped and started by its state
# options: MD_RAID456
# packages: mdadm
# disks: 4x32M
export MDADM_NO_UDEV=1
state=/sys/block/md0/md/array_state
setup() {
	modprobe raid456
	mdadm --create /dev/md0 --run --assume-clean --level=5 --raid-devices=3 --write-journal "$DISK4" \
		"$DISK1" "$DISK2" "$DISK3"
	echo inactive >$state
}
action() { echo active >$state; }
again() { dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() {
	! grep -q inactive $state || echo active >$state
	mdadm --stop /dev/md0
}
