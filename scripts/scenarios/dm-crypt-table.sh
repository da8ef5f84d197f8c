# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a crypt target with a key in the kernel's keyring is suspended and gets another table
# options: DM_CRYPT CRYPTO_XTS
# packages: dmsetup
# disks: 1x16M
export DM_DISABLE_UDEV=1
setup() { dmsetup create c --table "0 32768 crypt aes-xts-plain64 $(printf '%064d' 7) 0 $DISK1 0"; }
action() {
	dmsetup reload c --table "0 32768 crypt aes-xts-plain64 $(printf '%064d' 8) 0 $DISK1 0 1 submit_from_crypt_cpus"
	dmsetup resume c
}
again() { dd if=/dev/zero of=/dev/mapper/c bs=64k count=16 oflag=direct; }
teardown() { dmsetup remove c; }
