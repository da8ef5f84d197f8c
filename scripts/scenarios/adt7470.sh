# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# adt7470, a sensor on a simulated bus, with a thread that reads it
# options: SENSORS_ADT7470 I2C_STUB
# packages: i2c-tools
bus() {
	for b in /sys/bus/i2c/devices/i2c-*; do
		! grep -q stub "$b/name" || echo "$b"
	done
}
setup() {
	modprobe i2c-stub chip_addr=0x2c
	modprobe i2c-dev 2>/dev/null || true
}
action() { modprobe adt7470 && echo adt7470 0x2c >"$(bus)/new_device"; }
again() { cat /sys/class/hwmon/hwmon*/name | grep adt7470; }
teardown() {
	echo 0x2c >"$(bus)/delete_device"
	modprobe -r adt7470 i2c-stub
}
