# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nfs, a copy that the server makes, cancelled by a signal
# options: NFSD NFSD_V4 NFS_V4_2
# packages: nfs-kernel-server nfs-common rpcbind perl-base
# needs: net
# limit: 60
setup() {
	modprobe -a nfsd nfs nfsv4
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /srv/e "$TMP/mnt" /var/lib/nfs/v4recovery
	mount -t tmpfs tmpfs /srv/e
	rpcbind -w
	rpc.nfsd --grace-time 10 --lease-time 10 2
	rpc.mountd
	exportfs -o rw,no_root_squash,insecure,fsid=0 '*:/srv/e'
	mount -t nfs4 -o vers=4.2,soft,retry=0,rsize=65536 127.0.0.1:/ "$TMP/mnt"
	dd if=/dev/zero of="$TMP/mnt/a" bs=64k count=64 conv=fsync
}
# copy_file_range() of all that is in file a
copy() {
	perl -e 'open A, "<", $ARGV[0] or die "a: $!"; open B, "+>", $ARGV[1] or die "b: $!";
		my $n = syscall(326, fileno A, 0, fileno B, 0, 4194304, 0); die "copy: $!" if $n <= 0; print "$n\n"' \
		"$TMP/mnt/a" "$TMP/mnt/$1"
}
action() {
	copy b &
	pid=$!
	(
		sleep 5
		kill -INT $pid
	) &
	wait $pid || true
}
again() { copy c; }
teardown() {
	s=0
	umount "$TMP/mnt" || s=1
	exportfs -au
	rpc.nfsd 0
	pkill rpc.mountd
	pkill rpcbind
	umount /proc/fs/nfsd /srv/e
	return $s
}
