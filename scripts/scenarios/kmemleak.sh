# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# mm, the thread of kmemleak is switched on
# options: DEBUG_KMEMLEAK
# limit: 120
file=/sys/kernel/debug/kmemleak
action() { echo scan=on >$file; }
again() { grep -qsx kmemleak /proc/[0-9]*/comm; }
# The write waits until a scan that has begun is over.
teardown() { echo scan=off >$file; }
