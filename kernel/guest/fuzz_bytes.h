/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz.c writes, and how: all of it comes from the seed, and from what the files read. */
#ifndef FUZZ_BYTES_H
#define FUZZ_BYTES_H

#include "fuzz.h"

#define MAX_WRITE	8192

enum how { AT_START, GO_ON, SEEK, AT_OFFSET, PIECES, BAD_ADDRESS, NR_HOWS };

static const char *const hows[] = {
	"at the start", "where the last one ended", "behind an lseek()",
	"by pwritev()", "in pieces", "from a bad address",
};

struct op {
	struct file *file;
	enum how how;
	long offset;
	size_t len, pieces[4];
	int nr_pieces;
	char buf[MAX_WRITE];
};

static unsigned long long state;	/* made of the seed and the step */

static unsigned long long chance(void)
{
	unsigned long long x = state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static unsigned int below(unsigned int n)
{
	return (chance() >> 33) % n;
}

static size_t print_to(char *buf, const char *fmt, unsigned long long number)
{
	return snprintf(buf, 64, fmt, number);
}

/* Numbers around which something may change. */
static unsigned long long number_near(void)
{
	static const unsigned long long edges[] = {
		0, 1, 7, 8, 31, 32, 33, 100, 120, 4094, 4095, 4096, 86399, 86400, 86401,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, ~0ULL - 1, ~0ULL,
	};
	unsigned int edge = below(sizeof(edges) / sizeof(*edges) + 2);

	return edge < sizeof(edges) / sizeof(*edges) ? edges[edge] : chance() >> below(64);
}

static size_t right_number(enum kind kind, char *buf)
{
	static const char *const formats[] = { "%llu", "0x%llx", "0%llo", "+%llu", "0X%llx" };
	static const unsigned long long most[] = {
		[HOLD_MS] = 0x7fffffff, [ERRNO] = MAX_ERRNO, [SECS] = 86400,
		[WARNINGS] = 0x7fffffff, [ATOMIC] = 0x7fffffff,
	};
	unsigned long long n = number_near(), max = kind <= WARNINGS ? most[kind] : 0;

	if (max && below(4))
		n %= max + 1;
	if (kind == HOLD_MS)
		return print_to(buf, below(8) ? "%llu" : "%07llu", n);
	if (kind == ERRNO)
		return print_to(buf, "-%llu", n);
	if ((kind == ATOMIC || kind == WARNINGS) && !below(4))
		return print_to(buf, "-%llu", below(2) ? 1 : n);
	return print_to(buf, formats[below(2) ? 0 : below(5)], n);
}

static size_t right_glob(char *buf)
{
	static const char chars[] = "abz059-_/:.*?[]!\\ \t\"'%\x01\x7f\x80\xff";
	size_t len = below(4) ? below(24) : below(2) ? 127 : below(128), i;

	for (i = 0; i < len; i++)
		buf[i] = chars[below(sizeof(chars) - 1)];
	if (len && !below(4))
		buf[0] = '!';
	return len;
}

static size_t right(enum kind kind, char *buf)
{
	static const char *const points[] = { "fork", "claim", "complete", "run", "exit" };
	static const char *const switches[] = {
		"Y", "N", "y", "n", "1", "0", "on", "off", "On", "oFF", "true", "f", "enable",
		"disable", "o", "yes please",
	};
	unsigned long long id = nr_held ? held[below(nr_held)].id : 1;

	switch (kind) {
	case GLOB:
		return right_glob(buf);
	case POINT:
		return print_to(buf, points[below(5)], 0);
	case SWITCH:
	case PANIC:
		return print_to(buf, switches[below(sizeof(switches) / sizeof(*switches))], 0);
	case RELEASE:
		if (!below(6))
			return print_to(buf, "all", 0);
		return print_to(buf, below(6) ? "%llu" : "%08llu", below(3) ? id : id + below(3) - 1);
	case HITS:
	case HELD_NOW:
	case REQUESTS:
	case COUNT:
		return print_to(buf, "%llu", below(4));
	default:
		return right_number(kind, buf);
	}
}

static char odd_byte(void)
{
	static const char odd[] = "\n\0 -+0x19afg!*all\t\r\\\x80\xff";

	return below(3) ? odd[below(sizeof(odd) - 1)] : (char)chance();
}

static void mutate(struct op *op)
{
	size_t at = below(op->len + 1), n;

	switch (below(7)) {
	case 0:		/* one byte more */
		if (op->len == MAX_WRITE)
			return;
		memmove(op->buf + at + 1, op->buf + at, op->len - at);
		op->buf[at] = odd_byte();
		op->len++;
		return;
	case 1:		/* a piece less */
		n = below(op->len - at + 1);
		n = below(2) ? n : n > 0;
		memmove(op->buf + at, op->buf + at + n, op->len - at - n);
		op->len -= n;
		return;
	case 2:		/* another byte */
		if (at < op->len)
			op->buf[at] = odd_byte();
		return;
	case 3:		/* another case */
		if (at < op->len)
			op->buf[at] ^= ' ';
		return;
	case 4:		/* a piece twice */
		n = below(op->len - at + 1);
		if (op->len + n > MAX_WRITE)
			return;
		memmove(op->buf + at + n, op->buf + at, op->len - at);
		op->len += n;
		return;
	case 5:		/* something behind it */
		if (op->len < MAX_WRITE)
			op->buf[op->len++] = odd_byte();
		return;
	default:	/* something before it */
		if (op->len == MAX_WRITE)
			return;
		memmove(op->buf + 1, op->buf, op->len++);
		op->buf[0] = "+- \n0!"[below(6)];
	}
}

/* To a length at which something may change. */
static void stretch(struct op *op)
{
	static const short edges[] = {
		0, 1, 22, 23, 24, 25, 126, 127, 128, 129, 130, 255, 256, 4094, 4095, 4096,
		4097, 8191, 8192,
	};
	unsigned int edge = below(sizeof(edges) / sizeof(*edges) + 4);
	size_t len = edge < sizeof(edges) / sizeof(*edges) ? (size_t)edges[edge] :
		     below(MAX_WRITE + 1);
	char fill = below(6) ? "\n\0 0x9"[below(6)] : odd_byte();

	if (len > op->len && !below(3)) {
		memmove(op->buf + len - op->len, op->buf, op->len);
		memset(op->buf, fill, len - op->len);
	} else if (len > op->len) {
		memset(op->buf + op->len, fill, len - op->len);
	}
	op->len = len;
}

static void choose_bytes(struct op *op)
{
	unsigned int what = below(20), i;

	if (what < 2) {			/* noise */
		op->len = below(4) ? below(40) : below(MAX_WRITE + 1);
		for (i = 0; i < op->len; i++)
			op->buf[i] = chance();
	} else if (what < 4) {		/* what it reads */
		op->len = op->file->len;
		memcpy(op->buf, op->file->now, op->len);
	} else if (what < 5) {		/* what another file takes */
		op->len = right(files[below(NR_FILES)].kind, op->buf);
	} else {
		op->len = right(op->file->kind, op->buf);
	}
	if (what < 9 && below(2))
		op->buf[op->len++] = '\n';
	else if (what >= 9)
		for (i = below(3) + 1; i; i--)
			mutate(op);
	if (!below(10))
		stretch(op);
}

static void choose_how(struct op *op)
{
	static const int offsets[] = { 1, 2, 3, 127, 128, 4096, 0x7fffffff };
	unsigned int how = below(20);
	size_t left = op->len;
	int i;

	op->how = how < 12 ? AT_START : how < 14 ? GO_ON : how < 15 ? SEEK :
		  how < 17 ? AT_OFFSET : how < 19 ? PIECES : BAD_ADDRESS;
	op->offset = below(3) ? offsets[below(7)] : 0;
	if (op->how == AT_OFFSET && !below(8))
		op->offset = -1;
	if (op->how == SEEK && no_seek(op->file))
		op->how = GO_ON;
	op->nr_pieces = 0;
	if (op->how != PIECES)
		return;
	op->nr_pieces = below(4) + 1;
	for (i = 0; i < op->nr_pieces; i++) {
		op->pieces[i] = i + 1 < op->nr_pieces && below(3) ? below(left + 1) : left;
		left -= op->pieces[i];
	}
}

#endif
