# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# trace, the benchmark's event is switched on
# options: TRACEPOINT_BENCHMARK
events=/sys/kernel/tracing/events/benchmark/benchmark_event
action() { echo 1 >$events/enable; }
again() {
	[ "$(cat $events/enable)" = 1 ]
	echo 0 >$events/enable
	echo 1 >$events/enable
}
teardown() { echo 0 >$events/enable; }
