# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# samples, an event that is switched on has a thread
# options: SAMPLE_TRACE_EVENTS
events=/sys/kernel/tracing/events/sample-trace
setup() { modprobe trace-events-sample; }
action() {
	echo 1 >$events/foo_bar/enable
	echo 1 >$events/foo_bar_with_fn/enable
}
again() { [ "$(cat $events/foo_bar_with_fn/enable)" = 1 ]; }
teardown() {
	echo 0 >$events/enable
	modprobe -r trace-events-sample
}
