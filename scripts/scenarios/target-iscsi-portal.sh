# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# target, a portal of an iSCSI target
# options: ISCSI_TARGET
# needs: net
dir=/sys/kernel/config/target/iscsi
setup() {
	modprobe iscsi_target_mod
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir $dir
	mkdir $dir/iqn.2026-01.org.example:t
	mkdir $dir/iqn.2026-01.org.example:t/tpgt_1
}
action() {
	mkdir $dir/iqn.2026-01.org.example:t/tpgt_1/np/127.0.0.1:3260
	echo 1 >$dir/iqn.2026-01.org.example:t/tpgt_1/enable
}
again() { grep -i ':0CBC' /proc/net/tcp; }
teardown() {
	rmdir $dir/iqn.2026-01.org.example:t/tpgt_1/np/127.0.0.1:3260 || true
	rmdir $dir/iqn.2026-01.org.example:t/tpgt_1
	rmdir $dir/iqn.2026-01.org.example:t
	rmdir $dir
	umount /sys/kernel/config
}
