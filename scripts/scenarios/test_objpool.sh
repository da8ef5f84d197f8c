# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_objpool, pools that many threads use
# options: TEST_OBJPOOL
# limit: 120
action() { modprobe test_objpool || true; }
again() { :; }
teardown() { :; }
