# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# infiniband, the modules on top of a software device
# options: RDMA_RXE VETH INFINIBAND_IPOIB|INFINIBAND_SRP|INFINIBAND_ISER
# packages: iproute2
# needs: net
# limit: 60
setup() {
	ip link add v0 type veth peer name v1
	ip link set v0 up
	modprobe rdma_rxe
	rdma link add rxe0 type rxe netdev v0
}
action() {
	for m in ib_ipoib ib_iser ib_isert ib_srp ib_srpt rdma_ucm ib_umad nvme-rdma nvmet-rdma; do modprobe $m; done
}
again() { rdma link show rxe0/1; }
teardown() {
	rdma link delete rxe0
	ip link del v0
}
