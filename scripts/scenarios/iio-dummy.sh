# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# iio, a device that configfs makes, whose events come by a threaded interrupt
# options: IIO_SIMPLE_DUMMY_EVENTS IIO_SW_DEVICE
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe iio_dummy
}
action() { mkdir /sys/kernel/config/iio/devices/dummy/d; }
again() { cat /sys/bus/iio/devices/iio:device0/name; }
teardown() {
	rmdir /sys/kernel/config/iio/devices/dummy/d || true
	umount /sys/kernel/config
}
