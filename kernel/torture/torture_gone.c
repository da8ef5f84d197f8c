// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that is loaded and unloaded again and again while the knobs are
 * armed. Its exit creates a thread and stops two, so each of these may be held
 * while the unloading waits. No thread outlives it.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "torture.h"

static struct task_struct *lives;

static int gone_thread(void *unused)
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

static int __init torture_gone_init(void)
{
	lives = torture_begin(gone_thread, "tt-gone");
	if (IS_ERR(lives))
		return PTR_ERR(lives);
	wake_up_process(lives);
	return 0;
}
module_init(torture_gone_init);

static void __exit torture_gone_exit(void)
{
	struct task_struct *last = torture_begin(gone_thread, "tt-last");

	if (!IS_ERR(last))
		torture_end(last);
	torture_end(lives);
}
module_exit(torture_gone_exit);

MODULE_DESCRIPTION("Is unloaded while threads are created and stopped");
MODULE_LICENSE("GPL");
