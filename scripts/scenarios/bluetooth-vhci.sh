# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bluetooth, a virtual controller
# options: BT_HCIVHCI
# packages: perl-base
setup() { modprobe hci_vhci; }
action() {
	# HCI_VENDOR_PKT, a primary controller
	perl -e 'open F, "+<", "/dev/vhci" or die "vhci: $!"; syswrite(F, "\xff\x00") or die "create: $!"; sleep 1'
}
again() { action; }
teardown() { modprobe -r hci_vhci; }
