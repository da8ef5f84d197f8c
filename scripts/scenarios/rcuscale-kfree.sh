# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rcuscale, kfree_rcu() in a loop
# options: RCU_SCALE_TEST
# cpus: 4
# limit: 60
action() { modprobe rcuscale kfree_rcu_test=1 kfree_nthreads=2 kfree_loops=5 kfree_alloc_num=100 shutdown_secs=0; }
again() { grep rcuscale /proc/modules; }
teardown() { modprobe -r rcuscale; }
