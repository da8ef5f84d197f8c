# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# drbd, a resource that is made primary without its peer, then connects
# options: BLK_DEV_DRBD
# packages: drbd-utils
# disks: 1x64M
# needs: net
setup() {
	modprobe drbd
	mkdir -p /run/lock
	drbdsetup new-resource r
}
action() {
	drbdsetup new-minor r 0 0
	yes yes | drbdmeta --force 0 v08 "$DISK1" internal create-md
	drbdsetup attach 0 "$DISK1" "$DISK1" internal
	drbdsetup connect r ipv4:127.0.0.1:7789 ipv4:127.0.0.2:7789
	drbdsetup primary 0 --force
}
again() { dd if=/dev/zero of=/dev/drbd0 bs=64k count=16 oflag=direct; }
teardown() { drbdsetup down r; }
