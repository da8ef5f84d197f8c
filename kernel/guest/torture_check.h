/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checker: reads the trace and takes each id through the automaton of the
 * handshake. Events come from several CPUs and are sorted by the trace's
 * counter. If a CPU has lost some, the ids of that stretch are not checked.
 */
#ifndef TORTURE_CHECK_H
#define TORTURE_CHECK_H

#include "torture.h"

enum event {
	QUEUE, FORK, START, CLAIM, COMPLETE, RETURN, RUN, SKIP, EXIT, STOP, STOP_RETURN, HOLD,
	RELEASE, NR_EVENTS
};

static const char *const event_names[NR_EVENTS] = {
	"kthread_create_queue", "kthread_create_fork", "kthread_create_start",
	"kthread_create_claim", "kthread_create_complete", "kthread_create_return",
	"kthread_run", "kthread_skip", "kthread_exit", "kthread_stop", "kthread_stop_return",
	"kthread_hold", "kthread_release",
};

enum point { NOWHERE, AT_FORK, AT_CLAIM, AT_COMPLETE, AT_RUN, AT_EXIT, NR_POINTS };
static const char *const point_names[NR_POINTS] = { "-", "fork", "claim", "complete", "run", "exit" };

enum stage { NO_STAGE, QUEUED, FORKING, STARTING, COMPLETING, NR_STAGES };
static const char *const stage_names[NR_STAGES] = { "-", "queued", "forking", "starting", "completing" };

struct step {
	u64 stamp, id;
	int task, pid, result, creator;
	unsigned char event, cpu, point, stage, injected, ours;
};

/* What has come of an id: a bit for each event that has been, and these. */
#define ABANDONED	(1 << NR_EVENTS)
#define NO_THREAD	(2 << NR_EVENTS)
#define INJECTED	(4 << NR_EVENTS)
#define HELD		(8 << NR_EVENTS)	/* now */
#define UNCHECKED	(16 << NR_EVENTS)
#define BIT(event)	(1 << (event))

struct life {
	u64 id;
	unsigned int been;
	int creator, pid, result;
	unsigned char point, ours, nr;
	unsigned char events[20];
};

#define LIVES		(1 << 17)
#define BATCH		(1 << 17)
#define MOST_CPUS	64
#define KTHREADD	2
#define NAP_MS		50
/*
 * So many naps later an event is checked. A CPU may have taken a number, and not
 * written its event yet: emulation gives each CPU a turn of up to 100 ms.
 */
#define LAG		10

static struct life *lives;
static struct step *steps;
static unsigned int nr_steps;
static u64 newest_queued, first_checked;
static int resync = 1;
static u64 lost_until;	/* stamp */

/* The number behind @key, which must be there. */
static long long number(const char *text, const char *key, int *ok)
{
	const char *found = strstr(text, key);

	if (!found) {
		*ok = 0;
		return 0;
	}
	return strtoll(found + strlen(key), NULL, 10);
}

static int word(const char *text, const char *key, const char *const *names, int nr)
{
	const char *found = strstr(text, key);
	int i;
	size_t len;

	for (i = 1; found && i < nr; i++) {
		len = strlen(names[i]);
		if (!strncmp(found + strlen(key), names[i], len) &&
		    (!found[strlen(key) + len] || found[strlen(key) + len] == ' '))
			return i;
	}
	return 0;
}

/* From @p back to the last of these characters in the line. */
static char *back(const char *line, char *p, char c)
{
	while (p > line && *p != c)
		p--;
	return p;
}

/*
 * A line of trace_pipe: "COMM-PID [CPU] FLAGS STAMP: EVENT: FIELDS". It is read
 * backwards from the event, as COMM may be anything; a newline in it tears the line,
 * and leaves this part whole. The fields are escaped.
 *
 * Returns 0 if it is none of an event, and -1 if a field lacks.
 */
static int parse_step(char *line, struct step *s)
{
	char *name = NULL, *p, *end;
	int ok = 1, i;

	*s = (struct step){ 0 };
	for (p = line; (p = strstr(p, ": kthread_")); p++)
		name = p + 2;
	if (!name)
		return 0;
	s->stamp = strtoull(back(line, name - 3, ' '), NULL, 10);
	p = back(line, name, '[');
	s->cpu = strtol(p + 1, NULL, 10);
	s->task = strtol(back(line, p, '-') + 1, NULL, 10);
	end = strchr(name, ':');
	if (*p != '[' || !s->stamp || !end)
		return 0;
	*end = '\0';
	for (i = 0; i < NR_EVENTS && strcmp(name, event_names[i]); i++)
		;
	*end++ = ':';
	if (i == NR_EVENTS)
		return 0;
	s->event = i;
	s->id = strtoull(end + strlen(" id="), NULL, 10);
	switch (s->event) {
	case QUEUE:
		s->creator = number(end, " creator=", &ok);
		s->ours = strstr(end, " fn=thread_fn[torture]") || strstr(end, " fn=gone_thread[torture_gone]") ||
			  strstr(end, " fn=kthread_worker_fn ");
		break;
	case HOLD:
	case RELEASE:
		s->point = word(end, " point=", point_names, NR_POINTS);
		ok = s->point;
		break;
	case RETURN:
		s->pid = number(end, " pid=", &ok);
		s->result = number(end, " error=", &ok);
		s->stage = word(end, " stage=", stage_names, NR_STAGES);
		s->injected = !!strstr(end, " injected");
		ok &= !!s->stage;
		break;
	case EXIT:
	case STOP_RETURN:
		s->result = number(end, " result=", &ok);
		/* fall through */
	default:
		s->pid = number(end, " pid=", &ok);
	}
	return ok ? 1 : -1;
}

/* The step @s may not follow on what @l has been; says why. */
static const char *illegal(const struct life *l, const struct step *s)
{
	unsigned int been = l->been;
	int done = been & BIT(s->event);
	int answered = been & BIT(RETURN) && !(been & (ABANDONED | NO_THREAD));

	if (been & INJECTED)
		return "it has failed on purpose";
	if (s->event != QUEUE && !(been & BIT(QUEUE)))
		return "it has not been queued";
	if (done && s->event != HOLD && s->event != RELEASE)
		return "for the second time";
	if (been & HELD && s->event != RELEASE && s->event != STOP &&
	    !(s->event == RETURN && l->point < AT_COMPLETE))
		return "it is held";
	switch (s->event) {
	case QUEUE:
		return s->task == s->creator ? NULL : "not by its creator";
	case FORK:
		return s->task == KTHREADD && s->pid == KTHREADD ? NULL : "not by kthreadd";
	case START:
		if (!(been & BIT(FORK)) || been & NO_THREAD)
			return "not forked";
		return s->task == s->pid ? NULL : "not by the thread";
	case CLAIM:
		if (!(been & BIT(START)) || been & BIT(EXIT))
			return "no thread";
		if (been & ABANDONED)
			return "its creator has abandoned it";
		break;
	case COMPLETE:
		if (!(been & BIT(CLAIM)))
			return "not claimed";
		break;
	case RETURN:
		if (s->task != l->creator)
			return "not by its creator";
		if (!s->result)
			return !(been & BIT(COMPLETE)) ? "not completed" : s->pid != l->pid ? "another thread" :
			       s->stage != COMPLETING ? "at that stage" : NULL;
		if (s->result == -EINTR)
			return been & BIT(CLAIM) ? "it is claimed" : s->stage > STARTING ? "at that stage" : NULL;
		return !(been & BIT(FORK)) || been & BIT(START) || s->stage != FORKING ? "there was no failing fork" : NULL;
	case RUN:
	case SKIP:
		if (!answered || been & (BIT(RUN) | BIT(SKIP)))
			return "the creator has no answer, or it has begun already";
		if (s->event == SKIP && !(been & BIT(STOP)))
			return "nobody stops it";
		break;
	case EXIT:
		if (been & BIT(RUN))
			break;
		if (s->result != -EINTR)
			return "with that result";
		if (!(been & BIT(SKIP)) && (!(been & BIT(START)) || been & BIT(CLAIM)))
			return "it has not run";
		break;
	case STOP:
		return !answered ? "the creator has no answer" : s->pid != l->pid ? "another thread" : NULL;
	case STOP_RETURN:
		if (!(been & BIT(STOP)) || !(been & BIT(EXIT)))
			return "not stopped, or not exited";
		return s->pid != l->pid ? "another thread" : s->result != l->result ? "another result" : NULL;
	case HOLD:
		if (been & BIT(HOLD))
			return "held for the second time";
		if (s->point == AT_FORK)
			return been & BIT(FORK) && !(been & (BIT(START) | NO_THREAD)) && s->task == KTHREADD ?
			       NULL : "not at that point";
		if (s->task != l->pid)
			return "not the thread";
		if (s->point == AT_CLAIM ? !(been & BIT(START)) || been & (BIT(CLAIM) | BIT(EXIT)) :
		    s->point == AT_COMPLETE ? !(been & BIT(CLAIM)) || been & BIT(COMPLETE) :
		    s->point == AT_RUN ? !answered || been & (BIT(RUN) | BIT(SKIP)) :
		    !(been & BIT(RUN)) || been & BIT(EXIT))
			return "not at that point";
		return NULL;
	case RELEASE:
		if (!(been & HELD) || s->point != l->point)
			return "not held there";
		return s->task == (s->point == AT_FORK ? KTHREADD : l->pid) ? NULL : "not the held task";
	}
	/* A step that the thread itself takes. */
	if (s->event != START && (s->task != l->pid || s->pid != l->pid))
		return "not by the thread";
	return NULL;
}

static void take(struct life *l, const struct step *s)
{
	if (l->nr < sizeof(l->events))
		l->events[l->nr++] = s->event;
	l->been |= BIT(s->event);
	switch (s->event) {
	case QUEUE:
		l->creator = s->creator;
		l->ours = s->ours;
		break;
	case START:
		l->pid = s->pid;
		break;
	case RETURN:
		if (s->result)
			l->been |= s->result == -EINTR ? ABANDONED : NO_THREAD;
		break;
	case EXIT:
		l->result = s->result;
		break;
	case HOLD:
		l->been |= HELD;
		l->point = s->point;
		break;
	case RELEASE:
		l->been &= ~HELD;
		break;
	}
}

static void tell(const struct life *l, const struct step *s, const char *why)
{
	char been[512];
	size_t len = 0;
	int i;

	been[0] = '\0';
	for (i = 0; i < l->nr && len < sizeof(been) - 40; i++)
		len += snprintf(been + len, sizeof(been) - len, " %s", strchr(event_names[l->events[i]], '_') + 1);
	if (!s)
		fail("id=%llu: %s; its events:%s", l->id, why, been);
	else
		fail("id=%llu: %s by %d (pid=%d result=%d point=%s, at %llu): %s; its events:%s, its thread %d", s->id,
		     event_names[s->event], s->task, s->pid, s->result, point_names[s->point], s->stamp, why, been,
		     l->pid);
}

/* How @l may not end; NULL if it may. */
static const char *unfinished(const struct life *l)
{
	unsigned int been = l->been;

	if (been & (UNCHECKED | INJECTED) || !l->ours)
		return NULL;
	if (been & HELD)
		return "held for ever";
	if (!(been & BIT(RETURN)))
		return "the creator never got its answer";
	if (!(been & BIT(FORK)))
		return "kthreadd never forked";
	if (been & BIT(START) && !(been & BIT(EXIT)))
		return "the thread never exited";
	if (been & BIT(STOP) && !(been & BIT(STOP_RETURN)))
		return "the stop never returned";
	return NULL;
}

static void forget(struct life *l)
{
	const char *why = l->id ? unfinished(l) : NULL;

	if (why)
		tell(l, NULL, why);
	memset(l, 0, sizeof(*l));
}

static void check(const struct step *s)
{
	struct life *l = &lives[s->id % LIVES];
	const char *why;

	shared->events++;
	shared->holds += s->event == HOLD;
	if (!s->id) {
		shared->no_id += s->event == RETURN;
		return;
	}
	if (resync && s->event == QUEUE && s->stamp >= lost_until) {
		resync = 0;
		first_checked = s->id;
	}
	if (s->event == RETURN && s->injected) {
		shared->injected++;
		if (resync || s->id < first_checked)
			return;
		if (l->id == s->id) {
			tell(l, s, "failed on purpose, and yet queued");
			return;
		}
		forget(l);
		l->id = s->id;
		l->been = INJECTED;
		return;
	}
	if (s->event == QUEUE) {
		shared->queued += s->ours;
		if (s->id <= newest_queued) {
			tell(&(struct life){ .id = s->id }, s, "ids do not grow");
			return;
		}
		forget(l);
		l->id = s->id;
		l->been = resync ? UNCHECKED : 0;
	}
	/* Threads of the system, and what a lost event has spoilt. */
	if (l->id != s->id && (resync || s->id < first_checked || s->id + LIVES <= newest_queued)) {
		shared->unchecked++;
		return;
	}
	if (l->id != s->id) {
		tell(&(struct life){ .id = s->id }, s, "no queue event");
		return;
	}
	if (l->ours) {
		shared->answered += s->event == RETURN && !s->result;
		shared->abandoned += s->event == RETURN && s->result == -EINTR;
		shared->runs += s->event == RUN;
	}
	if (l->been & UNCHECKED) {
		shared->unchecked++;
	} else {
		why = illegal(l, s);
		if (why)
			tell(l, s, why);
	}
	take(l, s);
	if (s->event == QUEUE)
		shared->newest = newest_queued = s->id;
}

/* Events are missing up to the stamp @until; none of them has been due before now. */
static void check_lost(u64 nr, u64 until)
{
	int i;

	shared->lost += nr;
	resync = 1;
	if (until > lost_until)
		lost_until = until;
	for (i = 0; i < LIVES; i++)
		lives[i].been |= lives[i].id ? UNCHECKED : 0;
}

/* They come sorted but for a few. */
static void sort_steps(void)
{
	unsigned int i, j;
	struct step s;

	for (i = 1; i < nr_steps; i++) {
		s = steps[i];
		for (j = i; j && steps[j - 1].stamp > s.stamp; j--)
			steps[j] = steps[j - 1];
		steps[j] = s;
	}
}

/* Check those up to the stamp @until, keep the rest. */
static void check_until(u64 until)
{
	unsigned int i, n;

	sort_steps();
	for (n = 0; n < nr_steps && steps[n].stamp <= until; n++)
		check(&steps[n]);
	for (i = n; i < nr_steps; i++)
		steps[i - n] = steps[i];
	nr_steps -= n;
}

/* A line of the trace; the number of lost events if it tells of some. */
static u64 feed_line(char *line, u64 *lost)
{
	struct step s;
	char *p = strstr(line, " [LOST ");
	int found;

	if (p && !strncmp(line, "CPU:", 4)) {
		*lost += strtoull(p + 7, NULL, 10) ?: 1;
		return 0;
	}
	found = parse_step(line, &s);
	if (found < 0)
		fail("a line of the trace lacks something: %s", line);
	if (found <= 0 || nr_steps == BATCH)
		return 0;
	/* It is the first of its CPU behind the gap. */
	if (*lost)
		check_lost(*lost, s.stamp);
	*lost = 0;
	steps[nr_steps++] = s;
	return s.stamp;
}

static int init_checker(void)
{
	lives = calloc(LIVES, sizeof(*lives));
	steps = calloc(BATCH, sizeof(*steps));
	return lives && steps;
}

static void check_ends(void)
{
	int i;

	for (i = 0; i < LIVES; i++)
		forget(&lives[i]);
}

/* The process of the checker. */
static __attribute__((noreturn)) void checker(void)
{
	struct timespec nap = { .tv_nsec = NAP_MS * 1000000 };
	int fd = open(INSTANCE "trace_pipe", O_RDONLY | O_NONBLOCK), prio = 1, last;
	u64 lost = 0, high[LAG] = { 0 }, stamp;
	unsigned int turn = 0;
	static char buf[32768];
	size_t len = 0;
	char *line, *end;
	ssize_t n = 0;

	if (fd < 0 || !init_checker()) {
		fail("no trace_pipe: error %d", errno);
		_exit(1);
	}
	/* Before those that write the trace, or it overflows. */
	syscall(__NR_sched_setscheduler, 0, 1 /* SCHED_FIFO */, &prio);
	do {
		last = shared->drained;
		while (nr_steps < BATCH && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
			len += n;
			buf[len] = '\0';
			for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
				*end = '\0';
				stamp = feed_line(line, &lost);
				if (stamp > high[turn % LAG])
					high[turn % LAG] = stamp;
			}
			len -= line - buf;
			memmove(buf, line, len);
		}
		/* What was there half a second ago. */
		check_until(high[(turn + 1) % LAG]);
		high[(turn + 1) % LAG] = high[turn % LAG];
		turn++;
		if (!last)
			syscall(__NR_nanosleep, &nap, NULL);
	} while (!last);
	check_until(~0ULL);
	check_ends();
	_exit(0);
}

#endif
