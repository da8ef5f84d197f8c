# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# cifs, a mount that is killed while the server does not answer
# options: CIFS
# packages: cifs-utils perl-base
# needs: net
# limit: 60
setup() {
	modprobe cifs
	mkdir -p "$TMP/mnt"
	# A server that takes connections, and says nothing.
	perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in(4450, INADDR_LOOPBACK)) or die "bind: $!"; listen(S, 8);
		open F, ">ready"; while (1) { accept($c{++$n}, S) }' &
	echo $! >server
	for _ in $(seq 100); do
		[ ! -e ready ] || break
		sleep 0.1
	done
	[ -e ready ]
}
action() {
	s=0
	timeout -s KILL 3 mount -i -t cifs -o ip=127.0.0.1,port=4450,guest,vers=3.0 //127.0.0.1/x "$TMP/mnt" || s=$?
	[ $s = 137 ]
}
again() { ! grep -q "$TMP/mnt" /proc/mounts; }
teardown() {
	kill "$(cat server)"
	for _ in $(seq 100); do
		pgrep -x cifsd || break
		sleep 0.1
	done
	modprobe -r cifs
}
