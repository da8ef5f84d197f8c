# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nvme, a controller of the loop transport
# options: NVME_TARGET_LOOP BLK_DEV_NVME
# disks: 1x16M
sub=/sys/kernel/config/nvmet/subsystems/nqn.t
port=/sys/kernel/config/nvmet/ports/1
setup() { mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; }
action() {
	modprobe nvme-loop
	mkdir -p $sub/namespaces/1
	echo 1 >$sub/attr_allow_any_host
	echo "$DISK1" >$sub/namespaces/1/device_path
	echo 1 >$sub/namespaces/1/enable
	mkdir -p $port
	echo loop >$port/addr_trtype
	ln -s $sub $port/subsystems/t
	echo "transport=loop,nqn=nqn.t" >/dev/nvme-fabrics
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
