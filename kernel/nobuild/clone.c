// SPDX-License-Identifier: GPL-2.0-only
/* A thread, as drivers once made it and as they make it now. */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>

static int clone_thread(void *unused)
{
	return 0;
}

static int __init clone_init(void)
{
#ifdef KERNEL_THREAD
	pid_t pid = kernel_thread(clone_thread, NULL, "clone", CLONE_FS);

	return pid < 0 ? pid : -ECANCELED;
#else
	struct task_struct *task = kthread_create(clone_thread, NULL, "clone");

	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_stop(task);
	return -ECANCELED;
#endif
}
module_init(clone_init);

MODULE_DESCRIPTION("A thread by kernel_thread(), or by kthread_create()");
MODULE_LICENSE("GPL");
