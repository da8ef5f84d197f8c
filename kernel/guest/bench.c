// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench:pairs:N	what N creations and stops take
 * bench:flood:N	what a creation takes in front of an empty table and of one
 *			with N requests, and for how long printing it all keeps
 *			interrupts off
 *
 * On an emulator that counts instructions (see kernel/bench). The numbers go to
 * the log; what they ought to be is said in scripts/test.
 */
#include "guest.h"

#define DIR	"/sys/kernel/debug/kthread/"
#define LATE	"/sys/module/bench/parameters/late_ns"
#define LIMIT	600000	/* ms of guest time */

/* Whether the table has a line with @text in it; @rows gets how many it has. */
static int table_has(const char *text, int *rows)
{
	static char buf[65536];
	int fd = open(DIR "requests", O_RDONLY), found = 0;
	char *line, *end;
	size_t len = 0;
	ssize_t n;

	*rows = -1;	/* the header */
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			found |= !!strstr(line, text);
			++*rows;
		}
		len -= line - buf;
		memmove(buf, line, len);
	}
	close(fd);
	return found;
}

static int wait_for(const char *text)
{
	long long end = now_ms() + LIMIT;
	int rows;

	while (now_ms() < end) {
		if (table_has(text, &rows))
			return 1;
		msleep(1);
	}
	printf("# no '%s' in the table\n", text);
	return 0;
}

/* A process that loads the module and may be killed meanwhile. */
static pid_t loader(const char *params)
{
	pid_t pid = fork();

	if (!pid)
		_exit(insmod("/mod/bench.ko", params) != 0);
	return pid;
}

/* At first timers go by the tick. */
static int timer_is_fine(void)
{
	long long end = now_ms() + LIMIT;
	char late[64];

	while (now_ms() < end) {
		put(LATE, "0");
		msleep(20);
		if (slurp(LATE, late, sizeof(late)) > 0 && atoi(late) < 50000)
			return 1;
	}
	printf("# the timer is late by %s", late);
	return 0;
}

static int flood(const char *n)
{
	char params[64], late[64];
	int rows, status;
	pid_t pid;

	/* Hold kthreadd, with a creation of this name. */
	if (insmod("/mod/test_kthread.ko", "") || put(DIR "comp_block/point", "fork") ||
	    put(DIR "comp_block/name", "held") || put(DIR "comp_block/probability", "100"))
		return 0;
	if (!fork())
		_exit(put("/sys/kernel/debug/test_kthread", "create held"));
	if (!wait_for(" fork "))
		return 0;

	snprintf(params, sizeof(params), "flood=%s", n);
	pid = loader(params);
	if (!wait_for(" queued "))
		return 0;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return 0;

	/* The killed one could not, so once more, for the timer. */
	rmmod("bench");
	if (insmod("/mod/bench.ko", "late=1") || !timer_is_fine() || put(LATE, "0"))
		return 0;
	table_has("", &rows);
	slurp(LATE, late, sizeof(late));
	printf("bench: rows %d\nbench: late_ns %s", rows, late);
	return 1;
}

int main(int argc, char **argv)
{
	char params[64];
	int ok = 0;

	if (argc != 3) {
		printf("# usage: bench pairs|flood N\n");
		return 2;
	}
	if (!strcmp(argv[1], "pairs")) {
		snprintf(params, sizeof(params), "pairs=%s", argv[2]);
		ok = !insmod("/mod/bench.ko", params);
	} else if (!strcmp(argv[1], "flood")) {
		ok = flood(argv[2]);
	}
	printf("%sok 1 counted\n", ok ? "" : "not ");
	return !ok;
}
