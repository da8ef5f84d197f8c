// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads on demand, for kernels with and without the series.
 *
 * /sys/kernel/debug/claims_threads takes one command per write:
 *
 *	create NAME	kthread_create()
 *	wake NAME	wake_up_process()
 *	run NAME	create and wake
 *	stop NAME	kthread_stop(); a negative result is the errno
 *	spin CPU NAME	create and wake on that CPU; never yields until stopped
 *	hog CPU NAME	the same with preemption disabled, for 10 s at most
 *	dig NAME	create and wake; goes down its stack before it sleeps
 *	cpus PID LIST	set_cpus_allowed_ptr() for that task
 *	kill PID	the kernel sends SIGTERM and SIGKILL to that task
 *
 * The writer carries the command out. NAME is the rest of the write.
 *
 * The parameter init=NAME creates a thread while the module loads. stack_size
 * is the size of a thread's stack, and stack_left is what the last thread that
 * dug has left of it.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "until_stopped.h"

struct thread {
	struct list_head	node;
	struct task_struct	*task;
	char			name[];
};

static DEFINE_SPINLOCK(threads_lock);
static LIST_HEAD(threads);
static struct dentry *file;

static char *init;
module_param(init, charp, 0400);
MODULE_PARM_DESC(init, "name of a thread to create while the module loads");

static unsigned int stack_size = THREAD_SIZE;
module_param(stack_size, uint, 0400);
MODULE_PARM_DESC(stack_size, "bytes of a kernel stack");

static unsigned int stack_left;
module_param(stack_left, uint, 0400);
MODULE_PARM_DESC(stack_left, "bytes below the deepest point that a thread has dug to");

static int sleeps(void *unused)
{
	sleep_until_stopped();
	return 0;
}

static int busy_until(unsigned long limit)
{
	while (!kthread_should_stop() && time_before(jiffies, limit))
		cpu_relax();
	return 0;
}

/* The limit is for a test that dies before it stops the thread. */
static int spins(void *unused)
{
	return busy_until(jiffies + 60 * HZ);
}

/*
 * The task that would stop it may wait for this CPU. The thread ends before RCU
 * or the workqueues report a stall.
 */
static int hogs(void *unused)
{
	preempt_disable();
	busy_until(jiffies + 10 * HZ);
	preempt_enable();
	return 0;
}

/* It leaves a quarter to interrupts. */
static noinline unsigned int deeper(void)
{
	char frame[256];
	unsigned int left = (unsigned long)frame -
			    (unsigned long)task_stack_page(current);

	if (left > THREAD_SIZE / 4)
		left = deeper();
	/* The frame is still in use, so that is no tail call. */
	barrier_data(frame);
	return left;
}

static int digs(void *unused)
{
	WRITE_ONCE(stack_left, deeper());
	return sleeps(NULL);
}

/* Called with the lock held. */
static struct thread *find(const char *name)
{
	struct thread *t;

	list_for_each_entry(t, &threads, node) {
		if (!strcmp(t->name, name))
			return t;
	}
	return NULL;
}

static int add(const char *name, int (*threadfn)(void *data), int cpu, bool wake)
{
	size_t size = strlen(name) + 1;
	struct task_struct *task;
	struct thread *t = kmalloc(struct_size(t, name, size), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	memcpy(t->name, name, size);
	task = kthread_create(threadfn, NULL, "%s", name);
	if (IS_ERR(task)) {
		kfree(t);
		return PTR_ERR(task);
	}
	if (cpu >= 0)
		kthread_bind(task, cpu);
	t->task = get_task_struct(task);
	if (wake)
		wake_up_process(task);
	spin_lock(&threads_lock);
	list_add_tail(&t->node, &threads);
	spin_unlock(&threads_lock);
	return 0;
}

static int end(struct thread *t)
{
	int ret = kthread_stop_put(t->task);

	kfree(t);
	return ret;
}

static int do_create(char *name)
{
	return add(name, sleeps, -1, false);
}

static int do_run(char *name)
{
	return add(name, sleeps, -1, true);
}

static int do_dig(char *name)
{
	return add(name, digs, -1, true);
}

/* Split "NUMBER REST"; NULL if @arg is something else. */
static char *number(char *arg, unsigned int *n)
{
	char *rest = strchr(arg, ' ');

	if (!rest)
		return NULL;
	*rest++ = '\0';
	return kstrtouint(arg, 10, n) ? NULL : rest;
}

static int busy(char *arg, int (*threadfn)(void *data))
{
	unsigned int cpu;
	char *name = number(arg, &cpu);

	if (!name || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	return add(name, threadfn, cpu, true);
}

static int do_spin(char *arg)
{
	return busy(arg, spins);
}

static int do_hog(char *arg)
{
	return busy(arg, hogs);
}

static int do_wake(char *name)
{
	struct thread *t;

	spin_lock(&threads_lock);
	t = find(name);
	if (t)
		wake_up_process(t->task);
	spin_unlock(&threads_lock);
	return t ? 0 : -ENOENT;
}

static int do_stop(char *name)
{
	struct thread *t;

	spin_lock(&threads_lock);
	t = find(name);
	if (t)
		list_del(&t->node);
	spin_unlock(&threads_lock);
	return t ? end(t) : -ENOENT;
}

/* With a reference, or NULL. */
static struct task_struct *task_of(unsigned int pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(pid), PIDTYPE_PID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static int do_cpus(char *arg)
{
	struct task_struct *task;
	cpumask_var_t cpus;
	unsigned int pid;
	char *list = number(arg, &pid);
	int err = -EINVAL;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	if (list && !cpulist_parse(list, cpus)) {
		task = task_of(pid);
		err = task ? set_cpus_allowed_ptr(task, cpus) : -ESRCH;
		if (task)
			put_task_struct(task);
	}
	free_cpumask_var(cpus);
	return err;
}

static int do_kill(char *arg)
{
	struct task_struct *task;
	unsigned int pid;
	int err;

	if (kstrtouint(arg, 10, &pid))
		return -EINVAL;
	task = task_of(pid);
	if (!task)
		return -ESRCH;
	err = send_sig(SIGTERM, task, 1) ?: send_sig(SIGKILL, task, 1);
	put_task_struct(task);
	return err;
}

static const struct {
	const char	*verb;
	int		(*fn)(char *arg);
} commands[] = {
	{ "cpus",	do_cpus },
	{ "create",	do_create },
	{ "dig",	do_dig },
	{ "hog",	do_hog },
	{ "kill",	do_kill },
	{ "run",	do_run },
	{ "spin",	do_spin },
	{ "stop",	do_stop },
	{ "wake",	do_wake },
};

static int command(char *text)
{
	const char *verb = strsep(&text, " ");

	for (int i = 0; text && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(verb, commands[i].verb))
			return commands[i].fn(text);
	}
	return -EINVAL;
}

static ssize_t file_write(struct file *unused, const char __user *ubuf,
			  size_t count, loff_t *ppos)
{
	char *text;
	int err;

	if (count > PAGE_SIZE)
		return -EINVAL;
	text = memdup_user_nul(ubuf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = command(text);
	kfree(text);
	return err ?: count;
}

static const struct file_operations file_ops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= file_write,
};

static int __init threads_init(void)
{
	int err = init ? do_create(init) : 0;

	if (err)
		return err;
	file = debugfs_create_file("claims_threads", 0200, NULL, NULL, &file_ops);
	return 0;
}
module_init(threads_init);

static void __exit threads_exit(void)
{
	struct thread *t, *next;

	debugfs_remove(file);
	/* No command is under way any more, so the list needs no lock. */
	list_for_each_entry_safe(t, next, &threads, node)
		end(t);
}
module_exit(threads_exit);

MODULE_DESCRIPTION("Kernel threads on demand");
MODULE_LICENSE("GPL");
