# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# watchdog, the core's worker, and the software's watchdog with a pretimeout
# options: SOFT_WATCHDOG
action() { modprobe softdog; }
again() { ls -d /sys/class/watchdog/watchdog0; }
teardown() { modprobe -r softdog; }
