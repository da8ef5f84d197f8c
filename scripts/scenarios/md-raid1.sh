# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# md, a raid1 over two disks, with its first resync
# options: MD_RAID1
# packages: mdadm
# disks: 2x32M
export MDADM_NO_UDEV=1
setup() { modprobe raid1; }
action() { mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --bitmap=none "$DISK1" "$DISK2"; }
again() { mdadm --wait /dev/md0 || true; dd if=/dev/zero of=/dev/md0 bs=64k count=16 oflag=direct; }
teardown() { mdadm --stop /dev/md0; }
