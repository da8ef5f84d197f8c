// SPDX-License-Identifier: GPL-2.0-only
/*
 * Meets what the first patches of the series mend, in a kernel with or without
 * them. Loading it does it, and `what` says which; it never stays loaded.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *what = "";
module_param(what, charp, 0400);
MODULE_PARM_DESC(what, "create, asleep or asleep-bound");

static DECLARE_COMPLETION(runs);

/* A usual loop. Nothing sets TASK_RUNNING behind it. */
static int asleep(void *unused)
{
	complete(&runs);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	return 0;
}

static int __init fixes_init(void)
{
	struct task_struct *task = kthread_create(asleep, NULL, "fixes");

	if (IS_ERR(task))
		return PTR_ERR(task);
	if (strcmp(what, "create")) {
		/* A bound thread is on no list for its affinity, and takes no mutex for it. */
		if (!strcmp(what, "asleep-bound"))
			kthread_bind(task, 0);
		wake_up_process(task);
		wait_for_completion(&runs);
	}
	kthread_stop(task);
	return -ECANCELED;
}
module_init(fixes_init);

MODULE_DESCRIPTION("Meets what the first patches of the series mend");
MODULE_LICENSE("GPL");
