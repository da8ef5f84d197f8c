# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_kmod, modules are asked for by several threads
# options: TEST_KMOD
dir=/sys/devices/virtual/misc/test_kmod0
setup() { modprobe test_kmod; }
action() {
	echo 2 >$dir/config_num_threads
	echo crc7 >$dir/config_test_driver || true
	echo 1 >$dir/trigger_config
}
again() { cat $dir/test_result; }
teardown() { modprobe -r test_kmod; }
