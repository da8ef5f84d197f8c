# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# netconsole, a target is enabled, and its console's thread starts
# options: NETCONSOLE_DYNAMIC DUMMY
# packages: iproute2
# needs: net
dir=/sys/kernel/config/netconsole/t
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	ip link add v0 type dummy
	ip addr add 192.168.9.1/24 dev v0
	ip link set v0 up
}
action() {
	modprobe netconsole
	mkdir $dir
	echo v0 >$dir/dev_name
	echo 192.168.9.1 >$dir/local_ip
	echo 192.168.9.2 >$dir/remote_ip
	echo 1 >$dir/enabled
}
again() { [ "$(cat $dir/enabled)" = 1 ]; }
teardown() {
	rmdir $dir || true
	ip link del v0
	umount /sys/kernel/config
}
