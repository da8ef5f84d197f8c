// SPDX-License-Identifier: GPL-2.0-only
/*
 * torture:KEY=N:...	random lives of kernel threads while all that can go wrong does
 *
 *	seed=N		each actor takes its decisions from this and its own number
 *	seconds=N	for so long, in the guest's time
 *	creations=N	or until there have been so many
 *	cpus=N		how many CPUs have to be there
 *	lose=N		the module does not count its N-th creation: must end in FAILURE
 *
 * torture:selftest	the checker must accept the traces of torture_tales.h that are legal, and no other
 *
 * kernel/torture makes the lives. Here are those who disturb them, those who read,
 * and those who judge: docs/torture.md.
 */
#include "torture.h"
#include "torture_check.h"
#include "torture_control.h"
#include "torture_read.h"
#include "torture_tales.h"

#define STATUS_MS	15000
#define NO_PROGRESS_MS	60000
#define END_MS		60000
#define FAILED_END_MS	3000

/* The checker starts first; the last one works at the end. */
enum actor { READER, PIECES, SEEKER, LAZY, POLLER, CONTROLLER, HOTPLUG, FORKS, UNLOADER, SPAWNER, CHECKER, STOPPER,
	     NR_ACTORS };
static const char *const actor_names[NR_ACTORS] = {
	"reader", "reader in pieces", "reader that seeks", "lazy reader", "poller", "controller",
	"hotplug", "breaker of forks", "unloader", "users", "checker", "stop of the creators",
};
static pid_t actors[NR_ACTORS];

static u64 seed = 1, seconds = 60, creations = ~0ULL, cpus = 1, lose;

static u64 counted(const char *name)
{
	static char buf[2048];
	char key[32];
	const char *at;

	slurp(MODULE "counts", buf, sizeof(buf));
	snprintf(key, sizeof(key), "\n%s ", name);
	/* The first one has no line before it. */
	at = !strncmp(buf, key + 1, strlen(key + 1)) ? buf - 1 : strstr(buf, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static u64 hits(const char *file)
{
	char buf[64];

	slurp(file, buf, sizeof(buf));
	return strtoull(buf, NULL, 10);
}

static int option(const char *arg, const char *key, u64 *value)
{
	size_t len = strlen(key);

	if (strncmp(arg, key, len) || arg[len] != '=')
		return 0;
	return is_number(arg + len + 1, value);
}

static u64 cpus_online(void)
{
	char path[64], online[4];
	u64 nr = 0;

	/* The first one has no such file where it cannot go. */
	for (int cpu = 0; cpu < MOST_CPUS; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
		if (access(path, 0))
			continue;
		strlcat(path, "/online", sizeof(path));
		nr += slurp(path, online, sizeof(online)) <= 0 || *online == '1';
	}
	return nr;
}

static int trace(void)
{
	mkdir("/sys/kernel/tracing/instances/torture", 0755);
	return put(INSTANCE "trace_clock", "counter") || put(INSTANCE "buffer_size_kb", "8192") ||
	       put(INSTANCE "events/kthread/enable", "1");
}

static pid_t actor(enum actor which)
{
	pid_t pid;

	if (which == HOTPLUG && cpus < 2)
		return 0;
	pid = fork();
	if (pid)
		return pid;
	switch (which) {
	case READER:
		reader(seed, which, 8192, 0);
	case PIECES:
		reader(seed, which, 200, 0);
	case SEEKER:
		reader(seed, which, 1000, 1);
	case LAZY:
		lazy_reader(seed, which);
	case POLLER:
		poller(seed, which);
	case CONTROLLER:
		controller(seed, which);
	case HOTPLUG:
		hotplugger(seed, which, cpus);
	case FORKS:
		break_forks(seed, which);
	case UNLOADER:
		unloader(seed, which);
	case SPAWNER:
		users(seed, which);
	case STOPPER:
		set(MODULE "stop", "1");
		_exit(0);
	default:
		checker();
	}
}

static void status(long long start)
{
	u64 failed = counted("nomem") + counted("again") + counted("injected");

	say("kthread-torture: %lld s: created=%llu failed=%llu killed=%llu run=%llu; events=%llu lost=%llu; rows=%llu; "
	    "arms=%llu releases=%llu refused=%llu holds=%llu; forks=%llu cpus=%llu unloads=%llu users=%llu sysrqs=%llu",
	    (now_ms() - start) / 1000, counted("created"), failed, counted("intr"), counted("run"), shared->events,
	    shared->lost, shared->rows, shared->arms, shared->releases, shared->refused, shared->holds,
	    shared->forks_failed, shared->hotplugs, shared->unloads, shared->users, shared->sysrqs);
}

/* Whether an actor has ended that should not have. */
static void look_after(void)
{
	int state;
	pid_t gone = waitpid(-1, &state, WNOHANG);

	for (int i = 0; gone > 0 && i < NR_ACTORS; i++)
		if (actors[i] == gone)
			fail("the %s has ended with %d", actor_names[i], state);
}

/* Until the time is over, or enough has been created, or something is wrong. */
static void torture(long long start)
{
	long long now = start, next = start + STATUS_MS, moved = start;
	u64 created = 0, before;

	while (!shared->failed && now < start + (long long)seconds * 1000 && created < creations) {
		msleep(250);
		now = now_ms();
		before = created;
		created = counted("created");
		if (created != before)
			moved = now;
		if (now - moved > NO_PROGRESS_MS)
			fail("no thread has been created for %d s", NO_PROGRESS_MS / 1000);
		if (counted("errors"))
			fail("the module says what");
		if (now >= next) {
			status(start);
			next += STATUS_MS;
		}
		look_after();
	}
}

static void await(enum actor which)
{
	long long end = now_ms() + (shared->failed ? FAILED_END_MS : END_MS);
	int state = 0;

	if (!actors[which])
		return;
	while (waitpid(actors[which], &state, WNOHANG) != actors[which]) {
		if (now_ms() > end) {
			fail("the %s does not end", actor_names[which]);
			/* The table, and where the blocked tasks are. */
			put("/proc/sysrq-trigger", "w");
			return;
		}
		msleep(20);
	}
	if (state)
		fail("the %s has ended with %d", actor_names[which], state);
}

/* Wait until the table is empty; what is left in it then. */
static const char *left_in_table(void)
{
	static char buf[4096];
	long long end = now_ms() + END_MS;
	char *row;

	do {
		slurp(DIR "requests", buf, sizeof(buf));
		row = strchr(buf, '\n');
		if (row && !row[1])
			return NULL;
		msleep(50);
	} while (now_ms() < end);
	return row ? row + 1 : "not even a header";
}

static void equal(const char *what, u64 one, u64 other)
{
	if (one != other)
		fail("%s: %llu and %llu", what, one, other);
}

/* Nothing has been lost, neither a creation nor a thread. */
static void balance(u64 holds, u64 failures)
{
	u64 ended = counted("ok") + counted("nomem") + counted("again") + counted("intr") + counted("injected");
	char held[16];

	equal("created, and with a result", counted("created"), ended);
	equal("created with success, and run or skipped", counted("ok"), counted("run") + counted("skipped"));
	equal("begun to run, and ended", counted("run"), counted("ended"));
	equal("works queued, and done", counted("queued_works"), counted("works"));
	equal("failed on purpose, and hits of fail_create", counted("injected"), failures);
	slurp(KNOB "held", held, sizeof(held));
	equal("held at the end, and none", atoi(held), 0);
	if (shared->lost)
		return;
	equal("created, and queued or failed in the trace", counted("created"),
	      shared->queued + shared->injected + shared->no_id);
	equal("created with success, and in the trace", counted("ok"), shared->answered);
	equal("creators killed, and abandoned in the trace", counted("intr"), shared->abandoned);
	equal("run, and in the trace", counted("run"), shared->runs);
	equal("hits of comp_block, and holds in the trace", holds, shared->holds);
}

/* All ends, those first that others depend on. */
static void finish(u64 holds, u64 failures)
{
	static const enum actor first[] = { CONTROLLER, HOTPLUG, FORKS };
	const char *left;

	shared->calm = 1;
	for (unsigned int i = 0; i < sizeof(first) / sizeof(*first); i++)
		await(first[i]);
	shared->over = 1;
	for (int i = 0; i < CHECKER; i++)
		if (i != CONTROLLER && i != HOTPLUG && i != FORKS)
			await(i);
	/* One of them may hang. */
	actors[STOPPER] = actor(STOPPER);
	await(STOPPER);
	left = left_in_table();
	if (left)
		fail("the table is not empty: %.500s", left);
	shared->drained = 1;
	await(CHECKER);
	balance(hits(KNOB "hits") - holds, hits(FAIL "hits") - failures);
}

static int usage(const char *arg)
{
	say("# %s: use torture:selftest, or seed=N seconds=N creations=N cpus=N lose=N", arg);
	return 2;
}

int main(int argc, char **argv)
{
	u64 holds, failures;
	long long start;
	char params[128];
	int err;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (argc == 2 && !strcmp(argv[1], "selftest"))
		return selftest() != 0;
	for (int i = 1; i < argc; i++)
		if (!option(argv[i], "seed", &seed) && !option(argv[i], "seconds", &seconds) &&
		    !option(argv[i], "creations", &creations) && !option(argv[i], "cpus", &cpus) &&
		    !option(argv[i], "lose", &lose))
			return usage(argv[i]);
	seed &= 0xffffffff;
	if (cpus_online() != cpus) {
		say("# %llu CPUs are online, %llu asked for", cpus_online(), cpus);
		return 1;
	}
	if (trace()) {
		say("# no trace of kthread events");
		return 1;
	}
	holds = hits(KNOB "hits");
	failures = hits(FAIL "hits");
	actors[CHECKER] = actor(CHECKER);
	snprintf(params, sizeof(params), "seed=%llu creators=4 lose=%llu", seed, lose);
	err = insmod("/mod/torture.ko", params);
	if (err) {
		say("# torture.ko cannot be loaded: error %d", -err);
		return 1;
	}
	start = now_ms();
	for (int i = 0; i < CHECKER; i++)
		actors[i] = actor(i);
	torture(start);
	finish(holds, failures);
	status(start);
	say("kthread-torture: end of test: %s seed=%llu cpus=%llu created=%llu ok=%llu nomem=%llu again=%llu killed=%llu "
	    "injected=%llu run=%llu skipped=%llu parked=%llu works=%llu passes=%llu polls=%llu suspends=%llu lost=%llu "
	    "unchecked=%llu errors=%llu%s%s", shared->failed ? "FAILURE" : "SUCCESS", seed, cpus, counted("created"),
	    counted("ok"), counted("nomem"), counted("again"), counted("intr"), counted("injected"), counted("run"),
	    counted("skipped"), counted("parked"), counted("works"), shared->passes, shared->polls, shared->suspends,
	    shared->lost, shared->unchecked, counted("errors"), shared->failed ? ": " : "", shared->why);
	/* The kernel itself warns if a thread of it is left. */
	err = shared->failed ? 0 : rmmod("torture");
	if (err)
		fail("torture.ko cannot be unloaded: error %d", -err);
	say("%sok 1 torture", shared->failed ? "not " : "");
	return shared->failed != 0;
}
