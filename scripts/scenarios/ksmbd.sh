# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ksmbd and cifs, a share of this machine is mounted
# options: SMB_SERVER CIFS
# packages: ksmbd-tools cifs-utils
# needs: net
# limit: 60
setup() {
	mkdir -p /srv/e /etc/ksmbd "$TMP/mnt"
	printf '[global]\nnetbios name = K\nmap to guest = bad user\nguest account = root\n[share]\npath = /srv/e\nread only = no\nguest ok = yes\n' \
		>/etc/ksmbd/ksmbd.conf
	: >/etc/ksmbd/ksmbdpwd.db
	ksmbd.adduser -a u -p p
}
action() {
	modprobe ksmbd
	ksmbd.mountd
	for _ in $(seq 100); do
		! grep -qi ':01BD' /proc/net/tcp /proc/net/tcp6 || break
		sleep 0.1
	done
	modprobe cifs
	mount -t cifs -o username=u,password=p,vers=3.1.1,soft //127.0.0.1/share "$TMP/mnt"
}
again() { dd if=/dev/zero of="$TMP/mnt/f" bs=64k count=4 conv=fsync; }
teardown() {
	s=0
	umount "$TMP/mnt" || s=1
	ksmbd.control -s || true
	pkill ksmbd.mountd || true
	return $s
}
