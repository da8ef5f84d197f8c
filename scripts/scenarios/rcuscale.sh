# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rcuscale, readers and writers
# options: RCU_SCALE_TEST
# cpus: 4
# limit: 60
action() { modprobe rcuscale nreaders=2 nwriters=2 holdoff=1 shutdown_secs=0; }
again() { grep rcuscale /proc/modules; }
teardown() { modprobe -r rcuscale; }
