# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# tipc, the module, a bearer over UDP, its topology server
# options: TIPC
# packages: iproute2
# needs: net
action() {
	modprobe tipc
	tipc node set address 1.1.1
	tipc bearer enable media udp name u localip 127.0.0.1
}
again() { tipc bearer list | grep u; }
teardown() {
	tipc bearer disable media udp name u || true
	modprobe -r tipc
}
