/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included in front of a file of a kernel without the series: moves what is
 * linked behind it as far as the series' code would, and does nothing else.
 */
#define BENCH_PAD_(n)	asm(".pushsection .text\n\t.skip " #n ", 0x90\n\t.popsection")
#define BENCH_PAD_N(n)	BENCH_PAD_(n)
BENCH_PAD_N(BENCH_PAD);
