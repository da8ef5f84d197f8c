# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# locktorture, all its threads start and end
# options: LOCK_TORTURE_TEST
# cpus: 4
# limit: 60
action() { modprobe locktorture stat_interval=5 torture_type=mutex_lock stutter=2 shuffle_interval=1; }
again() { grep locktorture /proc/modules; }
teardown() { modprobe -r locktorture; }
