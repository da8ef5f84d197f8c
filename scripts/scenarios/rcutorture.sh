# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rcutorture, all its threads start and end
# options: RCU_TORTURE_TEST
# cpus: 4
# limit: 60
action() { modprobe rcutorture stat_interval=5 shutdown_secs=0 onoff_interval=0 fwd_progress=1 stall_cpu=0; }
again() { grep rcutorture /proc/modules; }
teardown() { modprobe -r rcutorture; }
