# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# aoe, the driver for disks behind Ethernet is loaded, and finds one
# options: ATA_OVER_ETH VETH
# packages: aoetools iproute2 vblade
# disks: 1x16M
setup() {
	ip link add v0 type veth peer name v1
	ip link set v0 up
	ip link set v1 up
	vblade 1 1 v0 "$DISK1" >vblade.log 2>&1 &
	echo $! >vblade.pid
}
action() {
	modprobe aoe aoe_iflist=v1
	for _ in $(seq 100); do
		echo >/dev/etherd/discover 2>/dev/null || aoe-discover || true
		[ ! -e /sys/block/etherd!e1.1 ] || break
		sleep 0.1
	done
}
again() { [ -e /sys/block/etherd!e1.1 ] && dd if=/dev/etherd/e1.1 of=/dev/null bs=64k count=4 iflag=direct; }
teardown() {
	kill "$(cat vblade.pid)"
	modprobe -r aoe
	ip link del v0
}
