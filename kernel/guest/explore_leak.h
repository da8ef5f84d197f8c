/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the trials have leaked, as kmemleak tells it. A scan takes seconds, and its
 * report tells when a thing was allocated: so one look does for several trials.
 */
#ifndef EXPLORE_LEAK_H
#define EXPLORE_LEAK_H

#include "explore.h"

#define KMEMLEAK	DEBUGFS "kmemleak"
#define LEAK_MS		6000	/* MSECS_MIN_AGE, and a bit */
#define TOGETHER	7	/* trials that a look is for */
#define LEAK_LINES	60	/* of a report, for each of them */

/* The trials that nobody has looked for leaks of yet. */
static struct {
	int n;
	unsigned long began;	/* in jiffies */
} unchecked[TOGETHER];

static int nr_unchecked;
static long long last_ended;	/* when the last of them has */

static unsigned long jiffies_now(void)
{
	static char buf[256 * 1024];
	const char *at;

	slurp("/proc/timer_list", buf, sizeof(buf));
	at = strstr(buf, "\njiffies: ");
	return at ? strtoul(at + 10, NULL, 10) : 0;
}

/* A trial begins. There is room for it unless leaks_full(). */
static void leaks_begin(void)
{
	unchecked[nr_unchecked].n = n;
	unchecked[nr_unchecked++].began = jiffies_now();
}

static void leaks_end(void)
{
	last_ended = now_ms();
}

static int leaks_full(void)
{
	return nr_unchecked == TOGETHER;
}

/* Which trial has allocated that, at this moment. */
static int whose(unsigned long jiffies)
{
	int i = nr_unchecked - 1;

	while (i > 0 && jiffies < unchecked[i].began)
		i--;
	return unchecked[i].n;
}

/*
 * A report is "unreferenced object ...", then "comm ..., pid ..., jiffies ...".
 * Returns whether there is any.
 */
static int say_leaks(void)
{
	static char buf[256 * 1024];
	char *at = buf, *line, *head = NULL, *when;
	int of = unchecked[0].n, most = LEAK_LINES * nr_unchecked, found;

	found = slurp(KMEMLEAK, buf, sizeof(buf)) > 0;
	while ((line = next_line(&at)) && most--) {
		if (!strncmp(line, "unreferenced ", 13)) {
			head = line;
			continue;
		}
		when = head ? strstr(line, ", jiffies ") : NULL;
		if (when)
			of = whose(strtoul(when + 10, NULL, 10));
		if (head)
			say("leak n=%d %s", of, head);
		head = NULL;
		say("leak n=%d %s", of, line);
	}
	return found;
}

/*
 * Look for what the trials have leaked since the last look. The first scan takes
 * the checksums, and the second one tells what has not changed since. Returns
 * whether there is anything.
 */
static int leaks(void)
{
	int i, found = 0;

	if (!access(KMEMLEAK, F_OK)) {
		say("scan");
		put(KMEMLEAK, "scan");
		if (now_ms() < last_ended + LEAK_MS)
			msleep(last_ended + LEAK_MS - now_ms());
		put(KMEMLEAK, "scan");
		found = say_leaks();
		put(KMEMLEAK, "clear");
	}
	for (i = 0; i < nr_unchecked; i++)
		say("checked n=%d", unchecked[i].n);
	nr_unchecked = 0;
	return found;
}

#endif
