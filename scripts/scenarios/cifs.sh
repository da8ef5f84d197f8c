# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# cifs, a mount, and a reconnect, of a share that is served already
# options: SMB_SERVER CIFS
# packages: ksmbd-tools cifs-utils
# needs: net
# limit: 60
setup() {
	mkdir -p /srv/e /etc/ksmbd "$TMP/mnt"
	printf '[global]\nnetbios name = K\n[share]\npath = /srv/e\nread only = no\n' >/etc/ksmbd/ksmbd.conf
	: >/etc/ksmbd/ksmbdpwd.db
	ksmbd.adduser -a u -p p
	modprobe -a ksmbd cifs
	ksmbd.mountd
	for _ in $(seq 100); do
		! grep -qi ':01BD' /proc/net/tcp /proc/net/tcp6 || break
		sleep 0.1
	done
}
action() { mount -t cifs -o username=u,password=p,vers=3.1.1,soft,multichannel,max_channels=2 //127.0.0.1/share "$TMP/mnt"; }
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=4 conv=fsync; }
teardown() {
	s=0
	umount "$TMP/mnt" || s=1
	ksmbd.control -s || true
	pkill ksmbd.mountd || true
	return $s
}
