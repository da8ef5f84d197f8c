# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# usb, a mass storage gadget, and the host's driver for it
# options: USB_DUMMY_HCD USB_MASS_STORAGE USB_STORAGE BLK_DEV_SD
# disks: 1x16M
setup() {
	modprobe -a sd_mod usb-storage
	modprobe dummy_hcd
}
action() {
	modprobe g_mass_storage file="$DISK1" stall=0
	for _ in $(seq 100); do
		for d in /sys/bus/usb/devices/*/host*/target*/*/block/sd*; do
			[ ! -e "$d" ] || return 0
		done
		sleep 0.1
	done
}
again() {
	for d in /sys/bus/usb/devices/*/host*/target*/*/block/sd*; do
		dd if="/dev/${d##*/}" of=/dev/null bs=64k count=4 iflag=direct || return
	done
}
teardown() { modprobe -r g_mass_storage; }
