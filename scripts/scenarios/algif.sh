# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# crypto, a hash and a cipher that user space asks for are made of templates
# options: CRYPTO_USER_API_HASH CRYPTO_USER_API_SKCIPHER CRYPTO_CAMELLIA CRYPTO_CMAC CRYPTO_XTS
# packages: perl-base
setup() {
	modprobe -a algif_hash algif_skcipher
	# Else only what is known to be used is there.
	echo 0 >/proc/sys/crypto/af_alg_restrict
}
action() {
	perl -e 'for (["hash", "cmac(camellia)"], ["skcipher", "xts(camellia)"]) { socket(S, 38, 5, 0) or die "socket: $!";
		bind(S, pack("S Z14 L L Z64", 38, $_->[0], 0, 0, $_->[1])) or die "bind: $!" }'
}
again() { action; }
teardown() { :; }
