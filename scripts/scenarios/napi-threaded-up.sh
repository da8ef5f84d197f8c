# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# net, a device that is set to threaded polling is opened
# options: NETDEVSIM
# packages: iproute2
setup() {
	modprobe netdevsim
	echo '1 1 2' >/sys/bus/netdevsim/new_device
	ls /sys/bus/netdevsim/devices/netdevsim1/net >dev
	ip link set "$(cat dev)" up
	echo 1 >"/sys/class/net/$(cat dev)/threaded"
	ip link set "$(cat dev)" down
}
action() { ip link set "$(cat dev)" up; }
again() {
	ip link set "$(cat dev)" down
	ip link set "$(cat dev)" up
	echo 0 >"/sys/class/net/$(cat dev)/threaded"
}
teardown() { echo 1 >/sys/bus/netdevsim/del_device; }
