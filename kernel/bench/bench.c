// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kthread_create() and kthread_stop() take. Meant for an emulator that
 * counts: under QEMU's -icount shift=0 a nanosecond is an instruction, and two
 * runs of one kernel give the same numbers.
 *
 *	pairs=N		N times create, wake and stop, after some to warm up
 *	pairs_key=KEY	what that result is called
 *	flood=N		N times create, by a creator that is killed in the first:
 *			the rest are given up at once and stay in the queue
 *	give_up=N	as flood, and no more: no numbers
 *	late=1		a timer that fires every 100 us tells the longest time for
 *			which it could not
 *
 * Results are lines "bench: KEY VALUE" of the log, late is a file in /sys/module.
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static void hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *),
			  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

#define BATCH		1000	/* of what is timed in a flood */
#define PERIOD_NS	100000

static unsigned int pairs;
module_param(pairs, uint, 0400);
MODULE_PARM_DESC(pairs, "how often to create and stop a thread");

static char *pairs_key = "pair_ns";
module_param(pairs_key, charp, 0400);
MODULE_PARM_DESC(pairs_key, "the key of what a pair takes");

static unsigned int flood;
module_param(flood, uint, 0400);
MODULE_PARM_DESC(flood, "how often to create one with kthreadd held");

static unsigned int give_up;
module_param(give_up, uint, 0400);
MODULE_PARM_DESC(give_up, "how often to create one, and to count nothing");

static unsigned long late_ns;
static bool late;
module_param(late, bool, 0400);
MODULE_PARM_DESC(late, "watch how late a timer is");
module_param(late_ns, ulong, 0600);
MODULE_PARM_DESC(late_ns, "by how much it was late at most");

static struct hrtimer late_timer;

static int bench_thread(void *unused)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int bench_pairs(unsigned int n)
{
	struct task_struct *task;

	while (n--) {
		task = kthread_run(bench_thread, NULL, "bench");
		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_stop(task);
	}
	return 0;
}

/* The first one waits until the creator is killed. */
static void bench_flood(unsigned int n)
{
	struct task_struct *task;

	while (n--) {
		task = kthread_create(bench_thread, NULL, "bench");
		if (!IS_ERR(task))
			kthread_stop(task);
	}
}

static u64 bench_flood_batch(void)
{
	u64 start = ktime_get_ns();

	bench_flood(BATCH);
	return div_u64(ktime_get_ns() - start, BATCH);
}

static enum hrtimer_restart late_fires(struct hrtimer *timer)
{
	s64 by = ktime_to_ns(ktime_sub(ktime_get(), hrtimer_get_expires(timer)));

	if (by > 0 && by > late_ns)
		late_ns = by;
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

static int __init bench_init(void)
{
	u64 start, first;
	int err;

	if (pairs) {
		err = bench_pairs(pairs / 10 + 1);
		start = ktime_get_ns();
		err = err ?: bench_pairs(pairs);
		if (err)
			return err;
		pr_info("bench: %s %llu\n", pairs_key,
			div_u64(ktime_get_ns() - start, pairs));
	}
	if (flood) {
		bench_flood(BATCH);
		first = bench_flood_batch();
		if (flood > 3 * BATCH)
			bench_flood(flood - 3 * BATCH);
		pr_info("bench: flood_first_ns %llu\n", first);
		pr_info("bench: flood_last_ns %llu\n", bench_flood_batch());
	}
	bench_flood(give_up);
	hrtimer_setup(&late_timer, late_fires, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	if (late)
		hrtimer_start(&late_timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_HARD);
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	hrtimer_cancel(&late_timer);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Counts what creating and stopping a kernel thread takes");
MODULE_LICENSE("GPL");
