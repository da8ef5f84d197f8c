# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# rc, a remote control that receives what it sends
# options: RC_LOOPBACK
action() { modprobe rc-loopback; }
again() { ls -d /sys/class/rc/rc0; }
teardown() { modprobe -r rc-loopback; }
