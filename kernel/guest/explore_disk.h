/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's disks, by their serials, and what the steps see as their root file
 * system: the initramfs, or a squashfs with all that is written on top in memory.
 */
#ifndef EXPLORE_DISK_H
#define EXPLORE_DISK_H

#include <linux/fs.h>

#include "explore.h"

#ifndef MNT_DETACH
#define MNT_DETACH	2
#endif

static char disks[16][16];		/* names of /dev, of DISK1 on */

static void mount_on(const char *dev, const char *dir, const char *fs,
		     unsigned long flags, const char *data)
{
	mkdir(dir, 0755);
	if (mount(dev, dir, fs, flags, data)) {
		say("error cannot mount %s on %s: error %d", dev, dir, errno);
		exit(2);
	}
}

static void copy(const char *from, const char *to)
{
	static char buf[128 * 1024];
	ssize_t len = slurp(from, buf, sizeof(buf));
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || len < 0 || write(fd, buf, len) != len) {
		say("error no copy of %s as %s", from, to);
		exit(2);
	}
	close(fd);
}

static void use_root(const char *dev)
{
	root = DISK_ROOT;
	mount_on(dev, "/lower", "squashfs", MS_RDONLY, NULL);
	mount_on("tmpfs", "/upper", "tmpfs", 0, "mode=755");
	mkdir("/upper/u", 0755);
	mkdir("/upper/w", 0755);
	mount_on("overlay", DISK_ROOT, "overlay", 0,
		 "lowerdir=/lower,upperdir=/upper/u,workdir=/upper/w");
	mount_on("/proc", DISK_ROOT "/proc", NULL, MS_BIND | MS_REC, NULL);
	mount_on("/sys", DISK_ROOT "/sys", NULL, MS_BIND | MS_REC, NULL);
	mount_on("/dev", DISK_ROOT "/dev", NULL, MS_BIND | MS_REC, NULL);
	mount_on("tmpfs", DISK_ROOT "/run", "tmpfs", 0, "mode=755");
	mount_on("tmpfs", DISK_ROOT "/tmp", "tmpfs", 0, NULL);
	copy("/scenario", DISK_ROOT "/scenario");
}

static void find_disks(void)
{
	char path[300], serial[32], dev[64], root_dev[64] = "";
	struct dirent entry, *e;
	DIR *d = opendir("/sys/block");
	int nr;

	while (d && !readdir_r(d, &entry, &e) && e) {
		snprintf(path, sizeof(path), "/sys/block/%s/serial", e->d_name);
		if (slurp(path, serial, sizeof(serial)) <= 0)
			continue;
		snprintf(dev, sizeof(dev), "/dev/%s", e->d_name);
		nr = !strncmp(serial, "disk", 4) ? atoi(serial + 4) : 0;
		if (nr > 0 && nr <= 16) {
			strlcpy(disks[nr - 1], e->d_name, sizeof(disks[0]));
		} else if (!strncmp(serial, "modules", 7)) {
			mkdir("/lib", 0755);
			mount_on(dev, "/lib/modules", "squashfs", MS_RDONLY,
				 NULL);
		} else if (!strncmp(serial, "root", 4)) {
			strlcpy(root_dev, dev, sizeof(root_dev));
		}
	}
	if (d)
		closedir(d);
	if (*root_dev)
		use_root(root_dev);
	if (*root && !access("/lib/modules", F_OK))
		mount_on("/lib/modules", DISK_ROOT "/lib/modules", NULL,
			 MS_BIND, NULL);
}

/* As they were in the beginning: empty. */
static void clear_disks(void)
{
	unsigned long long range[2];
	char dev[64], path[64], size[32];
	int i, fd;

	for (i = 0; i < 16; i++) {
		if (!*disks[i])
			continue;
		snprintf(dev, sizeof(dev), "/dev/%s", disks[i]);
		snprintf(path, sizeof(path), "/sys/block/%s/size", disks[i]);
		slurp(path, size, sizeof(size));
		range[0] = 0;
		range[1] = strtoul(size, NULL, 10) * 512;
		fd = open(dev, O_RDWR);
		if (fd < 0 || ioctl(fd, BLKZEROOUT, range)) {
			say("note n=%d cannot clear %s: error %d", n, dev, errno);
			if (fd >= 0)
				close(fd);
			continue;
		}
		/* Nobody may see what was there before. */
		ioctl(fd, BLKFLSBUF, 0);
		close(fd);
	}
}

static const char *tmp_dir(void)
{
	return *root ? DISK_ROOT "/tmp/t" : "/tmp/t";
}

#endif
