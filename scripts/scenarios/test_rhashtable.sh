# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_rhashtable, a table that many threads change
# options: TEST_RHASHTABLE
# limit: 120
action() { modprobe test_rhashtable tcount=2 entries=500 runs=1; }
again() { :; }
teardown() { modprobe -r test_rhashtable || true; }
