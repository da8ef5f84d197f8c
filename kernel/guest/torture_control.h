/* SPDX-License-Identifier: GPL-2.0-only */
/* Those who make things go wrong: the knobs, the CPUs, the forks, the killers, an unloading. */
#ifndef TORTURE_CONTROL_H
#define TORTURE_CONTROL_H

#include "torture.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define THREADS_MAX	"/proc/sys/kernel/threads-max"
#define USERS		6
#define ACTOR_USERS	100	/* above the numbers of all other actors */

/* @err is legal, or it is not. */
static void expect(const char *what, const char *value, int err, int legal)
{
	if (err && err != legal)
		fail("a write of '%s' to %s returned error %d", value, what, -err);
}

static void set(const char *path, const char *value)
{
	expect(path, value, put(path, value), 0);
}

static void set_number(const char *path, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	set(path, text);
}

/* Always with a limit: a hold at fork stops all creations of the system. */
static void arm_comp_block(void)
{
	static const char *const points[] = { "fork", "claim", "complete", "run", "exit" };
	static const char *const globs[] = { "\n", "*", "tt*", "tt-[0-4]*", "!tt*", "?", "*\n*" };
	int point = below(5);

	set(KNOB "probability", "0");
	/* In this order: a creation may be on its way. */
	set_number(KNOB "hold_ms", once_in(40) && point ? 1500 : 1 + below(point ? 150 : 30));
	set(KNOB "point", points[point]);
	set(KNOB "name", one_of(globs));
	set_number(KNOB "interval", 1 + below(3));
	set_number(KNOB "space", once_in(5) ? below(20) : 0);
	set_number(KNOB "times", once_in(10) ? -1 : 1 + (int)below(point ? 40 : 5));
	set_number(KNOB "probability", once_in(3) ? 100 : 1 + below(60));
	shared->arms++;
}

static void arm_fail_create(void)
{
	/* None that the base has for a creation. */
	static const char *const errors[] = { "-1", "-5", "-16", "-22", "-28", "-110", "-4095" };
	static const char *const globs[] = { "\n", "tt*", "!tt*", "*[0-9]" };

	set(FAIL "probability", "0");
	set(FAIL "errno", one_of(errors));
	set(FAIL "name", one_of(globs));
	set_number(FAIL "interval", 1 + below(3));
	set_number(FAIL "times", 1 + below(20));
	set_number(FAIL "probability", 1 + below(100));
	shared->arms++;
}

/* The id of a row that is held, 0 if there is none; by chance one of several. */
static u64 a_held_id(void)
{
	static char buf[32768];
	u64 ids[64], id;
	unsigned int nr = 0;
	char *line, *end, *p;
	int field;

	slurp(DIR "requests", buf, sizeof(buf));
	for (line = buf; (end = strchr(line, '\n')) && nr < 64; line = end + 1) {
		id = strtoull(line, &p, 10);
		for (field = 1; field < 3 && (p = strchr(p + 1, ' ')) && p < end; field++)
			;
		p = p && p < end ? strchr(p + 1, ' ') : NULL;
		if (*line != '#' && p && p < end && p[1] != '-')
			ids[nr++] = id;
	}
	return nr ? one_of_nr(ids, nr) : 0;
}

static void release(void)
{
	static u64 stale[16];
	static unsigned int at;
	char text[32];
	int err, fd;
	u64 id;

	switch (below(4)) {
	case 0:
		set(KNOB "release", "all");
		shared->releases++;
		return;
	case 1:
		/* Held, and released or past its limit since. */
		id = stale[below(16)];
		break;
	case 2:
		id = once_in(2) ? 0 : shared->newest + 1000000;
		snprintf(text, sizeof(text), "%llu", id);
		err = put(KNOB "release", text);
		if (err != -EINVAL)
			fail("a release of %s, which no thread has, returned %d", text, err);
		shared->refused++;
		return;
	default:
		id = a_held_id();
	}
	if (!id)
		return;
	stale[at++ % 16] = id;
	snprintf(text, sizeof(text), "%llu", id);
	fd = open(KNOB "release", O_WRONLY);
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	expect(KNOB "release", text, err, -EINVAL);
	if (err) {
		shared->refused++;
	} else {
		shared->releases++;
		/* At once, while the thread is on its way out: it is late all the same. */
		lseek(fd, 0, SEEK_SET);
		if (write(fd, text, strlen(text)) >= 0 || errno != EINVAL)
			fail("a second release of %s was taken", text);
	}
	close(fd);
}

static void suspend(void)
{
	char state[64];

	if (slurp("/sys/power/state", state, sizeof(state)) <= 0 || !strstr(state, "mem") ||
	    put("/sys/power/pm_test", "freezer"))
		return;
	/* A creator that cannot be frozen yet makes it fail with -EBUSY, or a wake-up does. */
	if (!put("/sys/power/state", "mem"))
		shared->suspends++;
}

static void quiet_knobs(void)
{
	set(KNOB "probability", "0");
	set(FAIL "probability", "0");
	set(KNOB "release", "all");
	set(STALL_SECS, "120");
}

static __attribute__((noreturn)) void controller(u64 seed, unsigned int actor)
{
	static const char *const secs[] = { "0", "1", "2", "120", "86400" };
	long long sysrq = now_ms() + 10000;

	seed_actor(seed, actor);
	set(KNOB "verbose", "0");
	set(FAIL "verbose", "0");
	set(KNOB "creator", "torture*");
	set(FAIL "creator", "torture*");
	while (!shared->calm) {
		switch (below(16)) {
		case 0:
		case 1:
		case 2:
			arm_fail_create();
			break;
		case 3:
			set(one_of(((const char *const []){ KNOB "probability", FAIL "probability" })), "0");
			break;
		case 4:
			set(STALL_SECS, one_of(secs));
			break;
		case 5:
			if (once_in(20))
				suspend();
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			release();
			break;
		default:
			arm_comp_block();
		}
		/* The whole list of tasks is long, and the console slow. */
		if (now_ms() > sysrq) {
			set("/proc/sysrq-trigger", once_in(4) ? "t" : "w");
			shared->sysrqs++;
			sysrq = now_ms() + 20000 + below(20000);
		}
		msleep(10 + below(150));
	}
	quiet_knobs();
	_exit(0);
}

/* CPUs go and come back, but for the first. */
static __attribute__((noreturn)) void hotplugger(u64 seed, unsigned int actor, int cpus)
{
	char path[64], online[4] = "1";
	int cpu;

	seed_actor(seed, actor);
	while (!shared->calm) {
		cpu = 1 + below(cpus - 1);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		slurp(path, online, sizeof(online));
		/* A CPU that is told twice to go says so. */
		if (!put(path, *online == '1' ? "0" : "1"))
			shared->hotplugs++;
		msleep(500 + below(8000));
	}
	for (cpu = 1; cpu < cpus; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		slurp(path, online, sizeof(online));
		if (*online != '1')
			set(path, "1");
	}
	_exit(0);
}

/* Forks fail: kthreadd's own for want of memory, and now and then those of everybody. */
static __attribute__((noreturn)) void break_forks(u64 seed, unsigned int actor)
{
	int slab = !put(FAILSLAB "ignore-gfp-wait", "N") && !put(FAILSLAB "verbose", "0");
	char max[32], nth[16], left[16];

	seed_actor(seed, actor);
	/* kmemleak would be off for the rest if it got no memory. */
	if (!access("/sys/kernel/debug/kmemleak", 0))
		slab = 0;
	slurp(THREADS_MAX, max, sizeof(max));
	while (!shared->calm) {
		if (slab && !once_in(4)) {
			snprintf(nth, sizeof(nth), "%d", 1 + below(40));
			put("/proc/2/fail-nth", nth);
			msleep(1 + below(50));
			slurp("/proc/2/fail-nth", left, sizeof(left));
			shared->forks_failed += atoi(left) == 0;
			put("/proc/2/fail-nth", "0");
		} else {
			set(THREADS_MAX, "20");
			msleep(1 + below(10));
			set(THREADS_MAX, max);
			shared->forks_failed++;
		}
		msleep(200 + below(1000));
	}
	put("/proc/2/fail-nth", "0");
	_exit(0);
}

/* A module goes while a creation in its exit is held. */
static __attribute__((noreturn)) void unloader(u64 seed, unsigned int actor)
{
	seed_actor(seed, actor);
	while (!shared->over) {
		/* Its creation may have failed. */
		if (!insmod("/mod/torture_gone.ko", "")) {
			msleep(below(100));
			if (rmmod("torture_gone"))
				fail("torture_gone cannot be unloaded: error %d", errno);
			shared->unloads++;
		}
		msleep(200 + below(2000));
	}
	_exit(0);
}

static __attribute__((noreturn)) void user(u64 seed)
{
	char text[64];

	for (;;) {
		snprintf(text, sizeof(text), "%llu %d", seed++ & 0xffffffff, 10 + below(50));
		if (put(MODULE "live", text) || shared->over)
			_exit(0);
	}
}

/* Processes that create, and are killed whatever they are doing. */
static __attribute__((noreturn)) void users(u64 seed, unsigned int actor)
{
	pid_t pids[USERS] = { 0 }, gone;
	unsigned int life = 0;
	u64 next = 0;
	int i;

	seed_actor(seed, actor);
	while (!shared->over) {
		i = below(USERS);
		if (!pids[i]) {
			pids[i] = fork();
			if (!pids[i]) {
				seed_actor(seed, ACTOR_USERS + life);
				user(rng);
			}
			if (pids[i] < 0)
				pids[i] = 0;
			else
				life++, shared->users++;
		} else if (shared->newest >= next) {
			kill(pids[i], SIGKILL);
			shared->users_killed++;
			/* In ids, so that a slow kernel comes to something, too. */
			next = shared->newest + below(80);
		}
		while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
			for (i = 0; i < USERS; i++)
				pids[i] = pids[i] == gone ? 0 : pids[i];
		msleep(10 + below(80));
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	_exit(0);
}

#endif
