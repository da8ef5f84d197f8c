// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a trace instance of the command line has recorded since the first thread:
 * each kernel thread but kthreadd behind "# thread PID ", and each line of the
 * trace behind "# trace ".
 *
 *	boottrace:NAME		with trace_instance=NAME,kthread
 */
#include "guest.h"

#define PF_KTHREAD	0x00200000	/* include/linux/sched.h */
#define KTHREADD	2

static int fd, tap;

static void ok(int good, const char *what)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++tap, what);
}

/* Does /proc/PID/stat have the flag of a kernel thread? */
static int is_kthread(pid_t pid)
{
	char path[64], buf[1024], *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	slurp(path, buf, sizeof(buf));
	/* The name may hold anything; behind its end flags is the seventh field. */
	p = strrchr(buf, ')');
	for (field = 0; p && field < 7; field++)
		p = strchr(p + 1, ' ');
	return p && (strtoul(p, NULL, 10) & PF_KTHREAD);
}

/* Before the trace is read, so that it has each of them. */
static int print_threads(void)
{
	struct dirent entry, *e;
	DIR *d = opendir("/proc");
	char path[64], name[256];
	int threads = 0;
	pid_t pid;

	while (d && !readdir_r(d, &entry, &e) && e) {
		pid = atoi(entry.d_name);
		if (pid <= 0 || pid == KTHREADD || !is_kthread(pid))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		slurp(path, name, sizeof(name));
		/* Gone, or so new that it has not run and has no name of its own. */
		if (!*name || !strcmp(name, "kthreadd\n"))
			continue;
		printf("# thread %d %s", pid, name);
		threads++;
	}
	if (d)
		closedir(d);
	return threads;
}

static int print_trace(void)
{
	static char buf[1 << 16];
	size_t len = 0, events = 0;
	char *line, *end;
	ssize_t n;

	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			printf("# trace %s\n", line);
			events += *line != '#' && *line;
		}
		len -= line - buf;
		memmove(buf, line, len);
	}
	return events;
}

int main(int argc, char **argv)
{
	int threads, events = 0;
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/tracing/instances/%s/trace",
		 argc > 1 ? argv[1] : "boot");
	threads = print_threads();
	fd = open(path, O_RDONLY);
	if (fd < 0)
		printf("# %s: error %d\n", path, errno);
	else
		events = print_trace();
	printf("TAP version 13\n1..2\n");
	ok(threads > 0, "boottrace: there are kernel threads");
	ok(events > 0, "boottrace: their creations were traced");
	return !threads || !events;
}
