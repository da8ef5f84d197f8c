# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# trace, the tracer of the system's noise, with a thread for each CPU
# options: OSNOISE_TRACER
# cpus: 4
tracing=/sys/kernel/tracing
action() { echo osnoise >$tracing/current_tracer; }
again() {
	echo 1000000 >$tracing/osnoise/period_us
	grep osnoise $tracing/current_tracer
}
teardown() { echo nop >$tracing/current_tracer; }
