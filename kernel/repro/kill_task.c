// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiment: a driver's init makes a thread, "kill_task", and arms a
 * timer. The timer, in softirq, wakes kill_task; and that, with comp_block
 * armed, asks for another thread, "test_task". Between the two lines that it
 * prints stands the answer that never comes:
 *
 *	before create thread
 *	after create thread
 *
 * With block=0 the same is the control: both lines appear.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fault-inject-kthread.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/reboot.h>
#include <linux/sched/task.h>
#include <linux/timer.h>
#include <linux/version.h>

static unsigned int delay_ms = 20000;
module_param(delay_ms, uint, 0400);
MODULE_PARM_DESC(delay_ms, "from loading to kill_task's wake-up, in ms");

static bool block = true;
module_param(block, bool, 0400);
MODULE_PARM_DESC(block, "arm comp_block before creating test_task");

static struct task_struct *kill_task, *test_task;

static int test_thread(void *unused)
{
	pr_info("test thread runs\n");
	return 0;
}

static int kill_thread(void *unused)
{
	struct task_struct *task;
	int err;

	/* Stopped by the unloading before the timer came to it? */
	if (kthread_should_stop())
		return 0;
	if (block) {
		err = kthread_comp_block_arm("test_task", KTHREAD_HOLD_COMPLETE,
					     0);
		if (err) {
			pr_err("cannot arm comp_block: error %d\n", err);
			return err;
		}
	}
	pr_info("before create thread\n");
	task = kthread_create(test_thread, NULL, "test_task");
	pr_info("after create thread\n");
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* For the unloading, which must not take test_thread()'s code away. */
	test_task = get_task_struct(task);
	wake_up_process(task);
	return 0;
}

static void wake_kill_task(struct timer_list *unused)
{
	pr_info("timer wakes kill_task%s\n",
		in_serving_softirq() ? "" : ", but not in softirq");
	wake_up_process(kill_task);
}

static DEFINE_TIMER(timer, wake_kill_task);

/*
 * As drivers do that wait for their threads on the way down. With kill_task
 * blocked this would never end, if a reboot did not release it before.
 */
static int kill_task_reboot(struct notifier_block *nb, unsigned long action,
			    void *unused)
{
	timer_shutdown_sync(&timer);
	kthread_stop(kill_task);
	pr_info("stopped for the reboot\n");
	return NOTIFY_DONE;
}

static struct notifier_block reboot_nb = { .notifier_call = kill_task_reboot };

static int __init kill_task_init(void)
{
	kill_task = kthread_create(kill_thread, NULL, "kill_task");
	if (IS_ERR(kill_task))
		return PTR_ERR(kill_task);
	/* It may have returned long before the module goes. */
	get_task_struct(kill_task);
	register_reboot_notifier(&reboot_nb);
	mod_timer(&timer, jiffies + msecs_to_jiffies(delay_ms));
	return 0;
}

static void __exit kill_task_exit(void)
{
	unregister_reboot_notifier(&reboot_nb);
	timer_shutdown_sync(&timer);
	/* A blocked kill_task would block the unloading for ever. */
	kthread_comp_block_disarm();
	kthread_comp_block_release();
	kthread_stop_put(kill_task);
	if (test_task)
		kthread_stop_put(test_task);
}

module_init(kill_task_init);
module_exit(kill_task_exit);
MODULE_DESCRIPTION("Block a kthread_create() with comp_block, or see it pass");
MODULE_LICENSE("GPL");
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS(FAIL_KTHREAD);
#else
MODULE_IMPORT_NS("FAIL_KTHREAD");
#endif
