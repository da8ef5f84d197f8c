# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# cec, a logical address for an input of vivid
# options: VIDEO_VIVID VIDEO_VIVID_CEC
# packages: v4l-utils
# limit: 60
setup() { modprobe vivid n_devs=1; }
action() { cec-ctl -d /dev/cec0 --tv; }
again() { cec-ctl -d /dev/cec0 | grep 'Logical Address Mask *: 0x0001'; }
teardown() { modprobe -r vivid; }
