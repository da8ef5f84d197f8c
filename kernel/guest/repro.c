// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiment and its control, each with a verdict (rows E1 to E4):
 *
 *	repro[:delay_ms[:leave]]
 *	repro:delay_ms:control:DRIVER, repro:delay_ms:blocked:DRIVER
 *
 * delay_ms is the time from loading the module to the timer that wakes
 * kill_task; 20000 as published, 1000 when not given. With "leave" it ends with
 * the creation still blocked: the reboot has to release it. With DRIVER it is
 * that driver of the kernel's own that has made kill_task, in its probe (row
 * E5), and this boot sees one of the two runs.
 */
#include "guest.h"

#define TABLE	"/sys/kernel/debug/kthread/requests"
#define RELEASE	"/sys/kernel/debug/kthread/comp_block/release"
#define LIMIT	60000	/* ms that a state may take to come, beyond delay_ms */

static const char *delay = "1000";
static const char *driver;	/* built into the kernel; NULL: the module */
static long long limit_ms;
static int verdicts, failures;

static void verdict(int ok, const char *what, const char *in_probe)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++verdicts,
	       driver ? in_probe : what);
	failures += !ok;
}

/* The kernel's log from a moment on, and which lines were in it. */
struct log {
	int fd;
	int woken, before, after, early, ran, marked;
};

static void log_open(struct log *log)
{
	memset(log, 0, sizeof(*log));
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	/* A probe may have been long before. */
	if (!driver)
		lseek(log->fd, 0, SEEK_END);
}

/* Is the record @buf what the driver has said, @text? */
static int says(const char *buf, const char *text)
{
	char line[64];

	snprintf(line, sizeof(line), ";%s: %s", driver ? driver : "kill_task",
		 text);
	return !!strstr(buf, line);
}

static void log_read(struct log *log)
{
	char buf[1200];
	ssize_t n;

	while ((n = read(log->fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		/* A timer that is not in softirq says more on that line. */
		log->woken += says(buf, "timer wakes kill_task\n");
		log->before += says(buf, "before create thread");
		log->after += says(buf, "after create thread");
		log->early += log->after > log->before;
		log->ran += says(buf, "test thread runs");
		log->marked += !!strstr(buf, "# run released");
	}
}

/* The row of test_task in the table, as words; 0 if there is none. */
struct row {
	char text[4096];
	char *id, *age_ms, *stage, *hold, *by_pid, *by_comm, *pid, *threadfn;
};

static int row_read(struct row *row)
{
	char *line, *next, *word[10];
	int n;

	if (slurp(TABLE, row->text, sizeof(row->text)) < 0)
		return 0;
	for (line = row->text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		for (n = 0; n < 10 && line; n++) {
			word[n] = line;
			line = strchr(line, ' ');
			if (line)
				*line++ = '\0';
		}
		if (n < 10 || strcmp(word[9], "test_task"))
			continue;
		row->id = word[0];
		row->age_ms = word[1];
		row->stage = word[2];
		row->hold = word[3];
		row->by_pid = word[5];
		row->by_comm = word[6];
		row->pid = word[7];
		row->threadfn = word[8];
		return 1;
	}
	return 0;
}

static int held(struct row *row)
{
	return row_read(row) && !strcmp(row->hold, "complete");
}

static int alive(const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	return access(path, F_OK) == 0;
}

/*
 * Whether sysrq-w shows it. Its row is in the table before a creator sleeps, and
 * between the two it may be preempted.
 */
static int asleep(const char *pid)
{
	return *task_status(atoi(pid), "\nState:\t") == 'D';
}

/* A signal is pending, says that line of its status. */
static int pending(const char *pid, const char *key)
{
	return strtoll(task_status(atoi(pid), key), NULL, 16) != 0;
}

/* Print a line of a stack as a comment; returns whether @fn is in it. */
static int frame(const char *what, const char *line, const char *fn)
{
	while (*line == ' ')
		line++;
	printf("# stack %s %s\n", what, line);
	return !!strstr(line, fn);
}

/*
 * The stack of @pid from /proc, which leaves the scheduler's functions out. On
 * 32-bit Arm with more than one CPU it is empty for any other task.
 */
static int stack_proc(const char *what, const char *pid, const char *fn)
{
	char path[64], buf[4096], *line, *next;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%s/stack", pid);
	slurp(path, buf, sizeof(buf));
	for (line = buf; *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		found |= frame(what, line, fn);
	}
	return found;
}

/* The stack of task @comm from what sysrq-@key prints: w for who is blocked. */
static int stack_sysrq(const char *key, const char *what, const char *comm,
		       const char *fn)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	int found = 0, mine = 0;
	char buf[1200], head[64], *text, *end;
	ssize_t n;

	snprintf(head, sizeof(head), ";task:%s ", comm);
	lseek(fd, 0, SEEK_END);
	put("/proc/sysrq-trigger", key);
	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		text = strchr(buf, ';');
		/* What this prints comes back as a user's record: 8 or more. */
		if (!text || atoi(buf) >= 8)
			continue;
		if (!strncmp(text, ";task:", 6))
			mine = !strncmp(text, head, strlen(head));
		end = strchr(text, '\n');
		if (end)
			*end = '\0';
		/* "? " marks what only happens to lie on the stack. */
		if (mine && strstr(text, "+0x") && !strstr(text, "? "))
			found |= frame(what, text + 1, fn);
	}
	close(fd);
	return found;
}

/* Wait for @cond to become true, for limit_ms at most; evaluates to it. */
#define WAIT_FOR(cond) WAIT_UNTIL(cond, limit_ms)

/* How many tasks there are; workers come and go as the kernel needs them. */
static int tasks(void)
{
	char path[64], comm[64];
	int pid, found = 0;

	for (pid = 1; pid < 4096; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		found += slurp(path, comm, sizeof(comm)) > 0 &&
			 strncmp(comm, "kworker", 7);
	}
	return found;
}

/* Returns whether the driver is there. */
static int load(int block)
{
	char params[64];
	int err;

	if (driver)
		return 1;
	snprintf(params, sizeof(params), "block=%d delay_ms=%s", block, delay);
	err = insmod("/mod/kill_task.ko", params);
	if (err)
		printf("# cannot load kill_task.ko: error %d\n", -err);
	return !err;
}

static int unload(void)
{
	return driver || !rmmod("kill_task");
}

static void control(void)
{
	struct log log;
	int ok;

	printf("# run control\n");
	log_open(&log);
	ok = load(0) && WAIT_FOR((log_read(&log), log.ran));
	ok = ok && log.woken == 1 && log.before == 1 && log.after == 1;
	ok = ok && !log.early && log.ran == 1;
	ok = unload() && ok;
	close(log.fd);
	verdict(ok, "E2 control: both lines appear",
		"e5_control_in_the_probe: both lines appear");
}

static void blocked(void)
{
	char creator[16] = "", thread[16] = "";
	int ok, loaded, tasks_before = tasks();
	long long age, slept;
	struct row row;
	struct log log;

	printf("# run blocked\n");
	log_open(&log);
	loaded = load(1);
	ok = loaded && WAIT_FOR(held(&row));
	if (ok) {
		strlcpy(creator, row.by_pid, sizeof(creator));
		strlcpy(thread, row.pid, sizeof(thread));
		printf("# row id=%s stage=%s hold=%s creator=%s[%s] thread=test_task[%s]\n",
		       row.id, row.stage, row.hold, row.by_comm, creator,
		       thread);
		ok &= WAIT_FOR(asleep(creator));
		ok &= stack_sysrq("w", "creator", "kill_task",
				  "wait_for_completion");
		ok &= stack_proc("thread", thread, "__kthread_debug_hold") ||
		      stack_sysrq("t", "thread", "test_task",
				  "__kthread_debug_hold");
		ok &= !strcmp(row.stage, "completing");
		ok &= !strcmp(row.by_comm, "kill_task");
		ok &= driver || !strcmp(row.threadfn, "test_thread[kill_task]");
	}
	log_read(&log);
	verdict(ok && log.woken == 1 && log.before == 1 && !log.after,
		"E1 blocked: \"before create thread\" and nothing more",
		"e5_blocked_in_the_probe: \"before create thread\" and nothing more");

	/*
	 * Waiting cannot tell a creator that is never answered from a slow one.
	 * But a second of the request's own age after the signal it waits in the
	 * same place, with nothing pending.
	 */
	slept = atol(task_status(atoi(creator), "\nvoluntary_ctxt_switches:\t"));
	ok = ok && !kill(atoi(creator), SIGKILL) && held(&row);
	if (ok) {
		age = atol(row.age_ms);
		ok = !pending(creator, "\nSigPnd:\t");
		ok = ok && !pending(creator, "\nShdPnd:\t");
		ok = ok && WAIT_FOR(!held(&row) || atol(row.age_ms) > age + 1000);
		/* It has not even woken up. */
		ok = ok && atol(task_status(atoi(creator), "\nvoluntary_ctxt_switches:\t")) == slept;
		ok = ok && held(&row) && !strcmp(row.by_pid, creator);
		ok = ok && stack_sysrq("w", "killed", "kill_task",
				       "wait_for_completion");
	}
	log_read(&log);
	verdict(ok && alive(creator) && !log.after,
		"E3 blocked: SIGKILL does not get rid of kill_task",
		"e5_killed_in_the_probe: SIGKILL does not get rid of kill_task");

	/* Init writes the mark into the log, and the release must come after it. */
	printf("# run released\n");
	ok = ok && WAIT_FOR((log_read(&log), log.marked));
	ok = ok && held(&row) && !put(RELEASE, row.id);
	ok = ok && WAIT_FOR((log_read(&log), log.after && log.ran));
	ok = ok && WAIT_FOR(!alive(creator) && !alive(thread));
	ok = ok && !row_read(&row);
	/* Unloading releases, too: no failure above may hang this run. */
	ok = loaded && unload() && ok;
	/* A driver's kill_task was there before. */
	ok = ok && (driver || WAIT_FOR(tasks() == tasks_before));
	close(log.fd);
	verdict(ok, "E4 released: both threads finish, nothing is left",
		"e5_released_in_the_probe: both threads finish");
}

int main(int argc, char **argv)
{
	int one;

	if (argc > 1)
		delay = argv[1];
	limit_ms = LIMIT + atol(delay);
	if (argc > 2 && !strcmp(argv[2], "leave")) {
		struct row row;

		return !load(1) || !WAIT_FOR(held(&row));
	}
	if (argc > 3)
		driver = argv[3];
	one = driver && !strcmp(argv[2], "control");
	printf("TAP version 13\n1..%d\n", !driver ? 4 : one ? 1 : 3);
	if (!driver || one)
		control();
	if (!one)
		blocked();
	return failures > 0;
}
