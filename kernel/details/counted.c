// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread whose references can be counted.  Parameters of the module:
 *
 *	usage	how many there are; one of them is this module's
 *	let	the thread does what it is asked to
 *
 * The file counted in debugfs makes the call that is written: park, unpark or
 * stop.  A parameter would keep the others locked while the call waits.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

static struct task_struct *thread;
static bool stopped;
static bool let;

static int let_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (!err && thread)
		wake_up_process(thread);
	return err;
}

static const struct kernel_param_ops let_ops = {
	.set = let_set,
	.get = param_get_bool,
};
module_param_cb(let, &let_ops, &let, 0600);

static int usage_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", thread ? refcount_read(&thread->usage) : 0);
}

static const struct kernel_param_ops usage_ops = {
	.get = usage_get,
};
module_param_cb(usage, &usage_ops, NULL, 0400);

static ssize_t call_write(struct file *file, const char __user *ubuf,
			  size_t count, loff_t *ppos)
{
	char buf[16] = "";
	int err = 0;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sysfs_streq(buf, "park")) {
		err = kthread_park(thread);
	} else if (sysfs_streq(buf, "unpark")) {
		kthread_unpark(thread);
	} else if (sysfs_streq(buf, "stop") && !stopped) {
		stopped = true;
		err = kthread_stop(thread);
	} else {
		err = -EINVAL;
	}
	return err ?: count;
}

static const struct file_operations call_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= call_write,
};

static struct dentry *call_file;
static DECLARE_COMPLETION(begun);

static int counted(void *unused)
{
	complete(&begun);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (READ_ONCE(let) && kthread_should_stop())
			break;
		if (READ_ONCE(let) && kthread_should_park()) {
			__set_current_state(TASK_RUNNING);
			kthread_parkme();
			continue;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int __init counted_init(void)
{
	struct task_struct *task = kthread_create(counted, NULL, "tk-counted");

	if (IS_ERR(task))
		return PTR_ERR(task);
	thread = get_task_struct(task);
	wake_up_process(task);
	/* Stopped before that, it would not run, and the stop would say -EINTR. */
	wait_for_completion(&begun);
	call_file = debugfs_create_file("counted", 0200, NULL, NULL, &call_fops);
	return 0;
}
module_init(counted_init);

static void __exit counted_exit(void)
{
	debugfs_remove(call_file);
	WRITE_ONCE(let, true);
	if (!stopped)
		kthread_stop(thread);
	put_task_struct(thread);
}
module_exit(counted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A thread whose references are counted");
