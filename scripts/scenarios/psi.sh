# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# psi, a trigger of the pressure on the CPUs
# options: PSI
# packages: perl-base
action() {
	perl -e 'open F, "+<", "/proc/pressure/cpu" or die "open: $!";
		syswrite(F, "some 150000 1000000\n") or die "trigger: $!"; sleep 1'
}
again() { action; }
