// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with a thread for each open file. An application can end the thread
 * (row W6).
 *
 * The thread looks at the driver's own flag and at nothing else. An ioctl sets
 * the flag. So does release(), which the kernel calls however the application
 * ends.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "claims_device.h"

struct open_file {
	struct task_struct	*task;
	wait_queue_head_t	wait;
	bool			end;
};

static int device_thread(void *data)
{
	struct open_file *f = data;

	wait_event_idle(f->wait, READ_ONCE(f->end));
	return 0;
}

static void device_end(struct open_file *f)
{
	WRITE_ONCE(f->end, true);
	wake_up(&f->wait);
}

static int device_open(struct inode *inode, struct file *file)
{
	struct open_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	struct task_struct *task;

	if (!f)
		return -ENOMEM;
	init_waitqueue_head(&f->wait);
	task = kthread_create(device_thread, f, "claims-device");
	if (IS_ERR(task)) {
		kfree(f);
		return PTR_ERR(task);
	}
	/* The thread may end long before the file is closed. */
	f->task = get_task_struct(task);
	wake_up_process(task);
	file->private_data = f;
	return 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != CLAIMS_DEVICE_END)
		return -ENOTTY;
	device_end(file->private_data);
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct open_file *f = file->private_data;

	device_end(f);
	/* The flag ends the thread. The stop waits until it has left this code. */
	kthread_stop_put(f->task);
	kfree(f);
	return 0;
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.unlocked_ioctl	= device_ioctl,
	.release	= device_release,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "claims_device",
	.fops	= &device_fops,
	.mode	= 0600,
};
module_misc_device(device);

MODULE_DESCRIPTION("A thread that an application ends");
MODULE_LICENSE("GPL");
