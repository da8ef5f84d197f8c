# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a log of all writes
# options: DM_LOG_WRITES
# packages: dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create l --table "0 32768 log-writes $DISK1 $DISK2"; }
again() { dd if=/dev/zero of=/dev/mapper/l bs=64k count=8 oflag=direct; }
teardown() { dmsetup remove l; }
