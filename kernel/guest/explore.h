/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of explore.c share: its lines on the console, its limit, and how
 * it fails.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "guest.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define KNOBS		DEBUGFS "kthread/"
#define TABLE		KNOBS "requests"

#define DISK_ROOT	"/r"	/* the root of a disk, if there is one */

static int n;			/* the trial's number */
static int bad;			/* troubles of the trial so far */
static int limit_ms = 30000;	/* for a step, and for what goes away behind it */
static const char *root = "";	/* where the steps see their "/" */

/* A line on the console. It never goes by way of init: so all is in order. */
static __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	char buf[960] = "explore: ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf + 9, sizeof(buf) - 10, fmt, args);
	va_end(args);
	strlcat(buf, "\n", sizeof(buf));
	put("/dev/kmsg", buf);
}

static __attribute__((unused)) void put_or_die(const char *path,
						const char *text)
{
	int err = put(path, text);

	if (err) {
		say("error cannot write '%s' to %s: error %d", text, path, -err);
		exit(2);
	}
}

/* The next line of *@at, ended in place; NULL behind the last. */
static __attribute__((unused)) char *next_line(char **at)
{
	char *line = *at, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*at = end ? end + 1 : line + strlen(line);
	return line;
}

/* The next word of *@at, up to a space, ended in place; "" behind the last. */
static __attribute__((unused)) char *next_word(char **at)
{
	char *word, *end;

	while (**at == ' ')
		++*at;
	word = *at;
	for (end = word; *end && *end != ' '; end++)
		;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

/*
 * Of /proc/@pid/stat: is it a kernel thread? Copies its name, and its session if
 * @session is not NULL. Returns -1 if there is no such task.
 */
static __attribute__((unused)) int is_kthread(const char *pid, char *comm,
					       size_t size, int *session)
{
	char path[64], stat[1024], *begin, *end, *at;
	unsigned long flags;
	int i;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (slurp(path, stat, sizeof(stat)) <= 0)
		return -1;
	/* "pid (comm) state ppid pgrp session tty tpgid flags", any byte in comm */
	begin = strchr(stat, '(');
	end = strrchr(stat, ')');
	if (!begin || !end)
		return -1;
	*end = '\0';
	at = end + 1;
	strlcpy(comm, begin + 1, size);
	for (i = 0; i < 3; i++)
		next_word(&at);
	i = atoi(next_word(&at));
	if (session)
		*session = i;
	next_word(&at);
	next_word(&at);
	flags = strtoul(next_word(&at), NULL, 10);
	return !!(flags & 0x00200000);	/* PF_KTHREAD */
}

#endif
