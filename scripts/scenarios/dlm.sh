# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dlm, a lockspace, with the part of its daemon played by this script
# options: DLM
# packages: perl-base
# needs: net
# limit: 60
setup() { mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; }
action() {
	modprobe dlm
	d=/sys/kernel/config/dlm/cluster
	mkdir $d
	mkdir $d/comms/1
	echo 1 >$d/comms/1/nodeid
	perl -e 'print pack("S n C4 x120", 2, 0, 127, 0, 0, 1)' >$d/comms/1/addr
	echo 1 >$d/comms/1/local
	mkdir $d/spaces/l $d/spaces/l/nodes/1
	echo 1 >$d/spaces/l/nodes/1/nodeid
	# struct dlm_write_request: version 6.0.0, DLM_USER_CREATE_LOCKSPACE, is64bit, "l"
	perl -e 'open F, "+<", "/dev/dlm-control" or die "dlm-control: $!";
		syswrite(F, pack("L3 C C x2 L2 Z8", 6, 0, 0, 4, 1, 0, 0, "l")) or die "lockspace: $!"' &
	p=$!
	for _ in $(seq 100); do
		[ ! -e /sys/kernel/dlm/l/event_done ] || break
		sleep 0.1
	done
	echo 1 >/sys/kernel/dlm/l/control
	echo 0 >/sys/kernel/dlm/l/event_done
	wait $p
}
again() { [ -d /sys/kernel/dlm/l ]; }
teardown() {
	d=/sys/kernel/config/dlm/cluster
	rmdir $d/spaces/l/nodes/1 $d/spaces/l $d/comms/1 $d || true
	umount /sys/kernel/config
}
