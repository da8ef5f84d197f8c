# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# drm, the virtual display with its default device
# options: DRM_VKMS
setup() { mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; }
action() { modprobe vkms; }
again() {
	mkdir /sys/kernel/config/vkms/x
	rmdir /sys/kernel/config/vkms/x
}
teardown() {
	modprobe -r vkms || true
	umount /sys/kernel/config
}
