# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ring_buffer_benchmark, its producer and its consumer
# options: RING_BUFFER_BENCHMARK
action() { modprobe ring_buffer_benchmark; }
again() { grep ring_buffer_benchmark /proc/modules; }
teardown() { modprobe -r ring_buffer_benchmark; }
