// SPDX-License-Identifier: GPL-2.0-only
/*
 * What khungtaskd alone says of a creation that is never answered: why the
 * series exists. For a kernel without it.
 */
#include "guest.h"

#define LIMIT	60000	/* ms */
#define TIMES	3	/* as often as khungtaskd is to have looked and reported */

static int failures;

static void verdict(int n, int ok, const char *what)
{
	printf("%sok %d %s\n", ok ? "" : "not ", n, what);
	failures += !ok;
}

/* The pid of the only task by this comm, 0 if there is none. */
static int find(const char *comm)
{
	char path[64], buf[64], want[64];
	int pid;

	snprintf(want, sizeof(want), "%s\n", comm);
	for (pid = 1; pid < 4096; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (slurp(path, buf, sizeof(buf)) > 0 && !strcmp(buf, want))
			return pid;
	}
	return 0;
}

static int waits_in(int pid, const char *fn)
{
	char path[64], buf[4096];

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	return slurp(path, buf, sizeof(buf)) > 0 && strstr(buf, fn);
}

int main(void)
{
	int fd, err, creator, before = 0, after = 0, thread = 0, blamed = 0;
	long long end = now_ms() + LIMIT;
	char buf[1200];
	ssize_t n;

	put("/proc/sys/kernel/hung_task_warnings", "-1");
	put("/proc/sys/kernel/hung_task_timeout_secs", "3");
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(fd, 0, SEEK_END);
	err = insmod("/mod/withhold.ko", "");
	if (err) {
		printf("# cannot load withhold.ko: error %d\n", -err);
		return 1;
	}
	while (thread < TIMES && now_ms() < end) {
		while ((n = read(fd, buf, sizeof(buf) - 1)) > 0) {
			buf[n] = '\0';
			before += !!strstr(buf, ";withhold: before create thread");
			after += !!strstr(buf, ";withhold: after create thread");
			thread += !!strstr(buf, ";INFO: task test_task:");
			blamed += !!strstr(buf, ";INFO: task kill_task:");
		}
		msleep(100);
	}
	creator = find("kill_task");
	verdict(1, before == 1 && !after && creator &&
		waits_in(creator, "__kthread_create_on_node"),
		"kthread_create() does not return");
	verdict(2, thread >= TIMES,
		"khungtaskd reports the innocent new thread, again and again");
	verdict(3, thread >= TIMES && !blamed,
		"and the blocked creator not once");
	printf("1..3\n");
	return failures != 0;
}
