# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nvme, a controller of the TCP transport, its target on this machine
# options: NVME_TARGET_TCP NVME_TCP
# disks: 1x16M
# needs: net
sub=/sys/kernel/config/nvmet/subsystems/nqn.t
port=/sys/kernel/config/nvmet/ports/1
setup() { mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; }
action() {
	modprobe nvmet-tcp
	modprobe nvme-tcp
	mkdir -p $sub/namespaces/1
	echo 1 >$sub/attr_allow_any_host
	echo "$DISK1" >$sub/namespaces/1/device_path
	echo 1 >$sub/namespaces/1/enable
	mkdir -p $port
	echo tcp >$port/addr_trtype
	echo ipv4 >$port/addr_adrfam
	echo 127.0.0.1 >$port/addr_traddr
	echo 4420 >$port/addr_trsvcid
	ln -s $sub $port/subsystems/t
	echo "transport=tcp,traddr=127.0.0.1,trsvcid=4420,nqn=nqn.t" >/dev/nvme-fabrics
}
again() {
	for _ in $(seq 100); do
		[ ! -b /dev/nvme0n1 ] || break
		sleep 0.1
	done
	dd if=/dev/nvme0n1 of=/dev/null bs=64k count=4 iflag=direct
}
teardown() {
	echo 1 >/sys/class/nvme/nvme0/delete_controller || true
	rm $port/subsystems/t || true
	rmdir $port || true
	rmdir $sub/namespaces/1 || true
	rmdir $sub || true
	umount /sys/kernel/config
}
