# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# smc, the module, and a socket that falls back to TCP
# options: SMC
# packages: perl-base
# needs: net
action() { modprobe smc; }
again() { perl -e 'socket(S, 43, 1, 0) or die "socket: $!"'; }
teardown() { modprobe -r smc; }
