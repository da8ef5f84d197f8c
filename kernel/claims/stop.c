// SPDX-License-Identifier: GPL-2.0-only
/* Rows S: kthread_stop(). */
#include <linux/cpumask.h>

#include "kunit.h"

static void s1_sets_the_bit_wakes_and_returns_the_result(struct kunit *test)
{
	struct subject *s = run(test, until_stopped, "kt-s1", 42);

	KUNIT_EXPECT_FALSE(test, s->should_stop);
	ASSERT_IN_TIME(test, asleep(s->task, TASK_IDLE));
	KUNIT_EXPECT_EQ(test, stop(s), 42);
}

static int s1_park(void *data)
{
	struct subject *s = data;

	WRITE_ONCE(s->ran, true);
	while (!kthread_should_stop()) {
		if (kthread_should_park())
			kthread_parkme();
		else
			schedule_timeout_idle(1);
	}
	return s->result;
}

static void s1_unparks(struct kunit *test)
{
	struct subject *s = run(test, s1_park, "kt-s1", 42);

	KUNIT_ASSERT_EQ(test, kthread_park(s->task), 0);
	KUNIT_EXPECT_TRUE(test, asleep(s->task, TASK_PARKED));
	KUNIT_EXPECT_EQ(test, stop(s), 42);
}

static void s2_waits_for_as_long_as_the_thread_runs(struct kunit *test)
{
	struct subject *s = run(test, until_let_go, "kt-s2", 42);
	struct call *call = begin_stop(s);
	unsigned int rounds;

	EXPECT_IN_TIME(test, asleep(call->task, TASK_UNINTERRUPTIBLE));
	rounds = READ_ONCE(s->rounds);
	EXPECT_IN_TIME(test, READ_ONCE(s->rounds) >= rounds + 10);
	KUNIT_EXPECT_TRUE(test, asleep(call->task, TASK_UNINTERRUPTIBLE));
	KUNIT_EXPECT_FALSE(test, returned(call));

	WRITE_ONCE(s->let_go, true);
	ASSERT_IN_TIME(test, returned(call));
	KUNIT_EXPECT_EQ(test, call->result, 42);
}

static void s3_stopped_before_it_is_woken(struct kunit *test)
{
	struct subject *s = create(test, until_stopped, "kt-s3", 42);

	KUNIT_EXPECT_EQ(test, stop(s), -EINTR);
	EXPECT_IN_TIME(test, exited(s->task));
	KUNIT_EXPECT_FALSE(test, s->ran);
}

/* How far the thread was in do_exit(), seen from two trace events. */
struct s4_exit {
	struct task_struct	*task;
	struct task_struct	*stopper;
	bool			before;
	bool			woken;
	bool			exiting;
	bool			dead;
};

/* do_exit() is about to release the mm. */
static void s4_probe_exit(void *data, struct task_struct *p)
{
	struct s4_exit *e = data;

	if (p == e->task)
		e->before = !e->woken;
}

/* The thread wakes the stopper up. */
static void s4_probe_waking(void *data, struct task_struct *p)
{
	struct s4_exit *e = data;

	if (p != READ_ONCE(e->stopper) || current != e->task)
		return;
	e->exiting = current->flags & PF_EXITING;
	e->dead = current->exit_state;
	WRITE_ONCE(e->woken, true);
}

static int s4_exits(void *data)
{
	struct subject *s = data;

	until_let_go(s);
	/* This is no return from threadfn. */
	kthread_exit(s->result);
}

static void s4_completed_on_the_way_through_do_exit(struct kunit *test)
{
	struct subject *s = run(test, s4_exits, "kt-s4", 42);
	struct s4_exit *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct call *call;

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->task = s->task;
	watch(test, "sched_process_exit", s4_probe_exit, e);
	watch(test, "sched_waking", s4_probe_waking, e);
	call = begin_stop(s);
	EXPECT_IN_TIME(test, asleep(call->task, TASK_UNINTERRUPTIBLE));
	WRITE_ONCE(e->stopper, call->task);

	WRITE_ONCE(s->let_go, true);
	ASSERT_IN_TIME(test, returned(call));
	KUNIT_EXPECT_EQ(test, call->result, 42);
	/* In 6.12 this event comes after the release of the mm. */
	if (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0))
		KUNIT_EXPECT_TRUE(test, e->before);
	KUNIT_ASSERT_TRUE(test, e->woken);
	KUNIT_EXPECT_TRUE(test, e->exiting);
	KUNIT_EXPECT_FALSE(test, e->dead);
}

static void s5_returns_at_once_when_the_thread_has_ended(struct kunit *test)
{
	/* The subject holds a reference. Without one the task would be gone. */
	struct subject *s = run(test, at_once, "kt-s5", 42);

	ASSERT_IN_TIME(test, exited(s->task));
	KUNIT_EXPECT_EQ(test, stop(s), 42);
}

static void s7_woken_and_stopped_before_it_ran(struct kunit *test)
{
	struct subject *s = create(test, until_stopped, "kt-s7", 42);
	int cpu = raw_smp_processor_id();
	int err = set_cpus_allowed_ptr(current, cpumask_of(cpu));

	/* This thread has a higher priority and does not give the CPU away. */
	KUNIT_ASSERT_EQ(test, err, 0);
	kthread_bind(s->task, cpu);
	sched_set_fifo_low(current);

	KUNIT_EXPECT_EQ(test, wake_up_process(s->task), 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(s->task->__state), TASK_RUNNING);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(s->ran));
	s->stopped = true;
	KUNIT_EXPECT_EQ(test, kthread_stop(s->task), -EINTR);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(s->ran));
}

static struct kunit_case stop_cases[] = {
	KUNIT_CASE(s1_sets_the_bit_wakes_and_returns_the_result),
	KUNIT_CASE(s1_unparks),
	KUNIT_CASE(s2_waits_for_as_long_as_the_thread_runs),
	KUNIT_CASE(s3_stopped_before_it_is_woken),
	KUNIT_CASE(s4_completed_on_the_way_through_do_exit),
	KUNIT_CASE(s5_returns_at_once_when_the_thread_has_ended),
	KUNIT_CASE(s7_woken_and_stopped_before_it_ran),
	{}
};

static struct kunit_suite stop_suite = {
	.name		= "claims_stop",
	.test_cases	= stop_cases,
};

kunit_test_suite(stop_suite);
