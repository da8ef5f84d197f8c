# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# usb, a webcam gadget
# options: USB_DUMMY_HCD USB_G_WEBCAM
# limit: 60
setup() { modprobe dummy_hcd; }
action() { modprobe g_webcam; }
again() { ls -d /sys/class/video4linux/video*; }
teardown() { modprobe -r g_webcam; }
