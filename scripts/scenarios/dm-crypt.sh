# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a crypt target, and I/O through its threads
# options: DM_CRYPT CRYPTO_XTS
# packages: dmsetup
# disks: 1x16M
export DM_DISABLE_UDEV=1
action() { dmsetup create c --table "0 32768 crypt aes-xts-plain64 $(printf '%064d' 7) 0 $DISK1 0"; }
again() { dd if=/dev/zero of=/dev/mapper/c bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove c; }
