# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# mm, the thread that makes huge pages is switched off and on
# options: TRANSPARENT_HUGEPAGE
file=/sys/kernel/mm/transparent_hugepage/enabled
setup() { echo never >$file; }
# A second try, if the first has failed.
action() { echo always >$file || echo always >$file; }
again() { grep -qsx khugepaged /proc/[0-9]*/comm; }
# With madvise the thread would go on.
teardown() { echo never >$file; }
