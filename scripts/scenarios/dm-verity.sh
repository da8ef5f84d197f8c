# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a verity target
# options: DM_VERITY
# packages: cryptsetup-bin dmsetup
# disks: 2x16M
export DM_DISABLE_UDEV=1
setup() { veritysetup format --root-hash-file hash "$DISK1" "$DISK2"; }
action() { veritysetup open --root-hash-file hash "$DISK1" v "$DISK2"; }
again() { dd if=/dev/mapper/v of=/dev/null bs=64k count=16 iflag=direct; }
teardown() { dmsetup remove v; }
