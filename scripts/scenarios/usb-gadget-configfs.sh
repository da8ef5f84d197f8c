# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# usb, a mass storage gadget by configfs
# options: USB_DUMMY_HCD USB_CONFIGFS_MASS_STORAGE
# disks: 1x16M
dir=/sys/kernel/config/usb_gadget/g
setup() {
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe -a dummy_hcd libcomposite
}
action() {
	mkdir -p $dir/configs/c.1 $dir/strings/0x409
	echo 0x1d6b >$dir/idVendor
	echo 0x0104 >$dir/idProduct
	mkdir $dir/functions/mass_storage.0
	echo "$DISK1" >$dir/functions/mass_storage.0/lun.0/file
	ln -s $dir/functions/mass_storage.0 $dir/configs/c.1/
	echo dummy_udc.0 >$dir/UDC
}
again() { grep dummy_udc.0 $dir/UDC; }
teardown() {
	[ ! -d $dir ] || {
		echo >$dir/UDC || true
		rm $dir/configs/c.1/mass_storage.0 || true
		rmdir $dir/functions/mass_storage.0 || true
		rmdir $dir/configs/c.1 $dir/strings/0x409 $dir
	}
	umount /sys/kernel/config
}
