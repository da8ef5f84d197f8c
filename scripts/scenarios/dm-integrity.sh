# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, an integrity target with its journal
# options: DM_INTEGRITY
# packages: cryptsetup-bin dmsetup
# disks: 1x16M
export DM_DISABLE_UDEV=1
setup() { integritysetup format --batch-mode --no-wipe "$DISK1"; }
action() { integritysetup open "$DISK1" i; }
again() { dd if=/dev/zero of=/dev/mapper/i bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove i; }
