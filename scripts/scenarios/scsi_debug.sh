# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# scsi_debug, two hosts, each with its error handler
# options: SCSI_DEBUG BLK_DEV_SD
setup() { modprobe sd_mod; }
action() { modprobe scsi_debug add_host=2 dev_size_mb=8; }
again() {
	for _ in $(seq 100); do
		for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/sd*; do
			[ ! -e "$d" ] || dd if="/dev/${d##*/}" of=/dev/null bs=64k count=4 iflag=direct && return
		done
		sleep 0.1
	done
	return 1
}
teardown() { modprobe -r scsi_debug; }
