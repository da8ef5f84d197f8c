// SPDX-License-Identifier: GPL-2.0-only
/*
 * A creation that never gets its answer, in a kernel without the series: the
 * complete() of the new thread is skipped, by a kprobe. There is no way back,
 * which is one reason for the series.
 */
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#define THREAD	"test_task"

static bool block = true;
module_param(block, bool, 0400);
MODULE_PARM_DESC(block, "withhold the answer; otherwise this is the control");

static int withhold_pre(struct kprobe *kp, struct pt_regs *regs)
{
	if (strcmp(current->comm, THREAD))
		return 0;
	/* Return to the caller, as x86 has it: nothing is on the stack yet. */
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(unsigned long);
	return 1;
}

/* With this one a kprobe is never optimised, and may change regs->ip. */
static void withhold_post(struct kprobe *kp, struct pt_regs *regs,
			  unsigned long flags)
{
}

static struct kprobe withhold = {
	.symbol_name	= "complete",
	.pre_handler	= withhold_pre,
	.post_handler	= withhold_post,
};

static int test_thread(void *unused)
{
	return 0;
}

static int kill_thread(void *unused)
{
	struct task_struct *task;

	pr_info("withhold: before create thread\n");
	task = kthread_create(test_thread, NULL, THREAD);
	pr_info("withhold: after create thread: %d\n", PTR_ERR_OR_ZERO(task));
	if (!IS_ERR(task))
		wake_up_process(task);
	return 0;
}

static int __init withhold_init(void)
{
	if (block) {
		int err = register_kprobe(&withhold);

		if (err)
			return err;
		/* Both threads stay for ever, and so the module has to. */
		__module_get(THIS_MODULE);
	}
	return PTR_ERR_OR_ZERO(kthread_run(kill_thread, NULL, "kill_task"));
}
module_init(withhold_init);

/* Only the control unloads it, once its threads have gone. */
static void __exit withhold_exit(void)
{
}
module_exit(withhold_exit);

MODULE_DESCRIPTION("Withholds the answer of a kthread_create()");
MODULE_LICENSE("GPL");
