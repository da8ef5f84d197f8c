// SPDX-License-Identifier: GPL-2.0-only
/* load:FILE:PARAM=VALUE... loads a module and says what came of it. */
#include "guest.h"

int main(int argc, char **argv)
{
	char params[512] = "";
	size_t len = 0;
	int i, err;

	for (i = 2; i < argc && len < sizeof(params); i++)
		len += snprintf(params + len, sizeof(params) - len, "%s ", argv[i]);
	if (argc < 2 || len >= sizeof(params)) {
		printf("# load: one file, and parameters of up to %zu bytes\n",
		       sizeof(params) - 1);
		return 2;
	}
	err = insmod(argv[1], params);
	printf("# %s %s: error %d\n", argv[1], params, -err);
	return err != 0;
}
