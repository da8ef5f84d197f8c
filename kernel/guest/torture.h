/* SPDX-License-Identifier: GPL-2.0-only */
/* What the processes of the guest program torture share. */
#ifndef TORTURE_H
#define TORTURE_H

#include "guest.h"

#define DIR		"/sys/kernel/debug/kthread/"
#define KNOB		DIR "comp_block/"
#define FAIL		DIR "fail_create/"
#define MODULE		"/sys/kernel/debug/torture/"
#define INSTANCE	"/sys/kernel/tracing/instances/torture/"
#define STALL_SECS	"/sys/module/kthread_debug/parameters/stall_secs"

typedef unsigned long long u64;

/* Grows in one process each, but for why and failed. */
static struct shared {
	volatile int	calm;		/* no more faults */
	volatile int	over;		/* no more lives */
	volatile int	drained;	/* the trace is to be read to its end */
	volatile int	failed;
	int		quiet;
	char		why[1024];
	/* the checker */
	volatile u64	events, lost, unchecked, holds, injected, no_id, queued, answered, abandoned, runs;
	volatile u64	newest;		/* id */
	/* the readers */
	volatile u64	passes, rows, polls;
	/* the controller */
	volatile u64	arms, releases, refused, suspends, hotplugs, forks_failed, sysrqs, unloads;
	/* the users */
	volatile u64	users, users_killed;
} *shared;

/* A line of output, in one write(): others have the same pipe. */
static __attribute__((format(printf, 1, 2), unused)) void say(const char *fmt, ...)
{
	char buf[2048];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf) - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(buf) - 2)
		len = sizeof(buf) - 2;
	buf[len++] = '\n';
	write(STDOUT_FILENO, buf, len);
}

/* Something is wrong with the kernel. The first to say so counts. */
static __attribute__((format(printf, 1, 2), unused)) void fail(const char *fmt, ...)
{
	char why[sizeof(shared->why)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (__sync_fetch_and_add(&shared->failed, 1))
		return;
	strlcpy(shared->why, why, sizeof(shared->why));
	if (!shared->quiet)
		say("# WRONG: %s", why);
}

/* Random numbers of one actor: those of a seed are always the same. */
static u64 rng;

static __attribute__((unused)) void seed_actor(u64 seed, unsigned int actor)
{
	rng = (seed + 1) * 0x9e3779b97f4a7c15ULL + actor * 0xbf58476d1ce4e5b9ULL;
	rng |= !rng;
}

static __attribute__((unused)) unsigned int below(unsigned int limit)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (unsigned int)((rng * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}

static __attribute__((unused)) int once_in(unsigned int n)
{
	return !below(n);
}

#define one_of_nr(array, nr)	((array)[below(nr)])
#define one_of(array)		one_of_nr(array, sizeof(array) / sizeof(*(array)))

#endif
