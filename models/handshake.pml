// SPDX-License-Identifier: GPL-2.0-only
/*
 * kthread_create() as the series has it, with what can disturb it: creators that
 * are killed, forks that fail, holds at each point, releases by id and of all,
 * hold_ms, kthread_stop(), and modules that go.  Read it beside the patched
 * kernel/kthread.c, kthread_debug.[ch], kthread_fault.[ch], kthread_misuse.c.
 *
 * Spin tries all orders of the steps below.  It takes each step as seen by all
 * CPUs at once; what weaker memory could do is in litmus/.  A step is one access
 * to what tasks share without a lock, or all of what one takes a lock for, as
 * long as nobody looks at that without the lock.
 *
 * A claim's name tells the property:
 *	freed_once	kthread_create_info and the name are freed exactly once, and
 *			nobody uses them after that
 *	row_first	a row leaves the table, once, before its memory or its tasks go
 *	no_lost_release	what is released goes on
 *	hold_lasts	a hold ends only by a release, its hold_ms, or a stop
 *	no_early_run	the thread sleeps until its creator wakes it up
 *	nobody_waits	who waits for ever, waits for something that is held, and a
 *			creator can be killed until the claim
 *	module_told	a warning when a module goes, if and only if its thread may
 *			still run its code
 *
 * Negative controls: each takes away, or breaks, one line of the code, and Spin has to find
 * that the property fails.  scripts/models looks each line up in the patched kernel.
 *
 * control / property / file: line
 *	THREAD_XCHG	freed_once	kthread.c: done = xchg(&create->done, NULL);
 *	CREATOR_XCHG	freed_once	kthread.c: if (xchg(&create->done, NULL))
 *	FAILED_XCHG	freed_once	kthread.c: struct completion *done = xchg(&create->done, NULL);
 *	SECOND_WAIT	freed_once	kthread.c: wait_for_completion(&done);
 *	KFREE		freed_once	kthread.c: kfree(create);
 *	FORKED		freed_once	kthread_debug.h: WRITE_ONCE(kthread_forking, NULL);
 *	KILLED		freed_once	kthread.c: kthread_debug_killed(&create->row, &abandoned);
 *	ERASE		freed_once	kthread_fault.c: rb_erase(&row->hold.node, &comp_block.held);
 *	QUEUE		row_first	kthread.c: kthread_debug_queue(&create->row);
 *	DONE_ABANDONED	row_first	kthread.c: kthread_debug_done(&create->row);
 *	DONE_FAILED	row_first	kthread.c: kthread_debug_done(&create->row);
 *	DONE_COMPLETE	row_first	kthread_debug.h: kthread_debug_done(row);
 *	WAITER		row_first	kthread_debug.c: row->waiter = NULL;
 *	STOP_REF	row_first	kthread_misuse.c: get_task_struct(k);
 *	IDLE_FIRST	no_lost_release	kthread_fault.c: set_current_state(TASK_IDLE);
 *	WAKE_ID		no_lost_release	kthread_fault.c: wake_up_process(row->hold.sleeper);
 *	WAKE_ALL	no_lost_release	kthread_fault.c: wake_up_process(row->hold.sleeper);
 *	POINT		no_lost_release	kthread_fault.c: WRITE_ONCE(row->hold.point, KTHREAD_HOLD_NONE);
 *	COMPARE		no_lost_release	kthread_fault.c: atomic_read(&comp_block.releases) != row->hold.releases;
 *	STOP_ENDS_RUN	no_lost_release	kthread_fault.c: (point == KTHREAD_HOLD_RUN && kthread_should_stop_or_park());
 *	LOOP		hold_lasts	kthread_fault.c: for (;;) {
 *	WAKE_LOCK	no_early_run	kthread_fault.c: guard(raw_spinlock_irqsave)(&kthread_table_lock);
 *	SLEEPER_LOCK	no_early_run	kthread_fault.c: scoped_guard (raw_spinlock_irqsave, &kthread_table_lock) {
 *	HOLD_FIRST	no_early_run	kthread.c: __set_current_state(TASK_UNINTERRUPTIBLE);
 *	WAKE_KTHREADD	nobody_waits	kthread.c: wake_up_process(kthreadd_task);
 *	KILLABLE	nobody_waits	kthread.c: if (unlikely(wait_for_completion_killable(&done))) {
 *	COMPLETE_FAILED	nobody_waits	kthread.c: complete(done);
 *	LEAVING		module_told	kthread_misuse.c: WRITE_ONCE(origin->leaving, true);
 *	NOTIFIER	module_told	kthread_misuse.c: return register_module_notifier(&kthread_module_nb);
 */

#ifndef REQUESTS
#define REQUESTS 2	/* creations, each by a creator of its own */
#endif
#ifndef ODD
#define ODD 1		/* so many are held, killed, not stopped, or fail; the others are plain */
#endif
#ifndef HOLDS
#define HOLDS 1		/* how many of them are held */
#endif
#ifndef RELEASES
#define RELEASES 1	/* before the last one, of all */
#endif

#define KTHREADD REQUESTS
#define claim(property, condition) assert((condition) || property)

/* Never true: names for Spin to print.  With ONLY the others are macros that are true. */
#ifdef ONLY
bool ONLY;
#else
bool freed_once, row_first, no_lost_release, hold_lasts, no_early_run,
     nobody_waits, module_told;
#endif

mtype = { NONE, ANY, FORK, CLAIM, COMPLETE, RUN, EXIT };	/* enum kthread_hold_point */
mtype = { STOPS, LEAVES, RETURNS };			/* how the thread ends */

typedef request {	/* struct kthread_create_info, or the row of a later hold */
	bool memory;	/* it is there */
	byte frees;	/* how often it has been freed */
	byte names;	/* and its full_name */
	bool done;	/* ->done is not NULL */
	bool answer;	/* the completion on the creator's stack is complete */
	bool row;	/* in the table */
	bool waiter;	/* row->waiter is not NULL */
	mtype point;	/* row->hold.point */
	bool ms;	/* row->hold.ms is not 0 */
	byte releases;	/* row->hold.releases */
	bool sleeper;	/* row->hold.sleeper, and among all that is held */
	mtype at;	/* the point of that hold; NONE: there is no hold */
	bool let_go;	/* a release by its id was accepted */
	bool error;	/* create->result is an ERR_PTR() */
};

typedef task {
	bool runs;	/* TASK_RUNNING */
	bool there;	/* its task_struct */
	byte refs;
	bool mine;	/* its creator has woken it up, or stopped it */
	bool stop;	/* KTHREAD_SHOULD_STOP */
	bool stop_row;	/* the row of kthread_stop() is in the table */
	bool claimed;	/* it has threadfn and full_name */
	bool leaving, returned, exited;
};

typedef creator_task {
	bool killed;	/* it gets a SIGKILL while it waits, at any time */
	bool frame;	/* its stack has the completion */
	bool ended;
	bool gone;	/* the module's code */
	bool warned;
	bool left;	/* complete(comp) by a thread that leaves */
	mtype kind;
};

request r[REQUESTS];
task t[REQUESTS + 1];
creator_task c[REQUESTS];
chan queue = [REQUESTS] of { byte };	/* kthread_create_list */
byte releases;				/* comp_block.releases */
byte holds;				/* decisions */
byte begun, finished;			/* comp_block.hits.nr, .ended */
bool table_lock;			/* taken for more than one step */

#define locked(section) atomic { !table_lock -> section }
#define use(i) claim(freed_once, r[i].memory)

/* comp_block_released() */
#ifdef COMPARE
#define released(i) (r[i].point == NONE)
#else
#define released(i) (r[i].point == NONE || releases != r[i].releases)
#endif

/* comp_block_over() */
#ifdef STOP_ENDS_RUN
#define over(i, where) released(i)
#else
#define over(i, where) (released(i) || (where == RUN && t[i].stop))
#endif
#define is_over(i) (released(i) || r[i].let_go || (r[i].at == RUN && t[i].stop))

inline xchg(old, x)
{
	atomic { use(x); old = r[x].done; r[x].done = false }
}

inline read_then_write(old, x)
{
	atomic { use(x); old = r[x].done };
	atomic { use(x); r[x].done = false }
}

/* kthread_debug_done() */
inline row_done(x)
{
	locked(use(x); claim(row_first, r[x].row); r[x].row = false)
}

inline free_name(x)
{
	atomic { claim(row_first, !r[x].row); claim(freed_once, !r[x].names); r[x].names++ }
}

inline free_request(x)
{
	atomic {
		claim(row_first, !r[x].row);
		claim(freed_once, r[x].memory && !r[x].frees);
		r[x].memory = false;
		r[x].frees++;
		r[x].answer = false;
		r[x].error = false;
		r[x].waiter = false
	}
}

inline complete(x)
{
	/* The completion is on the creator's stack. */
	atomic { claim(freed_once, c[x].frame); r[x].answer = true }
}

inline wake_up(x)
{
	atomic { claim(freed_once, t[x].there); t[x].runs = true }
}

inline put_task(y)
{
	atomic {
		t[y].refs--;
		if
		:: !t[y].refs ->
			claim(row_first, !t[y].stop_row);
			t[y].there = false;
			t[y].stop = false;
			t[y].mine = false;
			t[y].leaving = false;
			r[y].point = NONE;
			if
			:: t[y].claimed -> free_name(y)
			:: else
			fi
		:: else
		fi
	}
}

/*
 * The code decides for one point when the request is made.  To choose when it
 * gets there comes to the same, and has fewer states.
 */
inline reach(x, y)
{
	if
	:: r[x].point == ANY && !released(x) -> r[x].point = y
	:: skip
	fi
}

/* __kthread_debug_hold(); kthreadd and the thread have a timer, left, of their own */
inline hold(me, n, place)
{
	atomic { use(n); reach(n, place) };
	if
	:: r[n].point == place && !over(n, place) ->
		atomic {
			!table_lock ->
			use(n); r[n].sleeper = true; r[n].at = place; begun++;
			if	/* hold_ms */
			:: r[n].ms = true
			:: skip
			fi;
			left = true
		};
		do
#ifdef IDLE_FIRST
		:: atomic { use(n); ended = over(n, place) };
		   t[me].runs = false;
#else
		:: t[me].runs = false;
		   atomic { use(n); ended = over(n, place) };
#endif
		   if
		   :: ended || !left -> break
		   :: else
		   fi;
		   if	/* schedule_timeout() */
		   :: t[me].runs
		   :: atomic { r[n].ms -> left = false; t[me].runs = true }
		   fi;
#ifdef LOOP
		   break
#endif
		od;
		atomic {
			t[me].runs = true;
			claim(hold_lasts, is_over(n) || !left);
			left = false;
			ended = false
		};
#ifdef SLEEPER_LOCK
		atomic { use(n); r[n].sleeper = false; r[n].at = NONE; r[n].let_go = false; finished++ }
#elif defined(ERASE)
		locked(use(n); finished++)
#else
		locked(
			use(n); r[n].sleeper = false; r[n].at = NONE; r[n].ms = false;
			r[n].point = NONE; r[n].let_go = false; finished++
		)
#endif
	:: else
	fi
}

/* __kthread_debug_hold_later(): the row is on the thread's stack */
inline hold_later(m, spot)
{
	atomic { reach(m, spot) };
	if
	:: r[m].point == spot && !over(m, spot) ->
		locked(
			claim(row_first, !r[m].row && !r[m].memory);
			r[m].memory = true; r[m].row = true; r[m].waiter = false
		);
		hold(m, m, spot);
		row_done(m);
		atomic { claim(row_first, !r[m].row && !r[m].sleeper); r[m].memory = false }
	:: else
	fi
}

proctype thread(byte i)
{
	bool done, left, ended;

	/* kthread_debug_start() */
	hold(i, i, CLAIM);
#ifdef THREAD_XCHG
	read_then_write(done, i);
#else
	xchg(done, i);
#endif
	if
	:: !done ->
#ifndef DONE_ABANDONED
		row_done(i);
#endif
		atomic {
			free_name(i);
#ifndef KFREE
			free_request(i);
#endif
			goto exit
		}
	:: atomic { done -> done = false; use(i); t[i].claimed = true }	/* kthread_debug_claim() */
	fi;
#ifdef HOLD_FIRST
	t[i].runs = false;
	hold(i, i, COMPLETE);
#else
	hold(i, i, COMPLETE);
	t[i].runs = false;
#endif
#ifdef DONE_COMPLETE
	use(i);	/* create->result */
#else
	row_done(i);
#endif
	complete(i);
	atomic { t[i].runs -> claim(no_early_run, t[i].mine) };	/* schedule() */
	if
	:: i >= ODD -> goto exit	/* a plain thread returns at once */
	:: else
	fi;
	hold_later(i, RUN);
	if
	:: t[i].stop
	:: else ->
		/* Now it runs the module's code. */
		if
		:: c[i].kind == STOPS -> t[i].stop
		:: c[i].kind == LEAVES ->
			/* kthread_complete_and_exit(): the code is not the module's */
#ifndef LEAVING
			t[i].leaving = true;
#endif
			c[i].left = true;
			goto exit
		:: c[i].kind == RETURNS
		fi;
		claim(module_told, !c[i].gone || c[i].warned);
		hold_later(i, EXIT)
	fi;
exit:
	atomic { t[i].returned = true; t[i].exited = true };
	put_task(i)
}

active proctype kthreadd()
{
	byte i;
	bool done, left, ended;

	do
	:: t[KTHREADD].runs = false;
	   if
	   :: empty(queue) ->
end:		t[KTHREADD].runs	/* schedule() */
	   :: nempty(queue)
	   fi;
	   t[KTHREADD].runs = true;
	   do
	   :: empty(queue) -> break
	   :: queue?i ->
		/* create_kthread() */
		/* kthread_debug_fork() */
		hold(KTHREADD, i, FORK);
		if
		:: atomic {
			/* kernel_thread() */
			use(i);
			t[i].runs = true;
			t[i].there = true;
			t[i].refs = 1;
			run thread(i)
		   };
#ifdef FORKED
		   use(i)	/* as if kthreadd said in the row that it has forked */
#else
		   skip
#endif
		:: i < ODD ->	/* or it fails */
#ifdef FAILED_XCHG
		   read_then_write(done, i);
#else
		   xchg(done, i);
#endif
#ifndef DONE_FAILED
		   row_done(i);
#endif
		   if
		   :: atomic { !done -> free_name(i); free_request(i) }
		   :: atomic { done -> free_name(i); use(i); r[i].error = true };
#ifndef COMPLETE_FAILED
		      complete(i)
#endif
		   fi
		fi;
		done = false; left = false; ended = false
	   od
	od
}

/* kthread_debug_killed() */
inline row_killed(x)
{
#ifdef WAITER
	locked(use(x))
#else
	locked(use(x); r[x].waiter = false)
#endif
}

proctype creator(byte i)
{
	bool done;

	/* kthread_fault_decide() */
	atomic {
		r[i].memory = true;
		r[i].done = true;
		r[i].waiter = true;
		r[i].point = NONE;
		r[i].at = NONE;
		c[i].frame = true;
		c[i].kind = STOPS;
		if
		:: i < ODD -> c[i].killed = true
		:: skip
		fi;
		if
		:: i < ODD && holds < HOLDS ->
			holds++;
			r[i].releases = releases;
			r[i].point = ANY
		:: skip
		fi
	};
#ifdef QUEUE
	queue!i;
	locked(r[i].row = true);
#else
	/* kthread_debug_queue() and list_add_tail(), under kthread_create_lock */
	locked(r[i].row = true; queue!i);
#endif
#ifndef WAKE_KTHREADD
	t[KTHREADD].runs = true;
#endif
	if	/* wait_for_completion_killable() */
	:: r[i].answer
#ifndef KILLABLE
	:: c[i].killed && !r[i].answer ->
#ifndef KILLED
		row_killed(i);
#endif
#ifdef CREATOR_XCHG
		read_then_write(done, i);
#else
		xchg(done, i);
#endif
#ifdef KILLED
		row_killed(i);	/* behind the xchg() */
#endif
		if
		:: atomic { done -> done = false; goto gone }
		:: else
		fi;
#ifndef SECOND_WAIT
		r[i].answer
#endif
#endif
	fi;
	atomic { use(i); done = r[i].error; c[i].killed = false };
	free_request(i);
	atomic {
		/* The row no longer leads here. */
		claim(row_first, !r[i].row || !r[i].waiter); c[i].frame = false;
		if
		:: done -> done = false; goto gone
		:: else
		fi;
		/* How the module uses its thread. */
		if
		:: c[i].kind = STOPS
		:: i < ODD -> c[i].kind = LEAVES
		:: i < ODD -> c[i].kind = RETURNS
		fi
	};
	if
	:: i < ODD && c[i].kind == STOPS	/* kthread_stop() without a wake-up */
	:: atomic { t[i].mine = true; wake_up(i) }
	fi;
	if
	:: i >= ODD -> atomic { c[i].ended = true; goto out }
	:: else
	fi;
	if
	:: c[i].kind == STOPS ->
		/* kthread_stop() */
#ifdef STOP_REF
		locked(t[i].stop_row = true);
#else
		locked(t[i].refs++; t[i].stop_row = true);
#endif
		t[i].stop = true;
		atomic { t[i].mine = true; wake_up(i) };
		t[i].exited;
		locked(claim(row_first, t[i].there); t[i].stop_row = false);
#ifndef STOP_REF
		put_task(i)
#endif
	:: c[i].kind == LEAVES -> c[i].left
	:: c[i].kind == RETURNS		/* wrong: it does not wait */
	fi;
gone:
	atomic { claim(row_first, !r[i].row || !r[i].waiter); c[i].frame = false; c[i].killed = false };
	/* The module goes: kthread_misuse_notify() */
	atomic {
#ifndef NOTIFIER
		c[i].warned = t[i].there && t[i].claimed && !t[i].leaving && !t[i].returned;
#endif
		claim(module_told, !c[i].warned || c[i].kind == RETURNS)
	};
	atomic { c[i].gone = true; c[i].ended = true };
out:	skip
}

/* kthread_comp_block_release(); drops the lock after each row */
inline release_all()
{
	atomic { releases++; i = 0 };
	do
	:: atomic {
		i < REQUESTS && !table_lock ->
			if
			:: r[i].sleeper ->
				use(i);
#ifndef WAKE_ALL
				if
				:: r[i].at == FORK -> wake_up(KTHREADD)
				:: else -> wake_up(i)
				fi
#endif
			:: else
			fi;
			i++
	   }
	:: i == REQUESTS -> break
	od
}

/* comp_block_release_id() */
inline release_id(x)
{
	atomic { !table_lock -> table_lock = true };
	if
	:: r[x].sleeper && !released(x) ->
		atomic {
			use(x);
			r[x].let_go = true;
			who = (r[x].at == FORK -> KTHREADD : x);
#ifndef POINT
			r[x].point = NONE
#endif
		};
#ifdef WAKE_LOCK
		table_lock = false;
#endif
#ifndef WAKE_ID
		wake_up(who)
#else
		skip
#endif
	:: else
	fi;
	table_lock = false
}

/* Writes to the file release.  A release of what is not held changes nothing. */
proctype user()
{
	byte i, n, who;

	do
	:: n < RELEASES ->
		if
		:: release_all()
		:: atomic { r[0].sleeper -> i = 0 };
		   release_id(i)
#if ODD > 1
		:: atomic { r[ODD - 1].sleeper -> i = ODD - 1 };
		   release_id(i)
#endif
		fi;
		atomic { n++; i = 0; who = 0 }
	:: atomic { true -> n = 0; break }
	od
}

/* Nothing moves any more.  Who waits, and for what? */
inline judge()
{
	for (i : 0 .. REQUESTS - 1) {
		claim(no_lost_release, !(r[i].sleeper && is_over(i)));
		/* Until the claim a creator can be killed. */
		claim(nobody_waits, !(c[i].killed && c[i].frame && r[i].done));
		claim(nobody_waits,
		      (c[i].ended && (!t[i].there || t[i].exited)) || r[i].sleeper ||
		      held_at_fork)
	}
}

init
{
	byte i;
	bool held_at_fork;

	atomic {
		t[KTHREADD].runs = true;
		t[KTHREADD].there = true;
		run user();
		for (i : 0 .. REQUESTS - 1) {
			run creator(i)
		}
	};
	atomic {
		timeout ->
		for (i : 0 .. REQUESTS - 1) {
			held_at_fork = held_at_fork || (r[i].sleeper && r[i].at == FORK)
		};
		judge()
	};
	release_all();
	atomic {
		timeout ->
		held_at_fork = false;
		judge();
		for (i : 0 .. REQUESTS - 1) {
			claim(no_lost_release, !r[i].sleeper);
			claim(nobody_waits, c[i].ended && !t[i].there);
			claim(row_first, !r[i].row);
			claim(freed_once, r[i].frees == 1 && r[i].names == 1)
		};
		claim(no_lost_release, begun == finished)
	}
}
