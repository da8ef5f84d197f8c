# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# pktgen, the module, which has a thread for each CPU
# options: NET_PKTGEN
# cpus: 4
action() { modprobe pktgen; }
again() { echo add_device lo@0 >/proc/net/pktgen/kpktgend_0 && echo rem_device_all >/proc/net/pktgen/kpktgend_0; }
teardown() { modprobe -r pktgen; }
