// SPDX-License-Identifier: GPL-2.0-only
/*
 * kthreadd, and what happens to it (A6, A9, A10, W11). These tests send signals
 * to kthreadd, change its policy and its CPUs, and make its allocations fail.
 */
#define _GNU_SOURCE
#include "claims.h"

/* --- a6: a clone that fails --- */

/* Far more than a creation does. */
#define MAX_ALLOCS	100

/* The kernel's own creations may meet the failure: try that allocation again. */
#define MAX_TRIES	20

/*
 * Fail the n-th allocation that kthreadd does from now on, and create a thread.
 * Returns the error of that. @left says that kthreadd did fewer than n. If it
 * did not and there is no error, then kthreadd can do without the n-th, as with
 * those of kmemleak; and the thread is gone again.
 */
static int create_with_fail_nth(int n, bool *left)
{
	char nth[16];
	int err, try;

	snprintf(nth, sizeof(nth), "%d", n);
	for (try = 0; try < MAX_TRIES; try++) {
		if (put(KTHREADD("fail-nth"), nth))
			return -EIO;
		err = command("create", "tk-a");
		*left = !!strcmp(get(KTHREADD("fail-nth")), "0");
		put(KTHREADD("fail-nth"), "0");
		if (err || *left)
			return err;
		if (command("stop", "tk-a") != -EINTR)
			return -EIO;
	}
	return 0;
}

TEST_F_TIMEOUT(claims, a6_each_failure_of_the_clone_comes_back, 120)
{
	bool left = false;
	int n, err = 0, failed = 0;

	if (put(FAILSLAB("ignore-gfp-wait"), "N") || put(FAILSLAB("verbose"), "0"))
		SKIP(return, "no failslab: FAILSLAB needed");
	for (n = 1; n < MAX_ALLOCS; n++) {
		err = create_with_fail_nth(n, &left);
		if (left)
			break;
		if (!err)
			continue;
		failed++;
		/* The base says -EAGAIN without memory for struct kthread. */
		ASSERT_TRUE(err == -ENOMEM || (err == -EAGAIN && !with_series()))
			TH_LOG("allocation %d: error %d", n, -err);
		EXPECT_EQ(0, task_named("tk-a"))
			TH_LOG("allocation %d", n);
	}
	/* The task itself takes at least two. */
	EXPECT_LE(2, failed);
	EXPECT_EQ(0, err);
	EXPECT_TRUE(left);
	/* The last creation has succeeded, and its thread runs. */
	EXPECT_EQ(0, command("wake", "tk-a"));
	EXPECT_TRUE(WAIT_FOR(runs("tk-a")));
}

/* --- a9: what somebody does to kthreadd --- */

#ifndef SCHED_FIFO
#define SCHED_FIFO	1
#endif

static int policy(pid_t pid)
{
	return syscall(__NR_sched_getscheduler, pid);
}

static int set_policy(pid_t pid, int policy, int prio)
{
	/* A struct sched_param has nothing else. */
	return syscall(__NR_sched_setscheduler, pid, policy, &prio) ? -errno : 0;
}

/* No ASSERT while kthreadd is changed: it would stay so. */
TEST_F(claims, a9_policy_is_normal)
{
	int changed, created, of_thread, prio = -1;
	pid_t thread;

	ASSERT_EQ(0, policy(KTHREADD_PID));
	EXPECT_EQ(0, set_policy(KTHREADD_PID, SCHED_FIFO, 1));
	changed = policy(KTHREADD_PID);
	created = command("create", "tk-a");
	thread = task_named("tk-a");
	of_thread = policy(thread);
	syscall(__NR_sched_getparam, thread, &prio);
	EXPECT_EQ(0, set_policy(KTHREADD_PID, 0, 0));

	EXPECT_EQ(SCHED_FIFO, changed);
	EXPECT_EQ(0, created);
	EXPECT_LT(0, thread);
	EXPECT_EQ(0, of_thread);
	EXPECT_EQ(0, prio);
}

/* A list such as 0-3. */
static void cpus_of(pid_t pid, char cpus[VALUE_SIZE])
{
	char *end;

	snprintf(cpus, VALUE_SIZE, "%s", task_status(pid, "Cpus_allowed_list:\t"));
	end = strchr(cpus, '\n');
	if (end)
		*end = '\0';
}

/* The kernel sets them. Those that a user sets also stay with later threads. */
static int set_cpus(pid_t pid, const char *cpus)
{
	char arg[VALUE_SIZE + 16];

	snprintf(arg, sizeof(arg), "%d %s", pid, cpus);
	return command("cpus", arg);
}

TEST_F(claims, a9_cpus_are_chosen_at_the_first_wake_up)
{
	char all[VALUE_SIZE], changed[VALUE_SIZE], asleep[VALUE_SIZE];
	char awake[VALUE_SIZE], *last;
	pid_t thread;
	bool ran;

	cpus_of(KTHREADD_PID, all);
	last = all + strlen(all);
	while (last > all && last[-1] != '-' && last[-1] != ',')
		last--;
	if (last == all)
		SKIP(return, "two CPUs needed");
	EXPECT_EQ(0, set_cpus(KTHREADD_PID, last));
	cpus_of(KTHREADD_PID, changed);
	command("create", "tk-a");
	thread = task_named("tk-a");
	cpus_of(thread, asleep);
	command("wake", "tk-a");
	ran = WAIT_FOR(runs("tk-a"));
	cpus_of(thread, awake);
	EXPECT_EQ(0, set_cpus(KTHREADD_PID, all));

	EXPECT_STREQ(last, changed);
	EXPECT_LT(0, thread);
	EXPECT_TRUE(ran);
	/* Up to its first wake-up it has those of kthreadd, but not in 6.12. */
	EXPECT_STREQ(older_than(6, 18) ? all : last, asleep);
	/* In 6.18 it keeps them. */
	EXPECT_STREQ(!older_than(6, 18) && older_than(7, 0) ? last : all, awake);
}

/* --- a10: signals to kthreadd --- */

static bool no_signal_pending(pid_t pid)
{
	return !strtoll(task_status(pid, "SigPnd:\t"), NULL, 16) &&
	       !strtoll(task_status(pid, "ShdPnd:\t"), NULL, 16);
}

TEST_F(claims, a10_no_signal_reaches_kthreadd)
{
	EXPECT_EQ(0, kill(KTHREADD_PID, SIGTERM));
	EXPECT_EQ(0, kill(KTHREADD_PID, SIGKILL));
	/* The kernel may send what a process may not. */
	EXPECT_EQ(0, command("kill", "2"));
	EXPECT_TRUE(no_signal_pending(KTHREADD_PID));
	EXPECT_EQ(0, command("create", "tk-a"));
}

/* --- w11: kernel_thread() --- */

static char trace[1024 * 1024];

/* kthreadd itself has caused the event that says @what. */
static bool kthreadd_traced(const char *what)
{
	char *line;

	slurp(TRACE("trace"), trace, sizeof(trace));
	line = strstr(trace, what);
	if (!line)
		return false;
	*line = '\0';
	line = strrchr(trace, '\n');
	return line && strstr(line, "-2 ");
}

/*
 * kthreadd calls it, and it clones kthreadd. The clone runs the function, and
 * the caller gets its pid.
 */
TEST_F(claims, w11_kernel_thread_is_called_by_kthreadd)
{
	char returns[64], forked[64];
	int pid;

	if (put(KPROBES, "p:" PROBE " kernel_thread fn=$arg1:symbol") ||
	    put(KPROBES, "r:" PROBE "_return kernel_thread pid=$retval:s32"))
		SKIP(return, "no %s: KPROBE_EVENTS needed", KPROBES);
	ASSERT_EQ(0, mkdir(TRACE(""), 0700));
	ASSERT_EQ(0, put(TRACE("events/claims/enable"), "1"));
	ASSERT_EQ(0, put(TRACE("events/sched/sched_process_fork/enable"), "1"));
	ASSERT_EQ(0, command("create", "tk-a"));
	pid = task_named("tk-a");
	ASSERT_LT(0, pid);
	EXPECT_EQ(KTHREADD_PID, parent(pid));

	EXPECT_TRUE(kthreadd_traced(" fn=kthread+0x0"));
	snprintf(returns, sizeof(returns), " <- kernel_thread) pid=%d\n", pid);
	EXPECT_TRUE(kthreadd_traced(returns));
	snprintf(forked, sizeof(forked), " child_pid=%d\n", pid);
	EXPECT_TRUE(kthreadd_traced(forked));
}

TEST_HARNESS_MAIN
