# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vhost, a guest's socket, whose worker is a kernel thread
# options: VHOST_VSOCK VHOST_ENABLE_FORK_OWNER_CONTROL
# packages: perl-base
setup() {
	modprobe vhost fork_from_owner_default=0
	modprobe vhost_vsock
}
action() {
	# VHOST_SET_OWNER
	perl -e 'open F, "+<", "/dev/vhost-vsock" or die "vsock: $!"; ioctl(F, 0xaf01, 0) or die "owner: $!"'
}
again() { action; }
teardown() { modprobe -r vhost_vsock; }
