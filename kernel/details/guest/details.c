// SPDX-License-Identifier: GPL-2.0-only
/*
 * Details that the selftests of the series do not look at, and that make mutants
 * has found to be untested.  It is built on their header files.
 */
#define _GNU_SOURCE
#include "kthread/kthread_fault.h"
#include "kthread/kthread_hog.h"
#include "kthread/kthread_log.h"
#include "kthread/kthread_trace.h"

#define COUNTED(file)	"/sys/module/counted/parameters/" file
#define CALL		DEBUGFS "counted"

/* --- the events --- */

/* How many create_return events request @id has. */
static int returns(const char *id)
{
	const char *at = story(id);
	int n = 0;

	while ((at = strstr(at, "create_return"))) {
		at++;
		n++;
	}
	return n;
}

TEST_F(kthread, a_creator_killed_before_the_claim_returns_once)
{
	char id[VALUE_SIZE];
	const char *line;
	pid_t creator;

	ASSERT_EQ(0, trace_on());
	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	creator = spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	snprintf(id, sizeof(id), "%s", field("tk-a", ID));
	kill(creator, SIGKILL);
	EXPECT_EQ(-SIGKILL, outcome(creator));
	line = event_line("create_return", id);
	EXPECT_EQ(line, strstr(line, "pid=0 error=-4 stage=starting latency_ns="));
	line = strstr(line, "latency_ns=");
	EXPECT_TRUE(line && strtoll(line + strlen("latency_ns="), NULL, 10) > 0);
	EXPECT_EQ(0, release(id));
	EXPECT_TRUE(WAIT_FOR(strstr(story(id), " exit")));
	EXPECT_EQ(1, returns(id));
}

TEST_F(kthread, a_creator_killed_after_the_claim_returns_once)
{
	char id[VALUE_SIZE];
	long long times;
	const char *line;
	pid_t creator;

	ASSERT_EQ(0, trace_on());
	ASSERT_EQ(0, arm("complete", "tk-a", "1"));
	creator = spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "complete")));
	ASSERT_TRUE(WAIT_FOR(asleep_in(creator, "kthread_create")));
	snprintf(id, sizeof(id), "%s", field("tk-a", ID));
	times = times_asleep(creator);
	kill(creator, SIGKILL);
	ASSERT_TRUE(WAIT_FOR(asleep_unkillable(creator, times)));
	EXPECT_EQ(0, returns(id));
	EXPECT_EQ(0, release(id));
	EXPECT_EQ(-SIGKILL, outcome(creator));
	EXPECT_EQ(1, returns(id));
	line = event_line("create_return", id);
	EXPECT_TRUE(!!strstr(line, " error=0 stage=completing "));
}

/* Its time in the queue is not known. */
TEST_F(kthread, a_creation_that_was_queued_untraced_has_no_latency)
{
	char id[VALUE_SIZE];
	const char *line;
	pid_t creator;

	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	creator = spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	snprintf(id, sizeof(id), "%s", field("tk-a", ID));
	ASSERT_EQ(0, trace_on());
	EXPECT_EQ(0, release(id));
	EXPECT_EQ(0, outcome(creator));
	line = event_line("create_return", id);
	EXPECT_TRUE(!!strstr(line, " error=0 stage=completing latency_ns=0"));
}

/* --- the table --- */

TEST_F(kthread, a_killed_creator_keeps_its_name)
{
	pid_t creator;

	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	creator = child();
	if (!creator) {
		prctl(PR_SET_NAME, (unsigned long)"tk-killed", 0, 0, 0);
		_exit(-command("create", "tk-a"));
	}
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	EXPECT_STREQ("tk-killed", field("tk-a", BY_COMM));
	kill(creator, SIGKILL);
	EXPECT_EQ(-SIGKILL, outcome(creator));
	EXPECT_STREQ("abandoned", field("tk-a", FLAGS));
	EXPECT_STREQ("tk-killed", field("tk-a", BY_COMM));
	EXPECT_EQ(creator, number("tk-a", BY_PID));
	EXPECT_EQ(0, release_name("tk-a"));
	EXPECT_TRUE(WAIT_FOR(!listed("tk-a")));
}

/* A table that is busy would have no end for who reads it. */
TEST_F(kthread, rows_that_come_while_it_is_read_are_left_out)
{
	static char rest[8192];
	long long age;
	char c[10];
	int fd;

	ASSERT_LT(0, stop_waits("tk-a"));
	fd = open(REQUESTS, O_RDONLY);
	ASSERT_EQ(10, read(fd, c, 10));
	/* Beyond the resolution of the clock. */
	age = number("tk-a", AGE_MS);
	ASSERT_TRUE(WAIT_FOR(number("tk-a", AGE_MS) > age + 100));
	ASSERT_LT(0, stop_waits("tk-b"));
	ASSERT_LT(0, read_rest(fd, rest, sizeof(rest), sizeof(rest)));
	EXPECT_TRUE(!!strstr(rest, " tk-a\n"));
	EXPECT_TRUE(!strstr(rest, " tk-b\n"));
	close(fd);
}

/* A reader copies one row over the other. */
TEST_F(kthread, a_stop_behind_what_is_held_is_not_held)
{
	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	/* Nor is it load. */
	EXPECT_EQ('I', state(number("tk-a", PID)));
	ASSERT_LT(0, stop_waits("tk-b"));
	EXPECT_STREQ("-", field("tk-b", HOLD));
	EXPECT_EQ(1, nr_held());
	EXPECT_EQ(0, release_name("tk-a"));
}

/* --- the knobs --- */

static bool has_value(const char *path, const char *value)
{
	return !strcmp(get(path), value);
}

/* The warning comes once since boot, and may have come before. */
TEST_F(kthread, a_hold_of_kthreadd_is_warned_of)
{
	log_begin();
	lseek(log_fd, 0, SEEK_SET);
	ASSERT_EQ(0, arm("fork", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "fork")));
	EXPECT_EQ(1, times_logged("comp_block holds kthreadd: no thread can be created "));
	EXPECT_EQ(0, release_all());
}

/* A driver that arms it has what it asks for, whatever was set before. */
TEST_F(kthread, armed_from_the_kernel_nothing_else_counts)
{
	ASSERT_EQ(0, put(KNOB("creator"), "nobody"));
	ASSERT_EQ(0, put(KNOB("interval"), "5"));
	ASSERT_EQ(0, put(KNOB("space"), "3"));
	ASSERT_EQ(0, put(KNOB("hold_ms"), "1"));
	ASSERT_EQ(0, put(KNOB("times"), "7"));
	ASSERT_EQ(0, put(KNOB("point"), "fork"));
	ASSERT_EQ(0, command("arm", "tk-a"));
	EXPECT_TRUE(has_value(KNOB("creator"), ""));
	EXPECT_TRUE(has_value(KNOB("interval"), "1"));
	EXPECT_TRUE(has_value(KNOB("space"), "0"));
	EXPECT_TRUE(has_value(KNOB("hold_ms"), "0"));
	EXPECT_TRUE(has_value(KNOB("times"), "1"));
	EXPECT_TRUE(has_value(KNOB("point"), "complete"));
	EXPECT_TRUE(has_value(KNOB("name"), "tk-a"));
	EXPECT_EQ(-EINVAL, command("arm", "!tk-b"));
	EXPECT_TRUE(has_value(KNOB("name"), "tk-a"));
}

/* What is decided is no hold before it comes to its point. */
TEST_F(kthread, a_decision_is_not_a_hold)
{
	ASSERT_EQ(0, arm("fork", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "fork")));
	ASSERT_EQ(0, arm("claim", "tk-b", "1"));
	spawn("create", "tk-b");
	ASSERT_TRUE(WAIT_FOR(queued("tk-b")));
	EXPECT_TRUE(has_value(KNOB("times"), "0"));
	EXPECT_STREQ("-", field("tk-b", HOLD));
	EXPECT_EQ(-EINVAL, release_name("tk-b"));
	EXPECT_EQ(0, release_name("tk-a"));
	EXPECT_TRUE(WAIT_FOR(held("tk-b", "claim")));
	EXPECT_EQ(0, release_name("tk-b"));
}

TEST_F(kthread, a_decision_that_is_taken_back_is_no_hit)
{
	char hits[VALUE_SIZE];

	ASSERT_EQ(0, arm("fork", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "fork")));
	ASSERT_EQ(0, arm("claim", "tk-b", "1"));
	spawn("create", "tk-b");
	ASSERT_TRUE(WAIT_FOR(queued("tk-b")));
	snprintf(hits, sizeof(hits), "%s", get(KNOB("hits")));
	EXPECT_EQ(0, release_all());
	EXPECT_TRUE(WAIT_FOR(children_left() == 0));
	EXPECT_EQ(0, nr_failed);
	EXPECT_TRUE(has_value(KNOB("hits"), hits));
}

/* Above all other tasks: with one CPU what is released has not run yet. */
TEST_F(kthread, what_is_released_is_not_held)
{
	char id[VALUE_SIZE], before[VALUE_SIZE];

	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	snprintf(id, sizeof(id), "%s", field("tk-a", ID));
	/* An id that is not held does not release the next one. */
	snprintf(before, sizeof(before), "%lld", number("tk-a", ID) - 1);
	EXPECT_EQ(-EINVAL, release(before));
	EXPECT_TRUE(held("tk-a", "claim"));
	ASSERT_EQ(0, set_policy(0, SCHED_FIFO, 70));
	EXPECT_EQ(0, release(id));
	EXPECT_EQ(-EINVAL, release(id));
	EXPECT_EQ(0, set_policy(0, 0, 0));

	ASSERT_EQ(0, arm("claim", "tk-b", "1"));
	spawn("create", "tk-b");
	ASSERT_TRUE(WAIT_FOR(held("tk-b", "claim")));
	ASSERT_EQ(0, set_policy(0, SCHED_FIFO, 70));
	EXPECT_EQ(0, release_all());
	EXPECT_FALSE(held("tk-b", "claim"));
	EXPECT_EQ(0, set_policy(0, 0, 0));
}

#define FAILURES	"20000"
#define NAME_SIZE	480

static long long unreclaimable_kb(void)
{
	static char buf[8192];
	char *at;

	get_chunks("/proc/meminfo", buf, sizeof(buf), sizeof(buf));
	at = strstr(buf, "SUnreclaim:");
	return at ? strtoll(at + strlen("SUnreclaim:"), NULL, 10) : -1;
}

/* The names would take 10 MB. */
TEST_F_TIMEOUT(kthread, what_fails_loses_no_memory, 120)
{
	static char name[NAME_SIZE + 1];
	long long before;

	memset(name, 'x', NAME_SIZE);
	ASSERT_EQ(0, put(FAIL_CREATE("name"), "xxx*"));
	ASSERT_EQ(0, put(FAIL_CREATE("times"), "-1"));
	ASSERT_EQ(0, put(FAIL_CREATE("probability"), "100"));
	before = unreclaimable_kb();
	ASSERT_LT(0, before);
	ASSERT_EQ(0, command("flood " FAILURES, name));
	EXPECT_TRUE(WAIT_FOR(unreclaimable_kb() < before + 4000));
	EXPECT_TRUE(has_value(FAIL_CREATE("times"), "-1"));
}

/* No more lines than the limit of the attribute. */
TEST_F(kthread, failures_are_told_within_a_limit)
{
	static const char burst[] = FAIL_CREATE("verbose_ratelimit_burst");
	static const char interval[] = FAIL_CREATE("verbose_ratelimit_interval_ms");
	char old_burst[VALUE_SIZE], old_interval[VALUE_SIZE];
	int i;

	snprintf(old_burst, sizeof(old_burst), "%s", get(burst));
	snprintf(old_interval, sizeof(old_interval), "%s", get(interval));
	ASSERT_EQ(0, put(interval, "3600000"));
	ASSERT_EQ(0, put(burst, "5"));
	ASSERT_EQ(0, put(FAIL_CREATE("name"), "tk-a"));
	ASSERT_EQ(0, put(FAIL_CREATE("verbose"), "1"));
	ASSERT_EQ(0, put(FAIL_CREATE("times"), "-1"));
	log_begin();
	ASSERT_EQ(0, put(FAIL_CREATE("probability"), "100"));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(-ENOMEM, command("create", "tk-a"));
	EXPECT_GE(5, times_logged("kthread: fail_create injects error "));
	EXPECT_LT(0, times_logged("kthread: fail_create injects error "));
	EXPECT_EQ(0, put(burst, old_burst));
	EXPECT_EQ(0, put(interval, old_interval));
}

/* --- references --- */

FIXTURE(counted) {
	FIXTURE_DATA(kthread) kthread;
	int usage;
};

static int usage(void)
{
	return atoi(get(COUNTED("usage")));
}

static pid_t spawn_call(const char *call)
{
	pid_t pid = child();

	if (!pid)
		_exit(-put(CALL, call));
	return pid;
}

FIXTURE_SETUP(counted)
{
	kthread_setup(_metadata, &self->kthread, NULL);
	ASSERT_EQ(0, load_module_named("counted", ""));
	self->usage = usage();
	ASSERT_LT(1, self->usage);
}

FIXTURE_TEARDOWN(counted)
{
	EXPECT_EQ(0, put(COUNTED("let"), "Y"));
	EXPECT_TRUE(WAIT_FOR(!unload_module_named("counted")));
	kthread_teardown(_metadata, &self->kthread, NULL);
}

TEST_F(counted, a_park_keeps_no_reference)
{
	ASSERT_EQ(0, put(COUNTED("let"), "Y"));
	ASSERT_EQ(0, put(CALL, "park"));
	EXPECT_TRUE(WAIT_FOR(usage() == self->usage));
	ASSERT_EQ(0, put(CALL, "unpark"));
	EXPECT_TRUE(WAIT_FOR(usage() == self->usage));
}

TEST_F(counted, a_stop_keeps_no_reference)
{
	ASSERT_EQ(0, put(COUNTED("let"), "Y"));
	ASSERT_EQ(0, put(CALL, "stop"));
	/* That of the module is left when the task has dropped its own. */
	EXPECT_TRUE(WAIT_FOR(usage() == 1));
}

TEST_F(counted, a_report_keeps_no_reference)
{
	pid_t parker;

	log_begin();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	parker = spawn_call("park");
	ASSERT_TRUE(WAIT_FOR(times_logged("INFO: kthread_park(\"tk-counted\") by ") >= 2));
	ASSERT_EQ(0, put(COUNTED("let"), "Y"));
	EXPECT_EQ(0, outcome(parker));
	EXPECT_TRUE(WAIT_FOR(usage() == self->usage));
	ASSERT_EQ(0, put(CALL, "unpark"));
}

TEST_HARNESS_MAIN
