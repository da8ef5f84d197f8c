# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# batman-adv, two nodes in two name spaces measure their throughput
# options: BATMAN_ADV VETH
# packages: batctl iproute2
# needs: net
# limit: 60
setup() {
	modprobe batman_adv
	ip netns add b
	ip link add v0 type veth peer name v1 netns b
	ip link set v0 up
	ip -n b link set v1 up
	ip link add bat0 type batadv
	ip -n b link add bat0 type batadv
	ip link set v0 master bat0
	ip -n b link set v1 master bat0
	ip link set bat0 up
	ip -n b link set bat0 up
	for _ in $(seq 200); do
		! batctl meshif bat0 originators -H 2>/dev/null | grep -q : || break
		sleep 0.1
	done
}
action() { batctl meshif bat0 throughputmeter -t 500 "$(ip netns exec b cat /sys/class/net/v1/address)"; }
again() { batctl meshif bat0 originators -H; }
teardown() {
	ip link del bat0
	ip netns del b
	ip link del v0 || true
}
