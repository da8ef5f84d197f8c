# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# mm, the thread of kmemleak is switched on
# options: DEBUG_KMEMLEAK
# packages: procps
file=/sys/kernel/debug/kmemleak
action() { echo scan=on >$file; }
again() { pgrep -x kmemleak; }
teardown() { echo scan=off >$file; }
