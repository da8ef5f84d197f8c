// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stops a thread twice, with a reference to it. The second stop never returns,
 * so loading this never does.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

static int stopped;
module_param(stopped, int, 0400);
MODULE_PARM_DESC(stopped, "How many stops have returned");

static int until_stopped(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static int __init stoptwice_init(void)
{
	struct task_struct *task = kthread_run(until_stopped, NULL, "stoptwice");

	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	for (; stopped < 2; stopped++)
		kthread_stop(task);
	put_task_struct(task);
	return -ECANCELED;
}
module_init(stoptwice_init);

MODULE_DESCRIPTION("Stops a thread twice");
MODULE_LICENSE("GPL");
