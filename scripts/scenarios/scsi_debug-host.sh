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
	echo 1 >$hosts
	echo -1 >$hosts
}
teardown() {
	echo -1 >$hosts || true
	modprobe -r scsi_debug
}
