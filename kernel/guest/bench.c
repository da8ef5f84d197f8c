// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench:pairs:N	what N creations and stops take
 * bench:events:N:EVENT@PLACE...
 *			what N creations and stops take with nothing traced, with these
 *			events of the system kthread, and with kprobe events at their
 *			PLACEs instead, in bytes behind _text, which record as much
 * bench:flood:N	what a creation takes in front of an empty table and of one
 *			with N requests, and for how long printing it all keeps
 *			interrupts off
 * bench:release:N	what the release of one thread by its id takes with 10 held,
 *			and with N; and for how long the release of all N keeps a
 *			real-time task from running
 *
 * On an emulator that counts instructions (see kernel/bench). The numbers go to
 * the log; what they ought to be is said in scripts/test.
 */
#include "guest.h"

#define DIR	"/sys/kernel/debug/kthread/"
#define LATE	"/sys/module/bench/parameters/late_ns"
#define LIMIT	600000	/* ms of guest time */

/* Whether the table has a line with @text in it; @rows gets how many it has. */
static int table_has(const char *text, int *rows)
{
	static char buf[65536];
	int fd = open(DIR "requests", O_RDONLY), found = 0;
	char *line, *end;
	size_t len = 0;
	ssize_t n;

	*rows = -1;	/* the header */
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			found |= !!strstr(line, text);
			++*rows;
		}
		len -= line - buf;
		memmove(buf, line, len);
	}
	close(fd);
	return found;
}

static int wait_for(const char *text)
{
	long long end = now_ms() + LIMIT;
	int rows;

	while (now_ms() < end) {
		if (table_has(text, &rows))
			return 1;
		msleep(1);
	}
	printf("# no '%s' in the table\n", text);
	return 0;
}

/* A process that loads the module and may be killed meanwhile. */
static pid_t loader(const char *params)
{
	pid_t pid = fork();

	if (!pid)
		_exit(insmod("/mod/bench.ko", params) != 0);
	return pid;
}

/* At first timers go by the tick. */
static int timer_is_fine(void)
{
	long long end = now_ms() + LIMIT;
	char late[64];

	while (now_ms() < end) {
		put(LATE, "0");
		msleep(20);
		if (slurp(LATE, late, sizeof(late)) > 0 && atoi(late) < 50000)
			return 1;
	}
	printf("# the timer is late by %s", late);
	return 0;
}

static int flood(const char *n)
{
	char params[64], late[64];
	int rows, status;
	pid_t pid;

	/* Hold kthreadd, with a creation of this name. */
	if (insmod("/mod/test_kthread.ko", "") || put(DIR "comp_block/point", "fork") ||
	    put(DIR "comp_block/name", "held") || put(DIR "comp_block/probability", "100"))
		return 0;
	if (!fork())
		_exit(put("/sys/kernel/debug/test_kthread", "create held"));
	if (!wait_for(" fork "))
		return 0;

	snprintf(params, sizeof(params), "flood=%s", n);
	pid = loader(params);
	if (!wait_for(" queued "))
		return 0;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return 0;

	/* The killed one could not, so once more, for the timer. */
	rmmod("bench");
	if (insmod("/mod/bench.ko", "late=1") || !timer_is_fine() || put(LATE, "0"))
		return 0;
	table_has("", &rows);
	slurp(LATE, late, sizeof(late));
	printf("bench: rows %d\nbench: late_ns %s", rows, late);
	return 1;
}

#define TRACING	"/sys/kernel/tracing/"
#define ROUNDS	5

static int pairs(const char *n, const char *key)
{
	char params[96];
	int err;

	snprintf(params, sizeof(params), "pairs=%s pairs_key=%s", n, key);
	err = insmod("/mod/bench.ko", params);
	if (err)
		printf("# cannot load bench.ko: error %d\n", -err);
	return !err && !rmmod("bench");
}

/* What stands before the '@' of @word, with @before and @behind. */
static const char *of_event(const char *before, const char *word, const char *behind)
{
	static char text[192];
	int len = strchr(word, '@') - word;

	snprintf(text, sizeof(text), "%s%.*s%s", before, len, word, behind);
	return text;
}

static int event_is(const char *word, const char *value)
{
	int err = put(of_event(TRACING "events/kthread/", word, "/enable"), value);

	if (err)
		printf("# cannot write %s for %s: error %d\n", value, word, -err);
	return !err;
}

/* As many words of the stack as the event @word has fields: both record as much. */
static void probe_fields(const char *word, char *probe, size_t size)
{
	static char buf[8192];
	char *at = buf, field[32];
	int nr = 0;

	slurp(of_event(TRACING "events/kthread/", word, "/format"), buf, sizeof(buf));
	while ((at = strstr(at, "\tfield:"))) {
		at += 7;
		if (strstr(at, " common_") && strstr(at, " common_") < strchr(at, ';'))
			continue;
		snprintf(field, sizeof(field), " f%d=+%d(%%sp):u64", nr, 8 * nr);
		strlcat(probe, field, size);
		nr++;
	}
}

/* How many probes have been hit @times at least. Some places are those of a rare case. */
static int probes_hit(long times, int *optimized)
{
	static char buf[65536];
	char *line, *end, *word;
	int nr = 0;

	slurp("/sys/kernel/debug/kprobes/list", buf, sizeof(buf));
	for (*optimized = 0, line = buf; (line = strstr(line, "[OPTIMIZED]")); line++)
		++*optimized;
	slurp(TRACING "kprobe_profile", buf, sizeof(buf));
	for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		for (word = line; *word == ' '; word++)
			;
		word = strchr(word, ' ');
		nr += word && strtol(word, NULL, 10) >= times;
	}
	return nr;
}

static int probes_are(const char *value)
{
	return !put(TRACING "events/kprobes/enable", value);
}

static int events_are(char **words, const char *value)
{
	for (; *words; words++)
		if (!event_is(*words, value))
			return 0;
	return 1;
}

/* In turns, as what a pair takes moves a little from load to load. The first turn is none. */
static int events(const char *n, char **words)
{
	int i, nr, optimized;
	char probe[512];

	for (i = 0; words[i]; i++) {
		if (!strchr(words[i], '@'))
			return 0;
		/* One place each: an event may have several. */
		snprintf(probe, sizeof(probe), "p:kprobes/%s_%d _text+%s",
			 of_event("", words[i], ""), i, strchr(words[i], '@') + 1);
		probe_fields(words[i], probe, sizeof(probe));
		if (put(TRACING "kprobe_events", probe)) {
			printf("# no probe: %s\n", probe);
			return 0;
		}
	}
	for (i = 0; i < ROUNDS; i++) {
		if (!pairs(n, i ? "off_ns" : "first_off_ns") || !events_are(words, "1") ||
		    !pairs(n, i ? "events_ns" : "first_events_ns") ||
		    !events_are(words, "0") || !probes_are("1"))
			return 0;
		msleep(3000);	/* what is done to make them cheaper is done by then */
		if (!pairs(n, i ? "kprobes_ns" : "first_kprobes_ns"))
			return 0;
		nr = probes_hit(atol(n), &optimized);
		if (!probes_are("0"))
			return 0;
	}
	printf("bench: probes_hit %d\nbench: probes_optimized %d\n", nr, optimized);
	return nr > 0;
}

#define FEW		10
#define SAMPLES		8
#define SCHED_FIFO	1

static long long now_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/*
 * The ids of SAMPLES threads that are held, from the first to the last row.
 * Returns how many rows are held, -1 if there is no table.
 */
static int held_ids(int nr, unsigned long long *ids)
{
	static char buf[65536];
	int fd = open(DIR "requests", O_RDONLY), held = 0, at = 0;
	char *line, *end;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (!strstr(line, " claim "))
				continue;
			if (at < SAMPLES && held >= (long long)(nr - 1) * at / (SAMPLES - 1))
				ids[at++] = strtoull(line, NULL, 10);
			held++;
		}
		len -= line - buf;
		memmove(buf, line, len);
	}
	close(fd);
	return held;
}

/* @nr threads at claim, each of which has been given up by its creator. */
static int hold(int nr, unsigned long long *ids)
{
	long long end = now_ms() + LIMIT;
	char params[64];
	int status, held = 0;
	pid_t pid;

	snprintf(params, sizeof(params), "give_up=%d", nr);
	pid = loader(params);
	if (!wait_for(" claim "))
		return 0;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return 0;
	rmmod("bench");
	while (now_ms() < end && held < nr) {
		msleep(held < nr / 2 ? 500 : 50);
		held = held_ids(nr, ids);
	}
	if (held != nr)
		printf("# %d of %d are held\n", held, nr);
	return held == nr;
}

/* The cheapest of some: a timer's tick hits one, and not all of them. */
static long long release_one(const unsigned long long *ids)
{
	int fd = open(DIR "comp_block/release", O_WRONLY), i;
	long long start, took, least = -1;
	char id[24];

	for (i = 0; i < SAMPLES; i++) {
		snprintf(id, sizeof(id), "%llu", ids[i]);
		lseek(fd, 0, SEEK_SET);
		start = now_ns();
		if (write(fd, id, strlen(id)) < 0) {
			printf("# release of %s: error %d\n", id, errno);
			return -1;
		}
		took = now_ns() - start;
		if (least < 0 || took < least)
			least = took;
		msleep(10);	/* for the released one to go */
	}
	close(fd);
	return least;
}

/*
 * The longest time between two looks at the clock, as a task sees it that has
 * the right to run each millisecond.
 */
struct watch {
	volatile int ready, over;
	volatile long long gap_ns;
};

static void watch(struct watch *w)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	long long last = 0, now;
	int prio = 50;

	if (syscall(__NR_sched_setscheduler, 0, SCHED_FIFO, &prio))
		_exit(1);
	while (!w->over) {
		syscall(__NR_clock_nanosleep, CLOCK_MONOTONIC, 0, &ms, NULL);
		now = now_ns();
		if (w->ready == 2 && last && now - last > w->gap_ns)
			w->gap_ns = now - last;
		last = now;
		if (!w->ready)
			w->ready = 1;
	}
	_exit(0);
}

static int release(const char *n)
{
	unsigned long long ids[SAMPLES];
	long long few, many, start, end;
	int nr = atoi(n), rows, status;
	struct watch *w;
	pid_t pid;

	if (nr < 100 || put("/proc/sys/kernel/pid_max", "4000000") ||
	    put("/proc/sys/kernel/threads-max", "2000000") ||
	    put("/sys/module/kthread_debug/parameters/stall_secs", "0") ||
	    put(DIR "comp_block/point", "claim") ||
	    put(DIR "comp_block/name", "bench") ||
	    put(DIR "comp_block/verbose", "0") ||
	    put(DIR "comp_block/times", "-1") ||
	    put(DIR "comp_block/probability", "100")) {
		printf("# cannot set it up\n");
		return 0;
	}
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED || !hold(FEW, ids))
		return 0;
	few = release_one(ids);
	if (few < 0 || put(DIR "comp_block/release", "all") || !hold(nr, ids))
		return 0;
	many = release_one(ids);
	printf("bench: release_few_ns %lld\nbench: release_many_ns %lld\n", few, many);
	if (many < 0)
		return 0;

	pid = fork();
	if (!pid)
		watch(w);
	end = now_ms() + LIMIT;
	while (!w->ready && now_ms() < end)
		msleep(1);
	w->ready = 2;
	msleep(20);
	printf("bench: idle_gap_ns %lld\n", w->gap_ns);
	w->gap_ns = 0;
	start = now_ns();
	if (put(DIR "comp_block/release", "all"))
		return 0;
	printf("bench: release_all_ns %lld\n", now_ns() - start);
	msleep(5);
	printf("bench: release_all_gap_ns %lld\n", w->gap_ns);
	w->over = 1;
	if (waitpid(pid, &status, 0) != pid || status)
		return 0;
	do {
		msleep(500);
		table_has("", &rows);
	} while (rows > 0 && now_ms() < end);
	printf("bench: released %d\n", rows ? 0 : nr - SAMPLES);
	return !rows;
}

int main(int argc, char **argv)
{
	int ok = 0;

	if (argc < 3 || (argc > 3) != !strcmp(argv[1], "events")) {
		printf("# usage: bench pairs|flood|release N, bench events N EVENT@PLACE...\n");
		return 2;
	}
	if (!strcmp(argv[1], "pairs")) {
		ok = pairs(argv[2], "pair_ns");
	} else if (!strcmp(argv[1], "events")) {
		ok = events(argv[2], argv + 3);
	} else if (!strcmp(argv[1], "flood")) {
		ok = flood(argv[2]);
	} else if (!strcmp(argv[1], "release")) {
		ok = release(argv[2]);
	}
	printf("%sok 1 counted\n", ok ? "" : "not ");
	return !ok;
}
