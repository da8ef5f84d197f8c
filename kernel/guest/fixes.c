// SPDX-License-Identifier: GPL-2.0-only
/*
 * Meets what the first patches of the series mend, in a kernel with or without
 * them. "fixes:create" makes each allocation of a clone fail in turn; any other
 * word goes to /mod/fixes.ko as it is.
 */
#include "guest.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define FAIL_NTH	"/proc/2/fail-nth"	/* kthreadd's */

/* Far more than a clone does. */
#define MAX_ALLOCS	100

/* Another creation may meet the failure: try that allocation again. */
#define MAX_TRIES	20

/*
 * Create a thread while the @n-th allocation of kthreadd fails. Returns the
 * error of kthread_create(), or 0; *@left says that kthreadd did fewer.
 */
static int create(int n, int *left)
{
	char nth[16];
	int err, try;

	*left = 0;
	for (try = 0; try < MAX_TRIES; try++) {
		snprintf(nth, sizeof(nth), "%d", n);
		if (put(FAIL_NTH, nth))
			return -EIO;
		err = insmod("/mod/fixes.ko", "what=create");
		slurp(FAIL_NTH, nth, sizeof(nth));
		*left = strcmp(nth, "0\n") != 0;
		put(FAIL_NTH, "0");
		if (err != -ECANCELED)
			return err;
		if (*left)
			break;
	}
	return 0;
}

static int clones(void)
{
	int n, err, left = 0, failed = 0, wrong = 0;

	if (put(FAILSLAB "ignore-gfp-wait", "N") || put(FAILSLAB "verbose", "0")) {
		printf("# no failslab\n");
		return 1;
	}
	for (n = 1; n < MAX_ALLOCS; n++) {
		err = create(n, &left);
		if (left)
			break;
		failed += err != 0;
		wrong += err && err != -ENOMEM;
		if (err)
			printf("# allocation %d of the clone fails: error %d\n", n, -err);
	}
	/* Two for the task itself, at the least. */
	if (!left || failed < 2) {
		printf("# %d failures, the last allocation %smet\n", failed, left ? "" : "not ");
		return 1;
	}
	printf("%sok 1 a clone that runs out of memory fails with -ENOMEM\n1..1\n", wrong ? "not " : "");
	return wrong != 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char params[64];
	int err;

	if (!strcmp(what, "create"))
		return clones();
	snprintf(params, sizeof(params), "what=%s", what);
	err = insmod("/mod/fixes.ko", params);
	printf("# fixes.ko %s: error %d\n", params, -err);
	return err != -ECANCELED;
}
