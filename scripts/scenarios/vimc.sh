# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vimc, a stream of pictures from a virtual camera
# options: VIDEO_VIMC
# packages: v4l-utils
# limit: 60
setup() { modprobe vimc; }
action() {
	for d in /sys/class/video4linux/video*; do
		! grep -q 'Raw Capture 0' "$d/name" || cap=/dev/${d##*/}
	done
	v4l2-ctl -d "$cap" --set-fmt-video=width=640,height=480,pixelformat=BA81 --stream-mmap=3 --stream-count=2
}
again() { action; }
teardown() { modprobe -r vimc; }
