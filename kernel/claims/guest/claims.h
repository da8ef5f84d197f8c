/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs about the articles' claims share. A test is one statement,
 * and its name begins with the row of scripts/claims.txt. The tests run on
 * kernels with the series and on kernels without it.
 *
 * claims_threads.ko creates the threads. The fixture restores the files of
 * saved_files[] after each test.
 *
 * The tests wait for states, with a limit. A test shows that something does not
 * happen by something that could not have happened otherwise.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../../guest/guest.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define THREADS		DEBUGFS "claims_threads"
#define FAILSLAB(file)	DEBUGFS "failslab/" file
#define TRACING		"/sys/kernel/tracing/"
#define TRACE(file)	TRACING "instances/claims/" file
#define KPROBES		TRACING "kprobe_events"
#define PROBE		"claims/kernel_thread"
#define WATCHDOG_SECS	"/proc/sys/kernel/watchdog_thresh"
#define WATCHDOG_CPUS	"/proc/sys/kernel/watchdog_cpumask"
#define RCU_EXPEDITED	"/sys/kernel/rcu_expedited"
#define MODPROBE	"/proc/sys/kernel/modprobe"

#define LIMIT_MS	8000	/* several fit into the harness's timeout */
#define KTHREADD_PID	2
#define KTHREADD(file)	"/proc/2/" file
#define VALUE_SIZE	256

/*
 * @cond becomes true within @limit milliseconds. This looks once more when the
 * time is over, as the task may not have run in the meantime.
 */
#define WAIT_FOR_MS(cond, limit) ({					\
	long long __end = now_ms() + (limit);				\
	bool __met, __over;						\
									\
	do {								\
		__over = now_ms() >= __end;				\
		__met = (cond);						\
	} while (!__met && !__over && (usleep(1000), true));		\
	__met;								\
})
#define WAIT_FOR(cond) WAIT_FOR_MS(cond, LIMIT_MS)

/* --- files --- */

/* A file of one line, without the newline. Valid until the next call. */
static inline const char *get(const char *path)
{
	static char value[VALUE_SIZE];
	ssize_t len = slurp(path, value, sizeof(value));

	if (len > 0 && value[len - 1] == '\n')
		value[len - 1] = '\0';
	return len < 0 ? "(unreadable)" : value;
}

static inline bool file_has(const char *path, const char *text)
{
	static char buf[8192];

	return slurp(path, buf, sizeof(buf)) > 0 && strstr(buf, text);
}

/* --- the kernel under test --- */

/* The series is in this kernel, and with it the fixes for the base. */
static inline bool with_series(void)
{
	return !access(DEBUGFS "kthread/requests", F_OK);
}

static inline bool older_than(int major, int minor)
{
	struct utsname name;
	char *dot;
	int have;

	if (uname(&name))
		return false;
	have = strtol(name.release, &dot, 10);
	return have < major || (have == major && atoi(dot + 1) < minor);
}

/* --- tasks --- */

static inline char state(pid_t pid)
{
	return *task_status(pid, "State:\t");
}

static inline pid_t parent(pid_t pid)
{
	return atoi(task_status(pid, "PPid:\t"));
}

static inline bool gone(pid_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

/* What getdents64() returns. */
struct dir_entry {
	__u64		ino;
	__s64		off;
	unsigned short	reclen;
	unsigned char	type;
	char		name[];
};

#define MAX_TASKS	4096

/* The pids of all processes and kernel threads, the newest last. */
static inline int all_tasks(pid_t *pids)
{
	static __u64 buf[512];
	int fd = open("/proc", O_RDONLY | O_DIRECTORY), count = 0;
	struct dir_entry *e;
	long n, at;

	while ((n = syscall(__NR_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < n && count < MAX_TASKS; at += e->reclen) {
			e = (struct dir_entry *)((char *)buf + at);
			pids[count] = atoi(e->name);
			count += pids[count] > 0;
		}
	}
	close(fd);
	return count;
}

/* The newest task by this comm, 0 if there is none. */
static inline pid_t task_named(const char *comm)
{
	static pid_t pids[MAX_TASKS];
	int n = all_tasks(pids);
	char path[64];

	while (n--) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pids[n]);
		if (!strcmp(get(path), comm))
			return pids[n];
	}
	return 0;
}

/* The thread runs its function: it no longer waits for its first wake-up. */
static inline bool runs(const char *name)
{
	pid_t pid = task_named(name);

	return pid && state(pid) == 'I';
}

static inline void run_on(int cpu)
{
	unsigned long mask = 1UL << cpu;

	/* That CPU may not exist. */
	syscall(__NR_sched_setaffinity, 0, sizeof(mask), &mask);
}

/* --- children --- */

#define STILL_RUNNING	(-1000)

static pid_t children[8];
static int nr_children;

static inline pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		printf("# fork: error %d\n", errno);
		_exit(KSFT_FAIL);
	}
	if (pid)
		children[nr_children++] = pid;
	return pid;
}

/* The exit code of a child that ends, or minus its signal. */
static inline int outcome(pid_t pid)
{
	int i, status;

	if (!WAIT_FOR(waitpid(pid, &status, WNOHANG) == pid))
		return STILL_RUNNING;
	for (i = 0; children[i] != pid; i++)
		;
	children[i] = children[--nr_children];
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- threads on demand --- */

static inline int command(const char *verb, const char *name)
{
	char buf[2 * VALUE_SIZE];

	snprintf(buf, sizeof(buf), "%s %s", verb, name);
	return put(THREADS, buf);
}

static inline int load(const char *params)
{
	return insmod("/mod/claims_threads.ko", params);
}

static inline int unload(void)
{
	return rmmod("claims_threads");
}

/* --- set-up --- */

/* Not all of these exist in each kernel. */
static const char *const saved_files[] = {
	WATCHDOG_SECS, WATCHDOG_CPUS, RCU_EXPEDITED, MODPROBE,
	KTHREADD("fail-nth"), FAILSLAB("verbose"), FAILSLAB("ignore-gfp-wait"),
};

FIXTURE(claims) {
	char saved[ARRAY_SIZE(saved_files)][VALUE_SIZE];
};

FIXTURE_SETUP(claims)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(saved_files); i++)
		snprintf(self->saved[i], VALUE_SIZE, "%s", get(saved_files[i]));
	ASSERT_EQ(0, load(""));
}

FIXTURE_TEARDOWN(claims)
{
	size_t i;

	/* A failing test may leave the others broken without these. */
	for (i = 0; i < ARRAY_SIZE(saved_files); i++) {
		if (!access(saved_files[i], F_OK) &&
		    strcmp(get(saved_files[i]), self->saved[i]))
			EXPECT_EQ(0, put(saved_files[i], *self->saved[i] ?
						 self->saved[i] : "\n"))
				TH_LOG("%s", saved_files[i]);
	}
	while (nr_children) {
		kill(children[0], SIGKILL);
		ASSERT_NE(STILL_RUNNING, outcome(children[0]));
	}
	rmdir(TRACE(""));
	put(KPROBES, "-:" PROBE "_return");
	put(KPROBES, "-:" PROBE);
	EXPECT_TRUE(WAIT_FOR(rmmod("claims_device") == -ENOENT));
	/* This also stops the threads that the test has left. */
	EXPECT_TRUE(WAIT_FOR(!unload()));
}

#endif
