# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# test_vmalloc, the module, which tests and does not stay
# options: TEST_VMALLOC
action() { modprobe test_vmalloc nr_threads=1 run_test_mask=1 test_loop_count=1 || true; }
