# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# gpio, edges of a simulated line are watched, by a threaded interrupt
# options: GPIO_SIM GPIO_CDEV
# packages: gpiod
dir=/sys/kernel/config/gpio-sim/g
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe gpio-sim
	mkdir $dir
	mkdir $dir/b
	echo 4 >$dir/b/num_lines
	echo 1 >$dir/live
}
action() {
	gpiomon -n 1 "$(cat $dir/b/chip_name)" 0 &
	for _ in $(seq 50); do
		! grep -q gpiomon /proc/interrupts || break
		sleep 0.1
	done
	echo pull-up >/sys/devices/platform/"$(cat $dir/dev_name)"/"$(cat $dir/b/chip_name)"/sim_gpio0/pull
	wait $!
	echo pull-down >/sys/devices/platform/"$(cat $dir/dev_name)"/"$(cat $dir/b/chip_name)"/sim_gpio0/pull
}
again() { action; }
teardown() {
	echo 0 >$dir/live
	rmdir $dir/b $dir
	umount /sys/kernel/config
}
