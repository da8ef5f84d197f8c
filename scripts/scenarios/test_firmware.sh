# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_firmware, a batch of requests, each by a thread
# options: TEST_FIRMWARE
dir=/sys/devices/virtual/misc/test_firmware
setup() {
	modprobe test_firmware
	# The kernel looks for it where init does.
	mkdir -p /proc/1/root/lib/firmware
	echo ABC >/proc/1/root/lib/firmware/x2.bin
}
action() {
	echo 4 >$dir/config_num_requests
	printf x2.bin >$dir/config_name
	# A second try, if the first has failed.
	echo 1 >$dir/trigger_batched_requests || echo 1 >$dir/trigger_batched_requests
}
again() { [ "$(cat $dir/test_result)" = 0 ]; }
teardown() {
	echo 1 >$dir/release_all_firmware
	modprobe -r test_firmware
}
