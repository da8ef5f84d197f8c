# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ahci, the six ports of the machine's own controller
# options: SATA_AHCI
action() { modprobe ahci; }
again() { ls -d /sys/class/ata_host/host1 2>/dev/null || ls -d /sys/class/scsi_host/host*; }
teardown() { modprobe -r ahci; }
