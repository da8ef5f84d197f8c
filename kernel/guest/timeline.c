// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two creations of test_task to draw: a free one, and one that is held at point
 * complete and released. Their trace is printed, each line of it behind
 * "# trace ".
 *
 *	timeline[:hold_ms[:untraced]]
 *
 * With "untraced" somebody else records, as trace-cmd does.
 */
#include "guest.h"

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/kthread/enable"
#define TABLE	"/sys/kernel/debug/kthread/requests"
#define RELEASE	"/sys/kernel/debug/kthread/comp_block/release"
#define LIMIT	60000	/* ms that a state may take to come */

static char buf[1 << 16];
static int kmsg, trace = -1;

/* The kernel's log has come to a line with @text. */
static int logged(const char *text)
{
	char record[1200];
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		if (strstr(record, text))
			return 1;
	}
	return 0;
}

/* The row of test_task says that it is held. */
static int held(void)
{
	char *line, *next;

	slurp(TABLE, buf, sizeof(buf));
	for (line = buf; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strstr(line, " complete ") && strstr(line, " test_task"))
			return 1;
	}
	return 0;
}

#define WAIT_FOR(cond) WAIT_UNTIL(cond, LIMIT)

/* Print and take what has been traced since the last time. */
static void print_trace(void)
{
	char *line, *next;
	ssize_t n;

	/* Each read() gives whole lines, or it fails as nothing is there. */
	while ((n = read(trace, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		for (line = buf; *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			else
				next = line + strlen(line);
			printf("# trace %s\n", line);
		}
	}
}

static int create(const char *params, int hold_ms)
{
	int ok;

	lseek(kmsg, 0, SEEK_END);
	ok = !insmod("/mod/kill_task.ko", params);
	if (hold_ms) {
		ok = ok && WAIT_FOR(held());
		msleep(hold_ms);
		put(RELEASE, "all");
	}
	ok = ok && WAIT_FOR(logged(";kill_task: test thread runs"));
	/* While the module is there, its functions have names. */
	print_trace();
	ok = !rmmod("kill_task") && ok;
	print_trace();
	return ok;
}

int main(int argc, char **argv)
{
	int hold_ms = argc > 1 ? atoi(argv[1]) : 300;
	int free, blocked;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (argc < 3 || strcmp(argv[2], "untraced")) {
		trace = open(TRACING "trace_pipe", O_RDONLY | O_NONBLOCK);
		/* The default may go back a little from one CPU to the next. */
		if (put(TRACING "trace_clock", "mono") || put(EVENTS, "1"))
			printf("# cannot trace\n");
	}
	free = create("block=0 delay_ms=0", 0);
	blocked = create("block=1 delay_ms=0", hold_ms);
	printf("TAP version 13\n1..2\n");
	printf("%sok 1 timeline: a free creation\n", free ? "" : "not ");
	printf("%sok 2 timeline: one held and released\n", blocked ? "" : "not ");
	return !free || !blocked;
}
