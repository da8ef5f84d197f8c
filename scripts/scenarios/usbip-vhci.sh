# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# usbip, a device of the virtual gadget controller is attached over TCP
# options: USBIP_VHCI_HCD USBIP_VUDC USB_ZERO
# packages: usbip
# needs: net
# limit: 60
setup() {
	modprobe -a usbip-core vhci-hcd usbip-vudc
	modprobe g_zero
	mkdir -p /run /var/run
	usbipd --device --pid="$TMP/usbipd.pid" -D
}
action() { usbip attach -r 127.0.0.1 -d usbip-vudc.0; }
again() {
	for _ in $(seq 100); do
		! grep -h 0525 /sys/bus/usb/devices/*/idVendor 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}
teardown() {
	s=0
	usbip detach -p 00 || s=1
	kill "$(cat usbipd.pid)" || pkill usbipd
	modprobe -r g_zero
	return $s
}
