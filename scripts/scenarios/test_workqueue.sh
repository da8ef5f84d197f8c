# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_workqueue, workers on many CPUs
# options: TEST_WORKQUEUE
# cpus: 4
# limit: 120
action() { modprobe test_workqueue || true; }
again() { :; }
teardown() { modprobe -r test_workqueue || true; }
