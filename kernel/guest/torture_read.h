/* SPDX-License-Identifier: GPL-2.0-only */
/* The readers of the table and of comp_block/held: in pieces, with seeks, or not at all. */
#ifndef TORTURE_READ_H
#define TORTURE_READ_H

#include "torture.h"

static const char *const row_stages[] = {
	"queued", "forking", "starting", "completing", "waking", "exiting", "stopping", "parking",
};
/* The point at which a row of that stage may be held. */
static const char *const row_points[] = { "-", "fork", "claim", "complete", "run", "exit", "-", "-" };

enum { ROW_QUEUED, ROW_FORKING, ROW_STARTING, ROW_COMPLETING, ROW_WAKING, ROW_EXITING };

/* A number and nothing behind it. */
static int is_number(const char *text, u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	*value = strtoull(text, &end, 10);
	return !*end;
}

/* What is wrong with the row of ten @fields, NULL if nothing; @last is the id of the creation above it. */
static const char *bad_row(char **fields, u64 *last, u64 *id)
{
	int stage, held = strcmp(fields[3], "-"), waits = strcmp(fields[5], "-"), has_pid = strcmp(fields[7], "-");
	u64 age, pid;

	if (!is_number(fields[0], id))
		return "the id is no number";
	if (!is_number(fields[1], &age) || age > (u64)now_ms() + 1000)
		return "the age is older than the system";
	for (stage = 0; stage < 8 && strcmp(fields[2], row_stages[stage]); stage++)
		;
	if (stage == 8)
		return "unknown stage";
	if (held && strcmp(fields[3], row_points[stage]))
		return "held at a point of another stage";
	if (strcmp(fields[4], "-") && (strcmp(fields[4], "abandoned") || stage > ROW_STARTING))
		return "wrong flags";
	if (waits && !is_number(fields[5], &pid))
		return "the waiter's pid is no number";
	if (waits == (stage == ROW_WAKING || stage == ROW_EXITING))
		return "wrong waiter";
	if (has_pid && !is_number(fields[7], &pid))
		return "the pid is no number";
	if (has_pid ? stage < ROW_STARTING : stage > ROW_STARTING)
		return "a pid that does not fit the stage";
	if (stage <= ROW_COMPLETING) {
		if (*id <= *last)
			return "ids of creations do not grow";
		*last = *id;
	}
	return NULL;
}

/* A whole line below the header. It is changed and put back. */
static void judge_row(char *line, u64 *last)
{
	char *fields[10], *p = line;
	const char *why = NULL;
	int nr = 0;
	u64 id;

	shared->rows++;
	while (p && nr < 10) {
		fields[nr++] = p;
		p = strchr(p, ' ');
		if (p)
			*p++ = '\0';
	}
	for (int i = 0; i < nr; i++)
		why = *fields[i] ? why : "an empty field";
	if (nr != 10 || p)
		why = "not ten fields";
	why = why ?: bad_row(fields, last, &id);
	for (int i = 1; i < nr; i++)
		fields[i][-1] = ' ';
	if (why)
		fail("requests: %s: %.400s", why, line);
}

/*
 * Read the table in pieces of up to @piece bytes, with @seeks now and then, and
 * judge each whole line. A pass that begins at 0 begins with the header.
 */
static void read_table(int fd, int piece, int seeks)
{
	static char buf[65536];
	int torn = 0, first = 1;
	size_t len = 0, want;
	u64 last = 0;
	char *line, *end;
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	for (;;) {
		want = 1 + below(piece);
		if (want > sizeof(buf) - 1 - len)
			want = sizeof(buf) - 1 - len;
		n = read(fd, buf + len, want);
		if (n <= 0)
			break;
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (first && strncmp(line, "# id age_ms ", 12))
				fail("requests: no header: %.100s", line);
			else if (!torn && !first && *line != '#')
				judge_row(line, &last);
			first = torn = 0;
		}
		len -= line - buf;
		memmove(buf, line, len);
		if (seeks && once_in(16)) {
			/* Somewhere in a line, which is not judged. */
			lseek(fd, below(2) ? 0 : below(4096), SEEK_SET);
			last = len = first = 0;
			torn = 1;
		}
	}
	if (n < 0)
		fail("requests: a read returned error %d", errno);
	if (len && !torn)
		fail("requests: the last line has no end: %.200s", buf);
	shared->passes++;
}

static int open_table(void)
{
	int fd = open(DIR "requests", O_RDONLY);

	if (fd < 0)
		fail("requests cannot be opened: error %d", errno);
	return fd;
}

/* A process that reads the table until the end of the test. */
static __attribute__((noreturn)) void reader(u64 seed, unsigned int actor, int piece, int seeks)
{
	int fd = -1, left = 0;

	seed_actor(seed, actor);
	while (!shared->over) {
		if (!left) {
			if (fd >= 0)
				close(fd);
			fd = open_table();
			left = 1 + below(20);
		}
		left--;
		read_table(fd, piece, seeks);
		msleep(10 + below(200));
	}
	_exit(0);
}

/* A process that opens the table, reads a little, and leaves its place in it for a while. */
static __attribute__((noreturn)) void lazy_reader(u64 seed, unsigned int actor)
{
	int fds[4] = { -1, -1, -1, -1 };
	char buf[512];

	seed_actor(seed, actor);
	while (!shared->over) {
		int *fd = &fds[below(4)];

		if (*fd < 0)
			*fd = open_table();
		else if (once_in(3))
			close(*fd), *fd = -1;
		else if (read(*fd, buf, 1 + below(sizeof(buf))) < 0)
			fail("requests: a read returned error %d", errno);
		msleep(50 + below(200));
	}
	_exit(0);
}

/* A process that waits for a change of how many are held. */
static __attribute__((noreturn)) void poller(u64 seed, unsigned int actor)
{
	int fd = open(KNOB "held", O_RDONLY);
	struct pollfd one = { .fd = fd, .events = POLLPRI };
	char buf[32];
	u64 held;
	ssize_t n;

	seed_actor(seed, actor);
	while (fd >= 0 && !shared->over) {
		poll(&one, 1, below(500));
		if (once_in(4))
			poll(&one, 1, 0);	/* without a read it stays ready */
		lseek(fd, 0, SEEK_SET);
		n = read(fd, buf, sizeof(buf) - 1);
		if (n < 2 || buf[n - 1] != '\n') {
			fail("comp_block/held: a read returned %d, error %d", (int)n, errno);
			break;
		}
		buf[n - 1] = '\0';
		if (!is_number(buf, &held) || held > 100000)
			fail("comp_block/held is '%s'", buf);
		shared->polls++;
		msleep(20 + below(50));
	}
	_exit(0);
}

#endif
