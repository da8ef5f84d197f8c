// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that stops itself waits for itself: the stall report must say so.
 * It waits until the guest ends, so this is the last program of a guest.
 */
#include "guest.h"

#define SECS	"/sys/module/kthread_debug/parameters/stall_secs"
#define WARNINGS "/sys/module/kthread_debug/parameters/stall_warnings"
#define SAID	"INFO: kthread_stop(\"misused\") by itself blocked for "
/* It comes behind the cause.  Nobody has asked the thread for anything. */
#define STACK	"task:misused "
#define ASKED	" since it was asked to "
#define LIMIT_MS 20000

int main(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), err;
	char rec[2048], *text;
	long long end;
	int said = 0;
	ssize_t n;

	lseek(kmsg, 0, SEEK_END);
	err = put(SECS, "1");
	/* Not in each version. */
	put(WARNINGS, "-1");
	if (!err)
		err = insmod("/mod/test_kthread_misuse.ko", "what=stop_itself");
	if (err) {
		printf("# itself: error %d\n", -err);
		return 2;
	}
	for (end = now_ms() + LIMIT_MS; now_ms() < end; usleep(10000)) {
		while ((n = read(kmsg, rec, sizeof(rec) - 1)) > 0) {
			rec[n] = '\0';
			text = strchr(rec, ';');
			if (text && !strncmp(text + 1, SAID, strlen(SAID))) {
				printf("# itself: %s", text + 1);
				said = 1;
			}
			if (said && strstr(rec, ASKED)) {
				printf("# itself: %s", rec);
				return 1;
			}
			if (said && text && !strncmp(text + 1, STACK, strlen(STACK)))
				return 0;
		}
	}
	printf("# itself: no '%s...' within %d s\n", said ? STACK : SAID, LIMIT_MS / 1000);
	return 1;
}
