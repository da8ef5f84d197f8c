// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes wrong in the way that its parameter names, so that the runner can be
 * seen to tell each apart. Loading it is the misdeed; it never stays loaded.
 */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

static char *how = "";
module_param(how, charp, 0400);
MODULE_PARM_DESC(how, "oops, warn, lockup, stall, hung, dead, oob, abba or leak");

static DEFINE_MUTEX(a);
static DEFINE_MUTEX(b);

static struct rcu_head head;

static void *lost;

static void nothing(struct rcu_head *unused)
{
}

static void dead(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static int __init misbehave_init(void)
{
	if (!strcmp(how, "oops")) {
		*(volatile int *)8 = 1;
	} else if (!strcmp(how, "warn")) {
		WARN(1, "misbehave: a warning on purpose\n");
	} else if (!strcmp(how, "lockup") || !strcmp(how, "stall")) {
		/*
		 * Which alarm goes off is the caller's choice of limits; for
		 * RCU to have one, somebody has to wait for it.
		 */
		preempt_disable();
		call_rcu(&head, nothing);
		for (;;)
			cpu_relax();
	} else if (!strcmp(how, "hung")) {
		for (;;) {
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule();
		}
	} else if (!strcmp(how, "dead")) {
		smp_call_function(dead, NULL, 0);
		dead(NULL);
	} else if (!strcmp(how, "oob")) {
		volatile char *p = kmalloc(8, GFP_KERNEL);

		/* KASAN sees this read; without KASAN it does no harm. */
		if (p)
			(void)p[8];
		kfree((void *)p);
	} else if (!strcmp(how, "abba")) {
		/* lockdep needs to see both orders, not the deadlock. */
		mutex_lock(&a);
		mutex_lock(&b);
		mutex_unlock(&b);
		mutex_unlock(&a);
		mutex_lock(&b);
		mutex_lock(&a);
		mutex_unlock(&a);
		mutex_unlock(&b);
	} else if (!strcmp(how, "leak")) {
		/* Many: the allocator's caches keep old pointers to some. */
		for (int i = 0; i < 4096; i++)
			WRITE_ONCE(lost, kmalloc(64, GFP_KERNEL));
		WRITE_ONCE(lost, NULL);
	} else {
		pr_err("misbehave: how=%s is unknown\n", how);
		return -EINVAL;
	}
	return -ECANCELED;
}
module_init(misbehave_init);

MODULE_DESCRIPTION("Breaks the guest on purpose");
MODULE_LICENSE("GPL");
