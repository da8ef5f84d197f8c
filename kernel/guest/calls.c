// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls:FIRST makes the calls of /mod/calls.ko from number FIRST on, and says how each
 * ended. A task of its own makes each, since many kill their task or do not return.
 * "all" is the last line if the kernel survives them.
 */
#include "guest.h"

#define FILE_NAME	"/sys/kernel/debug/calls"
#define CLEAR_ONCE	"/sys/kernel/debug/clear_warn_once"
#define LIMIT		6000	/* ms; the module gives up earlier on what it can */

/* How the child @pid ended: its code, -1 for a signal, -2 if it has not. */
static int wait_for(pid_t pid)
{
	long long end = now_ms() + LIMIT;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ms() > end)
			return -2;
		msleep(5);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
	int cell = argc > 1 ? atoi(argv[1]) : 0, ended;
	char buf[256];
	pid_t pid;

	ended = insmod("/mod/calls.ko", "");
	if (ended) {
		printf("cannot load /mod/calls.ko: error %d\n", -ended);
		return 1;
	}
	for (;; cell++) {
		/* What is warned of once is warned of in each call. */
		put(CLEAR_ONCE, "1");
		pid = fork();
		if (!pid) {
			/* Init must not wait for this child's output. */
			close(STDOUT_FILENO);
			close(STDERR_FILENO);
			snprintf(buf, sizeof(buf), "%d", cell);
			_exit(-put(FILE_NAME, buf));
		}
		ended = wait_for(pid);
		if (ended == EOPNOTSUPP)
			continue;
		if (ended == ERANGE)
			break;
		slurp(FILE_NAME, buf, sizeof(buf));
		printf("cell %d ends: %s\n", cell, !ended ? buf :
		       ended == -1 ? "kills the task" : "does not return");
	}
	printf("all\n");
	return 0;
}
