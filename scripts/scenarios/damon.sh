# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# damon, the monitor of a process is started and stopped
# options: DAMON_SYSFS
admin=/sys/kernel/mm/damon/admin/kdamonds
setup() {
	echo 1 >$admin/nr_kdamonds
	echo 1 >$admin/0/contexts/nr_contexts
	echo vaddr >$admin/0/contexts/0/operations
	echo 1 >$admin/0/contexts/0/targets/nr_targets
	sleep 600 &
	echo $! >$admin/0/contexts/0/targets/0/pid_target
	echo $! >pid
}
action() { echo on >$admin/0/state; }
again() {
	echo update_schemes_stats >$admin/0/state || true
	echo off >$admin/0/state
	echo on >$admin/0/state
	grep on $admin/0/state
}
teardown() {
	echo off >$admin/0/state || true
	kill "$(cat pid)"
	echo 0 >$admin/nr_kdamonds
}
