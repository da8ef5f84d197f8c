# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, an integrity target with a bitmap and a separate device for its sums
# options: DM_INTEGRITY
# packages: cryptsetup-bin dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
setup() { integritysetup format --batch-mode --no-wipe --data-device "$DISK1" "$DISK2"; }
action() { integritysetup open --integrity-bitmap-mode --data-device "$DISK1" "$DISK2" i; }
again() { dd if=/dev/zero of=/dev/mapper/i bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove i; }
