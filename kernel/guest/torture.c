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
 * torture:selftest	the checker must accept the traces below that are legal, and no other
 *
 * kernel/torture makes the lives. Here are those who disturb them, those who read,
 * and those who judge: docs/torture.md.
 */
#include "torture.h"
#include "torture_check.h"
#include "torture_control.h"
#include "torture_read.h"

#define STATUS_MS	15000
#define NO_PROGRESS_MS	60000
#define END_MS		60000

enum actor { READER, PIECES, SEEKER, LAZY, POLLER, CONTROLLER, HOTPLUG, FORKS, UNLOADER, SPAWNER, CHECKER, NR_ACTORS };
static const char *const actor_names[NR_ACTORS] = {
	"reader", "reader in pieces", "reader that seeks", "lazy reader", "poller", "controller",
	"hotplug", "fork failer", "unloader", "users", "checker",
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
		fork_failer(seed, which);
	case UNLOADER:
		unloader(seed, which);
	case SPAWNER:
		users(seed, which);
	default:
		checker();
	}
	_exit(1);
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
		msleep(100);
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
	long long end = now_ms() + END_MS;
	int state = 0;

	if (!actors[which])
		return;
	while (waitpid(actors[which], &state, WNOHANG) != actors[which]) {
		if (now_ms() > end) {
			fail("the %s does not end", actor_names[which]);
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
	for (int i = 0; i < NR_ACTORS; i++)
		if (i != CHECKER && i != CONTROLLER && i != HOTPLUG && i != FORKS)
			await(i);
	set(MODULE "stop", "1");
	left = left_in_table();
	if (left)
		fail("the table is not empty: %.500s", left);
	shared->drained = 1;
	await(CHECKER);
	balance(hits(KNOB "hits") - holds, hits(FAIL "hits") - failures);
}

static const struct {
	const char *what;
	const char *why;	/* a part of what the checker says; NULL: it is legal */
	const char *lines;	/* task, CPU and event; for @ comes a stamp */
} tales[] = {
#define LINE(task, event)	task " [000] ..... @: kthread_" event "\n"
#define Q(id)	LINE("-9", "create_queue: id=" id " name=a fn=thread_fn[torture] creator=9")
#define F	LINE("-2", "create_fork: id=7 pid=2")
#define S	LINE("-5", "create_start: id=7 pid=5")
#define C	LINE("-5", "create_claim: id=7 pid=5")
#define K	LINE("-5", "create_complete: id=7 pid=5")
#define R	LINE("-9", "create_return: id=7 pid=5 error=0 stage=completing latency_ns=1")
#define A(stage) LINE("-9", "create_return: id=7 pid=0 error=-4 stage=" stage " latency_ns=1")
#define N	LINE("-9", "create_return: id=7 pid=0 error=-12 stage=forking latency_ns=1")
#define RUNS	LINE("-5", "run: id=7 pid=5")
#define SKIPS	LINE("-5", "skip: id=7 pid=5")
#define X(result) LINE("-5", "exit: id=7 pid=5 result=" result)
#define STOPS	LINE("-9", "stop: id=7 pid=5")
#define SR(result) LINE("-9", "stop_return: id=7 pid=5 result=" result)
#define H(task, point)	LINE(task, "hold: id=7 point=" point)
#define L(task, point)	LINE(task, "release: id=7 point=" point)
	{ "a whole life", NULL, Q("7") F S C K R RUNS STOPS X("3") SR("3") },
	{ "stopped before it ran", NULL, Q("7") F S C K R STOPS SKIPS X("-4") SR("-4") },
	{ "a stop of a thread that has exited", NULL, Q("7") F S C K R RUNS X("3") STOPS SR("3") },
	{ "abandoned in the queue", NULL, Q("7") A("queued") F S X("-4") },
	{ "abandoned while it starts, told late", NULL, Q("7") F S X("-4") A("starting") },
	{ "a fork that failed", NULL, Q("7") F N },
	{ "a fork that failed for a killed creator", NULL, Q("7") F A("forking") },
	{ "held at each point", NULL, Q("7") F H("-2", "fork") L("-2", "fork") S C K R RUNS X("0") },
	{ "held at claim and abandoned", NULL, Q("7") F S H("-5", "claim") A("starting") L("-5", "claim") X("-4") },
	{ "held at run until its stop", NULL, Q("7") F S C K R H("-5", "run") STOPS L("-5", "run") SKIPS X("-4") SR("-4") },
	{ "ids that do not grow", "ids do not grow", Q("7") Q("6") },
	{ "a creation twice", "ids do not grow", Q("7") Q("7") },
	{ "no queue event", "no queue event", Q("6") F S C },
	{ "no fork", "not forked", Q("7") S C K R },
	{ "no start", "no thread", Q("7") F C K R },
	{ "no claim", "not claimed", Q("7") F S K R },
	{ "no complete", "not completed", Q("7") F S C R },
	{ "complete after the answer", "not completed", Q("7") F S C R K },
	{ "runs before the answer", "no answer", Q("7") F S C K RUNS R },
	{ "two answers", "second time", Q("7") F S C K R R },
	{ "an answer for a killed creator, and claimed", "abandoned it", Q("7") F S A("starting") C },
	{ "an answer and a killed creator", "second time", Q("7") F S C K R A("starting") },
	{ "no answer", "never got", Q("7") F S C K },
	{ "skipped and nobody stops it", "nobody stops", Q("7") F S C K R SKIPS X("-4") },
	{ "runs and skips", "begun already", Q("7") F S C K R STOPS RUNS SKIPS },
	{ "no exit", "never exited", Q("7") F S C K R RUNS },
	{ "a stop that returns too early", "not exited", Q("7") F S C K R RUNS STOPS SR("0") X("0") },
	{ "a stop that returns another result", "another result", Q("7") F S C K R RUNS STOPS X("3") SR("4") },
	{ "a stop that never returns", "never returned", Q("7") F S C K R RUNS STOPS X("3") },
	{ "goes on while it is held", "it is held", Q("7") F S C H("-5", "complete") K L("-5", "complete") R RUNS X("0") },
	{ "held at a point that it has passed", "not at that point", Q("7") F S C H("-5", "claim") L("-5", "claim") K R RUNS X("0") },
	{ "held twice", "held for the second", Q("7") F H("-2", "fork") L("-2", "fork") H("-2", "fork") L("-2", "fork") S C K R RUNS X("0") },
	{ "held for ever", "held for ever", Q("7") F S H("-5", "claim") },
	{ "released and not held", "not held there", Q("7") F S L("-5", "claim") C K R RUNS X("0") },
	{ "held by another task", "not at that point", Q("7") F H("-5", "fork") L("-5", "fork") S C K R RUNS X("0") },
	{ "a fork that failed, and a thread", "not forked", Q("7") F N S },
	{ "a gap spoils nothing behind it", "not claimed", Q("3") "CPU:0 [LOST 5 EVENTS]\n" LINE("-5", "create_claim: id=3 pid=5")
	  Q("7") F S K R },
	{ "a gap excuses what it spoils", NULL, Q("3") "CPU:0 [LOST 5 EVENTS]\n" LINE("-5", "create_claim: id=3 pid=5")
	  LINE("-5", "create_claim: id=4 pid=5") },
};

static int judged_right(const char *why)
{
	return why ? shared->failed && strstr(shared->why, why) : !shared->failed;
}

/* Feed the checker each tale; returns how many it has judged wrongly. */
static int selftest(void)
{
	char line[256], text[4096], *p, *end, *at;
	u64 lost, stamp = 0;
	int bad = 0, right;

	if (!init_checker())
		return 1;
	for (unsigned int i = 0; i < sizeof(tales) / sizeof(*tales); i++) {
		memset(shared, 0, sizeof(*shared));
		memset(lives, 0, LIVES * sizeof(*lives));
		shared->quiet = 1;
		newest_queued = first_checked = lost_until = lost = 0;
		resync = 1;
		strlcpy(text, tales[i].lines, sizeof(text));
		for (p = text; (end = strchr(p, '\n')); p = end + 1) {
			*end = '\0';
			at = strchr(p, '@');
			if (at)
				snprintf(line, sizeof(line), "<...>%.*s%llu%s", (int)(at - p), p, ++stamp, at + 1);
			else
				strlcpy(line, p, sizeof(line));
			feed_line(line, &lost);
		}
		check_until(~0ULL);
		check_ends();
		right = judged_right(tales[i].why);
		bad += !right;
		say("%sok %u %s: %s", right ? "" : "not ", i + 1, tales[i].what,
		    shared->failed ? shared->why : "legal");
	}
	say("1..%u", (unsigned int)(sizeof(tales) / sizeof(*tales)));
	return bad;
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
	for (int i = 0; i < NR_ACTORS; i++)
		if (i != CHECKER)
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
