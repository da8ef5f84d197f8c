# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# scftorture, all its threads start and end
# options: SCF_TORTURE_TEST
# cpus: 4
# limit: 60
action() { modprobe scftorture stat_interval=5 nthreads=2; }
again() { grep scftorture /proc/modules; }
teardown() { modprobe -r scftorture; }
