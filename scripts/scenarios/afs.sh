# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# afs, the module, with a socket for callbacks
# options: AFS_FS
# needs: net
action() { modprobe kafs; }
again() { grep afs /proc/filesystems; }
teardown() { modprobe -r kafs; }
