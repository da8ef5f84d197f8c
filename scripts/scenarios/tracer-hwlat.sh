# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# trace, the tracer of the hardware's latencies
# options: HWLAT_TRACER
tracing=/sys/kernel/tracing
action() { echo hwlat >$tracing/current_tracer; }
again() {
	echo 0 >$tracing/tracing_on
	echo 1 >$tracing/tracing_on
	grep hwlat $tracing/current_tracer
}
teardown() { echo nop >$tracing/current_tracer; }
