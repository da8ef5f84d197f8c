// SPDX-License-Identifier: GPL-2.0-only
/* show:file:file prints each file's lines behind its name, for the host. */
#include "guest.h"

int main(int argc, char **argv)
{
	char buf[8192], *line, *next;
	int i, failures = 0;
	ssize_t len;

	for (i = 1; i < argc; i++) {
		len = slurp(argv[i], buf, sizeof(buf));
		if (len < 0) {
			printf("%s: error %d\n", argv[i], (int)-len);
			failures++;
		}
		for (line = buf; *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			else
				next = line + strlen(line);
			printf("%s: %s\n", argv[i], line);
		}
	}
	return failures > 0;
}
