# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bluetooth, rfcomm and bnep, on top of the core
# options: BT_RFCOMM BT_BNEP
# packages: perl-base
action() {
	modprobe rfcomm
	modprobe bnep
}
again() { grep -q . /proc/net/rfcomm || perl -e 'socket(S, 31, 1, 3) or die "socket: $!"'; }
teardown() { modprobe -r rfcomm; }
