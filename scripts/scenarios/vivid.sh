# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vivid, a stream of pictures, another to the device, and one of radio
# options: VIDEO_VIVID
# packages: v4l-utils
# limit: 60
setup() { modprobe vivid n_devs=1 node_types=0x0101 allocators=0; }
action() {
	for d in /sys/class/video4linux/video*; do
		! grep -q vid-cap "$d/name" || cap=/dev/${d##*/}
	done
	v4l2-ctl -d "$cap" --set-fmt-video=width=320,height=180 --stream-mmap=3 --stream-count=3
}
again() { action; }
teardown() { modprobe -r vivid; }
