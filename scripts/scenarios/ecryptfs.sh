# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ecryptfs, the module, whose init makes a thread
# options: ECRYPT_FS
action() { modprobe ecryptfs; }
again() { grep ecryptfs /proc/filesystems; }
teardown() { modprobe -r ecryptfs; }
