# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# fcoe, a controller on a virtual Ethernet
# options: FCOE VETH
# packages: iproute2
# needs: net
# limit: 60
setup() {
	modprobe fcoe
	ip link add v0 type veth peer name v1
	ip link set v0 up
	ip link set v1 up
}
action() { echo v0 >/sys/bus/fcoe/ctlr_create; }
again() { ls -d /sys/class/fc_host/host*; }
teardown() {
	s=0
	echo v0 >/sys/bus/fcoe/ctlr_destroy || s=1
	for _ in $(seq 100); do
		ls -d /sys/class/fc_host/host* 2>/dev/null || break
		sleep 0.1
	done
	ip link del v0
	return $s
}
