/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest's programs share. They are built on the kernel's own nolibc
 * (tools/include/nolibc), which Makefile includes in front of every file.
 */
#ifndef GUEST_H
#define GUEST_H

#include <linux/module.h>

/*
 * Write @text to the file @path in one write(), as debugfs and /proc want it.
 * Returns 0, or a negative errno; a short write is -EIO.
 */
static __attribute__((unused)) int put(const char *path, const char *text)
{
	ssize_t len = strlen(text), n;
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		err = -errno;
	else if (n != len)
		err = -EIO;
	close(fd);
	return err;
}

/*
 * Read the file @path into @buf of @size bytes, always terminated. Returns the
 * length, cut at @size - 1, or a negative errno with @buf empty.
 */
static __attribute__((unused)) ssize_t slurp(const char *path, char *buf,
					     size_t size)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY);

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	if (n < 0) {
		n = -errno;
		len = 0;
	}
	buf[len] = '\0';
	close(fd);
	return n < 0 ? n : (ssize_t)len;
}

/* The text behind @key in /proc/PID/status, "" if the task is gone. */
static __attribute__((unused)) const char *task_status(pid_t pid,
						       const char *key)
{
	static char buf[8192];
	const char *value;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	slurp(path, buf, sizeof(buf));
	value = strstr(buf, key);
	return value ? value + strlen(key) : "";
}

/* Load the module @path with @params. Returns 0 or a negative errno. */
static __attribute__((unused)) int insmod(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY), err;

	if (fd < 0)
		return -errno;
	err = syscall(__NR_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

/* Remove the module @name, at once or not at all. Returns 0 or -errno. */
static __attribute__((unused)) int rmmod(const char *name)
{
	return syscall(__NR_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Milliseconds since boot, on the clock of the console's time stamps. */
static __attribute__((unused)) long long now_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Whether @cond comes true within @ms milliseconds. */
#define WAIT_UNTIL(cond, ms) ({						\
	long long end = now_ms() + (ms);				\
	int ok;								\
									\
	while (!(ok = !!(cond)) && now_ms() < end)			\
		msleep(10);						\
	ok;								\
})

#endif
