// SPDX-License-Identifier: GPL-2.0-only
/* What the KUnit cases share, see kunit.h. */
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "kunit.h"

struct task_struct *parent_of(struct task_struct *task)
{
	struct task_struct *parent;

	rcu_read_lock();
	parent = rcu_dereference(task->real_parent);
	rcu_read_unlock();
	return parent;
}

void at_exit(struct kunit *test, kunit_action_t *action, void *data)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, action, data), 0);
}

/*
 * A thread that does not end stays behind, with what it uses. Its case fails,
 * and the next cases can run.
 */
static void leave_behind(struct kunit *test, struct task_struct *task)
{
	kunit_err(test, "%s:%d does not end and is left behind\n", task->comm,
		  task_pid_nr(task));
	__module_get(THIS_MODULE);
}

/* === Subjects === */

int until_stopped(void *subject)
{
	struct subject *s = subject;

	WRITE_ONCE(s->should_stop, kthread_should_stop());
	WRITE_ONCE(s->ran, true);
	sleep_until_stopped();
	return s->result;
}

int until_let_go(void *subject)
{
	struct subject *s = subject;

	WRITE_ONCE(s->ran, true);
	while (!READ_ONCE(s->let_go)) {
		WRITE_ONCE(s->rounds, s->rounds + 1);
		schedule_timeout_idle(1);
	}
	return s->result;
}

int at_once(void *subject)
{
	struct subject *s = subject;

	WRITE_ONCE(s->ran, true);
	return s->result;
}

static void end_subject(void *data)
{
	struct subject *s = data;

	WRITE_ONCE(s->let_go, true);
	if (!s->stopped)
		kthread_stop(s->task);
	if (!in_time(exited(s->task))) {
		leave_behind(s->test, s->task);
		return;
	}
	put_task_struct(s->task);
	kfree(s);
}

struct subject *alloc_subject(struct kunit *test, int result)
{
	struct subject *s = kzalloc(sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->result = result;
	return s;
}

void keep_subject(struct subject *s)
{
	struct kunit *test = s->test;

	if (IS_ERR(s->task)) {
		int err = PTR_ERR(s->task);

		kfree(s);
		KUNIT_ASSERT_EQ(test, err, 0);
		return;
	}
	get_task_struct(s->task);
	at_exit(test, end_subject, s);
}

struct subject *create(struct kunit *test, int (*threadfn)(void *data),
		       const char *name, int result)
{
	struct subject *s = alloc_subject(test, result);

	s->task = kthread_create(threadfn, s, "%s", name);
	keep_subject(s);
	return s;
}

struct subject *run(struct kunit *test, int (*threadfn)(void *data),
		    const char *name, int result)
{
	struct subject *s = create(test, threadfn, name, result);

	wake_up_process(s->task);
	ASSERT_IN_TIME(test, READ_ONCE(s->ran));
	return s;
}

/* === Calls === */

static int make_call(void *data)
{
	struct call *call = data;

	call->fn(call);
	/* Pairs with returned(): the result comes first. */
	smp_store_release(&call->returned, true);
	sleep_until_stopped();
	return 0;
}

bool returned(struct call *call)
{
	/* Pairs with make_call(). */
	return smp_load_acquire(&call->returned);
}

static int not_woken(void *unused)
{
	return 0;
}

static void call_create(struct call *call)
{
	call->made = kthread_create(not_woken, NULL, "%s", call->name);
}

static void call_stop(struct call *call)
{
	call->result = kthread_stop(call->subject->task);
}

static void end_call(void *data)
{
	struct call *call = data;

	if (call->begun && !in_time(returned(call))) {
		leave_behind(call->test, call->task);
		return;
	}
	kthread_stop(call->task);
	if (!IS_ERR_OR_NULL(call->made))
		kthread_stop(call->made);
	kfree(call);
}

static struct call *prepare(struct kunit *test, void (*fn)(struct call *call))
{
	struct call *call = kzalloc(sizeof(*call), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, call);
	call->test = test;
	call->fn = fn;
	call->task = kthread_create(make_call, call, "kt-call");
	if (IS_ERR(call->task)) {
		kfree(call);
		KUNIT_FAIL_AND_ABORT(test, "cannot create a thread for a call");
	}
	at_exit(test, end_call, call);
	return call;
}

static void begin(struct call *call)
{
	call->begun = true;
	wake_up_process(call->task);
}

struct call *begin_create(struct kunit *test, const char *name)
{
	struct call *call = prepare(test, call_create);

	call->name = name;
	begin(call);
	return call;
}

struct call *begin_stop(struct subject *s)
{
	struct call *call = prepare(s->test, call_stop);

	call->subject = s;
	s->stopped = true;
	begin(call);
	return call;
}

int stop(struct subject *s)
{
	struct call *call = begin_stop(s);

	ASSERT_IN_TIME(s->test, returned(call));
	return call->result;
}

/* === Trace events === */

struct watched {
	const char		*event;
	struct tracepoint	*tp;
	void			*probe;
	void			*data;
};

static void match_event(struct tracepoint *tp, void *data)
{
	struct watched *w = data;

	if (!strcmp(tp->name, w->event))
		w->tp = tp;
}

static void end_watch(void *data)
{
	struct watched *w = data;

	tracepoint_probe_unregister(w->tp, w->probe, w->data);
	tracepoint_synchronize_unregister();
}

/* Find the event by its name: the kernel does not export all of them. */
void watch(struct kunit *test, const char *event, void *probe, void *data)
{
	struct watched *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	*w = (struct watched){ .event = event, .probe = probe, .data = data };
	for_each_kernel_tracepoint(match_event, w);
	KUNIT_ASSERT_NOT_NULL_MSG(test, w->tp, "no trace event %s", event);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(w->tp, probe, data), 0);
	at_exit(test, end_watch, w);
}

/* current has forked the task, which has never run. */
static void probe_newtask(void *data, struct task_struct *task)
{
	struct births *b = data;
	struct birth *birth;

	if (!strstarts(task->comm, b->prefix) || b->nr == ARRAY_SIZE(b->birth))
		return;
	birth = &b->birth[b->nr];
	birth->pid = task_pid_nr(task);
	birth->by = task_pid_nr(current);
	birth->has_kthread = task->worker_private && task->vfork_done;
#ifdef CONFIG_NUMA
	birth->node = current->pref_node_fork;
#endif
	b->nr++;
}

struct births *watch_births(struct kunit *test, const char *prefix)
{
	struct births *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->prefix = prefix;
	watch(test, "task_newtask", probe_newtask, b);
	return b;
}

MODULE_DESCRIPTION("KUnit cases about what two articles say of kernel threads");
MODULE_LICENSE("GPL");
