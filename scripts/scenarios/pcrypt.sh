# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# crypto, the module of parallel ciphers, and a cipher that is asked for by name
# options: CRYPTO_PCRYPT CRYPTO_USER_API_AEAD
# packages: perl-base
setup() { modprobe -a algif_aead af_alg 2>/dev/null || true; }
action() {
	modprobe pcrypt
	# AF_ALG, SOCK_SEQPACKET; struct sockaddr_alg: type 14, features, mask, name 64
	perl -e 'socket(S, 38, 5, 0) or die "socket: $!"; bind(S, pack("S Z14 L L Z64", 38, "aead", 0, 0,
		"pcrypt(gcm(aes))")) or die "bind: $!"'
}
again() { grep pcrypt /proc/crypto; }
teardown() { :; }
