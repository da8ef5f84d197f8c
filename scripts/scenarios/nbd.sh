# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nbd, a client and its server on this machine
# options: BLK_DEV_NBD
# packages: nbd-client nbd-server
# disks: 1x16M
# needs: net
setup() {
	nbd-server -C /dev/null -M 1 127.0.0.1:10809 "$DISK1" -r -p "$TMP/nbd.pid" 2>&1 || nbd-server 127.0.0.1@10809 "$DISK1" -p "$TMP/nbd.pid"
}
action() {
	modprobe nbd nbds_max=1
	nbd-client 127.0.0.1 10809 /dev/nbd0 -nofork
}
again() { dd if=/dev/nbd0 of=/dev/null bs=64k count=16 iflag=direct; }
teardown() {
	nbd-client -d /dev/nbd0 || true
	kill "$(cat "$TMP/nbd.pid")"
}
