// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes wrong in the way that its parameter names, so that the runner can be
 * seen to tell each apart. Loading it is the misdeed; it never stays loaded.
 */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/smp.h>

static char *how = "";
module_param(how, charp, 0400);
MODULE_PARM_DESC(how, "oops, warn, lockup, stall, hung or dead");

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
	} else if (!strcmp(how, "lockup")) {
		/* No preemption: the watchdog's thread never runs here. */
		preempt_disable();
		for (;;)
			cpu_relax();
	} else if (!strcmp(how, "stall")) {
		/* RCU has a reader that never ends; the CPU has not. */
		rcu_read_lock();
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
	} else {
		pr_err("misbehave: how=%s is unknown\n", how);
		return -EINVAL;
	}
	return -ECANCELED;
}
module_init(misbehave_init);

MODULE_DESCRIPTION("Breaks the guest on purpose");
MODULE_LICENSE("GPL");
