# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# mm, the thread of kmemleak is stopped while a scan by hand goes on
# options: DEBUG_KMEMLEAK
# limit: 60
file=/sys/kernel/debug/kmemleak
action() { echo scan=1 >$file; }
again() { grep -qsx kmemleak /proc/[0-9]*/comm; }
teardown() {
	echo scan >$file &
	# The write below is the next to get the mutex, and the thread the one after that.
	while [ -e /proc/$! ] && ! grep -qs kmemleak_write /proc/$!/stack; do :; done
	echo scan=off >$file
	wait
}
