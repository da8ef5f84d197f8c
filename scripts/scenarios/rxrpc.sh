# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rxrpc, a local endpoint, which has a thread for its I/O
# options: AF_RXRPC
# packages: perl-base
# needs: net
setup() { modprobe rxrpc; }
action() {
	# AF_RXRPC, SOCK_DGRAM, AF_INET; bind to struct sockaddr_rxrpc: service 0, 127.0.0.1:7001
	perl -e 'socket(S, 33, 2, 2) or die "socket: $!"; bind(S, pack("S S S S S n C4 x8 x12", 33, 0, 2, 16, 2, 7001,
		127, 0, 0, 1)) or die "bind: $!"'
}
again() { action; }
teardown() { modprobe -r rxrpc; }
