// SPDX-License-Identifier: GPL-2.0-only
/* Rows A: kthread_create(). */
#include <linux/numa.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "kunit.h"

static void a1_create_is_create_on_node_without_a_node(struct kunit *test)
{
	const char *short_for = __stringify(kthread_create(fn, data, "%d", 1));
	struct births *births;

	KUNIT_EXPECT_STREQ(test, short_for,
			   __stringify(kthread_create_on_node(fn, data, NUMA_NO_NODE, "%d", 1)));
	if (!IS_ENABLED(CONFIG_NUMA))
		return;
	births = watch_births(test, "kt-a1");
	create(test, until_stopped, "kt-a1", 0);
	KUNIT_ASSERT_EQ(test, births->nr, 1);
	KUNIT_EXPECT_EQ(test, births->birth[0].node, NUMA_NO_NODE);
}

static void a2_kthreadd_forks_and_is_the_parent(struct kunit *test)
{
	struct births *births = watch_births(test, "kt-a2");
	struct task_struct *made[2];
	struct subject *s;
	struct call *call;

	/* Two creators: this thread and another one. */
	s = create(test, until_stopped, "kt-a2", 0);
	made[0] = s->task;
	call = begin_create(test, "kt-a2");
	ASSERT_IN_TIME(test, returned(call));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, call->made);
	made[1] = call->made;

	KUNIT_ASSERT_EQ(test, births->nr, 2);
	for (int i = 0; i < 2; i++) {
		struct birth *birth = &births->birth[i];

		KUNIT_EXPECT_EQ(test, birth->pid, task_pid_nr(made[i]));
		KUNIT_EXPECT_EQ(test, birth->by, 2);
		KUNIT_EXPECT_EQ(test, task_pid_nr(parent_of(made[i])), 2);
	}
}

static void a7_allocated_before_the_thread_runs(struct kunit *test)
{
	struct births *births = watch_births(test, "kt-a7");

	create(test, until_stopped, "kt-a7", 0);
	KUNIT_ASSERT_EQ(test, births->nr, 1);
	KUNIT_EXPECT_TRUE(test, births->birth[0].has_kthread);
}

static void a8_runs_only_when_woken(struct kunit *test)
{
	struct subject *s = create(test, until_stopped, "kt-a8", 0);
	struct subject *woken;

	/* It has this state as soon as the creator has its answer. */
	KUNIT_EXPECT_EQ(test, READ_ONCE(s->task->__state),
			TASK_UNINTERRUPTIBLE);
	ASSERT_IN_TIME(test, asleep(s->task, TASK_UNINTERRUPTIBLE));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(s->ran));
	/* A younger thread runs and ends in the meantime. */
	woken = run(test, until_stopped, "kt-a8-woken", 8);
	KUNIT_EXPECT_EQ(test, stop(woken), 8);
	KUNIT_EXPECT_TRUE(test, asleep(s->task, TASK_UNINTERRUPTIBLE));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(s->ran));

	KUNIT_EXPECT_EQ(test, wake_up_process(s->task), 1);
	EXPECT_IN_TIME(test, READ_ONCE(s->ran));
}

static void a9_name_is_its_own(struct kunit *test)
{
	struct births *births = watch_births(test, "kt-a9");
	struct subject *s = create(test, until_stopped, "kt-a9", 0);

	/* A clone otherwise keeps the name of its parent. */
	KUNIT_EXPECT_STREQ(test, parent_of(s->task)->comm, "kthreadd");
	KUNIT_EXPECT_STREQ(test, s->task->comm, "kt-a9");
	/* It has the name before it runs. */
	KUNIT_EXPECT_EQ(test, births->nr, 1);
}

static unsigned int nr_signals_ignored(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned int nr = 0;

	rcu_read_lock();
	sighand = rcu_dereference(task->sighand);
	for (int i = 0; i < _NSIG; i++)
		nr += sighand->action[i].sa.sa_handler == SIG_IGN;
	rcu_read_unlock();
	return nr;
}

static void a10_kthreadd_is_pid_2_and_ignores_signals(struct kunit *test)
{
	/* KUnit runs the case in a kernel thread. */
	struct task_struct *kthreadd = parent_of(current);

	KUNIT_EXPECT_EQ(test, task_pid_nr(kthreadd), 2);
	KUNIT_EXPECT_STREQ(test, kthreadd->comm, "kthreadd");
	/* rest_init() runs in this task. */
	KUNIT_EXPECT_PTR_EQ(test, parent_of(kthreadd), &init_task);
	KUNIT_EXPECT_EQ(test, nr_signals_ignored(kthreadd), _NSIG);
}

static struct kunit_case create_cases[] = {
	KUNIT_CASE(a1_create_is_create_on_node_without_a_node),
	KUNIT_CASE(a2_kthreadd_forks_and_is_the_parent),
	KUNIT_CASE(a7_allocated_before_the_thread_runs),
	KUNIT_CASE(a8_runs_only_when_woken),
	KUNIT_CASE(a9_name_is_its_own),
	KUNIT_CASE(a10_kthreadd_is_pid_2_and_ignores_signals),
	{}
};

static struct kunit_suite create_suite = {
	.name		= "claims_create",
	.test_cases	= create_cases,
};

kunit_test_suite(create_suite);
