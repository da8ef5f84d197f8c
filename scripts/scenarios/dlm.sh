# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dlm, a lockspace of user space, with the part of the cluster's daemon played by this script
# options: DLM
# packages: perl-base
# needs: net
# limit: 60
conf=/sys/kernel/config/dlm/cluster
# struct dlm_write_request: version, command, is64bit; struct dlm_lspace_params: flags, minor, name. It returns the minor.
request() {
	perl -e 'open F, "+<", "/dev/dlm-control" or die "dlm-control: $!";
		print syscall(1, fileno F, pack("L3 C2 x2 L2 Z136", 6, 0, 0, @ARGV), 160), "\n"' "$@"
}
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe dlm
	mkdir $conf
	mkdir $conf/comms/1
	echo 1 >$conf/comms/1/nodeid
	perl -e 'print pack("S n C4 x120", 2, 0, 127, 0, 0, 1)' >$conf/comms/1/addr
	echo 1 >$conf/comms/1/local
	mkdir $conf/spaces/l
	mkdir $conf/spaces/l/nodes/1
	echo 1 >$conf/spaces/l/nodes/1/nodeid
}
action() {
	# A daemon is there as long as somebody has this open.
	exec 5</dev/dlm-monitor
	request 4 1 0 0 l >minor &
	for _ in $(seq 50); do
		if [ -e /sys/kernel/dlm/l/event_done ]; then
			echo 1 >/sys/kernel/dlm/l/control
			echo 0 >/sys/kernel/dlm/l/event_done
			break
		fi
		kill -0 $! 2>/dev/null || break
		sleep 0.1
	done
	wait $!
	grep -v - minor
}
again() { [ -d /sys/kernel/dlm/l ]; }
teardown() {
	s=0
	# 2: by force, without an event
	grep -v - minor && request 5 1 2 "$(cat minor)" l || s=1
	rmdir $conf/spaces/l/nodes/1
	rmdir $conf/spaces/l
	rmdir $conf/comms/1
	rmdir $conf
	umount /sys/kernel/config
	return $s
}
