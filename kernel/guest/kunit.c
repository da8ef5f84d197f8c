// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads /mod/claims_kunit.ko, whose KUnit suites run while it loads, and gives
 * each of their cases as a test of its own. The kernel needs kunit.enable=1.
 */
#include "guest.h"

static const char *const suites[] = {
	"claims_create", "claims_stop", "claims_writing",
};

static int cases, failures;

/* One line of a suite's results. Only its cases are indented by four. */
static void line(char *text)
{
	char *name;
	int bad = !strncmp(text, "    not ok ", 11);

	if (!bad && strncmp(text, "    ok ", 7)) {
		printf("# %s\n", text);
		return;
	}
	/* Its number is that in the suite. */
	name = text + (bad ? 11 : 7);
	while (*name >= '0' && *name <= '9')
		name++;
	printf("%sok %d%s\n", bad ? "not " : "", ++cases, name);
	failures += bad;
}

static int suite(const char *name)
{
	static char results[256 * 1024];
	char path[128], *text, *end;
	int before = cases;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kunit/%s/results", name);
	if (slurp(path, results, sizeof(results)) < 0) {
		printf("# no %s: KUnit is off, or has filtered it out\n", path);
		return 1;
	}
	for (text = results; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		line(text);
	}
	return cases == before;
}

int main(void)
{
	int err = insmod("/mod/claims_kunit.ko", "");
	unsigned int i;

	if (err) {
		printf("# cannot load claims_kunit.ko: error %d\n", -err);
		return 1;
	}
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		failures += suite(suites[i]);
	printf("1..%d\n", cases);
	err = rmmod("claims_kunit");
	if (err)
		printf("# cannot unload claims_kunit.ko: error %d\n", -err);
	return failures || err;
}
