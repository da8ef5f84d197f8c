# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# crypto, the module of parallel ciphers
# options: CRYPTO_PCRYPT
action() { modprobe pcrypt; }
# AF_ALG takes no asynchronous cipher, so nobody here can ask for one of these.
again() { [ -d /sys/kernel/pcrypt/pencrypt ] && [ -d /sys/kernel/pcrypt/pdecrypt ]; }
teardown() { modprobe -r pcrypt; }
