# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid5 with a write journal
# options: MD_RAID456
# packages: mdadm
# disks: 4x32M
# limit: 60
export MDADM_NO_UDEV=1
setup() { modprobe raid456; }
action() {
	mdadm --create /dev/md0 --run --assume-clean --level=5 --raid-devices=3 --write-journal "$DISK4" \
		"$DISK1" "$DISK2" "$DISK3"
}
again() { dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
