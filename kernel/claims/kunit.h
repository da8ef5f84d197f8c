/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit cases about the articles' claims share. A case is one
 * statement, and its name begins with the row of scripts/claims.txt.
 *
 * The cases run on kernels with the series and on kernels without it. They
 * change nothing but threads of their own.
 *
 * A thread of the test makes each call that may block (struct call). The case
 * can watch it, and a call that never returns fails the case and does not hang
 * the machine. The cases wait for states, with a limit. A case shows that
 * something does not happen by a state that only its own next step can end.
 */
#ifndef CLAIMS_KUNIT_H
#define CLAIMS_KUNIT_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/version.h>

#include "until_stopped.h"

/* A state that takes longer than this does not come. */
#define LIMIT_S		20

#define in_time(cond) ({						\
	unsigned long __end = jiffies + LIMIT_S * HZ;			\
									\
	while (!(cond) && time_before(jiffies, __end))			\
		usleep_range(1000, 2000);				\
	!!(cond);							\
})

#define EXPECT_IN_TIME(test, cond)				\
	KUNIT_EXPECT_TRUE_MSG(test, in_time(cond),		\
			      "not within %d s: %s", LIMIT_S, #cond)
#define ASSERT_IN_TIME(test, cond)				\
	KUNIT_ASSERT_TRUE_MSG(test, in_time(cond),		\
			      "not within %d s: %s", LIMIT_S, #cond)

/* === Tasks === */

/* The task has gone to sleep in exactly this state. */
static inline bool asleep(struct task_struct *task, unsigned int state)
{
	/* TASK_FREEZABLE does not matter here. */
	if ((READ_ONCE(task->__state) & ~TASK_FREEZABLE) != state)
		return false;
	/* This races with the task itself, and the caller looks again. */
	return !data_race(task_is_runnable(task));
}

static inline bool exited(struct task_struct *task)
{
	return READ_ONCE(task->exit_state);
}

/* For a kernel thread: its parent never exits. */
struct task_struct *parent_of(struct task_struct *task);


/* === What a case works with === */

void at_exit(struct kunit *test, kunit_action_t *action, void *data);

/**
 * struct subject - a thread to look at
 * @test: the case
 * @task: the thread, with a reference
 * @ran: its function runs, or has run
 * @should_stop: what kthread_should_stop() returned then
 * @let_go: its function may return
 * @stopped: kthread_stop() has been called for it, which works once
 * @rounds: how often it has gone round its loop
 * @result: what its function returns
 */
struct subject {
	struct kunit		*test;
	struct task_struct	*task;
	bool			ran;
	bool			should_stop;
	bool			let_go;
	bool			stopped;
	unsigned int		rounds;
	int			result;
};

/* Functions for a subject: they return when it is stopped, let go, or at once. */
int until_stopped(void *subject);
int until_let_go(void *subject);
int at_once(void *subject);

struct subject *alloc_subject(struct kunit *test, int result);
/* Stop s->task when the case ends. */
void keep_subject(struct subject *s);
struct subject *create(struct kunit *test, int (*threadfn)(void *data),
		       const char *name, int result);
/* Create it, wake it up, and wait until its function runs. */
struct subject *run(struct kunit *test, int (*threadfn)(void *data),
		    const char *name, int result);

/**
 * struct call - a thread of the test that makes one call
 * @test: the case
 * @fn: makes the call
 * @task: the thread
 * @begun: the case has woken @task
 * @returned: the call has returned
 * @name: the name of the thread to create
 * @made: the result of a creation
 * @subject: the thread to stop
 * @result: the result of a stop
 */
struct call {
	struct kunit		*test;
	void			(*fn)(struct call *call);
	struct task_struct	*task;
	bool			begun;
	bool			returned;
	const char		*name;
	struct task_struct	*made;
	struct subject		*subject;
	int			result;
};

bool returned(struct call *call);
struct call *begin_create(struct kunit *test, const char *name);
struct call *begin_stop(struct subject *s);
/* Stop it, and fail the case if that takes too long. */
int stop(struct subject *s);

/* === Trace events === */

/* Call @probe for the event with this name, until the case ends. */
void watch(struct kunit *test, const char *event, void *probe, void *data);

/* The threads that have been forked with names that begin so, in order. */
struct births {
	const char *prefix;
	unsigned int nr;
	struct birth {
		pid_t	pid;
		pid_t	by;
		bool	has_kthread;
		int	node;
	} birth[8];
};

struct births *watch_births(struct kunit *test, const char *prefix);

#endif
