# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# iio, a trigger that fires all the time, used by a device
# options: IIO_TIGHTLOOP_TRIGGER IIO_SIMPLE_DUMMY_BUFFER IIO_SW_DEVICE IIO_SW_TRIGGER
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe -a iio_dummy iio-trig-loop
	mkdir /sys/kernel/config/iio/devices/dummy/d
	mkdir /sys/kernel/config/iio/triggers/loop/t
}
action() {
	cd /sys/bus/iio/devices/iio:device0 || return
	cat ../trigger0/name >trigger/current_trigger
	echo 1 >scan_elements/in_voltage0_en
	echo 1 >buffer/enable
}
again() { [ "$(cat /sys/bus/iio/devices/iio:device0/buffer/enable)" = 1 ]; }
teardown() {
	echo 0 >/sys/bus/iio/devices/iio:device0/buffer/enable || true
	echo >/sys/bus/iio/devices/iio:device0/trigger/current_trigger || true
	rmdir /sys/kernel/config/iio/triggers/loop/t /sys/kernel/config/iio/devices/dummy/d
	umount /sys/kernel/config
}
