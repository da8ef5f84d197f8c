# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ipvs, a service, whose rates a thread estimates
# options: IP_VS IP_VS_RR
# packages: ipvsadm
# needs: net
setup() { modprobe -a ip_vs ip_vs_rr; }
action() {
	ipvsadm -A -t 127.0.0.1:80 -s rr
	ipvsadm -a -t 127.0.0.1:80 -r 127.0.0.2:80 -m
	sleep 3
}
again() { ipvsadm -L -n --rate | grep 127.0.0.2; }
teardown() {
	ipvsadm -C
	modprobe -r ip_vs_rr
	modprobe -r ip_vs
}
