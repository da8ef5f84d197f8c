// SPDX-License-Identifier: GPL-2.0-only
/* Rows W: how to write a kernel thread. */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "kunit.h"

static void w1_run_is_create_and_wake_up(struct kunit *test)
{
	struct subject *s = alloc_subject(test, 42);

	s->task = kthread_run(until_stopped, s, "kt-w1");
	keep_subject(s);
	EXPECT_IN_TIME(test, READ_ONCE(s->ran));
}

/*
 * What the creator has allocated and nobody has freed. Only the creator adds
 * entries, and the event of a free comes before the address can be used again.
 */
struct ledger {
	struct task_struct *task;
	unsigned int entered;
	bool full;
	const void *ptr[512];
};

static void enter(struct ledger *l, const void *ptr)
{
	for (int i = 0; i < ARRAY_SIZE(l->ptr); i++) {
		if (READ_ONCE(l->ptr[i]))
			continue;
		WRITE_ONCE(l->ptr[i], ptr);
		l->entered++;
		return;
	}
	l->full = true;
}

static void probe_kmalloc(void *data, unsigned long call_site, const void *ptr)
{
	struct ledger *l = data;

	if (current == l->task && ptr)
		enter(l, ptr);
}

static void probe_kfree(void *data, unsigned long call_site, const void *ptr)
{
	struct ledger *l = data;

	for (int i = 0; ptr && i < ARRAY_SIZE(l->ptr); i++) {
		if (READ_ONCE(l->ptr[i]) == ptr) {
			WRITE_ONCE(l->ptr[i], NULL);
			return;
		}
	}
}

static unsigned int leaked(struct ledger *l)
{
	unsigned int nr = 0;

	for (int i = 0; i < ARRAY_SIZE(l->ptr); i++)
		nr += !!READ_ONCE(l->ptr[i]);
	return nr;
}

static unsigned int nr_threads_named(const char *name)
{
	struct task_struct *task;
	unsigned int nr = 0;

	rcu_read_lock();
	for_each_process(task)
		nr += (task->flags & PF_KTHREAD) && !strcmp(task->comm, name);
	rcu_read_unlock();
	return nr;
}

static int w2_pattern(void *unused)
{
	sleep_until_stopped();
	return 0;
}

static void w2_a_thousand_times_and_nothing_leaked(struct kunit *test)
{
	struct ledger *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, l);
	watch(test, "kfree", probe_kfree, l);
	watch(test, "kmalloc", probe_kmalloc, l);
	/* Not what it took to watch. */
	WRITE_ONCE(l->task, current);
	for (int i = 1; i <= 1000; i++) {
		/* As in a module, without a reference. */
		task = kthread_run(w2_pattern, NULL, "kt-w2");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		/* The last put of the task frees its struct kthread. */
		enter(l, task->worker_private);
		KUNIT_ASSERT_EQ(test, nr_threads_named("kt-w2") > 0, true);
		kthread_stop(task);
		if (i % 100 == 0)
			ASSERT_IN_TIME(test, !leaked(l));
	}
	KUNIT_EXPECT_EQ(test, l->entered, 3 * 1000);
	KUNIT_EXPECT_FALSE(test, l->full);
	KUNIT_EXPECT_EQ(test, nr_threads_named("kt-w2"), 0);
}

static atomic_t w3_work;
static DECLARE_COMPLETION(w3_done);

static int w3_pattern(void *data)
{
	struct subject *s = data;

	WRITE_ONCE(s->ran, true);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		if (atomic_dec_if_positive(&w3_work) >= 0) {
			__set_current_state(TASK_RUNNING);
			complete(&w3_done);
		} else {
			schedule_timeout(3600 * HZ);
		}
	}
	__set_current_state(TASK_RUNNING);
	return s->result;
}

static void w3_no_wake_up_is_lost(struct kunit *test)
{
	unsigned long left;
	struct subject *s;

	atomic_set(&w3_work, 0);
	reinit_completion(&w3_done);
	s = run(test, w3_pattern, "kt-w3", 42);
	for (int i = 0; i < 1000; i++) {
		atomic_inc(&w3_work);
		wake_up_process(s->task);
		/* It answers before it sleeps, and then the next work comes. */
		left = wait_for_completion_timeout(&w3_done, LIMIT_S * HZ);
		KUNIT_ASSERT_GT_MSG(test, left, 0, "lost: %d", i);
	}
	KUNIT_EXPECT_EQ(test, stop(s), 42);
}

static void w3_stopped_in_the_middle_of_its_sleep(struct kunit *test)
{
	struct subject *s = run(test, w3_pattern, "kt-w3", 42);

	ASSERT_IN_TIME(test, asleep(s->task, TASK_INTERRUPTIBLE));
	KUNIT_EXPECT_EQ(test, stop(s), 42);
}

/* Another task has work for this thread and wakes it up at this moment. */
static void w3_work_arrives(struct subject *s)
{
	s->rounds = 1;
	wake_up_process(current);
}

static int w3_state_first(void *data)
{
	struct subject *s = data;

	WRITE_ONCE(s->ran, true);
	set_current_state(TASK_INTERRUPTIBLE);
	if (!s->rounds) {
		w3_work_arrives(s);
		schedule_timeout(3600 * HZ);
	}
	__set_current_state(TASK_RUNNING);
	return s->result;
}

static int w3_state_last(void *data)
{
	struct subject *s = data;

	WRITE_ONCE(s->ran, true);
	if (!s->rounds) {
		w3_work_arrives(s);
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(3600 * HZ);
	}
	return s->result;
}

static void w3_the_state_is_set_before_the_test(struct kunit *test)
{
	struct subject *right = run(test, w3_state_first, "kt-w3-right", 42);
	struct subject *wrong = run(test, w3_state_last, "kt-w3-wrong", 42);

	EXPECT_IN_TIME(test, exited(right->task));
	/* In the wrong order the wake-up comes too early and is lost. */
	EXPECT_IN_TIME(test, asleep(wrong->task, TASK_INTERRUPTIBLE));
	KUNIT_EXPECT_FALSE(test, exited(wrong->task));
	KUNIT_EXPECT_EQ(test, wrong->rounds, 1);
	wake_up_process(wrong->task);
	EXPECT_IN_TIME(test, exited(wrong->task));
}

static struct {
	struct mm_struct	*mm;
	struct mm_struct	*active_mm;
	unsigned int		flags;
} w8_seen;

static int w8_look(void *data)
{
	struct subject *s = data;

	w8_seen.mm = current->mm;
	w8_seen.active_mm = current->active_mm;
	w8_seen.flags = current->flags;
	WRITE_ONCE(s->ran, true);
	return s->result;
}

static void w8_no_memory_of_a_user(struct kunit *test)
{
	struct subject *s = run(test, w8_look, "kt-w8", 42);

	KUNIT_EXPECT_NULL(test, w8_seen.mm);
	/* It borrows the address space that is loaded. */
	KUNIT_EXPECT_NOT_NULL(test, w8_seen.active_mm);
	KUNIT_EXPECT_TRUE(test, w8_seen.flags & PF_KTHREAD);
	KUNIT_EXPECT_FALSE(test, w8_seen.flags & PF_USER_WORKER);
	/* It has no user mode to return to: it exits. */
	EXPECT_IN_TIME(test, exited(s->task));
}

/* One thread keeps its CPU, and another one wants it. */
static struct {
	bool in_loop;
	bool let_go;
	bool preempted;
} w9_cpu;

static int w9_busy(void *data)
{
	struct subject *s = data;
	unsigned long end = jiffies + LIMIT_S / 2 * HZ;

	WRITE_ONCE(w9_cpu.in_loop, true);
	WRITE_ONCE(s->ran, true);
	while (!READ_ONCE(w9_cpu.let_go) && time_before(jiffies, end))
		cpu_relax();
	WRITE_ONCE(w9_cpu.in_loop, false);
	return s->result;
}

static int w9_urgent(void *data)
{
	struct subject *s = data;

	w9_cpu.preempted = READ_ONCE(w9_cpu.in_loop);
	WRITE_ONCE(w9_cpu.let_go, true);
	WRITE_ONCE(s->ran, true);
	return s->result;
}

static void w9_a_busy_thread_is_preempted(struct kunit *test)
{
	int cpu = cpumask_last(cpu_online_mask);
	struct subject *busy, *urgent;

	if (!preempt_model_preemptible())
		kunit_skip(test, "needs a preemptible kernel");
	if (IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "an interrupt does not preempt on UML");
	memset(&w9_cpu, 0, sizeof(w9_cpu));
	busy = create(test, w9_busy, "kt-w9-busy", 0);
	urgent = create(test, w9_urgent, "kt-w9-urgent", 0);
	kthread_bind(busy->task, cpu);
	kthread_bind(urgent->task, cpu);
	sched_set_fifo_low(urgent->task);
	/* With one CPU this thread has to run to wake the urgent one. */
	sched_set_fifo_low(current);

	wake_up_process(busy->task);
	ASSERT_IN_TIME(test, READ_ONCE(busy->ran));
	wake_up_process(urgent->task);
	ASSERT_IN_TIME(test, READ_ONCE(urgent->ran));
	KUNIT_EXPECT_TRUE(test, w9_cpu.preempted);
	KUNIT_EXPECT_GT(test, READ_ONCE(busy->task->nivcsw), 0);
}

static struct kunit_case writing_cases[] = {
	KUNIT_CASE(w1_run_is_create_and_wake_up),
	KUNIT_CASE_SLOW(w2_a_thousand_times_and_nothing_leaked),
	KUNIT_CASE_SLOW(w3_no_wake_up_is_lost),
	KUNIT_CASE(w3_stopped_in_the_middle_of_its_sleep),
	KUNIT_CASE(w3_the_state_is_set_before_the_test),
	KUNIT_CASE(w8_no_memory_of_a_user),
	KUNIT_CASE(w9_a_busy_thread_is_preempted),
	{}
};

static struct kunit_suite writing_suite = {
	.name		= "claims_writing",
	.test_cases	= writing_cases,
};

kunit_test_suite(writing_suite);
