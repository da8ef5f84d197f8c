# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# trace, the tracer of a timer's latency, with a thread for each CPU
# options: TIMERLAT_TRACER
# cpus: 4
tracing=/sys/kernel/tracing
action() { echo timerlat >$tracing/current_tracer; }
again() {
	echo 0-1 >$tracing/osnoise/cpus
	echo 0-3 >$tracing/osnoise/cpus
	grep timerlat $tracing/current_tracer
}
teardown() { echo nop >$tracing/current_tracer; }
