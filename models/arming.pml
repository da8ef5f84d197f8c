// SPDX-License-Identifier: GPL-2.0-only
/*
 * How comp_block decides which creation to hold: kthread_comp_block_arm(), the
 * decision in kthread_fault_decide(), and kthread_fault_end() of a system that goes
 * down.  Read it beside the patched kernel/kthread_fault.c; handshake.pml has what
 * follows from a decision.
 *
 * Two tasks arm the knob, each for one creation and with values of its own, and then
 * create a thread that matches.  A third creates one that matches or does not.
 *
 * Properties:
 *	not_missed	a creation that begins after the knob was armed is held, unless
 *			another one was, or its creator is killed, or the knob disarmed
 *	exact		no more creations are held than were asked for
 *	whole		a decision has the values of one arming, not a mixture
 *	end_lets_go	once the system goes down nothing is held any more
 *
 * control / property / file: line
 *	PROBABILITY	not_missed	kthread_fault.c: WRITE_ONCE(comp_block.attr.probability, 100);
 *	TIMES		not_missed	kthread_fault.c: atomic_set(&comp_block.attr.times, 1);
 *	MATCH		not_missed	kthread_fault.c: !kthread_fault_matches(&comp_block.match, row->name) ||
 *	DECIDE_LOCK	exact	kthread_fault.c: if (mutex_lock_killable(&kthread_fault_lock))
 *	ARM_LOCK	whole	kthread_fault.c: guard(mutex)(&kthread_fault_lock);
 *	END_ORDER	end_lets_go	kthread_fault.c: kthread_comp_block_release();
 *	SNAPSHOT	end_lets_go	kthread_fault.c: row->hold.releases = atomic_read(&comp_block.releases);
 *	END_DISARM	end_lets_go	kthread_fault.c: WRITE_ONCE(comp_block.attr.probability, 0);
 */

#define CREATORS 3
#define claim(property, condition) assert((condition) || property)

/* Never true: names for Spin to print.  With ONLY the others are macros that are true. */
#ifdef ONLY
bool ONLY;
#else
bool not_missed, exact, whole, end_lets_go;
#endif

/* comp_block */
bool probability;
byte times;
byte point;	/* the arming task's number; 0: none */
byte ms;	/* the same */
byte releases;
bool mutex;	/* kthread_fault_lock */

/* For the claims. */
byte armed, decided;
bool pending;			/* armed, and nobody has used it up */
bool sure[CREATORS];		/* it began while that was so */
bool held[CREATORS];
byte snapshot[CREATORS];
bool end_began, ended, armed_late;

#define lock(mutex) atomic { !mutex -> mutex = true }
#define unlock(mutex) mutex = false

/* kthread_comp_block_arm() */
inline arm(me)
{
#ifndef ARM_LOCK
	lock(mutex);
#endif
	point = me;
	ms = me;
#ifndef TIMES
	times = 1;
#endif
	atomic {
		armed++;
		pending = true;
		armed_late = end_began;
#ifndef PROBABILITY
		probability = true
#endif
	};
#ifndef ARM_LOCK
	unlock(mutex)
#endif
}

/* kthread_fault_decide(), and on to the point */
inline create(me, matches)
{
	sure[me] = pending && matches;
	if
	:: !probability
	:: else ->
		if
		:: atomic { sure[me] = false; true -> goto out }	/* killed while it waits for the mutex */
#ifdef DECIDE_LOCK
		:: true;
#else
		:: lock(mutex);
#endif
		   if
#ifndef MATCH
		   :: !matches
#endif
		   :: else ->
			/* should_fail() */
			if
			:: !probability || !times
			:: else ->
				atomic {
					times = (times -> times - 1 : 0);
					decided++;
					claim(exact, decided <= armed);
					if
					:: matches ->
						pending = false;
						sure[0] = false; sure[1] = false; sure[2] = false
					:: else
					fi
				};
				my_ms = ms;
				snapshot[me] = releases;
				my_point = point;
				atomic { held[me] = true; claim(whole, my_point == my_ms) }
			fi
		   fi;
#ifndef DECIDE_LOCK
		   unlock(mutex)
#endif
		fi
	fi;
	claim(not_missed, !sure[me]);
#ifdef SNAPSHOT
	snapshot[me] = releases;
#endif
	/* __kthread_debug_hold() */
	atomic { held[me] = held[me] && snapshot[me] == releases };
out:	skip
}

proctype arms_and_creates(byte me)
{
	byte my_ms, my_point;

	arm(me + 1);
	create(me, true)
}

proctype creates(byte me)
{
	byte my_ms, my_point;
	bool does;

	if
	:: does = true
	:: does = false
	fi;
	create(me, does)
}

/* kthread_fault_end() */
proctype goes_down()
{
	if
	:: true
	:: true ->
#ifdef END_ORDER
		releases++;
#endif
		lock(mutex);
		atomic {
			end_began = true;
			pending = false;
			sure[0] = false; sure[1] = false; sure[2] = false;
#ifndef END_DISARM
			probability = false
#endif
		};
		unlock(mutex);
#ifndef END_ORDER
		releases++;	/* kthread_comp_block_release() */
#endif
		ended = true
	fi
}

init
{
	atomic {
		run arms_and_creates(0);
		run arms_and_creates(1);
		run creates(2);
		run goes_down()
	};
	atomic {
		timeout ->
		claim(end_lets_go, !ended || armed_late ||
		      !((held[0] && snapshot[0] == releases) ||
			(held[1] && snapshot[1] == releases)))
	}
}
