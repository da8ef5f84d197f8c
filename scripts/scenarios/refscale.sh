# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# refscale, readers, and the thread that leads them
# options: RCU_REF_SCALE_TEST
# cpus: 4
# limit: 60
action() { modprobe refscale nreaders=2 loops=10 nruns=2 holdoff=1 shutdown_secs=0; }
again() { grep refscale /proc/modules; }
teardown() { modprobe -r refscale; }
