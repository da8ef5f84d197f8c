/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that fuzz.c writes to, and what a write to each of them has to do.
 *
 * This is written from the documents: Documentation/dev-tools/kthread-debug.rst for
 * the files of the knobs and the parameters, Documentation/fault-injection/ for the
 * attributes of each capability, the comments on kstrtoull() and kstrtobool() for
 * numbers and switches. Of an attribute only the first 23 bytes count, of a switch 3,
 * of a parameter a page: so says what all such files of debugfs and sysfs share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "guest.h"

#define KTHREAD		"/sys/kernel/debug/kthread/"
#define BLOCK		KTHREAD "comp_block/"
#define FAIL		KTHREAD "fail_create/"
#define PARAMS		"/sys/module/kthread_debug/parameters/"

#define MAX_VALUE	127	/* bytes of a value of the knobs' own files */
#define MAX_ERRNO	4095
#define LINE		160	/* a value with its newline, as it is read */
#define HELD		3	/* threads, most of the time */

enum kind {
	/* the knobs' own: one write is one value, and all of it counts */
	GLOB, POINT, HOLD_MS, ERRNO, RELEASE, HITS,
	/* of the series, without any write */
	HELD_NOW, REQUESTS,
	/* the attributes of each capability: numbers, and a switch */
	ULONG, ATOMIC, U32, DEPTH, HEX, SWITCH,
	/* the parameters */
	SECS, WARNINGS, PANIC, COUNT,
};

struct file {
	const char *dir, *name;
	enum kind kind;
	char path[96];
	int there;		/* not each kernel has each attribute */
	int fd, seen;		/* to write, to read; or a negative errno */
	size_t len;
	char now[LINE];		/* what it has to read */
	long accepted, refused;
};

#define A_FILE(d, n, k)	{ .dir = d, .name = n, .kind = k }
#define ATTRIBUTES(dir)							\
	A_FILE(dir, "probability", ULONG), A_FILE(dir, "interval", ULONG), \
	A_FILE(dir, "times", ATOMIC), A_FILE(dir, "space", ATOMIC),	\
	A_FILE(dir, "verbose", ULONG),					\
	A_FILE(dir, "verbose_ratelimit_interval_ms", U32),		\
	A_FILE(dir, "verbose_ratelimit_burst", U32),			\
	A_FILE(dir, "task-filter", SWITCH),				\
	A_FILE(dir, "stacktrace-depth", DEPTH),				\
	A_FILE(dir, "require-start", HEX), A_FILE(dir, "require-end", HEX), \
	A_FILE(dir, "reject-start", HEX), A_FILE(dir, "reject-end", HEX)

static struct file files[] = {
	A_FILE(BLOCK, "point", POINT), A_FILE(BLOCK, "name", GLOB),
	A_FILE(BLOCK, "creator", GLOB), A_FILE(BLOCK, "hold_ms", HOLD_MS),
	A_FILE(BLOCK, "release", RELEASE), A_FILE(BLOCK, "hits", HITS),
	A_FILE(BLOCK, "held", HELD_NOW),
	A_FILE(FAIL, "name", GLOB), A_FILE(FAIL, "creator", GLOB),
	A_FILE(FAIL, "errno", ERRNO), A_FILE(FAIL, "hits", HITS),
	A_FILE(KTHREAD, "requests", REQUESTS),
	A_FILE(PARAMS, "stall_secs", SECS), A_FILE(PARAMS, "stall_warnings", WARNINGS),
	A_FILE(PARAMS, "stall_panic", PANIC), A_FILE(PARAMS, "stall_count", COUNT),
#define NR_SERIES	16	/* so far; the rest is what each capability has */
	ATTRIBUTES(BLOCK), ATTRIBUTES(FAIL),
};

#define NR_FILES	((int)(sizeof(files) / sizeof(files[0])))

/* The threads that are held, oldest first, by the id and by the end of the name. */
static struct {
	unsigned long long id;
	int number;
} held[HELD];
static int nr_held;

static int knobs_own(const struct file *f)
{
	return f->kind <= HITS;
}

static int attribute(const struct file *f)
{
	return f->kind >= ULONG && f->kind <= SWITCH;
}

static int parameter(const struct file *f)
{
	return f->kind >= SECS;
}

/* Numbers can only be read and written on from the start: open it anew. */
static int no_seek(const struct file *f)
{
	return attribute(f) && f->kind != SWITCH;
}

/* seq_file takes no pwrite(). */
static int no_pwrite(const struct file *f)
{
	return f->kind <= REQUESTS || no_seek(f);
}

static struct file *file_of(const char *dir, const char *name)
{
	int i;

	for (i = 0; i < NR_FILES; i++)
		if (!strcmp(files[i].dir, dir) && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

/* What has to come of a write. */
struct want {
	long result;		/* as the system call has it */
	long or;		/* this error will do as well, 0: no other */
	int sets;		/* the file reads @value from now on */
	size_t len;
	char value[LINE];
	int releases;		/* 1: @id, 2: all */
	unsigned long long id;
};

static __attribute__((format(printf, 2, 3))) void reads(struct want *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	w->len = vsnprintf(w->value, sizeof(w->value), fmt, args);
	va_end(args);
	w->sets = 1;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= ' ';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/*
 * The digits of @base at *@text, up to @end. Returns how many; *@over: they are
 * too many for 64 bits.
 */
static int digits(const char **text, const char *end, unsigned int base,
		  unsigned long long *value, int *over)
{
	unsigned long long v = 0;
	int nr = 0;
	unsigned int d;

	*over = 0;
	for (; *text < end && (d = digit(**text)) < base; ++*text, nr++) {
		*over |= v > (~0ULL - d) / base;
		v = v * base + d;
	}
	*value = v;
	return nr;
}

/* A number that the knobs' own files take: nothing but digits. */
static int plain_number(const char *text, size_t len, unsigned long long max,
			unsigned long long *value)
{
	const char *end = text + len;
	int over, nr = digits(&text, end, 10, value, &over);

	return nr && text == end && !over && *value <= max;
}

static size_t until_nul(const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);

	return nul ? (size_t)(nul - text) : len;
}

/*
 * A number as kstrtoull() takes it, and with @minus kstrtoll(). Returns whether it
 * is one. *@over: it may have been refused as too large.
 */
static int number(const char *text, size_t len, int minus, long long *value, int *over)
{
	const char *end = text + until_nul(text, len);
	unsigned long long v;
	unsigned int base = 10;
	int negative = 0, nr;

	if (minus && text < end && *text == '-')
		negative = 1, text++;
	else if (text < end && *text == '+')
		text++;
	if (text < end && *text == '0') {
		base = 8;
		if (end - text > 2 && (text[1] | ' ') == 'x' && digit(text[2]) < 16)
			base = 16, text += 2;
	}
	nr = digits(&text, end, base, &v, over);
	if (minus && v > ~0ULL / 2 + negative)
		*over = 1;
	*value = negative ? -v : v;
	if (text < end && *text == '\n')
		text++;
	return nr && text == end && !*over;
}

/* A switch as kstrtobool() takes it: 1 or 0, -1 if it is none. */
static int on_or_off(const char *text, size_t len)
{
	char c, next;

	len = until_nul(text, len);
	if (!len)
		return -1;
	c = *text;
	next = len > 1 ? text[1] | ' ' : 0;
	if (memchr("1eEyYtT", c, 7))
		return 1;
	if (memchr("0dDnNfF", c, 7))
		return 0;
	if (c != 'o' && c != 'O')
		return -1;
	return next == 'n' ? 1 : next == 'f' ? 0 : -1;
}

static void want_own(const struct file *f, long pos, const char *buf, size_t len,
		     int bad, struct want *w)
{
	static const char *const points[] = { "fork", "claim", "complete", "run", "exit" };
	unsigned long long v;
	size_t i, all = len;

	w->result = -EINVAL;
	if (pos || !len || len > MAX_VALUE + 1 || f->kind == HITS)
		return;
	if (bad) {
		w->result = -EFAULT;
		return;
	}
	if (buf[len - 1] == '\n')
		len--;
	if (until_nul(buf, len) < len)
		return;
	switch (f->kind) {
	case GLOB:
		if (len > MAX_VALUE || (len == 1 && *buf == '!'))
			return;
		memcpy(w->value, buf, len);
		w->value[len] = '\n';
		w->len = len + 1;
		w->sets = 1;
		break;
	case POINT:
		for (i = 0; i < 5; i++)
			if (strlen(points[i]) == len && !memcmp(points[i], buf, len))
				reads(w, "%s\n", points[i]);
		break;
	case HOLD_MS:
		if (plain_number(buf, len, 0x7fffffff, &v))
			reads(w, "%llu\n", v);
		break;
	case ERRNO:
		if (len && *buf == '-' && plain_number(buf + 1, len - 1, MAX_ERRNO, &v) && v)
			reads(w, "-%llu\n", v);
		break;
	default:
		if (len == 3 && !memcmp(buf, "all", 3))
			w->releases = 2;
		else if (plain_number(buf, len, ~0ULL, &w->id))
			for (i = 0; i < (size_t)nr_held; i++)
				w->releases |= held[i].id == w->id;
	}
	if (w->sets || w->releases)
		w->result = all;
}

static void want_attribute(const struct file *f, const char *buf, size_t len,
			   int bad, struct want *w)
{
	size_t most = f->kind == SWITCH ? 3 : 23, some = len < most ? len : most;
	long long v;
	int over;

	if (f->kind == SWITCH) {
		w->result = len;	/* whatever is written */
		v = bad ? -1 : on_or_off(buf, some);
		if (v >= 0)
			reads(w, "%c\n", v ? 'Y' : 'N');
		return;
	}
	w->result = bad && len ? -EFAULT : -EINVAL;
	if (w->result == -EFAULT)
		return;
	if (!number(buf, some, f->kind == ATOMIC, &v, &over)) {
		w->or = over ? -ERANGE : 0;
		return;
	}
	w->result = len;
	if (f->kind == ATOMIC)
		reads(w, "%d\n", (int)v);
	else if (f->kind == U32)
		reads(w, "%u\n", (unsigned int)v);
	else if (f->kind == DEPTH)
		reads(w, "%d\n", (unsigned long long)v > 32 ? 32 : (int)v);
	else if (f->kind == HEX)
		reads(w, sizeof(long) == 8 ? "0x%016lx\n" : "0x%08lx\n", (unsigned long)v);
	else
		reads(w, "%lu\n", (unsigned long)v);
}

static void want_parameter(const struct file *f, const char *buf, size_t len, int bad,
			   struct want *w)
{
	size_t page = getpagesize(), some = len < page ? len : page;
	int over = 0, good;
	long long v;

	if (f->kind == COUNT) {
		w->result = -EACCES;	/* by open() */
		return;
	}
	w->result = 0;
	if (!len)
		return;
	w->result = -EFAULT;
	if (bad)
		return;
	w->result = -EINVAL;
	if (f->kind == PANIC) {
		v = on_or_off(buf, some);
		good = v >= 0;
	} else {
		good = number(buf, some, f->kind == WARNINGS, &v, &over);
		if (good && (f->kind == SECS ? (unsigned long long)v > 0xffffffff : v != (int)v))
			good = 0, over = 1;
		if (good)
			good = f->kind == SECS ? v <= 86400 : v >= -1;
		w->or = over ? -ERANGE : 0;
	}
	if (!good)
		return;
	w->result = some;
	if (f->kind == PANIC)
		reads(w, "%c\n", v ? 'Y' : 'N');
	else
		reads(w, "%lld\n", v);
}

/* What one write() of @len bytes at @pos does; @bad: their address is. */
static void expect(const struct file *f, long pos, const char *buf, size_t len, int bad,
		   struct want *w)
{
	memset(w, 0, sizeof(*w));
	if (knobs_own(f))
		want_own(f, pos, buf, len, bad, w);
	else if (attribute(f))
		want_attribute(f, buf, len, bad, w);
	else if (parameter(f))
		want_parameter(f, buf, len, bad, w);
	else
		w->result = -EINVAL;
}

#endif
