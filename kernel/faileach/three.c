// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with three threads for scripts/fail-each and scripts/explore. A parameter
 * names what it does wrong when one of them, the second, cannot be created; the
 * others it handles well. Some of it is wrong with no failure.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#define THREADS		3
#define MAJOR_NR	240

static char *how = "good";
module_param(how, charp, 0400);
MODULE_PARM_DESC(how, "see known[] in init");

static int bad = 1;
module_param(bad, int, 0400);
MODULE_PARM_DESC(bad, "which one, from 0 on");

static char *name = "three";
module_param(name, charp, 0400);
MODULE_PARM_DESC(name, "what the threads' names begin with");

static struct task_struct *tasks[THREADS];
static struct dentry *dir;
static DECLARE_COMPLETION(never);
static DECLARE_COMPLETION(begun);
static refcount_t users = REFCOUNT_INIT(1);
static int *ran[THREADS];	/* what each has set up */
static const struct file_operations no_operations;

static bool is(const char *text)
{
	return !strcmp(how, text);
}

static int three_thread(void *nr)
{
	int here = 1;

	WRITE_ONCE(ran[(long)nr], &here);
	complete(&begun);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void stop(int nr)
{
	while (nr--) {
		if (!tasks[nr])
			continue;
		if (is("ran"))
			*READ_ONCE(ran[nr]) = 0;
		kthread_stop(tasks[nr]);
	}
}

static int create(int i)
{
	tasks[i] = kthread_run(three_thread, (void *)(long)i, "%s/%d", name, i);
	if (is("wait") && !IS_ERR(tasks[i]))
		wait_for_completion(&begun);
	return PTR_ERR_OR_ZERO(tasks[i]);
}

/* What becomes of the bad one's failure; 0 is to go on. */
static int failed(int err)
{
	if (is("oops"))		/* an ERR_PTR() is not NULL */
		stop(bad + 1);
	if (is("hang"))		/* for a thread that is not there */
		wait_for_completion(&never);
	if (is("retry"))
		return create(bad);
	if (is("warn")) {	/* a second try of who is killed fails, too */
		if (!WARN_ON(create(bad)))
			kthread_stop(tasks[bad]);
	}
	if (is("count"))	/* one more than there are */
		refcount_dec(&users);
	if (is("pin"))
		__module_get(THIS_MODULE);
	tasks[bad] = NULL;
	if (is("ignore") || is("pin") || is("stuck"))
		return 0;
	if (!is("leak"))
		stop(bad);
	if (!is("files"))
		debugfs_remove(dir);
	return is("errno") ? -EINVAL : err;
}

static int create_all(void)
{
	int i, err;

	for (i = 0; i < THREADS; i++) {
		err = create(i);
		if (err && i == bad) {
			err = failed(err);
			if (err)
				return err;
		} else if (err) {
			stop(i);
			debugfs_remove(dir);
			return err;
		}
	}
	return 0;
}

static int create_error;

static void create_work(struct work_struct *unused)
{
	create_error = create_all();
}

static int __init three_init(void)
{
	static const char *const known[] = {
		"good", "leak", "oops", "hang", "ignore", "retry", "pin",
		"stuck", "files", "warn", "count", "errno",
		"major",	/* it forgets that after any failure */
		"work",		/* a kworker creates them */
		"ran",		/* it relies on each thread's having run */
		"wait",		/* and this is how it may */
	};
	struct work_struct work;

	if (match_string(known, ARRAY_SIZE(known), how) < 0 || bad < 0 ||
	    bad >= THREADS)
		return -EINVAL;
	if (is("major") && register_chrdev(MAJOR_NR, "three", &no_operations))
		return -EBUSY;
	dir = debugfs_create_dir("three", NULL);
	if (!is("work"))
		return create_all();
	INIT_WORK_ONSTACK(&work, create_work);
	schedule_work(&work);
	flush_work(&work);
	destroy_work_on_stack(&work);
	return create_error;
}
module_init(three_init);

static void __exit three_exit(void)
{
	if (is("stuck") && !tasks[bad])
		wait_for_completion(&never);
	stop(THREADS);
	debugfs_remove(dir);
	if (is("major"))
		unregister_chrdev(MAJOR_NR, "three");
}
module_exit(three_exit);

MODULE_DESCRIPTION("Handles the failure of its threads' creation well, or not");
MODULE_LICENSE("GPL");
