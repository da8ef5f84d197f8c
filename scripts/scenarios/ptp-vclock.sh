# SPDX-License-Identifier: GPL-2.0-only
# two virtual PTP clocks on netdevsim's clock, each with a kworker of its own
# options: NETDEVSIM PTP_1588_CLOCK
setup() {
	modprobe netdevsim
	echo "1 1" > /sys/bus/netdevsim/new_device
	ln -s /sys/bus/netdevsim/devices/netdevsim1/ptp/ptp* "$TMP/ptp"
}
action() { echo 2 > "$TMP/ptp/n_vclocks"; }
again() { set -- "$TMP"/ptp/ptp*/clock_name; [ $# = 2 ]; cat "$@"; }
teardown() { echo 0 > "$TMP/ptp/n_vclocks"; echo 1 > /sys/bus/netdevsim/del_device; modprobe -r netdevsim; }
