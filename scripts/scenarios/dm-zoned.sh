# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# dm, a zoned target over a zoned null_blk
# options: DM_ZONED BLK_DEV_NULL_BLK BLK_DEV_ZONED
# packages: dmsetup perl-base
# limit: 60
export DM_DISABLE_UDEV=1
# The disk has the name of the directory.
dir=/sys/kernel/config/nullb/nullb0
setup() {
	modprobe null_blk nr_devices=0
	modprobe dm-zoned
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir $dir
	echo 1 >$dir/memory_backed
	echo 1 >$dir/zoned
	echo 64 >$dir/size
	echo 4 >$dir/zone_size
	echo 4 >$dir/zone_nr_conv
	echo 1 >$dir/power
	# What dmzadm --format writes, in two copies: a super block of version 1, whose CRC-32 begins with the generation, a
	# mapping table without chunks, empty bitmaps.
	perl -e 'sub crc { my $c = 1; for (unpack("C*", $_[0])) { $c ^= $_;
			$c = $c & 1 ? $c >> 1 ^ 0xedb88320 : $c >> 1 for 1 .. 8 } return $c }
		open F, "+<", "/dev/nullb0" or die "nullb0: $!";
		for (0, 1) { my $b = pack("L L Q Q L6 x4048", 0x445a4244, 1, 1, $_ * 1024, 18, 2, 12, 1, 16, 0);
			substr($b, 44, 4) = pack("L", crc($b)); sysseek(F, $_ * 4194304, 0);
			syswrite(F, $b . "\xff" x 4096 . "\0" x 65536) == 73728 or die "write: $!" }'
}
action() { dmsetup create z --table "0 98304 zoned /dev/nullb0"; }
again() { dd if=/dev/zero of=/dev/mapper/z bs=4096 count=16 oflag=direct; }
teardown() {
	s=0
	dmsetup remove z || s=1
	# A timer of 10 seconds belongs to the target.
	[ $s = 0 ] || sleep 12
	echo 0 >$dir/power
	rmdir $dir
	umount /sys/kernel/config
	return $s
}
