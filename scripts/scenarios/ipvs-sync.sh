# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ipvs, the daemons that tell other directors of connections
# options: IP_VS
# packages: ipvsadm iproute2
# needs: net
setup() {
	modprobe ip_vs
	ip link set lo multicast on
	ip route add 224.0.0.0/4 dev lo
}
action() {
	ipvsadm --start-daemon master --mcast-interface lo --syncid 1
	ipvsadm --start-daemon backup --mcast-interface lo --syncid 1
}
again() { ipvsadm -L --daemon | grep -c sync | grep 2; }
teardown() {
	ipvsadm --stop-daemon master || true
	ipvsadm --stop-daemon backup || true
	ip route del 224.0.0.0/4 dev lo
	modprobe -r ip_vs
}
