// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random lives of kernel threads, each right on any kernel. The guest program
 * torture makes all that surrounds them go wrong.
 *
 *	seed=N		each actor takes its decisions from this and its own number
 *	creators=N	so many kernel threads create others, and one more kills them
 *	lose=N		forget to count the N-th creation: the test of the test
 *
 * Files in debugfs, in torture/:
 *
 *	live		a write of "SEED N" makes N lives in the context of the writer, which
 *			may be killed meanwhile
 *	stop		a write stops the creators; returns when all of their threads are gone
 *	counts		what has been counted: a name and a number on each line
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "torture.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define kthread_run_worker		kthread_create_worker
#define kthread_affine_preferred(p, mask)	do { } while (0)
#endif

#define MOST_CREATORS	16
#define MOST_WORKS	4
#define UNTIL_STOPPED	UINT_MAX

static unsigned long seed = 1;
module_param(seed, ulong, 0400);
MODULE_PARM_DESC(seed, "where all random decisions begin");

static unsigned int creators = 4;
module_param(creators, uint, 0400);
MODULE_PARM_DESC(creators, "how many kernel threads create others, at most 16");

static unsigned int lose;
module_param(lose, uint, 0400);
MODULE_PARM_DESC(lose, "which creation not to count");

/* Each creation is in one of the second to sixth, each thread in run or skipped. */
#define COUNTS(X)							\
	X(created) X(ok) X(nomem) X(again) X(intr) X(injected)		\
	X(run) X(ended) X(skipped)					\
	X(parked) X(queued_works) X(works) X(kills) X(loads) X(errors)

#define X(name)	COUNT_##name,
enum { COUNTS(X) NR_COUNTS };
#undef X
#define X(name)	#name,
static const char * const count_names[] = { COUNTS(X) };
#undef X

static atomic64_t counts[NR_COUNTS];

#define count(name)	atomic64_inc_return(&counts[COUNT_##name])

#define wrong(fmt, ...)							\
do {									\
	if (count(errors) <= 10)					\
		pr_err("kthread-torture: " fmt "\n", ##__VA_ARGS__);	\
} while (0)

/* What a thread shares with the life that it is a part of. */
struct thread {
	unsigned int		naps;		/* so many, then it returns */
	unsigned int		nap_us;
	int			result;
	bool			ran;
	struct completion	*left;		/* nobody has a reference to it */
};

static unsigned int below(struct rnd_state *rnd, unsigned int limit)
{
	return prandom_u32_state(rnd) % limit;
}

static bool once_in(struct rnd_state *rnd, unsigned int n)
{
	return !below(rnd, n);
}

/* No signal ends it. */
static void pause_a_while(struct rnd_state *rnd)
{
	switch (below(rnd, 8)) {
	case 0:
		usleep_range(10, 3000);
		break;
	case 1:
		udelay(below(rnd, 50));
		break;
	case 2:
	case 3:
		cond_resched();
		break;
	}
}

static int thread_fn(void *data)
{
	struct thread *t = data;

	WRITE_ONCE(t->ran, true);
	count(run);
	while (!kthread_should_stop() && t->naps) {
		if (kthread_should_park()) {
			kthread_parkme();
			continue;
		}
		if (t->naps != UNTIL_STOPPED) {
			t->naps--;
			usleep_range(t->nap_us, t->nap_us + 10);
			continue;
		}
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop() && !kthread_should_park())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	count(ended);
	if (t->left)
		kthread_complete_and_exit(t->left, t->result);
	return t->result;
}

/* Count a creation; @task is what it has returned. */
static struct task_struct *counted(struct task_struct *task)
{
	if (count(created) == lose)
		atomic64_dec(&counts[COUNT_created]);
	if (!IS_ERR(task)) {
		count(ok);
		return task;
	}
	switch (PTR_ERR(task)) {
	case -ENOMEM:
		count(nomem);
		break;
	case -EAGAIN:
		count(again);
		break;
	case -EINTR:
		if (!fatal_signal_pending(current))
			wrong("-EINTR for a creator that nobody killed");
		count(intr);
		break;
	default:
		count(injected);
	}
	return task;
}

static void name_it(struct rnd_state *rnd, char *name, size_t size)
{
	static const char * const odd[] = {
		"", " ", "*", "!tt", "?", "[t]", "tt\nid=1 pid=1", "\ttt\r", "tt \"quoted\" 'twice'",
		"tt\\back\\\\slash", "tt%s%d%n%p", "tt\xff\x80\x01\x7f", "tt: kthread_run: id=1 pid=1", "#",
	};
	unsigned int which = below(rnd, 3 * ARRAY_SIZE(odd));

	if (which < ARRAY_SIZE(odd)) {
		strscpy(name, odd[which], size);
	} else if (once_in(rnd, 10)) {
		memset(name, 'a' + below(rnd, 26), size - 1);
		name[1 + below(rnd, size - 1)] = '\0';
	} else {
		snprintf(name, size, "tt-%u", which);
	}
}

static int a_cpu(struct rnd_state *rnd)
{
	unsigned int cpu = below(rnd, nr_cpu_ids);

	return cpu_online(cpu) ? cpu : cpumask_first(cpu_online_mask);
}

static struct task_struct *create(struct rnd_state *rnd, struct thread *t)
{
	struct task_struct *task;
	char name[300];

	name_it(rnd, name, sizeof(name));
	switch (below(rnd, 8)) {
	case 0:
		return counted(kthread_create_on_cpu(thread_fn, t, a_cpu(rnd), "tt-cpu/%u"));
	case 1:
		task = counted(kthread_create(thread_fn, t, "%s-%u", name, below(rnd, 100)));
		if (!IS_ERR(task))
			kthread_bind(task, a_cpu(rnd));
		return task;
	case 2:
		task = counted(kthread_create(thread_fn, t, "%s", name));
		if (!IS_ERR(task))
			kthread_affine_preferred(task, cpu_online_mask);
		return task;
	default:
		return counted(kthread_create(thread_fn, t, "%s", name));
	}
}

/* Stop @task, and judge what comes of it. With @put give a reference back, too. */
static void stop(struct task_struct *task, struct thread *t, bool put)
{
	int result = put ? kthread_stop_put(task) : kthread_stop(task);
	int expected = t->ran ? t->result : -EINTR;

	if (!t->ran)
		count(skipped);
	if (result != expected)
		wrong("a stop returned %d and not %d, the thread has%s run", result, expected,
		      t->ran ? "" : " not");
}

static void park(struct rnd_state *rnd, struct task_struct *task)
{
	int err = kthread_park(task);

	if (err)
		wrong("a park returned %d", err);
	count(parked);
	pause_a_while(rnd);
	/* A stop ends that, too. */
	if (!once_in(rnd, 4))
		kthread_unpark(task);
}

static void live_until_stopped(struct rnd_state *rnd)
{
	struct thread t = { .naps = UNTIL_STOPPED, .result = 1 + below(rnd, 1000) };
	struct task_struct *task = create(rnd, &t);

	if (IS_ERR(task))
		return;
	pause_a_while(rnd);
	switch (below(rnd, 4)) {
	case 0:	/* never woken up */
		break;
	case 1:	/* parked instead */
		park(rnd, task);
		break;
	default:
		wake_up_process(task);
		pause_a_while(rnd);
		if (once_in(rnd, 2))
			park(rnd, task);
	}
	pause_a_while(rnd);
	stop(task, &t, false);
}

/* It returns by itself while somebody has a reference, and is stopped before or after that. */
static void live_and_return(struct rnd_state *rnd)
{
	struct thread t = {
		.naps	= below(rnd, 3),
		.nap_us	= 1 + below(rnd, 500),
		.result	= 1 + below(rnd, 1000),
	};
	struct task_struct *task = create(rnd, &t);

	if (IS_ERR(task))
		return;
	get_task_struct(task);
	if (!once_in(rnd, 8))
		wake_up_process(task);
	pause_a_while(rnd);
	pause_a_while(rnd);
	stop(task, &t, true);
}

/* Nobody has a reference. */
static void live_alone(struct rnd_state *rnd)
{
	DECLARE_COMPLETION_ONSTACK(left);
	struct thread t = {
		.naps	= below(rnd, 3),
		.nap_us	= 1 + below(rnd, 500),
		.result	= 1 + below(rnd, 1000),
		.left	= &left,
	};
	struct task_struct *task = create(rnd, &t);

	if (IS_ERR(task))
		return;
	pause_a_while(rnd);
	wake_up_process(task);
	wait_for_completion(&left);
}

static void work_fn(struct kthread_work *work)
{
	count(works);
}

static void live_as_worker(struct rnd_state *rnd)
{
	struct kthread_work works[MOST_WORKS];
	struct kthread_worker *worker;
	unsigned int i, nr = below(rnd, MOST_WORKS + 1);
	char name[300];

	name_it(rnd, name, sizeof(name));
	worker = kthread_run_worker(0, "%s", name);
	counted(IS_ERR(worker) ? ERR_CAST(worker) : worker->task);
	if (IS_ERR(worker))
		return;
	for (i = 0; i < nr; i++) {
		kthread_init_work(&works[i], work_fn);
		if (kthread_queue_work(worker, &works[i]))
			count(queued_works);
		pause_a_while(rnd);
	}
	if (once_in(rnd, 2))
		kthread_flush_worker(worker);
	/* It flushes, so the worker has run. */
	kthread_destroy_worker(worker);
	count(run);
	count(ended);
}

static void live(struct rnd_state *rnd)
{
	switch (below(rnd, 8)) {
	case 0:
		live_as_worker(rnd);
		break;
	case 1:
		live_alone(rnd);
		break;
	case 2:
	case 3:
		live_and_return(rnd);
		break;
	default:
		live_until_stopped(rnd);
	}
	cond_resched();
}

/**
 * torture_begin - create a thread, and count it
 * @threadfn: its function, which returns 0 when it is to stop
 * @name: its name
 *
 * Return: the thread, or an ERR_PTR().
 */
struct task_struct *torture_begin(int (*threadfn)(void *data), const char *name)
{
	count(loads);
	return counted(kthread_create(threadfn, NULL, "%s", name));
}
EXPORT_SYMBOL_GPL(torture_begin);

/**
 * torture_end - stop a thread, and count how that ends
 * @task: of torture_begin()
 */
void torture_end(struct task_struct *task)
{
	int result = kthread_stop(task);

	if (result == -EINTR) {
		count(skipped);
		return;
	}
	count(run);
	count(ended);
	if (result)
		wrong("a stop at the end of a module returned %d", result);
}
EXPORT_SYMBOL_GPL(torture_end);

static DEFINE_MUTEX(actors_lock);
static struct task_struct *actors[MOST_CREATORS];
static struct task_struct *killer;

static int creator_fn(void *number)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed + (unsigned long)number);
	allow_signal(SIGKILL);
	while (!kthread_should_stop()) {
		live(&rnd);
		if (signal_pending(current))
			flush_signals(current);
	}
	return 0;
}

static int killer_fn(void *unused)
{
	struct rnd_state rnd;
	s64 next = 0;

	prandom_seed_state(&rnd, seed + MOST_CREATORS);
	while (!kthread_should_stop()) {
		usleep_range(100, 3000);
		/* On a slow kernel as many of them are killed as on a fast one. */
		if (!creators || atomic64_read(&counts[COUNT_created]) < next)
			continue;
		send_sig(SIGKILL, actors[below(&rnd, creators)], 1);
		count(kills);
		next = atomic64_read(&counts[COUNT_created]) + below(&rnd, 30);
	}
	return 0;
}

static void stop_all(void)
{
	guard(mutex)(&actors_lock);
	/* It uses the others. */
	if (killer)
		kthread_stop(killer);
	killer = NULL;
	for (unsigned int i = 0; i < MOST_CREATORS; i++) {
		if (actors[i])
			kthread_stop(actors[i]);
		actors[i] = NULL;
	}
}

static ssize_t live_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	unsigned long from, nr;
	struct rnd_state rnd;
	char buf[64] = "";

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	if (sscanf(buf, "%lu %lu", &from, &nr) != 2)
		return -EINVAL;
	prandom_seed_state(&rnd, from);
	while (nr-- && !fatal_signal_pending(current))
		live(&rnd);
	return len;
}

static const struct file_operations live_fops = {
	.owner	= THIS_MODULE,
	.write	= live_write,
};

static ssize_t stop_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	stop_all();
	return len;
}

static const struct file_operations stop_fops = {
	.owner	= THIS_MODULE,
	.write	= stop_write,
};

static int counts_show(struct seq_file *m, void *v)
{
	for (int i = 0; i < NR_COUNTS; i++)
		seq_printf(m, "%s %lld\n", count_names[i], (long long)atomic64_read(&counts[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static struct dentry *dir;

static int __init torture_init(void)
{
	struct task_struct *task;

	if (creators > MOST_CREATORS)
		return -EINVAL;
	for (unsigned long i = 0; i < creators; i++) {
		task = kthread_create(creator_fn, (void *)i, "torture/%lu", i);
		if (IS_ERR(task)) {
			stop_all();
			return PTR_ERR(task);
		}
		actors[i] = task;
	}
	task = kthread_run(killer_fn, NULL, "torture-killer");
	if (IS_ERR(task)) {
		stop_all();
		return PTR_ERR(task);
	}
	killer = task;
	for (unsigned int i = 0; i < creators; i++)
		wake_up_process(actors[i]);
	dir = debugfs_create_dir("torture", NULL);
	debugfs_create_file("live", 0200, dir, NULL, &live_fops);
	debugfs_create_file("stop", 0200, dir, NULL, &stop_fops);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	pr_info("kthread-torture: start of test: seed=%lu creators=%u\n", seed, creators);
	return 0;
}
module_init(torture_init);

static void __exit torture_exit(void)
{
	debugfs_remove(dir);
	stop_all();
}
module_exit(torture_exit);

MODULE_DESCRIPTION("Random lives of kernel threads");
MODULE_LICENSE("GPL");
