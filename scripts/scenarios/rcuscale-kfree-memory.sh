# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rcuscale, kfree_rcu() when memory runs out
# options: RCU_SCALE_TEST
# cpus: 4
# limit: 60
action() { modprobe rcuscale kfree_rcu_test=1 kfree_nthreads=2 kfree_mult=160000 shutdown_secs=0; }
again() { grep rcuscale /proc/modules; }
teardown() {
	# Its threads end by themselves.
	for _ in $(seq 50); do
		pgrep kfree_scale_thr || break
		sleep 0.1
	done
	modprobe -r rcuscale
}
