// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor of monitor/: rv:on switches it on, with a panic for what it does not
 * allow, and rv:seen looks if it follows a creation to its end.
 */
#include "guest.h"

#define TRACING "/sys/kernel/tracing/"
#define MONITOR	TRACING "rv/monitors/kcreate/"
#define EVENT	TRACING "events/rv/event_kcreate/enable"
#define DONE	": completing x succeed -> returned (final)"

static int on(void)
{
	int err = put(MONITOR "reactors", "panic");

	return err ?: put(TRACING "rv/reacting_on", "1") ?:
	       put(TRACING "rv/monitoring_on", "1") ?: put(MONITOR "enable", "1");
}

static int seen(void)
{
	static char trace[64 * 1024];
	int err = put(TRACING "trace", "\n") ?: put(EVENT, "1") ?:
		  insmod("/mod/three.ko", "");

	if (err)
		return err;
	put(EVENT, "0");
	if (slurp(TRACING "trace", trace, sizeof(trace)) < 0 || !strstr(trace, DONE)) {
		printf("# rv: no '%s' in:\n# %s\n", DONE, trace);
		return -ENOENT;
	}
	return rmmod("three");
}

int main(int argc, char **argv)
{
	int err = argc > 1 && !strcmp(argv[1], "on") ? on() : seen();

	if (err)
		printf("# rv: error %d\n", -err);
	return err ? 1 : 0;
}
