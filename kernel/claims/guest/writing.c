// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver's author and its users see of a kernel thread:
 *
 *  w2	loading and unloading a module a thousand times leaks nothing
 *  w5	ps shows a kernel thread by its name in brackets
 *  w6	an application ends a driver's thread
 *  w7	the stack is of fixed size
 *  w10	which task descends from which
 */
#define _GNU_SOURCE
#include "claims.h"

#include <sys/ioctl.h>
#include <sys/mount.h>

#include "../claims_device.h"

/* --- w5: its name --- */

/* The name between the parentheses of /proc/PID/stat. */
static const char *stat_name(pid_t pid)
{
	static char buf[1024];
	char path[64], *open, *close;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	slurp(path, buf, sizeof(buf));
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close)
		return "";
	*close = '\0';
	return open + 1;
}

static bool status_has_name(pid_t pid, const char *name)
{
	char line[VALUE_SIZE];

	snprintf(line, sizeof(line), "%s\nUmask:", name);
	return !strncmp(task_status(pid, "Name:\t"), line, strlen(line));
}

/* ps puts a task into brackets if its command line is empty. */
static ssize_t cmdline_length(pid_t pid)
{
	char path[64], buf[256];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	return slurp(path, buf, sizeof(buf));
}

static void run_and_look(struct __test_metadata *_metadata, const char *name,
			 const char *shown)
{
	char path[64];
	pid_t pid;

	ASSERT_EQ(0, command("run", name));
	pid = task_named(shown);
	ASSERT_LT(0, pid)
		TH_LOG("no task by the name '%s'", shown);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	EXPECT_STREQ(shown, get(path));
	EXPECT_STREQ(shown, stat_name(pid));
	EXPECT_TRUE(status_has_name(pid, shown));
	EXPECT_EQ(0, cmdline_length(pid));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	EXPECT_EQ(-ENOENT, slurp(path, path, sizeof(path)));
}

#define UP_TO_63 "tk-63-bytes-abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmn"

TEST_F(claims, w5_the_name_given_at_creation)
{
	run_and_look(_metadata, "tk-15-bytes-abc", "tk-15-bytes-abc");
	/* A process has a command line. */
	EXPECT_LT(0, cmdline_length(getpid()));
}

TEST_F(claims, w5_longer_names_are_whole)
{
	run_and_look(_metadata, "tk-16-bytes-abcd", "tk-16-bytes-abcd");
	run_and_look(_metadata, UP_TO_63, UP_TO_63);
}

/* The thread's own name is longer, and /proc cuts it. */
TEST_F(claims, w5_names_end_at_63_bytes)
{
	run_and_look(_metadata, UP_TO_63 "o", UP_TO_63);
}

/* --- w6: ended by an application --- */

#define DEVICE	"claims_device"
#define THREAD	"claims-device"

static int open_device(void)
{
	return open("/dev/" DEVICE, O_RDONLY);
}

TEST_F(claims, w6_an_ioctl_ends_it)
{
	pid_t thread;
	int fd;

	ASSERT_EQ(0, insmod("/mod/" DEVICE ".ko", ""));
	fd = open_device();
	ASSERT_LE(0, fd);
	ASSERT_TRUE(WAIT_FOR(runs(THREAD)));
	thread = task_named(THREAD);
	EXPECT_EQ(-1, ioctl(fd, CLAIMS_DEVICE_END + 1, 0));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_FALSE(gone(thread));

	EXPECT_EQ(0, ioctl(fd, CLAIMS_DEVICE_END, 0));
	EXPECT_TRUE(WAIT_FOR(gone(thread)));
	/* The file is still open, and so the module is still in use. */
	EXPECT_EQ(-EWOULDBLOCK, rmmod(DEVICE));
	close(fd);
	EXPECT_EQ(0, rmmod(DEVICE));
}

TEST_F(claims, w6_killed_the_release_ends_it)
{
	pid_t application, thread;

	ASSERT_EQ(0, insmod("/mod/" DEVICE ".ko", ""));
	application = child();
	if (!application) {
		if (open_device() < 0)
			_exit(1);
		for (;;)
			sleep(1);
	}
	ASSERT_TRUE(WAIT_FOR(runs(THREAD)));
	thread = task_named(THREAD);
	EXPECT_EQ(-EWOULDBLOCK, rmmod(DEVICE));
	/* It is no child of the application, and the signal does not hit it. */
	EXPECT_EQ(KTHREADD_PID, parent(thread));

	kill(application, SIGKILL);
	EXPECT_EQ(-SIGKILL, outcome(application));
	EXPECT_TRUE(WAIT_FOR(gone(thread)));
	EXPECT_EQ(0, rmmod(DEVICE));
}

/* --- w7: the stack --- */

#define STACKS		200
#define PARAM(name)	"/sys/module/claims_threads/parameters/" name

static long meminfo_kb(const char *key)
{
	static char buf[8192];
	const char *line;

	/* Each CPU has a count of its own. This adds them up. */
	put("/proc/sys/vm/stat_refresh", "1");
	slurp("/proc/meminfo", buf, sizeof(buf));
	line = strstr(buf, key);
	return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

static long kernel_stack_kb(void)
{
	return meminfo_kb("KernelStack:");
}

/* The number of stacks of @size bytes that have come since @before_kb. */
static long more_stacks(long before_kb, long size)
{
	return (kernel_stack_kb() - before_kb) * 1024 / size;
}

/* The number of threads for which the command ends with @err. */
static int command_all(const char *verb, int err)
{
	char name[32];
	int i, n = 0;

	for (i = 0; i < STACKS; i++) {
		snprintf(name, sizeof(name), "tk-%d", i);
		n += command(verb, name) == err;
	}
	return n;
}

/* Other tasks come and go, so a few stacks more or less do not count. */
static bool about(long n)
{
	return n > STACKS - 10 && n < STACKS + 10;
}

/*
 * A thread that has dug down to the last quarter of its stack takes as much
 * memory as a thread that has not run: all of its stack, from the start.
 */
TEST_F_TIMEOUT(claims, w7_the_stack_is_of_fixed_size, 60)
{
	long size = strtol(get(PARAM("stack_size")), NULL, 10), before, left;
	char name[32];

	before = kernel_stack_kb();
	ASSERT_LT(0, before);
	ASSERT_EQ(STACKS, command_all("create", 0));
	EXPECT_TRUE(WAIT_FOR(about(more_stacks(before, size))))
		TH_LOG("%d threads have %ld stacks of %ld bytes", STACKS,
		       more_stacks(before, size), size);
	EXPECT_EQ(STACKS, command_all("stop", -EINTR));
	EXPECT_TRUE(WAIT_FOR(more_stacks(before, size) < 10));

	ASSERT_EQ(STACKS, command_all("dig", 0));
	snprintf(name, sizeof(name), "tk-%d", STACKS - 1);
	ASSERT_TRUE(WAIT_FOR(runs(name)));
	left = strtol(get(PARAM("stack_left")), NULL, 10);
	EXPECT_LT(0, left);
	EXPECT_GE(size / 4, left);
	EXPECT_TRUE(WAIT_FOR(about(more_stacks(before, size))))
		TH_LOG("%d threads have %ld stacks of %ld bytes", STACKS,
		       more_stacks(before, size), size);
}

/* --- w10: which task descends from which --- */

#define INIT_PID	1

static bool is_kthread(pid_t pid)
{
	return *task_status(pid, "Kthread:\t") == '1';
}

/* The idle task started both. It has no entry in /proc. */
TEST_F(claims, w10_init_and_kthreadd_are_siblings)
{
	EXPECT_STREQ("kthreadd", get(KTHREADD("comm")));
	EXPECT_FALSE(is_kthread(INIT_PID));
	EXPECT_TRUE(is_kthread(KTHREADD_PID));
	EXPECT_EQ(0, parent(INIT_PID));
	EXPECT_EQ(0, parent(KTHREADD_PID));
}

TEST_F(claims, w10_kernel_threads_are_children_of_kthreadd)
{
	static pid_t pids[MAX_TASKS];
	int i, n, kthreads = 0;

	ASSERT_EQ(0, command("run", "tk-a"));
	n = all_tasks(pids);
	for (i = 0; i < n; i++) {
		if (!is_kthread(pids[i]) || pids[i] == KTHREADD_PID)
			continue;
		kthreads++;
		/* It may have ended in the meantime. */
		EXPECT_TRUE(parent(pids[i]) == KTHREADD_PID || gone(pids[i]))
			TH_LOG("%d is a child of %d", pids[i], parent(pids[i]));
	}
	EXPECT_LT(1, kthreads);
	/* It is no child of this task, which has asked for it. */
	EXPECT_EQ(KTHREADD_PID, parent(task_named("tk-a")));
}

/* The pid that the line of @pid begins with. */
static pid_t ancestor(pid_t pid)
{
	pid_t up;

	while ((up = parent(pid)))
		pid = up;
	return pid;
}

TEST_F(claims, w10_processes_descend_from_init)
{
	static pid_t pids[MAX_TASKS];
	int i, n, processes = 0;

	n = all_tasks(pids);
	for (i = 0; i < n; i++) {
		if (is_kthread(pids[i]) || gone(pids[i]))
			continue;
		processes++;
		EXPECT_TRUE(WAIT_FOR(ancestor(pids[i]) == INIT_PID ||
				     gone(pids[i])))
			TH_LOG("%d begins with %d", pids[i], ancestor(pids[i]));
	}
	EXPECT_LT(2, processes);
	EXPECT_EQ(INIT_PID, ancestor(getpid()));
}

/*
 * The kernel runs this program to load a module, with the arguments of modprobe.
 * The module's name is "fs-PID-FD": write the answer to that file.
 */
__attribute__((constructor))
static void be_modprobe(int argc, char **argv)
{
	char path[64], said[32], *fd;
	pid_t up = getppid();

	if (argc != 4 || strcmp(argv[1], "-q") || strncmp(argv[3], "fs-", 3))
		return;
	fd = strchr(argv[3] + 3, '-');
	if (!fd)
		_exit(1);
	*fd++ = '\0';
	snprintf(path, sizeof(path), "/proc/%s/fd/%s", argv[3] + 3, fd);
	snprintf(said, sizeof(said), "%d %d %d", getpid(), up, is_kthread(up));
	_exit(-put(path, said));
}

/* The exception: the kernel itself starts a helper, from a worker. */
TEST_F(claims, w10_a_helper_descends_from_a_kernel_thread)
{
	char exe[128], fs[32], said[64] = "";
	int helper, up, fd[2], n;
	long len;

	if (access(MODPROBE, F_OK))
		SKIP(return, "no %s", MODPROBE);
	len = syscall(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", exe,
		      sizeof(exe) - 1);
	ASSERT_LT(0, len);
	exe[len] = '\0';
	ASSERT_EQ(0, put(MODPROBE, exe));
	ASSERT_EQ(0, pipe(fd));

	/* This file system does not exist, and the kernel looks for a module. */
	snprintf(fs, sizeof(fs), "%d-%d", getpid(), fd[1]);
	EXPECT_EQ(-1, mount("none", "/", fs, 0, NULL));
	EXPECT_EQ(ENODEV, errno);
	close(fd[1]);
	ASSERT_LT(0, read(fd[0], said, sizeof(said) - 1));
	close(fd[0]);
	helper = atoi(said);
	up = strtol(strchr(said, ' ') ?: "", NULL, 10);
	n = strlen(said);
	EXPECT_LT(2, helper);
	EXPECT_LT(KTHREADD_PID, up)
		TH_LOG("a child of %d", up);
	EXPECT_STREQ(" 1", said + n - 2);
	EXPECT_TRUE(gone(up) || ancestor(up) == KTHREADD_PID);
}

/* --- w2: loading and unloading --- */

#define ROUNDS		1000
#define BATCH		50
#define TASKS		10	/* others that may come in the meantime */

/* The rest of the system may take this much. A leak takes far more. */
static const struct {
	const char *key;
	long limit_kb;
} memory[] = {
	{ "SUnreclaim:",	40 },
	{ "KernelStack:",	1000 },
	{ "VmallocUsed:",	1000 },
	{ "Percpu:",		100 },
};

static int load_and_unload(int rounds)
{
	int err = 0;

	while (!err && rounds--)
		err = load("init=tk-a") ?: unload();
	return err;
}

/* The kernel has this function. */
static bool has_symbol(const char *name)
{
	static char buf[64 * 1024];
	int fd = open("/proc/kallsyms", O_RDONLY);
	size_t keep = 0;
	char key[64];
	ssize_t n;

	snprintf(key, sizeof(key), " %s\n", name);
	while ((n = read(fd, buf + keep, sizeof(buf) - 1 - keep)) > 0) {
		buf[keep + n] = '\0';
		if (strstr(buf, key))
			break;
		/* A read may cut it in two. */
		n += keep;
		keep = n;
		if (keep > (ssize_t)sizeof(key))
			keep = sizeof(key);
		memmove(buf, buf + n - keep, keep);
	}
	close(fd);
	return n > 0;
}

TEST_F_TIMEOUT(claims, w2_a_thousand_times_leaks_nothing, 600)
{
	long before[ARRAY_SIZE(memory)], now = 0;
	static pid_t pids[MAX_TASKS];
	int i, tasks, first = 0;

	ASSERT_TRUE(WAIT_FOR(!unload()));
	/* Waiting for RCU would take most of the time. */
	put(RCU_EXPEDITED, "1");
	/* KASAN keeps what has been freed. */
	if (has_symbol("kasan_report"))
		first = 1;

	/* The kernel keeps some of what the first loads take: that is no leak. */
	ASSERT_EQ(0, load_and_unload(BATCH));
	tasks = all_tasks(pids);
	for (i = first; i < (int)ARRAY_SIZE(memory); i++)
		before[i] = meminfo_kb(memory[i].key);
	EXPECT_EQ(0, load_and_unload(ROUNDS));

	for (i = first; i < (int)ARRAY_SIZE(memory); i++) {
		EXPECT_TRUE(WAIT_FOR((now = meminfo_kb(memory[i].key)) <
				     before[i] + memory[i].limit_kb))
			TH_LOG("%s %ld, before %ld", memory[i].key, now,
			       before[i]);
	}
	EXPECT_TRUE(WAIT_FOR(all_tasks(pids) < tasks + TASKS));
	EXPECT_TRUE(WAIT_FOR(!task_named("tk-a")));
	/* And it still works. */
	ASSERT_EQ(0, load("init=tk-a"));
	EXPECT_LT(0, task_named("tk-a"));
}

TEST_HARNESS_MAIN
