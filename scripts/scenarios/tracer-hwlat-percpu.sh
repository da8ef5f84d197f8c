# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# trace, the tracer of the hardware's latencies, with a thread for each CPU
# options: HWLAT_TRACER
# cpus: 4
tracing=/sys/kernel/tracing
setup() { echo hwlat >$tracing/current_tracer; }
action() { echo per-cpu >$tracing/hwlat_detector/mode; }
again() { grep '\[per-cpu\]' $tracing/hwlat_detector/mode; }
teardown() {
	echo round-robin >$tracing/hwlat_detector/mode || true
	echo nop >$tracing/current_tracer
}
