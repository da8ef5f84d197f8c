// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each function of include/linux/kthread.h that takes a thread, a worker or a work
 * item, called on each kind of right and wrong argument.
 *
 * A write of N to /sys/kernel/debug/calls makes call number N.  Many of them oops,
 * or wait for ever.  The log has "calls: cell N: FUNCTION on ARGUMENT" before it, and
 * "calls: called" behind it; a read gives what it returned.
 */
#define pr_fmt(fmt) "calls: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define CALLS_RESULT	7		/* what the threads return */
#define CALLS_LIMIT	(2 * HZ)	/* for a thread that calls something on itself */

/* What a call gets: one of these, as it says. */
struct calls_arg {
	struct task_struct		*task;
	struct kthread_worker		*worker;
	struct kthread_delayed_work	*work;
};

static void (*calls_bind_mask)(struct task_struct *task, const struct cpumask *mask);
static void (*calls_per_cpu)(struct task_struct *task, int cpu);
static int (*calls_affine)(struct task_struct *task, const struct cpumask *mask);

static long call_stop(struct calls_arg *arg)
{
	return kthread_stop(arg->task);
}

static long call_stop_put(struct calls_arg *arg)
{
	return kthread_stop_put(arg->task);
}

static long call_park(struct calls_arg *arg)
{
	return kthread_park(arg->task);
}

static long call_unpark(struct calls_arg *arg)
{
	kthread_unpark(arg->task);
	return 0;
}

static long call_bind(struct calls_arg *arg)
{
	kthread_bind(arg->task, 0);
	return 0;
}

static long call_bind_mask(struct calls_arg *arg)
{
	calls_bind_mask(arg->task, cpumask_of(0));
	return 0;
}

static long call_affine_preferred(struct calls_arg *arg)
{
	return calls_affine(arg->task, cpumask_of(0));
}

static long call_set_per_cpu(struct calls_arg *arg)
{
	calls_per_cpu(arg->task, 0);
	return 0;
}

static long call_func(struct calls_arg *arg)
{
	return !kthread_func(arg->task);
}

static long call_data(struct calls_arg *arg)
{
	return !!kthread_data(arg->task);
}

static long call_queue_work(struct calls_arg *arg)
{
	return kthread_queue_work(arg->worker, &arg->work->work);
}

static long call_queue_delayed_work(struct calls_arg *arg)
{
	return kthread_queue_delayed_work(arg->worker, arg->work, 1);
}

static long call_mod_delayed_work(struct calls_arg *arg)
{
	return kthread_mod_delayed_work(arg->worker, arg->work, 1);
}

static long call_flush_worker(struct calls_arg *arg)
{
	kthread_flush_worker(arg->worker);
	return 0;
}

static long call_destroy_worker(struct calls_arg *arg)
{
	kthread_destroy_worker(arg->worker);
	return 0;
}

static long call_flush_work(struct calls_arg *arg)
{
	kthread_flush_work(&arg->work->work);
	return 0;
}

static long call_cancel_work_sync(struct calls_arg *arg)
{
	return kthread_cancel_work_sync(&arg->work->work);
}

static long call_cancel_delayed_work_sync(struct calls_arg *arg)
{
	return kthread_cancel_delayed_work_sync(arg->work);
}

enum calls_takes { TAKES_TASK, TAKES_WORKER, TAKES_WORK };

static const struct calls_call {
	const char		*name;
	long			(*fn)(struct calls_arg *arg);
	enum calls_takes	takes;
	bool			queues, ends;
} calls[] = {
	{ "kthread_stop", call_stop, TAKES_TASK, .ends = true },
	{ "kthread_stop_put", call_stop_put, TAKES_TASK, .ends = true },
	{ "kthread_park", call_park, TAKES_TASK },
	{ "kthread_unpark", call_unpark, TAKES_TASK },
	{ "kthread_bind", call_bind, TAKES_TASK },
	{ "kthread_bind_mask", call_bind_mask, TAKES_TASK },
	{ "kthread_affine_preferred", call_affine_preferred, TAKES_TASK },
	{ "kthread_set_per_cpu", call_set_per_cpu, TAKES_TASK },
	{ "kthread_func", call_func, TAKES_TASK },
	{ "kthread_data", call_data, TAKES_TASK },
	{ "kthread_queue_work", call_queue_work, TAKES_WORKER, .queues = true },
	{ "kthread_queue_delayed_work", call_queue_delayed_work, TAKES_WORKER, .queues = true },
	{ "kthread_mod_delayed_work", call_mod_delayed_work, TAKES_WORKER, .queues = true },
	{ "kthread_flush_worker", call_flush_worker, TAKES_WORKER },
	{ "kthread_destroy_worker", call_destroy_worker, TAKES_WORKER, .ends = true },
	{ "kthread_flush_work", call_flush_work, TAKES_WORK },
	{ "kthread_cancel_work_sync", call_cancel_work_sync, TAKES_WORK },
	{ "kthread_cancel_delayed_work_sync", call_cancel_delayed_work_sync, TAKES_WORK },
};

enum calls_on {
	ON_UNWOKEN, ON_RUNNING, ON_RETURNED, ON_GOING, ON_GONE, ON_ERR_PTR, ON_NULL,
	ON_PROCESS, ON_ITSELF, ON_ATOMIC, ON_NR,
};

static const char * const calls_on[] = {
	"unwoken", "running", "returned", "going", "gone", "ERR_PTR", "NULL", "process",
	"itself", "atomic",
};

static DECLARE_COMPLETION(calls_runs);
static DECLARE_COMPLETION(calls_worked);
static DECLARE_COMPLETION(calls_returned);
static struct kthread_delayed_work calls_work;
static const struct calls_call *calls_call;
static struct calls_arg calls_itself;
static char calls_result[128];
static bool calls_self_call;	/* a work item makes the call */

static int calls_sleeper(void *unused)
{
	complete(&calls_runs);
	while (!kthread_should_stop()) {
		if (kthread_should_park())
			kthread_parkme();
		schedule_timeout_idle(1);
	}
	return CALLS_RESULT;
}

static int calls_returner(void *unused)
{
	complete(&calls_runs);
	return CALLS_RESULT;
}

static noinline long calls_make(struct calls_arg *arg)
{
	long ret = calls_call->fn(arg);

	snprintf(calls_result, sizeof(calls_result), "returned %ld", ret);
	return ret;
}

static int calls_self(void *unused)
{
	calls_itself.task = current;
	calls_make(&calls_itself);
	complete(&calls_returned);
	/* Others have a reference. */
	return CALLS_RESULT;
}

static void calls_work_fn(struct kthread_work *work)
{
	if (calls_self_call) {
		calls_self_call = false;
		calls_make(&calls_itself);
		complete(&calls_returned);
		return;
	}
	complete(&calls_worked);
}

/* So that no memory of the thread is left, and nobody has taken it again. */
static void calls_wait_alone(struct task_struct *task)
{
	while (refcount_read(&task->usage) > 1) {
		rcu_barrier();
		schedule_timeout_idle(1);
	}
}

static struct task_struct *calls_run(int (*fn)(void *unused))
{
	struct task_struct *task = kthread_create(fn, NULL, "calls");

	if (IS_ERR(task))
		return task;
	get_task_struct(task);
	wake_up_process(task);
	if (fn != calls_self)
		wait_for_completion(&calls_runs);
	return task;
}

static void calls_called(void)
{
	rcu_barrier();
	pr_info("called\n");
}

/* A call that sleeps enables interrupts. */
static void calls_make_atomic(struct calls_arg *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	calls_make(arg);
	if (!irqs_disabled())
		strlcat(calls_result, ", with interrupts enabled", sizeof(calls_result));
	local_irq_restore(flags);
}

static int calls_wait_itself(void)
{
	if (!wait_for_completion_timeout(&calls_returned, CALLS_LIMIT)) {
		strscpy(calls_result, "does not return");
		return -ETIMEDOUT;
	}
	return 0;
}

/* Returns an errno only if the call does not return. */
static int calls_on_task(enum calls_on on)
{
	struct calls_arg arg = { };
	struct task_struct *task;
	int err = 0;

	switch (on) {
	case ON_ERR_PTR:
		arg.task = ERR_PTR(-ENOMEM);
		break;
	case ON_NULL:
		break;
	case ON_PROCESS:
		/* Init: no thread that is gone has had its address. */
		arg.task = get_pid_task(find_get_pid(1), PIDTYPE_PID);
		break;
	case ON_UNWOKEN:
		arg.task = get_task_struct(kthread_create(calls_sleeper, NULL, "calls"));
		break;
	case ON_RUNNING:
	case ON_ATOMIC:
		arg.task = calls_run(calls_sleeper);
		break;
	case ON_ITSELF:
		task = calls_run(calls_self);
		err = calls_wait_itself();
		calls_called();
		return err;
	default:
		arg.task = calls_run(calls_returner);
		calls_wait_alone(arg.task);
	}
	task = arg.task;
	if (on == ON_GONE) {
		put_task_struct(task);
		rcu_barrier();
	} else if (on == ON_GOING) {
		rcu_read_lock();
		put_task_struct(task);
	} else if (on != ON_ERR_PTR && on != ON_NULL && calls_call->fn == call_stop_put) {
		get_task_struct(task);
	}
	if (on == ON_ATOMIC)
		calls_make_atomic(&arg);
	else
		calls_make(&arg);
	if (on == ON_GOING)
		rcu_read_unlock();
	calls_called();
	if ((on == ON_RUNNING || on == ON_UNWOKEN || on == ON_ATOMIC) && !calls_call->ends)
		kthread_stop(task);
	return 0;
}

static struct kthread_worker *calls_worker(void)
{
	struct kthread_worker *worker = kthread_create_worker(0, "calls");

	kthread_init_delayed_work(&calls_work, calls_work_fn);
	reinit_completion(&calls_worked);
	if (IS_ERR(worker))
		return worker;
	wake_up_process(worker->task);
	/* It belongs to this worker from here on. */
	kthread_queue_work(worker, &calls_work.work);
	wait_for_completion(&calls_worked);
	kthread_flush_worker(worker);
	reinit_completion(&calls_worked);
	return worker;
}

static int calls_on_worker(enum calls_on on)
{
	struct kthread_worker *worker = calls_worker();
	struct calls_arg arg = { .worker = worker, .work = &calls_work };
	int err = 0;

	switch (on) {
	case ON_RETURNED:
		kthread_stop(worker->task);
		break;
	case ON_GONE:
		kthread_destroy_worker(worker);
		break;
	case ON_ERR_PTR:
	case ON_NULL:
		kthread_init_delayed_work(&calls_work, calls_work_fn);
		if (calls_call->takes == TAKES_WORK)
			arg.work = on == ON_NULL ? NULL : ERR_PTR(-ENOMEM);
		else
			arg.worker = on == ON_NULL ? NULL : ERR_PTR(-ENOMEM);
		break;
	case ON_ITSELF:
		calls_itself = arg;
		calls_self_call = true;
		kthread_queue_work(worker, &calls_work.work);
		err = calls_wait_itself();
		break;
	default:
		break;
	}
	if (on == ON_ATOMIC)
		calls_make_atomic(&arg);
	else if (on != ON_ITSELF)
		calls_make(&arg);
	if (calls_call->queues && !err &&
	    !wait_for_completion_timeout(&calls_worked, CALLS_LIMIT))
		strlcat(calls_result, ", the work does not run", sizeof(calls_result));
	calls_called();
	if (!err && !calls_call->ends && on != ON_RETURNED && on != ON_GONE)
		kthread_destroy_worker(worker);
	return err;
}

static int calls_cell(unsigned int cell)
{
	enum calls_on on = cell % ON_NR;

	if (cell / ON_NR >= ARRAY_SIZE(calls))
		return -ERANGE;
	calls_call = &calls[cell / ON_NR];
	if (calls_call->takes != TAKES_TASK &&
	    (on == ON_GOING || on == ON_PROCESS || on == ON_UNWOKEN))
		return -EOPNOTSUPP;
	calls_result[0] = '\0';
	pr_info("cell %u: %s on %s\n", cell, calls_call->name, calls_on[on]);
	return calls_call->takes == TAKES_TASK ? calls_on_task(on) : calls_on_worker(on);
}

static ssize_t calls_write(struct file *file, const char __user *ubuf, size_t count,
			   loff_t *ppos)
{
	unsigned int cell;
	int err = kstrtouint_from_user(ubuf, count, 10, &cell);

	return err ?: calls_cell(cell) ?: count;
}

static ssize_t calls_read(struct file *file, char __user *ubuf, size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(ubuf, count, ppos, calls_result, strlen(calls_result));
}

static const struct file_operations calls_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= calls_read,
	.write	= calls_write,
};

/* The address of a function that is not exported. */
static void *calls_find(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *found = NULL;

	if (!register_kprobe(&probe)) {
		found = probe.addr;
		unregister_kprobe(&probe);
	}
	return found;
}

static int __init calls_init(void)
{
	calls_bind_mask = calls_find("kthread_bind_mask");
	calls_per_cpu = calls_find("kthread_set_per_cpu");
	calls_affine = calls_find("kthread_affine_preferred");
	if (!calls_bind_mask || !calls_per_cpu || !calls_affine)
		return -EOPNOTSUPP;
	debugfs_create_file("calls", 0600, NULL, NULL, &calls_fops);
	return 0;
}
module_init(calls_init);

MODULE_DESCRIPTION("Right and wrong calls on kernel threads");
MODULE_LICENSE("GPL");
