// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load a module with one kernel thread's creation failing, see what is left, and
 * do so for the next:
 *
 *	faileach:N	from the Nth creation on
 *
 * What to load is in /etc/faileach: file, module name, errno to inject, limit in
 * seconds, parameters, each on a line. It ends behind the first trouble, as
 * what follows would not mean anything, or when no Nth creation is reached.
 *
 * Which creations there are is told by the kernel: the trace events go to the
 * console (tp_printk). What this program has to say goes there as well, and not
 * by way of init: so all is in order, and nothing is lost in an oops.
 *
 * The Nth is counted by the fault attribute "space", which each creation of the
 * task makes smaller by one. interval would not do, as nothing sets back what
 * it counts; nor would fail-nth, which is one for all capabilities: failslab
 * would have its share.
 */
#include "guest.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL(file)	DEBUGFS "kthread/fail_create/" file
#define TABLE		DEBUGFS "kthread/requests"
#define KMEMLEAK	DEBUGFS "kmemleak"
#define EVENTS		"/sys/kernel/tracing/events/kthread/"
#define STALL_SECS	"/sys/module/kthread_debug/parameters/stall_secs"

#define SETTLE_MS	3000	/* for what goes away behind the unloading */
#define SHOWN		8	/* of what is left */

static char config[4096], *file, *name, *fail_errno, *params = "";
static int limit_ms;
static int n;			/* which creation this is about, 0: none */
static int nth;			/* the one that fails now, 0: none */
static int bad;			/* troubles so far */

static __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	char buf[900] = "faileach: ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf + 10, sizeof(buf) - 11, fmt, args);
	va_end(args);
	strlcat(buf, "\n", sizeof(buf));
	put("/dev/kmsg", buf);
}

#define trouble(fmt, ...) do {						\
	bad++;								\
	say("bad n=%d " fmt, n, ##__VA_ARGS__);				\
} while (0)

/* --- what there is, to be compared with what there was --- */

/* Lines, each behind a newline and in front of one. */
struct list {
	size_t len;
	char text[256 * 1024];
};

static struct list before, after;

static __attribute__((format(printf, 2, 3))) void add(struct list *list,
						      const char *fmt, ...)
{
	size_t room = sizeof(list->text) - list->len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(list->text + list->len, room, fmt, args);
	va_end(args);
	/* A line that does not fit is left out, from both lists alike. */
	if (len > 0 && (size_t)len < room)
		list->len += len;
	list->text[list->len] = '\0';
}

/* The entries of @dir, and of its directories, @depth levels deep. */
static void add_dir(struct list *list, const char *dir, int depth)
{
	struct dirent entry, *e;
	char path[600];
	DIR *d = opendir(dir);

	while (d && !readdir_r(d, &entry, &e) && e) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "tracing"))
			continue;
		/* Processes, in /proc; numbers elsewhere are somebody's. */
		if (!strcmp(dir, "/proc") && atoi(e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		add(list, "%s\n", path);
		if (depth > 1)
			add_dir(list, path, depth - 1);
	}
	if (d)
		closedir(d);
}

/* Kernel threads, but not the workers that come and go as they are needed. */
static void add_threads(struct list *list)
{
	char path[300], stat[600], comm[64], *end;
	struct dirent entry, *e;
	DIR *d = opendir("/proc");

	while (d && !readdir_r(d, &entry, &e) && e) {
		if (!atoi(e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		if (slurp(path, stat, sizeof(stat)) < 0)
			continue;
		/* "pid (comm) state ppid", with anything in comm. */
		end = strrchr(stat, ')');
		if (!end || atoi(end + 4) != 2)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		if (slurp(path, comm, sizeof(comm)) <= 0)
			continue;
		comm[strlen(comm) - 1] = '\0';	/* the newline */
		/* kworker/R- is a workqueue's rescuer, which its owner made. */
		if (!strncmp(comm, "kworker/", 8) && comm[8] != 'R')
			continue;
		add(list, "thread %s[%s]\n", comm, e->d_name);
	}
	if (d)
		closedir(d);
}

static void add_requests(struct list *list)
{
	static char table[64 * 1024];
	char *line, *next;

	slurp(TABLE, table, sizeof(table));
	for (line = table; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		if (*line != '#')
			add(list, "request %s\n", line);
	}
}

static void look(struct list *list)
{
	list->len = 0;
	add(list, "\n");
	add_threads(list);
	add_requests(list);
	add_dir(list, "/dev", 2);
	add_dir(list, "/proc", 2);
	add_dir(list, "/sys/module", 1);
	add_dir(list, "/sys/class", 2);
	add_dir(list, "/sys/bus", 3);
	add_dir(list, "/sys/kernel/debug", 3);
}

/* Lines that are new; with @tell, each is said. */
static int left_behind(int tell)
{
	char *line, *next, known[700];
	int found = 0;

	look(&after);
	for (line = after.text + 1; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		snprintf(known, sizeof(known), "\n%s\n", line);
		if (!strstr(before.text, known)) {
			if (tell && found < SHOWN)
				trouble("leak %s", line);
			found++;
		}
	}
	if (tell && found > SHOWN)
		trouble("leak %d more", found - SHOWN);
	return found;
}

/* --- steps that may not return --- */

/* The file @path, line by line, with the stack's "[<0>] " left out. */
static void say_lines(const char *what, const char *path)
{
	static char buf[16 * 1024];
	char *line, *next;

	slurp(path, buf, sizeof(buf));
	for (line = buf; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		say("%s %s", what, strncmp(line, "[<0>] ", 6) ? line : line + 6);
	}
}

static int load(void)
{
	/* For the task filter: only what this task creates is to fail. */
	int err = put("/proc/self/make-it-fail", "1");

	say("load n=%d nth=%d pid=%d", n, nth, getpid());
	return err ?: insmod(file, params);
}

static int unload(void)
{
	return rmmod(name);
}

/*
 * @step in a child, for limit_ms at most. Returns what it returns, or 1 if that
 * will never be known.
 */
static int in_child(const char *what, int (*step)(void))
{
	int pipefd[2], err = 1, status = 0;
	char path[64];
	struct pollfd fd;
	pid_t pid;

	if (pipe(pipefd))
		return -errno;
	pid = fork();
	if (!pid) {
		err = step();
		write(pipefd[1], &err, sizeof(err));
		_exit(0);
	}
	close(pipefd[1]);
	fd = (struct pollfd){ .fd = pipefd[0], .events = POLLIN };
	if (poll(&fd, 1, limit_ms) <= 0) {
		snprintf(path, sizeof(path), "/proc/%d/stack", pid);
		trouble("hang %s", what);
		say_lines("stack", path);
	} else {
		/* Nothing to read where it was killed, as by an oops. */
		if (read(pipefd[0], &err, sizeof(err)) != sizeof(err))
			trouble("died %s", what);
		waitpid(pid, &status, 0);
	}
	close(pipefd[0]);
	return err;
}

static void put_or_die(const char *path, const char *text)
{
	int err = put(path, text);

	if (err) {
		say("cannot write '%s' to %s: error %d", text, path, -err);
		exit(2);
	}
}

static void number(const char *path, int value)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%d", value);
	put_or_die(path, buf);
}

/* In this order: at first it is not armed, and in the end it is. */
static void arm(void)
{
	put_or_die(FAIL("probability"), "0");
	put_or_die(FAIL("errno"), fail_errno);
	put_or_die(FAIL("task-filter"), "Y");
	put_or_die(FAIL("verbose"), "0");
	put_or_die(FAIL("interval"), "1");
	put_or_die(FAIL("times"), "1");
	number(FAIL("space"), nth);
	if (nth)
		put_or_die(FAIL("probability"), "100");
}

static int reached(void)
{
	char times[16];

	put_or_die(FAIL("probability"), "0");
	return slurp(FAIL("times"), times, sizeof(times)) > 0 &&
	       !atoi(times);
}

static void unload_for_good(void)
{
	long long end = now_ms() + limit_ms;
	char path[128], users[16];
	int err;

	/* Who uses it may go in a moment. */
	do {
		err = in_child("exit", unload);
	} while (err == -EWOULDBLOCK && now_ms() < end && !msleep(100));
	if (err == -EWOULDBLOCK) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
		slurp(path, users, sizeof(users));
		trouble("leak module stays in use, refcnt %d", atoi(users));
	} else if (err < 0) {
		trouble("unload errno=%d", err);
	}
}

static void lost_memory(void)
{
	if (access(KMEMLEAK, F_OK))
		return;
	/* Not what is younger than 5 s, and not at the first sight. */
	put(KMEMLEAK, "scan");
	msleep(6000);
	put(KMEMLEAK, "scan");
	say_lines("memory", KMEMLEAK);
	put(KMEMLEAK, "clear");
}

/* Returns whether there was a creation that failed. */
static int attempt(int fail)
{
	long long end;
	int err, hit;

	nth = fail;
	look(&before);
	arm();
	put_or_die(EVENTS "kthread_create_queue/enable", "1");
	put_or_die(EVENTS "kthread_create_return/enable", "1");
	err = in_child("init", load);
	put_or_die(EVENTS "kthread_create_queue/enable", "0");
	put_or_die(EVENTS "kthread_create_return/enable", "0");
	hit = reached();
	if (bad)	/* what is going on there is not known */
		return hit;
	say("init n=%d errno=%d", n, err);
	if (!err)
		unload_for_good();
	else if (!hit)
		trouble("load errno=%d", err);
	if (bad)
		return hit;
	end = now_ms() + SETTLE_MS;
	while (left_behind(0) && now_ms() < end)
		msleep(20);
	left_behind(1);
	if (hit && !bad)
		lost_memory();
	return hit;
}

static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end) {
		say("bad /etc/faileach");
		exit(2);
	}
	*end = '\0';
	*at = end + 1;
	return line;
}

int main(int argc, char **argv)
{
	int first = argc > 1 ? atoi(argv[1]) : 1;
	char *at = config;

	slurp("/etc/faileach", config, sizeof(config));
	file = next_line(&at);
	name = next_line(&at);
	fail_errno = next_line(&at);
	limit_ms = atoi(next_line(&at)) * 1000;
	params = next_line(&at);

	/* So that who waits for whom is told before the limit is over. */
	number(STALL_SECS, limit_ms / 2000 ?: 1);

	/* Where it does not load and go as it is, no failure means anything. */
	attempt(0);
	for (n = first; !bad; n++) {
		if (!attempt(n)) {
			if (!bad)
				say("end n=%d", n);
			break;
		}
		/* Something that it needs may be taken now. */
		if (!bad)
			attempt(0);
		if (!bad)
			say("done n=%d", n);
	}
	return bad > 0;
}
