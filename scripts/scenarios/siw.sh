# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# siw, the module, which has a thread for each CPU, and a device on the loopback
# options: RDMA_SIW
# packages: iproute2
# needs: net
# cpus: 4
action() {
	modprobe siw
	rdma link add siw0 type siw netdev lo
}
again() { rdma link show siw0/1; }
teardown() {
	rdma link delete siw0 || true
	modprobe -r siw
}
