# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# target, a disk that the loopback fabric brings back
# options: LOOPBACK_TARGET TCM_FILEIO BLK_DEV_SD
# disks: 1x16M
core=/sys/kernel/config/target/core/fileio_0
tpg=/sys/kernel/config/target/loopback/naa.5001405000000001/tpgt_1
setup() {
	modprobe -a sd_mod tcm_loop target_core_file
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir -p $core/f
	echo "fd_dev_name=$DISK1,fd_dev_size=16777216" >$core/f/control
	echo 1 >$core/f/enable
}
action() {
	mkdir -p $tpg
	echo naa.5001405000000002 >$tpg/nexus
	mkdir $tpg/lun/lun_0
	ln -s $core/f $tpg/lun/lun_0/f
}
again() {
	for _ in $(seq 100); do
		for d in /sys/devices/tcm_loop_0/tcm_loop_adapter_*/host*/target*/*/block/sd*; do
			[ ! -e "$d" ] || dd if="/dev/${d##*/}" of=/dev/null bs=64k count=4 iflag=direct && return
		done
		sleep 0.1
	done
	return 1
}
teardown() {
	rm $tpg/lun/lun_0/f || true
	rmdir $tpg/lun/lun_0 || true
	rmdir $tpg || true
	rmdir ${tpg%/*} || true
	rmdir ${tpg%/*/*} || true
	rmdir $core/f
	rmdir $core
	umount /sys/kernel/config
}
