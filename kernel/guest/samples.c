// SPDX-License-Identifier: GPL-2.0-only
/*
 * The series' samples: kthread_stall provokes each report, lets go again, and
 * can be unloaded at any moment; kthread_pattern's threads end in each of the
 * ways that they are to end.
 */
#include "guest.h"

#define STALL		"/sys/kernel/debug/kthread_stall/"
#define TABLE		"/sys/kernel/debug/kthread/requests"
#define STALL_SECS	"/sys/module/kthread_debug/parameters/stall_secs"
#define HUNG_SECS	"/proc/sys/kernel/hung_task_timeout_secs"
#define HUNG_WARNINGS	"/proc/sys/kernel/hung_task_warnings"
#define VERBOSE		"/sys/kernel/debug/kthread/comp_block/verbose"
#define DEVICE		"/dev/kthread_pattern"
#define PATTERN_QUIT	_IO('k', 0x20)
#define PATTERN_DONE	_IO('k', 0x21)

#define LIMIT		60000	/* ms that a state may take to come */
#define ROUNDS		30	/* of unloading in the middle of everything */

static int tests, failures;

static void verdict(int ok, const char *what)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tests, what);
	failures += !ok;
}

/* Sets of the series before the one that brings @file of the sample lack it. */
static int there(const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), STALL "%s", file);
	return !access(path, F_OK);
}

static void skip(const char *what)
{
	printf("ok %d %s # SKIP not in this set\n", ++tests, what);
}

/* Wait for @cond to become true, for LIMIT at most; evaluates to it. */
#define WAIT_FOR(cond) WAIT_UNTIL(cond, LIMIT)

/* What the kernel itself has said since log_begin(), lines behind "\n". */
static char text[256 * 1024];
static size_t text_len;
static int kmsg = -1;

static void log_begin(void)
{
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	lseek(kmsg, 0, SEEK_END);
	text_len = 0;
	text[0] = '\0';
}

static const char *logged(const char *what)
{
	char buf[1200], *line;
	ssize_t n;

	while ((n = read(kmsg, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		line = strchr(buf, ';');
		/* What this prints comes back as a user's record: 8 or more. */
		if (!line || atoi(buf) >= 8 || text_len + n >= sizeof(text))
			continue;
		*line = '\n';
		text_len += strlcpy(text + text_len, line, sizeof(text) - text_len);
	}
	return strstr(text, what);
}

/* Whether there is a line that begins with @begin and has @has in it. */
static int said(const char *begin, const char *has)
{
	const char *at = logged(begin), *end = at ? strchr(at + 1, '\n') : NULL;
	const char *found = at ? strstr(at, has) : NULL;

	return found && end && found < end;
}

/* @begin is in front of this process's or its child's pid. */
static int reported(const char *begin, pid_t pid, const char *has)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%s%d ", begin, pid);
	return said(line, has);
}

/* How many kernel threads there are whose name begins with @name. */
static int threads(const char *name)
{
	struct dirent entry, *e;
	char path[300], comm[64];
	DIR *proc = opendir("/proc");
	int found = 0;

	while (proc && !readdir_r(proc, &entry, &e) && e) {
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		found += slurp(path, comm, sizeof(comm)) > 0 &&
			 !strncmp(comm, name, strlen(name));
	}
	closedir(proc);
	return found;
}

/* How many rows of the table have @what in them. */
static int rows(const char *what)
{
	static char table[64 * 1024];
	int found = 0;
	char *at;

	slurp(TABLE, table, sizeof(table));
	for (at = table; (at = strstr(at, what)); at++)
		found++;
	return found;
}

/* A child that writes @ms into @file of the sample and exits with the errno. */
static pid_t provoke(const char *file, const char *ms)
{
	char path[64];
	pid_t pid;

	snprintf(path, sizeof(path), STALL "%s", file);
	pid = fork();
	if (!pid)
		_exit(-put(path, ms));
	return pid;
}

/* How the child ended: its exit code, or minus the signal. */
static int outcome(pid_t pid)
{
	int status;

	if (pid <= 0 || !WAIT_FOR(waitpid(pid, &status, WNOHANG) == pid))
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int release(void)
{
	return put(STALL "release", "1");
}

/* Nothing in the table, and no thread left. */
static int nothing_left(void)
{
	return WAIT_FOR(!rows("stall-") && !threads("stall-"));
}

static void blocked(const char *file, const char *begin, const char *has,
		    int held, const char *what)
{
	pid_t pid;
	int ok;

	if (!there(file)) {
		skip(what);
		return;
	}
	log_begin();
	pid = provoke(file, "0");
	ok = WAIT_FOR(reported(begin, pid, has));
	ok &= held == reported(begin, pid, ", held by comp_block");
	ok &= !release() && !outcome(pid) && nothing_left();
	verdict(ok, what);
}

static void unwoken(const char *file, int waits, const char *what)
{
	char told[64];
	pid_t pid;
	int ok;

	log_begin();
	pid = provoke(file, "0");
	if (!waits)
		outcome(pid);
	snprintf(told, sizeof(told), " was created for task %d (id=", pid);
	ok = WAIT_FOR(logged(told) && logged(" and has not been woken up yet."));
	ok &= !!logged("\nINFO: task stall-");
	ok &= !release() && (!waits || !outcome(pid)) && nothing_left();
	verdict(ok, what);
}

static void park(void)
{
	const char *what = "park: of one that is gone is warned of";
	int ok;

	if (!there("park")) {
		skip(what);
		return;
	}
	log_begin();
	ok = !outcome(provoke("park", "0"));
	ok &= said("\nkthread_park(\"stall-park\") at stall_park+",
		   ": already stopped at stall_park+");
	verdict(ok && nothing_left(), what);
}

static void in_its_time(void)
{
	int i, claims = there("claim"), ok;
	pid_t pids[3] = {
		provoke("stop", "2000"), provoke("slow", "2000"),
		claims ? provoke("claim", "2000") : 0,
	};

	ok = WAIT_FOR(rows(" claim ") == claims && rows(" stopping ") == 1 &&
		      threads("stall-slow") == 1);
	/* And then without any release. */
	for (i = 0; i < 2 + claims; i++)
		ok &= !outcome(pids[i]);
	verdict(ok && nothing_left(), "what waits for so long ends by itself");
}

static void wrong(void)
{
	int ok = put(STALL "stop", "") == -EINVAL &&
		 put(STALL "stop", "x") == -EINVAL &&
		 (!there("complete") ||
		  put(STALL "complete", "4000000000") == -EINVAL);

	ok &= !put(STALL "unwoken", "0") && put(STALL "unwoken", "0") == -EBUSY;
	verdict(ok && !release() && nothing_left(),
		"what cannot be done is refused");
}

/* Each file of the sample, what is in the table while it waits, and whether it does. */
static struct {
	const char *file, *row;
	int count, returns;
} files[] = {
	{ "claim",	" claim ",	1,	0 },
	{ "complete",	" complete ",	1,	0 },
	{ "exit",	" exit ",	1,	0 },
	{ "stop",	" stopping ",	1,	0 },
	{ "slow",	"",		0,	0 },
	{ "unwoken",	"",		0,	1 },
	{ "fork",	" fork ",	1,	0 },	/* none can be created behind it */
};

#define FILES	((int)(sizeof(files) / sizeof(files[0])))

static int nr_files;	/* so many of them are there */

static void find_files(void)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (!there(files[i].file))
			continue;
		/* Beside the stop of the thread that "exit" holds. */
		if (!strcmp(files[i].file, "stop"))
			files[i].count += there("exit");
		files[nr_files++] = files[i];
	}
}

static void unload_all_blocked(void)
{
	int i, ok = 1, claims = there("claim");
	pid_t pids[FILES];
	char name[32];

	for (i = 0; i < nr_files; i++) {
		pids[i] = provoke(files[i].file, "0");
		snprintf(name, sizeof(name), "stall-%s", files[i].file);
		ok &= files[i].count ?
			WAIT_FOR(rows(files[i].row) == files[i].count) :
			WAIT_FOR(threads(name));
		/* Before it returns, a release makes it fail. */
		if (files[i].returns)
			ok &= !outcome(pids[i]);
	}
	/* The creator of the first abandons it. */
	if (claims) {
		ok &= !kill(pids[0], SIGKILL) && WAIT_FOR(rows(" abandoned ") == 1);
		ok &= outcome(pids[0]) == -SIGKILL;
	}
	ok &= !rmmod("kthread_stall");
	for (i = claims; i < nr_files; i++)
		ok &= files[i].returns || !outcome(pids[i]);
	verdict(ok && nothing_left(),
		"unloaded while a thread waits in each way");
}

static void unload_any_moment(void)
{
	pid_t pids[2 * FILES];
	char path[64];
	int i, ok = 1, busy = 0;

	/* Or the stacks of all who are held take longer than all the rest. */
	put(VERBOSE, "0");
	for (i = 0; i < 2 * nr_files; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		snprintf(path, sizeof(path), STALL "%s", files[i % nr_files].file);
		for (;;) {
			if (put(path, i < nr_files ? "0" : "1"))
				msleep(1);	/* not loaded, or busy */
		}
	}
	for (i = 0; i < ROUNDS && ok; i++) {
		ok = !insmod("/mod/kthread_stall.ko", "");
		/* At a different moment each time; some with threads held. */
		msleep(i % 10 * 10);
		busy += rows("stall-") > 0;
		ok = !rmmod("kthread_stall") && ok;
	}
	for (i = 0; i < 2 * nr_files; i++) {
		kill(pids[i], SIGKILL);
		ok &= outcome(pids[i]) == -SIGKILL;
	}
	printf("# %d of %d times with a thread under way\n", busy, ROUNDS);
	verdict(ok && busy && nothing_left(), "unloaded at any moment");
}

static int pattern_open(void)
{
	return open(DEVICE, O_WRONLY);
}

static int pattern_work(int fd, int n)
{
	return write(fd, "xxxxxxxx", n) == n &&
	       WAIT_FOR(ioctl(fd, PATTERN_DONE, 0) == n);
}

static void pattern(void)
{
	int fd, ok, ready[2];
	pid_t pid;
	char c;

	verdict(!insmod("/mod/kthread_pattern.ko", "") &&
		threads("pattern_tick") == 1, "pattern: loads with its thread");

	log_begin();
	fd = pattern_open();
	ok = fd >= 0 && threads("pattern_file") == 1 && pattern_work(fd, 5);
	close(fd);
	ok &= !!logged("\nkthread_pattern: thread ended, 5 pieces of work done\n");
	verdict(ok && !threads("pattern_file"), "w6_closed: pattern: ends with its file");

	log_begin();
	fd = pattern_open();
	ok = fd >= 0 && pattern_work(fd, 4) && !ioctl(fd, PATTERN_QUIT, 0) &&
	     WAIT_FOR(!threads("pattern_file"));
	/* The thread is gone, and what is done with it is harmless. */
	ok &= write(fd, "x", 1) < 0 && errno == EPIPE;
	ok &= !ioctl(fd, PATTERN_QUIT, 0) && ioctl(fd, PATTERN_DONE, 0) == 4;
	ok &= ioctl(fd, _IO('k', 0x22), 0) < 0 && errno == ENOTTY;
	close(fd);
	ok &= !!logged("\nkthread_pattern: thread ended, 4 pieces of work done\n");
	verdict(ok, "w6_ioctl: pattern: ends by the application's ioctl()");

	log_begin();
	ok = !pipe(ready);
	pid = fork();
	if (!pid) {
		fd = pattern_open();
		if (fd < 0 || !pattern_work(fd, 3) || write(ready[1], "x", 1) != 1)
			_exit(1);
		poll(NULL, 0, -1);
	}
	close(ready[1]);
	ok &= read(ready[0], &c, 1) == 1 && threads("pattern_file") == 1;
	close(ready[0]);
	/* In use, so it cannot go. */
	ok &= rmmod("kthread_pattern") == -EWOULDBLOCK;
	kill(pid, SIGKILL);
	ok &= outcome(pid) == -SIGKILL;
	ok &= WAIT_FOR(logged("\nkthread_pattern: thread ended, 3 pieces of work done\n"));
	verdict(ok && !threads("pattern_file"),
		"w6_killed: pattern: ends when the application is killed");

	verdict(!rmmod("kthread_pattern") && !threads("pattern_"),
		"pattern: unloads with its thread");
}

int main(void)
{
	if (insmod("/mod/kthread_stall.ko", "")) {
		printf("# cannot load kthread_stall.ko\n");
		return 2;
	}
	find_files();
	put(STALL_SECS, "1");
	blocked("fork", "INFO: kthread_create(\"stall-fork\") by samples:",
		" in stage forking", 1, "fork: reported and released");
	blocked("claim", "INFO: kthread_create(\"stall-claim\") by samples:",
		" in stage starting", 1, "claim: reported and released");
	blocked("complete", "INFO: kthread_create(\"stall-complete\") by samples:",
		" in stage completing", 1, "complete: reported and released");
	blocked("exit", "INFO: kthread_stop(\"stall-exit\") by samples:",
		" blocked for ", 1, "exit: reported and released");
	blocked("stop", "INFO: kthread_stop(\"stall-stop\") by samples:",
		" blocked for ", 0, "s2_deaf_thread: stop: reported and released");
	put(STALL_SECS, "120");

	put(HUNG_WARNINGS, "-1");
	put(HUNG_SECS, "2");
	unwoken("slow", 1, "slow: khungtaskd tells that it has not been woken up");
	unwoken("unwoken", 0, "unwoken: khungtaskd tells the same");
	put(HUNG_SECS, "120");

	park();
	in_its_time();
	wrong();
	unload_all_blocked();
	unload_any_moment();
	pattern();
	printf("1..%d\n", tests);
	return failures > 0;
}
