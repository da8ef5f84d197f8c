# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bnx2fc, bnx2i: the modules, which have threads for each CPU, without hardware
# options: SCSI_BNX2X_FCOE SCSI_BNX2_ISCSI
# cpus: 4
action() {
	modprobe bnx2i
	modprobe bnx2fc
}
again() { grep bnx2fc /proc/modules; }
teardown() { modprobe -r bnx2fc bnx2i; }
