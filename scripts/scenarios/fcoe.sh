# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# fcoe, the modules that bring Fibre Channel to Ethernet, without hardware
# options: FCOE
# cpus: 4
action() { modprobe fcoe; }
again() { [ -e /sys/bus/fcoe/ctlr_create ]; }
teardown() { modprobe -r fcoe libfcoe libfc; }
