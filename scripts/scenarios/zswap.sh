# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# mm, compressed swap is switched on for the first time
# options: ZSWAP
# needs: cold
file=/sys/module/zswap/parameters/enabled
action() { echo 1 >$file; }
again() { grep Y $file; }
teardown() { echo 0 >$file; }
