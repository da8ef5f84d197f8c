/* SPDX-License-Identifier: GPL-2.0-only */
/* The test of the checker: traces, and what it must say of each. */
#ifndef TORTURE_TALES_H
#define TORTURE_TALES_H

#include "torture_check.h"

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
#define GAP	"CPU:0 [LOST 5 EVENTS]\n"
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
	{ "held at run until its stop", NULL, Q("7") F S C K R H("-5", "run") STOPS L("-5", "run") SKIPS X("-4")
	  SR("-4") },
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
	{ "held at a point that it has passed", "not at that point", Q("7") F S C H("-5", "claim")
	  L("-5", "claim") K R RUNS X("0") },
	{ "held twice", "held for the second", Q("7") F H("-2", "fork") L("-2", "fork") H("-2", "fork") L("-2", "fork")
	  S C K R RUNS X("0") },
	{ "held for ever", "held for ever", Q("7") F S H("-5", "claim") },
	{ "released and not held", "not held there", Q("7") F S L("-5", "claim") C K R RUNS X("0") },
	{ "held by another task", "not at that point", Q("7") F H("-5", "fork") L("-5", "fork") S C K R RUNS X("0") },
	{ "a fork that failed, and a thread", "not forked", Q("7") F N S },
	{ "a gap spoils nothing behind it", "not claimed", Q("3") GAP LINE("-5", "create_claim: id=3 pid=5") Q("7") F S K R },
	{ "a gap excuses what it spoils", NULL, Q("3") GAP LINE("-5", "create_claim: id=3 pid=5")
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

#endif
