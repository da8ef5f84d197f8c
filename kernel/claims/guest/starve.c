// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel thread that never yields, and its CPU (W4). The soft-lockup detector
 * watches that CPU alone. Its report taints the kernel.
 */
#define _GNU_SOURCE
#include "claims.h"

#include <sys/mman.h>

#define CPU		1
#define ON_CPU(name)	"1 " name
#define LOCKUP		"BUG: soft lockup - CPU#1 stuck for "

#define LOCKUP_MS	40000

/* --- what the kernel has logged since a test began --- */

static char log_buf[256 * 1024];
static size_t log_len;
static int log_fd = -1;

static void log_begin(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(log_fd, 0, SEEK_END);
	log_len = 0;
	log_buf[0] = '\0';
}

static char *logged(const char *text)
{
	char rec[2048];
	ssize_t n;

	while ((n = read(log_fd, rec, sizeof(rec) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0 || log_len + n >= sizeof(log_buf))
			continue;
		memcpy(log_buf + log_len, rec, n);
		log_len += n;
		log_buf[log_len] = '\0';
	}
	return strstr(log_buf, text);
}

/* The report names this thread. */
static bool locked_up_by(const char *name)
{
	char who[64], *at = logged(LOCKUP), *said = at ? strstr(at, "s! [") : NULL;

	snprintf(who, sizeof(who), "s! [%s:", name);
	return said && !strncmp(said, who, strlen(who));
}

/* --- a process on that CPU only counts, and this one runs on another --- */

struct counter {
	unsigned long	count;
	long long	gap_ms;		/* the longest time that it did not run */
	pid_t		pid;
};

static struct counter *start_counter(void)
{
	struct counter *c;
	long long last, now;
	pid_t pid;

	run_on(0);
	log_begin();
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return c;
	pid = child();
	if (pid) {
		c->pid = pid;
		return c;
	}
	run_on(CPU);
	for (last = now_ms();; last = now) {
		now = now_ms();
		if (now - last > c->gap_ms)
			__atomic_store_n(&c->gap_ms, now - last, __ATOMIC_RELAXED);
		__atomic_add_fetch(&c->count, 1, __ATOMIC_RELAXED);
	}
}

static unsigned long counted(struct counter *c)
{
	return __atomic_load_n(&c->count, __ATOMIC_RELAXED);
}

static long long gap_ms(struct counter *c)
{
	return __atomic_load_n(&c->gap_ms, __ATOMIC_RELAXED);
}

/* NULL, or why the test cannot run. */
static const char *watch_cpu(void)
{
	if (access("/sys/devices/system/cpu/cpu1", F_OK))
		return "two CPUs needed";
	if (put(WATCHDOG_CPUS, "1") || put(WATCHDOG_SECS, "1"))
		return "no " WATCHDOG_SECS ": SOFTLOCKUP_DETECTOR needed";
	return NULL;
}

/*
 * The counter measures how long nothing else runs on that CPU. This task cannot:
 * what stops all CPUs, such as a change of the clocksource, waits for the
 * thread, and nothing runs on the other CPUs in the meantime.
 */
TEST_F_TIMEOUT(claims, w4_a_thread_that_never_yields_starves_its_cpu, 180)
{
	struct counter *counter;
	const char *why = watch_cpu();
	pid_t stopper;

	if (why)
		SKIP(return, "%s", why);
	counter = start_counter();
	ASSERT_NE(MAP_FAILED, counter);
	ASSERT_TRUE(WAIT_FOR(counted(counter) > 0));

	ASSERT_EQ(0, command("hog", ON_CPU("tk-starve")));
	EXPECT_TRUE(WAIT_FOR_MS(locked_up_by("tk-starve"), LOCKUP_MS));
	stopper = child();
	if (!stopper)
		_exit(-command("stop", "tk-starve"));
	/* The report comes after twice the threshold. */
	EXPECT_TRUE(WAIT_FOR_MS(gap_ms(counter) > 2000, LOCKUP_MS));
	/* The thread exits once the counter has had as much of the CPU. */
	kill(counter->pid, SIGKILL);
	EXPECT_EQ(0, outcome(stopper));
}

/* Kernel code is preempted, by the model of the build or of the boot. */
static bool preemptible(void)
{
	struct utsname name;

	if (!access(DEBUGFS "sched/preempt", R_OK))
		return file_has(DEBUGFS "sched/preempt", "(full)") ||
		       file_has(DEBUGFS "sched/preempt", "(lazy)");
	return !uname(&name) && strstr(name.version, " PREEMPT");
}

/* Its time on a CPU, in hundredths of a second. */
static long cpu_time(pid_t pid)
{
	char path[64], *at;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	at = strrchr(get(path), ')');
	/* The 15th field. The name in parentheses is the second. */
	for (field = 2; at && field < 15; field++)
		at = strchr(at + 1, ' ');
	return at ? strtol(at, NULL, 10) : -1;
}

/* It gets more CPU time than what is reported where nothing preempts it. */
TEST_F_TIMEOUT(claims, w4_preempted_it_does_not, 180)
{
	struct counter *counter;
	unsigned long before;
	const char *why;
	pid_t thread;

	why = preemptible() ? watch_cpu() : "kernel code is not preempted here";
	if (why)
		SKIP(return, "%s", why);
	counter = start_counter();
	ASSERT_NE(MAP_FAILED, counter);
	ASSERT_TRUE(WAIT_FOR(counted(counter) > 0));

	EXPECT_EQ(0, command("spin", ON_CPU("tk-spin")));
	thread = task_named("tk-spin");
	EXPECT_TRUE(WAIT_FOR_MS(cpu_time(thread) > 100, LIMIT_MS));
	before = counted(counter);
	EXPECT_TRUE(WAIT_FOR_MS(cpu_time(thread) > 600, LOCKUP_MS));
	EXPECT_LT(before, counted(counter));
	EXPECT_TRUE(!logged(LOCKUP));
	EXPECT_EQ(0, command("stop", "tk-spin"));
}

TEST_HARNESS_MAIN
