/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is, to be compared with what there was: threads, processes, modules
 * with their use counts, paths in /sys, /proc, debugfs and /dev, sockets, mounts,
 * block devices, requests. Of all these the names only, as contents change by
 * themselves. It tells what is new, and not what is gone.
 */
#ifndef EXPLORE_LOOK_H
#define EXPLORE_LOOK_H

#include "explore.h"

#define SHOWN		40		/* of what is left, in lines */
#define KNOWN		(1 << 17)	/* places for names, a power of two */

/* A name by its hash: how often it was there, and how often it is. */
static struct known {
	unsigned long long hash;
	unsigned int was, is;
} known[KNOWN];

static enum { REMEMBER, COUNT, TELL } mode;
static int found, names;

static struct known *place(const char *text)
{
	unsigned long long hash = 14695981039346656037ULL;
	size_t i;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
	hash += !hash;
	for (i = hash ^ hash >> 32; ; i++) {
		struct known *k = &known[i & (KNOWN - 1)];

		if (k->hash == hash)
			return k;
		if (!k->hash) {
			if (++names > KNOWN / 2) {
				say("error more than %d names", KNOWN / 2);
				exit(2);
			}
			k->hash = hash;
			return k;
		}
	}
}

static __attribute__((format(printf, 2, 3))) void thing(const char *kind,
							 const char *fmt, ...)
{
	char text[700], line[800];
	struct known *k;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "kind=%s what=%s", kind, text);
	k = place(line);
	if (mode == REMEMBER) {
		k->was++;
		return;
	}
	if (++k->is <= k->was)
		return;
	found++;
	if (mode == TELL && found <= SHOWN)
		say("left n=%d %s", n, line);
}

/* Whether an entry of a directory says nothing of what is there. */
static int dull(const char *dir, const char *name)
{
	/* Slab caches come and go by themselves; processes are looked at apart. */
	static const char *const names[] = {
		"tracing", "slab", "self", "thread-self", "kmemleak", NULL
	};
	int i;

	if (name[0] == '.' || (!strcmp(dir, "/proc") && atoi(name)))
		return 1;
	/* Its library makes that where there is no udev. Its devices are in /sys/block. */
	if (!strcmp(dir, "/dev") && !strcmp(name, "mapper"))
		return 1;
	for (i = 0; names[i]; i++)
		if (!strcmp(name, names[i]))
			return 1;
	return 0;
}

/* The entries of @dir, and of its directories, @depth levels deep. */
static void look_dir(const char *kind, const char *dir, int depth)
{
	char buf[2048], path[600];
	struct linux_dirent64 *e;
	int fd, len, at;

	fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return;
	while ((len = syscall(__NR_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < len; at += e->d_reclen) {
			e = (struct linux_dirent64 *)(buf + at);
			if (dull(dir, e->d_name))
				continue;
			snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			thing(kind, "%s", path);
			if (depth > 1 && e->d_type == 4)	/* DT_DIR */
				look_dir(kind, path, depth - 1);
		}
	}
	close(fd);
}

/* Behind their links, as there is one of each. */
static void look_blocks(void)
{
	char path[600];
	struct dirent entry, *e;
	DIR *d = opendir("/sys/block");

	while (d && !readdir_r(d, &entry, &e) && e) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s", e->d_name);
		thing("block", "%s", path);
		look_dir("block", path, 2);
	}
	if (d)
		closedir(d);
}

/* All tasks, but not the workers that come and go as they are needed. */
static void look_tasks(void)
{
	struct dirent entry, *e;
	DIR *d = opendir("/proc");
	char comm[64];
	int kthread;

	while (d && !readdir_r(d, &entry, &e) && e) {
		if (atoi(e->d_name) <= 1 || atoi(e->d_name) == getpid())
			continue;
		kthread = is_kthread(e->d_name, comm, sizeof(comm), NULL);
		if (kthread < 0)
			continue;
		/* kworker/R- is a workqueue's rescuer, which its owner made. */
		if (kthread && !strncmp(comm, "kworker/", 8) && comm[8] != 'R')
			continue;
		thing(kthread ? "thread" : "process", "%s", comm);
	}
	if (d)
		closedir(d);
}

static char text[512 * 1024];

static void look_modules(void)
{
	char *at = text, *line, *name;

	slurp("/proc/modules", text, sizeof(text));
	while ((line = next_line(&at))) {
		name = next_word(&line);
		next_word(&line);
		thing("module", "%s in use %s", name, next_word(&line));
	}
}

static void look_mounts(void)
{
	char *at = text, *line, *dev, *dir;

	slurp("/proc/self/mounts", text, sizeof(text));
	while ((line = next_line(&at))) {
		dev = next_word(&line);
		dir = next_word(&line);
		thing("mount", "%s on %s, %s", dev, dir, next_word(&line));
	}
}

static void look_requests(void)
{
	char *at = text, *line, *word[9];
	int i;

	slurp(TABLE, text, sizeof(text));
	while ((line = next_line(&at))) {
		for (i = 0; i < 9; i++)
			word[i] = next_word(&line);
		if (*word[0] != '#')
			thing("request", "%s %s %s by %s", line, word[2],
			      word[8], word[6]);
	}
}

/* The sockets in /proc/net/@file: fields @a, @b and @c of each line. */
static void look_sockets(const char *file, int a, int b, int c)
{
	char path[64], *at = text, *line, *word[12];
	int i;

	snprintf(path, sizeof(path), "/proc/net/%s", file);
	slurp(path, text, sizeof(text));
	next_line(&at);
	while ((line = next_line(&at))) {
		for (i = 0; i < 12; i++)
			word[i] = next_word(&line);
		/* A connection that has ended waits for a minute. */
		if (!strncmp(file, "tcp", 3) && !strcmp(word[3], "06"))
			continue;
		thing("net", "%s %s %s %s", file, word[a], word[b], word[c]);
	}
}

static void look_everywhere(void)
{
	look_tasks();
	look_modules();
	look_mounts();
	look_blocks();
	look_requests();
	look_dir("dev", "/dev", 3);
	look_dir("proc", "/proc", 4);
	look_dir("proc", "/proc/net", 3);
	look_dir("sysfs", "/sys/class", 2);
	look_dir("sysfs", "/sys/bus", 3);
	look_dir("sysfs", "/sys/fs", 3);
	look_dir("sysfs", "/sys/module", 1);
	look_dir("sysfs", "/sys/kernel", 1);
	look_dir("sysfs", "/sys/kernel/config", 4);
	if (*root)	/* mounted by a step it is only there */
		look_dir("sysfs", DISK_ROOT "/sys/kernel/config", 4);
	look_dir("sysfs", "/sys/devices", 2);
	look_dir("sysfs", "/sys/devices/virtual", 3);
	look_dir("debugfs", "/sys/kernel/debug", 4);
	look_dir("tracefs", "/sys/kernel/tracing/instances", 1);
	look_sockets("tcp", 1, 2, 3);
	look_sockets("tcp6", 1, 2, 3);
	look_sockets("udp", 1, 2, 3);
	look_sockets("udp6", 1, 2, 3);
	look_sockets("raw", 1, 2, 3);
	look_sockets("raw6", 1, 2, 3);
	look_sockets("unix", 4, 5, 7);
	look_sockets("netlink", 1, 2, 3);
	look_sockets("packet", 3, 4, 5);
}

/*
 * What there is. If @looked, a look has just found nothing new: then it is known.
 * Names that come and go for ever would fill the table, so now and then all is anew.
 */
static void remember(int looked)
{
	int i;

	if (looked && names < KNOWN / 4) {
		for (i = 0; i < KNOWN; i++)
			known[i].was = known[i].is;
		return;
	}
	memset(known, 0, sizeof(known));
	names = 0;
	mode = REMEMBER;
	look_everywhere();
}

/* How many things are new. */
static int new_things(int tell)
{
	int i;

	for (i = 0; i < KNOWN; i++)
		known[i].is = 0;
	found = 0;
	mode = tell ? TELL : COUNT;
	look_everywhere();
	if (tell && found > SHOWN)
		say("left n=%d kind=more what=%d more", n, found - SHOWN);
	return found;
}

/*
 * Wait until nothing new is there, for @ms at most, or until no less of it is there
 * for a third of that, with @retry() in between; and tell what is new then. Returns
 * how many things are.
 */
static int settle(int ms, void (*retry)(void))
{
	long long end = now_ms() + ms, less = now_ms();
	int wait = 20, looks = 0, now, before = 0;

	while ((now = new_things(0))) {
		if (!before || now < before) {
			less = now_ms();
			looks = 0;
		}
		before = now;
		/* A few looks, however busy the host is. */
		if (!ms || (++looks > 5 && (now_ms() >= end ||
					    now_ms() >= less + ms / 3))) {
			bad += new_things(1);
			return found;
		}
		msleep(wait);
		retry();
		if (wait < 500)
			wait *= 2;
	}
	return 0;
}

#endif
