# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a spare takes the place of a disk that has failed
# options: MD_RAID1
# packages: mdadm
# disks: 3x32M
export MDADM_NO_UDEV=1
setup() {
	modprobe raid1
	mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"
	mdadm --fail /dev/md0 "$DISK2"
}
action() { mdadm --add /dev/md0 "$DISK3"; }
again() { mdadm --wait /dev/md0 || true; dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
