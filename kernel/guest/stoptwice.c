// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second kthread_stop() of a thread waits for ever. A child makes it, and
 * stays behind: nothing but the end of the guest ends that wait.
 */
#include "guest.h"

#define PARAM		"/sys/module/stoptwice/parameters/"
#define LIMIT		30000	/* ms */
#define ROUNDS		10	/* looks at the wait, 100 ms apart */

static int says(const char *path, const char *want)
{
	char buf[1024];

	return slurp(path, buf, sizeof(buf)) > 0 && strstr(buf, want);
}

/* One stop has returned, and @pid sleeps uninterruptibly: in the second. */
static int waits(pid_t pid)
{
	char stat[32];

	snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
	return says(PARAM "stopped", "1\n") && says(stat, ") D ");
}

int main(void)
{
	long long end = now_ms() + LIMIT;
	int n, ok = 0;
	pid_t pid = fork();

	if (pid < 0)
		return 1;
	if (!pid) {
		/* Init must not wait for this child's output. */
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		insmod("/mod/stoptwice.ko", "");
		_exit(1);
	}
	while (!ok && now_ms() < end) {
		ok = waits(pid);
		msleep(10);
	}
	/* Nor does SIGKILL end it. */
	kill(pid, SIGKILL);
	for (n = 0; ok && n < ROUNDS; n++) {
		msleep(100);
		ok = waits(pid) && waitpid(pid, NULL, WNOHANG) == 0;
	}
	printf("%sok 1 s6_the_second_stop_waits_for_ever\n", ok ? "" : "not ");
	printf("1..1\n");
	return !ok;
}
