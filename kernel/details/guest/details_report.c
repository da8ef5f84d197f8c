// SPDX-License-Identifier: GPL-2.0-only
/* As details.c, of the stall report. */
#define _GNU_SOURCE
#include "kthread/kthread_fault.h"
#include "kthread/kthread_hog.h"
#include "kthread/kthread_log.h"

static long long stall_count(void)
{
	return strtoll(get(STALL_COUNT), NULL, 10);
}

/* The thread is not blocked: who stops it is, and has a row of its own. */
TEST_F(kthread, what_is_held_at_exit_is_not_reported)
{
	log_begin();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	ASSERT_EQ(0, arm("exit", "tk-a", "1"));
	ASSERT_EQ(0, spawned("run", "tk-a"));
	ASSERT_TRUE(WAIT_FOR(runs("tk-a")));
	spawn("stop", "tk-a");
	ASSERT_TRUE(WAIT_FOR(*field_by(HOLD, "exit", ID)));
	ASSERT_TRUE(WAIT_FOR(times_logged("INFO: kthread_stop(\"tk-a\") by ") >= 2));
	EXPECT_EQ(times_logged("INFO: kthread_stop(\"tk-a\") by "),
		  times_logged("INFO: kthread_"));
	EXPECT_EQ(0, release_all());
}

TEST_F(kthread, a_report_says_that_it_is_abandoned)
{
	pid_t creator;

	log_begin();
	ASSERT_EQ(0, arm("claim", "tk-a", "1"));
	creator = spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "claim")));
	kill(creator, SIGKILL);
	EXPECT_EQ(-SIGKILL, outcome(creator));
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	EXPECT_TRUE(WAIT_FOR(logged(" s in stage starting, abandoned, held by comp_block\n")));
	EXPECT_EQ(0, release_all());
}

/* The queue behind a second front is not taken for that of the first. */
TEST_F(kthread, each_front_has_its_queue)
{
	static const char *const names[] = { "tk-a", "tk-b" };
	char text[64], *at;
	size_t i;

	ASSERT_EQ(0, put(STALL_SECS, "1"));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		log_begin();
		ASSERT_EQ(0, arm("fork", names[i], "1"));
		spawn("create", names[i]);
		ASSERT_TRUE(WAIT_FOR(held(names[i], "fork")));
		spawn("create", "tk-behind");
		ASSERT_TRUE(WAIT_FOR(queued("tk-behind")));
		snprintf(text, sizeof(text), "INFO: kthread_create(\"%s\") by ", names[i]);
		ASSERT_TRUE(WAIT_FOR(at = logged(text)));
		snprintf(text, sizeof(text), " more behind id=%s\n", field(names[i], ID));
		EXPECT_TRUE(WAIT_FOR(logged_after(at, text)));
		EXPECT_TRUE(!logged("INFO: kthread_create(\"tk-behind\")"));
		EXPECT_EQ(0, release_all());
		EXPECT_TRUE(WAIT_FOR(children_left() == 0));
		EXPECT_TRUE(WAIT_FOR(table() == 0));
		/* Nobody has woken them up. */
		EXPECT_EQ(EINTR, spawned("stop", names[i]));
		EXPECT_EQ(EINTR, spawned("stop", "tk-behind"));
	}
}

/* A pass that comes for another row does not repeat it. */
TEST_F(kthread, those_behind_are_told_with_the_front)
{
	log_begin();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	/* Later it could not be created. */
	ASSERT_EQ(0, command("stay", "tk-s"));
	ASSERT_EQ(0, arm("fork", "tk-a", "1"));
	spawn("create", "tk-a");
	ASSERT_TRUE(WAIT_FOR(held("tk-a", "fork")));
	spawn("create", "tk-b");
	ASSERT_TRUE(WAIT_FOR(queued("tk-b")));
	ASSERT_TRUE(WAIT_FOR(number("tk-a", AGE_MS) > 400));
	spawn("stop", "tk-s");
	ASSERT_TRUE(WAIT_FOR(times_logged("INFO: kthread_stop(\"tk-s\") by ") >= 2));
	EXPECT_EQ(times_logged("INFO: kthread_create(\"tk-a\") by "),
		  times_logged(" more behind id="));
	EXPECT_EQ(0, release_all());
}

#define MANY	20	/* more than one pass prints */
#define A_PASS	16

/* So many stops that each is due at once. */
static bool many_are_due(void)
{
	char name[32];
	int i;

	if (put(STALL_SECS, "0"))
		return false;
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "tk-%02d", i);
		if (!stop_waits(name))
			return false;
	}
	return WAIT_FOR(number("tk-19", AGE_MS) > 1100);
}

TEST_F_TIMEOUT(kthread, a_long_pass_goes_on_a_second_later, 90)
{
	long long before, done;
	bool rests = false;
	char text[64];
	int i;

	ASSERT_TRUE(many_are_due());
	log_begin();
	before = stall_count();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	ASSERT_TRUE(WAIT_FOR((done = stall_count() - before, rests |= done == A_PASS,
			      done >= MANY)));
	EXPECT_TRUE(rests);
	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "INFO: kthread_stop(\"tk-%02d\") by ", i);
		EXPECT_TRUE(WAIT_FOR(logged(text))) TH_LOG("tk-%02d", i);
	}
	ASSERT_EQ(0, put(STALL_SECS, "0"));
	EXPECT_EQ(0, command("let", ""));
}

/* Switched off in the middle of a pass, and on again. */
TEST_F_TIMEOUT(kthread, a_pass_that_is_switched_off_begins_anew, 90)
{
	long long before;

	ASSERT_TRUE(many_are_due());
	before = stall_count();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	ASSERT_TRUE(WAIT_FOR(stall_count() - before >= A_PASS));
	ASSERT_EQ(0, put(STALL_SECS, "0"));
	EXPECT_EQ(MANY, table());
	log_begin();
	before = stall_count();
	ASSERT_TRUE(WAIT_FOR(number("tk-00", AGE_MS) > 5000));
	EXPECT_EQ(before, stall_count());
	EXPECT_EQ(MANY, table());
	/* The first of the table is due again. */
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	EXPECT_TRUE(WAIT_FOR(logged("INFO: kthread_stop(\"tk-00\") by ")));
	ASSERT_EQ(0, put(STALL_SECS, "0"));
	EXPECT_EQ(0, command("let", ""));
}

/* The stack of a task that waits for a CPU says nothing. */
TEST_F(kthread, the_stack_of_a_starved_task_is_not_shown)
{
	char *at = NULL;
	bool starved;

	log_begin();
	ASSERT_EQ(0, put(STALL_SECS, "1"));
	starved = hog_cpus();
	if (starved) {
		spawn("create", "tk-a");
		EXPECT_TRUE(WAIT_FOR(at = logged("kthreadd:2 is runnable for ")));
		/* Later ones as well. */
		EXPECT_TRUE(at && WAIT_FOR(logged_after(at + 1, "kthreadd:2 is runnable for ")));
		EXPECT_TRUE(at && !logged_after(at, "\ntask:kthreadd "));
	}
	unhog_cpus();
	if (!starved)
		SKIP(return, "cannot keep kthreadd from running");
}

TEST_HARNESS_MAIN
