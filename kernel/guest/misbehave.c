// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way for a guest to end other than well, for the tests of the runner:
 * one word says which. What only the kernel can do, /mod/misbehave.ko does.
 */
#include "guest.h"

static const char *const in_kernel[] = {
	"oops", "warn", "lockup", "stall", "hung", "dead", "oob", "abba",
	"leak",
};

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	char line[3000];
	size_t i;
	int err;

	/* The kernel's own alarms, early, and for a stall RCU's alone. */
	put("/proc/sys/kernel/watchdog_thresh", "2");
	if (!strcmp(how, "stall"))
		put("/proc/sys/kernel/watchdog", "0");
	put("/proc/sys/kernel/hung_task_timeout_secs", "4");
	put("/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout", "4");

	for (i = 0; i < sizeof(in_kernel) / sizeof(in_kernel[0]); i++) {
		if (strcmp(how, in_kernel[i]))
			continue;
		snprintf(line, sizeof(line), "how=%s", how);
		err = insmod("/mod/misbehave.ko", line);
		printf("# insmod returned %d\n", err);
		return err == -ECANCELED ? 0 : 1;
	}

	if (!strcmp(how, "good")) {
		printf("ok 1 good\n");
	} else if (!strcmp(how, "exit3")) {
		return 3;
	} else if (!strcmp(how, "signal")) {
		kill(getpid(), SIGKILL);
	} else if (!strcmp(how, "panic")) {
		put("/proc/sysrq-trigger", "c");
	} else if (!strcmp(how, "silent")) {
		poll(NULL, 0, -1);
	} else if (!strcmp(how, "noise")) {
		for (;;) {
			printf("# still here\n");
			msleep(200);
		}
	} else if (!strcmp(how, "reboot")) {
		reboot(LINUX_REBOOT_CMD_RESTART);
	} else if (!strcmp(how, "partial")) {
		/* A status that stops in the middle, and no more after it. */
		put("/dev/kmsg", "kdebug: status nonce=");
		reboot(LINUX_REBOOT_CMD_RESTART);
	} else if (!strcmp(how, "forge")) {
		/* A program cannot speak for init. */
		printf("kdebug: status nonce=0 prog=misbehave exit=0\n");
		printf("kdebug: end nonce=0 progs=1 failed=0\n");
		reboot(LINUX_REBOOT_CMD_RESTART);
	} else if (!strcmp(how, "output")) {
		/* Odd bytes, a line too long for a record, no last newline. */
		write(STDOUT_FILENO, "nul \0 esc \033 cr \r\n", 18);
		memset(line, 'x', sizeof(line) - 1);
		line[sizeof(line) - 1] = '\0';
		printf("%s\nno newline", line);
	} else {
		printf("# misbehave: '%s' is unknown\n", how);
		return 2;
	}
	return 0;
}
