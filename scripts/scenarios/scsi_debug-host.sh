# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# scsi_debug, hosts come and go at run time
# options: SCSI_DEBUG BLK_DEV_SD
hosts=/sys/bus/pseudo/drivers/scsi_debug/add_host
setup() {
	modprobe sd_mod
	modprobe scsi_debug dev_size_mb=8
}
action() { echo 1 >$hosts; }
again() {
	# It looks at all hosts, and refuses while one of them is at work.
	for _ in $(seq 50); do
		! echo 2 >${hosts%/*}/delay || break
		sleep 0.1
	done
	[ "$(cat ${hosts%/*}/delay)" = 2 ]
	echo 1 >$hosts
	echo -1 >$hosts
}
teardown() {
	echo -1 >$hosts || true
	rmmod scsi_debug
	# The hosts' threads run in scsi_mod, which must not go before them.
	for _ in $(seq 20); do
		grep -q '^scsi_eh_' /proc/[0-9]*/comm || break
		sleep 0.1
	done
}
