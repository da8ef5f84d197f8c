# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# samples, an instance of tracing and its thread
# options: SAMPLE_TRACE_ARRAY
action() { modprobe sample-trace-array; }
again() { ls -d /sys/kernel/tracing/instances/sample-instance; }
teardown() { modprobe -r sample-trace-array; }
