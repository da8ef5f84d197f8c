# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# bpf, an entry of a CPU map
# options: BPF_SYSCALL
# packages: bpftool perl-base
setup() { mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true; }
action() {
	# BPF_MAP_CREATE of BPF_MAP_TYPE_CPUMAP, then BPF_MAP_UPDATE_ELEM of CPU 1: x86-64's number of bpf() is 321
	perl -e '$a = pack("L4 x100", 16, 4, 4, 2); ($f = syscall(321, 0, $a, length $a)) >= 0 or die "map: $!";
		$k = pack("L", 1); $v = pack("L", 192);
		$a = pack("L x4 P4 P4 Q", $f, $k, $v, 0) . "\0" x 80; syscall(321, 2, $a, length $a) == 0 or die "update: $!"'
}
again() { action; }
teardown() { umount /sys/fs/bpf 2>/dev/null || true; }
