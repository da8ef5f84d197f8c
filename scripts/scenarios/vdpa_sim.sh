# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vdpa, a simulated network device
# options: VDPA_SIM_NET
# packages: iproute2
setup() { modprobe vdpa_sim_net; }
action() { vdpa dev add name d mgmtdev vdpasim_net; }
again() { vdpa dev show d; }
teardown() {
	vdpa dev del d || true
	modprobe -r vdpa_sim_net
}
