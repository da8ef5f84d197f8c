// SPDX-License-Identifier: GPL-2.0-only
/*
 * A row of each kind in the table of requests, kthreadd held at last, for a debugger.
 *
 * It prints the table, each line of it behind "# before ", says "# look", and goes
 * on when a byte comes from the second serial port. Then it prints the table again,
 * behind "# after ", and ends what it has begun.
 */
#include <sys/prctl.h>
#include "guest.h"

#define KTHREAD	"/sys/kernel/debug/kthread/"
#define MODULE	"/sys/kernel/debug/test_kthread"
#define PORT	"/dev/ttyS1"
#define LIMIT	60000	/* ms that a state may take to come */

static char table[1 << 16];

/* Whether a line of the table has the @stage and ends with the @name. */
static int at(const char *stage, const char *name)
{
	char *line, *next, *last;

	slurp(KTHREAD "requests", table, sizeof(table));
	for (line = table; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		last = strrchr(line, ' ');
		if (last && !strcmp(last + 1, name) && strstr(line, stage))
			return 1;
	}
	return 0;
}

#define WAIT_FOR(cond) WAIT_UNTIL(cond, LIMIT)

/* A child that gives the module a command, under the name @comm. */
static pid_t child(const char *comm, const char *command)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, (unsigned long)comm, 0, 0, 0);
		_exit(-put(MODULE, command));
	}
	return pid;
}

/* The same; the new thread @name is held at @point. */
static pid_t hold(const char *point, const char *name, const char *command)
{
	if (put(KTHREAD "comp_block/point", point) || put(KTHREAD "comp_block/name", name) ||
	    put(KTHREAD "comp_block/times", "1") || put(KTHREAD "comp_block/probability", "100"))
		return -1;
	return child("holder", command);
}

static int killed(pid_t pid)
{
	return pid > 0 && !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid;
}

/* Returns whether all rows are there. */
static int rows(void)
{
	pid_t pid;

	if (insmod("/mod/test_kthread.ko", "") || put(MODULE, "stay pm \\\n\x7f\xff'of more than 15 bytes") ||
	    put(MODULE, "stay ") || put(MODULE, "stay pm-park"))
		return 0;
	child("c \\\n\xfe", "stop pm \\\n\x7f\xff'of more than 15 bytes");
	child("", "stop ");
	child("parker", "park pm-park");
	if (!WAIT_FOR(at(" stopping ", "pm\\040\\134\\012\\177\\377'of\\040more\\040than\\04015\\040bytes")) ||
	    !WAIT_FOR(at(" stopping ", "-")) || !WAIT_FOR(at(" parking ", "pm-park")))
		return 0;

	hold("exit", "pm-exit", "run pm-exit");
	wait(NULL);
	child("stopper", "stop pm-exit");
	if (!WAIT_FOR(at(" exiting exit ", "pm-exit")) || !WAIT_FOR(at(" stopping ", "pm-exit")))
		return 0;
	hold("run", "pm-run", "run pm-run");
	wait(NULL);
	if (!WAIT_FOR(at(" waking run ", "pm-run")))
		return 0;
	hold("complete", "pm-complete", "create pm-complete");
	if (!WAIT_FOR(at(" completing complete ", "pm-complete")))
		return 0;
	hold("claim", "pm-slow", "create pm-slow");
	if (!WAIT_FOR(at(" starting claim - ", "pm-slow")))
		return 0;
	pid = hold("claim", "pm-claim", "create pm-claim");
	if (!WAIT_FOR(at(" starting claim - ", "pm-claim")) || !killed(pid) ||
	    !WAIT_FOR(at(" starting claim abandoned ", "pm-claim")))
		return 0;
	hold("fork", "pm-fork", "create pm-fork");
	if (!WAIT_FOR(at(" forking fork ", "pm-fork")))
		return 0;
	child("next", "create pm-next");
	if (!WAIT_FOR(at(" queued - - ", "pm-next")))
		return 0;
	pid = child("gone", "create pm-gone");
	return WAIT_FOR(at(" queued - - ", "pm-gone")) && killed(pid) &&
	       WAIT_FOR(at(" queued - abandoned ", "pm-gone"));
}

static void print_table(const char *when)
{
	char *line, *next;

	slurp(KTHREAD "requests", table, sizeof(table));
	for (line = table; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		printf("# %s %s\n", when, line);
	}
}

/* Whether a byte comes: the host has seen all that it wants to see. */
static int seen(void)
{
	int fd = open(PORT, O_RDONLY), ok;
	char c;

	ok = fd >= 0 && read(fd, &c, 1) == 1;
	close(fd);
	return ok;
}

int main(void)
{
	int ok = rows(), went_on, empty;

	print_table("before");
	printf("# look\n");
	went_on = ok && seen();
	print_table("after");
	put(KTHREAD "comp_block/release", "all");
	put(MODULE, "let");
	/* Its header is left. */
	empty = WAIT_FOR(slurp(KTHREAD "requests", table, sizeof(table)) > 0 &&
			 !strchr(strchr(table, '\n') + 1, '\n'));
	while (waitpid(-1, NULL, 0) > 0)
		;
	printf("TAP version 13\n1..2\n");
	printf("%sok 1 postmortem: a row of each kind\n", ok && went_on ? "" : "not ");
	printf("%sok 2 postmortem: all rows go again\n", empty ? "" : "not ");
	return !ok || !went_on || !empty;
}
