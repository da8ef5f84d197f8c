// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ask kmemleak what has been lost since boot: to be run last. It takes nothing
 * for lost that is younger than five seconds, that has changed since the scan
 * before, or that it has found less often than it wants; so there is a scan, a
 * wait until all is old enough, and two more. The kernel's own line about new
 * leaks ends the run as well.
 */
#include "guest.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define MIN_AGE_MS	5000	/* MSECS_MIN_AGE in mm/kmemleak.c */
#define SCANS		3	/* min_unref_scans there is 1, or 2 */

int main(void)
{
	static char buf[64 * 1024];
	char *line, *next;
	ssize_t len;
	int i, err;

	for (i = 0; i < SCANS; i++) {
		if (i == 1)
			msleep(MIN_AGE_MS + 1000);
		err = put(KMEMLEAK, "scan");
		if (err) {
			printf("# %s: error %d\n", KMEMLEAK, -err);
			return 2;
		}
	}
	len = slurp(KMEMLEAK, buf, sizeof(buf));
	for (line = buf; *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		printf("# %s\n", line);
	}
	printf("1..1\n%sok 1 nothing_has_leaked\n", len ? "not " : "");
	return len ? 1 : 0;
}
