# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vivid, the module, with three HDMI outputs and their threads for CEC
# options: VIDEO_VIVID VIDEO_VIVID_CEC
# limit: 60
action() { modprobe vivid n_devs=1 num_outputs=3 output_types=0x7; }
again() { grep -h vivid /sys/class/video4linux/video*/name; }
teardown() { modprobe -r vivid; }
