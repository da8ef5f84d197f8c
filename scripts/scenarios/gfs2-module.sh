# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# gfs2, the module is loaded
# options: GFS2_FS
action() { modprobe gfs2; }
again() { grep gfs2 /proc/filesystems; }
teardown() { modprobe -r gfs2; }
