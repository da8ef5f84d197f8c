# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rxe, the module, and a device
# options: RDMA_RXE VETH
# packages: iproute2
# needs: net
setup() {
	ip link add v0 type veth peer name v1
	ip link set v0 up
}
action() {
	modprobe rdma_rxe
	rdma link add rxe0 type rxe netdev v0
}
again() { rdma link show rxe0/1; }
teardown() {
	rdma link delete rxe0 || true
	ip link del v0
}
