# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# target, an initiator logs in at an iSCSI target on this machine
# options: ISCSI_TARGET TCM_FILEIO ISCSI_TCP BLK_DEV_SD
# packages: open-iscsi
# disks: 1x16M
# needs: net
# limit: 60
core=/sys/kernel/config/target/core/fileio_0
iqn=iqn.2026-01.org.example:t
tpg=/sys/kernel/config/target/iscsi/$iqn/tpgt_1
setup() {
	modprobe -a sd_mod iscsi_target_mod target_core_file iscsi_tcp
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir -p $core/f
	echo "fd_dev_name=$DISK1,fd_dev_size=16777216" >$core/f/control
	echo 1 >$core/f/enable
	mkdir -p $tpg/lun/lun_0
	ln -s $core/f $tpg/lun/lun_0/f
	mkdir $tpg/np/127.0.0.1:3260
	for a in authentication:0 demo_mode_write_protect:0 generate_node_acls:1 cache_dynamic_acls:1; do
		echo ${a#*:} >$tpg/attrib/${a%:*}
	done
	echo 1 >$tpg/enable
	mkdir -p /run/lock
	echo InitiatorName=iqn.2026-01.org.example:i >/etc/iscsi/initiatorname.iscsi
	iscsid -p "$TMP/iscsid.pid" || iscsid
	iscsiadm -m node -o new -T $iqn -p 127.0.0.1:3260
}
action() { iscsiadm -m node -T $iqn -p 127.0.0.1:3260 --login; }
again() {
	for _ in $(seq 100); do
		for d in /sys/class/iscsi_session/session*/device/target*/*/block/sd*; do
			[ ! -e "$d" ] || dd if="/dev/${d##*/}" of=/dev/null bs=64k count=4 iflag=direct && return
		done
		sleep 0.1
	done
	return 1
}
teardown() {
	s=0
	iscsiadm -m node -T $iqn -p 127.0.0.1:3260 --logout || s=1
	iscsiadm -k 0
	echo 0 >$tpg/enable
	rmdir $tpg/np/127.0.0.1:3260
	rm $tpg/lun/lun_0/f
	rmdir $tpg/lun/lun_0 $tpg ${tpg%/*} ${tpg%/*/*}
	rmdir $core/f $core
	umount /sys/kernel/config
	return $s
}
