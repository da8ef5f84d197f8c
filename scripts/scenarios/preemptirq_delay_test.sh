# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# preemptirq_delay_test, a thread that switches interrupts off for a while
# options: PREEMPTIRQ_DELAY_TEST
action() { modprobe preemptirq_delay_test test_mode=irq delay=100; }
again() { echo 1 >/sys/kernel/preemptirq_delay_test/trigger; }
teardown() { modprobe -r preemptirq_delay_test; }
