# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# net, a device's polling moves to threads
# options: VETH
# packages: iproute2
# needs: net
setup() {
	ip link add v0 numrxqueues 2 numtxqueues 2 type veth peer name v1 numrxqueues 2 numtxqueues 2
	ip link set v0 up
	ip link set v1 up
	for d in v0 v1; do echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6 || true; done
	echo 20000 >/sys/class/net/v0/gro_flush_timeout
}
action() {
	ip link set v0 gro_max_size 65536
	echo 1 >/sys/class/net/v0/threaded
	ip link set v0 down
	ip link set v0 up
}
again() { [ "$(cat /sys/class/net/v0/threaded)" = 1 ]; }
teardown() { ip link del v0; }
