// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiment in a kernel without the series (rows E1 to E3), and what
 * khungtaskd alone says of it. There is no release, and so no row E4.
 */
#include "guest.h"

#define LIMIT	60000	/* ms */
#define TIMES	3	/* khungtaskd has looked and reported so often */

static int verdicts, failures;

static void verdict(int ok, const char *what)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++verdicts, what);
	failures += !ok;
}

/* The kernel's log from a moment on, and which lines were in it. */
static struct {
	int fd;
	int before, after, thread, creator;
} log;

static void log_read(void)
{
	char buf[1200];
	ssize_t n;

	while ((n = read(log.fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		log.before += !!strstr(buf, ";withhold: before create thread");
		log.after += !!strstr(buf, ";withhold: after create thread");
		log.thread += !!strstr(buf, ";INFO: task test_task:");
		log.creator += !!strstr(buf, ";INFO: task kill_task:");
	}
}

static int load(const char *params)
{
	int err;

	log.before = log.after = 0;
	err = insmod("/mod/withhold.ko", params);
	if (err)
		printf("# cannot load withhold.ko: error %d\n", -err);
	return !err;
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
	return pid && slurp(path, buf, sizeof(buf)) > 0 && strstr(buf, fn);
}

/* Wait for @cond to become true, for LIMIT at most; evaluates to it. */
#define WAIT_FOR(cond) WAIT_UNTIL(cond, LIMIT)

int main(void)
{
	int creator, blocked;

	put("/proc/sys/kernel/hung_task_warnings", "-1");
	put("/proc/sys/kernel/hung_task_timeout_secs", "3");
	log.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(log.fd, 0, SEEK_END);

	if (!load("block=0"))
		return 1;
	verdict(WAIT_FOR((log_read(), log.after)) && log.before == 1 &&
		WAIT_FOR(!find("kill_task") && !find("test_task")) &&
		!rmmod("withhold"), "E2 control: both lines appear");

	if (!load("block=1"))
		return 1;
	WAIT_FOR((log_read(), log.thread >= TIMES));
	creator = find("kill_task");
	blocked = waits_in(creator, "__kthread_create_on_node");
	verdict(log.before == 1 && !log.after && blocked,
		"E1 blocked: kthread_create() does not return");
	verdict(log.thread >= TIMES,
		"khungtaskd reports the innocent new thread, again and again");
	verdict(log.thread >= TIMES && !log.creator,
		"and the blocked creator not once");

	/* A further report says that time has passed since the signal. */
	blocked = blocked && !kill(creator, SIGKILL);
	log.thread = 0;
	blocked = blocked && WAIT_FOR((log_read(), log.thread > 1));
	verdict(blocked && find("kill_task") == creator && !log.after &&
		waits_in(creator, "__kthread_create_on_node"),
		"E3 blocked: SIGKILL does not get rid of kill_task");
	printf("1..%d\n", verdicts);
	return failures != 0;
}
