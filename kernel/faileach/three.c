// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with three threads for scripts/fail-each. Its parameter names what it
 * does wrong when the second one cannot be created; the others it handles well.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#define THREADS	3

static char *how = "good";
module_param(how, charp, 0400);
MODULE_PARM_DESC(how, "good, leak, oops, hang, ignore, retry, pin, stuck or files");

static struct task_struct *tasks[THREADS];
static struct dentry *dir;
static DECLARE_COMPLETION(never);

static int three_thread(void *unused)
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

static void stop(int nr)
{
	while (nr--) {
		if (tasks[nr])
			kthread_stop(tasks[nr]);
	}
}

static int create(int i)
{
	tasks[i] = kthread_run(three_thread, NULL, "three/%d", i);
	return PTR_ERR_OR_ZERO(tasks[i]);
}

/* What becomes of the second one's failure; 0 is to go on. */
static int second_failed(int err)
{
	if (!strcmp(how, "oops"))	/* an ERR_PTR() is not NULL */
		stop(2);
	if (!strcmp(how, "hang"))	/* for a thread that is not there */
		wait_for_completion(&never);
	if (!strcmp(how, "retry"))
		return create(1);
	if (!strcmp(how, "pin"))
		__module_get(THIS_MODULE);
	tasks[1] = NULL;
	if (!strcmp(how, "ignore") || !strcmp(how, "pin") ||
	    !strcmp(how, "stuck"))
		return 0;
	if (strcmp(how, "leak"))
		stop(1);
	if (strcmp(how, "files"))
		debugfs_remove(dir);
	return err;
}

static int __init three_init(void)
{
	static const char *const known[] = {
		"good", "leak", "oops", "hang", "ignore", "retry", "pin",
		"stuck", "files",
	};
	int i, err;

	if (match_string(known, ARRAY_SIZE(known), how) < 0)
		return -EINVAL;
	dir = debugfs_create_dir("three", NULL);
	for (i = 0; i < THREADS; i++) {
		err = create(i);
		if (err && i == 1) {
			err = second_failed(err);
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
module_init(three_init);

static void __exit three_exit(void)
{
	if (!strcmp(how, "stuck") && !tasks[1])
		wait_for_completion(&never);
	stop(THREADS);
	debugfs_remove(dir);
}
module_exit(three_exit);

MODULE_DESCRIPTION("Handles the failure of its threads' creation well, or not");
MODULE_LICENSE("GPL");
