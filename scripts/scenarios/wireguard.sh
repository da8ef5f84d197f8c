# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# wireguard, a device, whose polling is threaded, and a peer
# options: WIREGUARD
# packages: iproute2
# needs: net
action() {
	modprobe wireguard
	ip link add w0 type wireguard
	ip addr add 192.168.9.1/24 dev w0
	ip link set w0 up
}
again() { ip link show w0 | grep UP; }
teardown() { ip link del w0; }
