// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a scenario again and again, each time with another fault in the creation,
 * the start or the end of a kernel thread, and tell what comes of it.
 *
 *	/scenario	a script with setup, action, again and teardown
 *	/etc/explore	the limit of a step in seconds, whether the loopback device
 *			is wanted, whether the first may begin cold, and the
 *			trials, a line each, in tabs:
 *			number, fault, its argument, space, name, creator
 *
 * A virtio disk with the serial "root" is the steps' root file system, one with
 * "modules" is /lib/modules, and disk1, disk2 ... are the scenario's own.
 *
 * It ends behind the first trial that leaves anything behind, as what follows
 * would not mean anything. Which creations there are is told by the kernel: the
 * trace events go to the console (tp_printk), and what this program says goes
 * there as well, so that nothing is lost in an oops.
 */
#include "explore.h"
#include "explore_disk.h"
#include "explore_leak.h"
#include "explore_look.h"
#include "explore_step.h"

#define BLOCK		KNOBS "comp_block/"
#define FAIL		KNOBS "fail_create/"
#define TRACING		"/sys/kernel/tracing/"

/* Bits of /proc/sys/kernel/tainted: bad page, die, warn, soft lockup. */
#define DIED		(1 << 7)
#define TAINTS		(1 << 5 | DIED | 1 << 9 | 1 << 14)

static struct {
	const char *fault, *arg, *space, *name, *creator;
} trial;

static unsigned long tainted;	/* before the trial */
static int reported;		/* has the log had a report since? */
static int left;		/* things of it, so far */
static int net;			/* is the loopback device wanted? */
static int begin_cold;		/* may the first trial be the first use? */
static int cold = 1;		/* nothing was used so far */
static char modules[64 * 1024];	/* those that were loaded before the trial */

static int is(const char *fault)
{
	return !strcmp(trial.fault, fault);
}

/* The kernel's log from the trial's beginning on. */
static int kmsg;

/*
 * Whether the kernel has reported anything since the trial began: by its taints,
 * and by its log, as lockdep leaves no taint and finds nothing more.
 */
static int splat(void)
{
	static const char *const heads[] = {
		"WARNING: ", "BUG: ", "INFO: ", "rcu: INFO: ", "DEBUG_LOCKS_",
		"UBSAN: ", "Oops", NULL
	};
	char buf[8192], *text;
	ssize_t len;
	int i;

	slurp("/proc/sys/kernel/tainted", buf, sizeof(buf));
	if ((strtoul(buf, NULL, 10) & TAINTS) != tainted)
		return 1;
	/* A record a read: "level,number,time,flags;text" */
	while ((len = read(kmsg, buf, sizeof(buf) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		buf[len] = '\0';
		text = strchr(buf, ';');
		for (i = 0; text && heads[i]; i++)
			if (!strncmp(text + 1, heads[i], strlen(heads[i])))
				reported = 1;
	}
	return reported;
}

/* Whether a task has died in the kernel: what it held, it holds for ever. */
static int oops(void)
{
	char buf[32];

	slurp("/proc/sys/kernel/tainted", buf, sizeof(buf));
	return !!(strtoul(buf, NULL, 10) & DIED & ~tainted);
}

/* From here on. */
static void forget_splats(void)
{
	char buf[32];

	lseek(kmsg, 0, SEEK_END);
	reported = 0;
	slurp("/proc/sys/kernel/tainted", buf, sizeof(buf));
	tainted = strtoul(buf, NULL, 10) & TAINTS;
}

/* --- the knobs --- */

static void arm(void)
{
	int fails = is("fail");
	const char *dir = fails ? FAIL : BLOCK;
	char path[128];
	struct {
		const char *file, *value;
	} v[] = {
		{ "probability", "0" },
		{ fails ? "errno" : "point", is("stop") ? "run" :
		  is("slow") ? "complete" : is("slow-exit") ? "exit" : trial.arg },
		{ "task-filter", "N" },
		{ "verbose", "2" },
		{ "interval", "1" },
		{ "times", "1" },
		{ "space", trial.space },
		{ "name", trial.name },
		{ "creator", trial.creator },
		{ "hold_ms", !strncmp(trial.fault, "slow", 4) ? trial.arg : "0" },
		{ "probability", "100" },	/* last */
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(*v); i++) {
		if (fails && !strcmp(v[i].file, "hold_ms"))
			continue;
		snprintf(path, sizeof(path), "%s%s", dir, v[i].file);
		/* One write is one value, and an empty one is a newline. */
		put_or_die(path, *v[i].value ? v[i].value : "\n");
	}
}

static void disarm(void)
{
	put_or_die(FAIL "probability", "0");
	put_or_die(BLOCK "probability", "0");
}

static int hits(void)
{
	char buf[64];

	slurp(is("fail") ? FAIL "hits" : BLOCK "hits", buf, sizeof(buf));
	return atoi(buf);
}

static int held(void)
{
	char buf[32];

	slurp(BLOCK "held", buf, sizeof(buf));
	return atoi(buf);
}

static void release(void)
{
	put_or_die(BLOCK "release", "all");
}

/* --- while a step runs: who is held --- */

/* What the table says of a creation. */
struct row {
	char id[24], hold[16], flags[32], pid[16], comm[80];
};

/* The row of the creation that is held, or that has this @id. */
static int find_row(const char *id, struct row *row)
{
	static char table[64 * 1024];
	char *at = table, *line, *word[7];
	int i;

	slurp(TABLE, table, sizeof(table));
	while ((line = next_line(&at))) {
		for (i = 0; i < 7; i++)
			word[i] = next_word(&line);
		if (*word[0] == '#' ||
		    (id ? strcmp(word[0], id) : *word[3] == '-'))
			continue;
		strlcpy(row->id, word[0], sizeof(row->id));
		strlcpy(row->hold, word[3], sizeof(row->hold));
		strlcpy(row->flags, word[4], sizeof(row->flags));
		strlcpy(row->pid, word[5], sizeof(row->pid));
		strlcpy(row->comm, word[6], sizeof(row->comm));
		return 1;
	}
	return 0;
}

static int killed;

static void attend_kill(int ms)
{
	long long end = now_ms() + limit_ms / 3;
	struct row row, now;
	char comm[64];

	(void)ms;
	if (killed || !held() || !find_row(NULL, &row))
		return;
	killed = 1;
	if (is_kthread(row.pid, comm, sizeof(comm), NULL) == 1) {
		say("notkillable n=%d pid=%s comm=%s", n, row.pid, row.comm);
		release();
		return;
	}
	kill(atoi(row.pid), SIGKILL);
	say("killed n=%d pid=%s comm=%s", n, row.pid, row.comm);
	/* It has gone on when its request is abandoned, or is not there. */
	while (find_row(row.id, &now) && *now.flags == '-' && now_ms() < end)
		msleep(10);
	if (find_row(row.id, &now) && *now.flags == '-')
		say("note n=%d the killed creator does not go on", n);
	release();
}

/* A step that waits for its thread to run is no hang: nobody is starved so long. */
static void attend_stop(int ms)
{
	static int last;

	if (ms < last)
		last = 0;
	if (ms - last < limit_ms / 3 || !held())
		return;
	last = ms;
	say("released n=%d step=%s waits for the thread", n, step);
	release();
	helped = now_ms();
}

/* --- a round --- */

static void events(const char *on)
{
	static const char *const names[] = {
		"create_queue", "create_return", "hold", "release", "run",
		"skip", "exit", NULL
	};
	char path[128];
	int i;

	for (i = 0; names[i]; i++) {
		snprintf(path, sizeof(path), TRACING "events/kthread/kthread_%s/enable",
			 names[i]);
		put_or_die(path, on);
	}
}

/*
 * The creators' names and kinds, which the events do not have: a line of the trace
 * is "comm-pid [cpu] flags time: kthread_create_queue: id=..."
 */
static void say_created(void)
{
	static char trace[1024 * 1024];
	char *at = trace, *line, *event, *pid, *end, *mark, comm[64];
	char key[32];
	int kthread;

	slurp(TRACING "trace", trace, sizeof(trace));
	while ((line = next_line(&at))) {
		event = strstr(line, " kthread_create_queue: id=");
		pid = event ? strstr(event, " creator=") : NULL;
		if (!pid)
			continue;
		pid += 9;
		event[0] = '\0';
		snprintf(key, sizeof(key), "-%d ", atoi(pid));
		while (*line == ' ')
			line++;
		for (end = NULL, mark = line; (mark = strstr(mark, key)); mark++)
			if (!end)
				end = mark;
		if (!end)
			continue;
		*end = '\0';
		kthread = is_kthread(pid, comm, sizeof(comm), NULL);
		if (kthread < 0)
			kthread = !strncmp(line, "kworker/", 8);
		say("created n=%d kthread=%d comm=%s|%s", n, kthread, line,
		    event + 23);
	}
}

static void unload(const char *what)
{
	static char now[64 * 1024];
	char *at, *line, *name, entry[80];
	int progress, users;

	(void)what;
	do {
		progress = 0;
		slurp("/proc/modules", now, sizeof(now));
		for (at = now; (line = next_line(&at)); ) {
			name = next_word(&line);
			next_word(&line);
			users = atoi(next_word(&line));
			snprintf(entry, sizeof(entry), "\n%s ", name);
			if (!users && !strstr(modules, entry) && !rmmod(name))
				progress++;
		}
	} while (progress);
}

/* What the scenario has loaded, or its tools have, as far as it can be. */
static int unload_new(int round)
{
	int status = in_child("unload", unload, NULL);

	if (status)
		say("step n=%d round=%d what=unload status=%s", n, round,
		    status == HANG ? "hang" : "died");
	return status;
}

/* A module may have had a user for a while yet. */
static void unload_late(void)
{
	unload_new(1);
}

/*
 * Setup to teardown, with the fault if @armed; then nothing new may be there, but
 * for round 0. Returns whether the guest can go on.
 */
static int round_of(int nr, int armed)
{
	int setup, action = 1, again = 0, teardown, before = hits();
	attend_fn attend = !armed ? NULL : is("kill") ? attend_kill :
			   is("fail") ? NULL : attend_stop;

	mkdir(tmp_dir(), 0755);
	mount_on("tmpfs", tmp_dir(), "tmpfs", 0, NULL);
	clear_disks();
	setup = run_step("setup", nr, NULL);
	if (setup == HANG)
		return 0;
	if (!setup) {
		/* The truncation empties the trace. */
		close(open(TRACING "trace", O_WRONLY | O_TRUNC));
		if (armed)
			arm();
		events("1");
		killed = 0;
		action = run_step("action", nr, attend);
		disarm();
		events("0");
		if (is("control") && nr == 1)
			say_created();
		if (action == HANG) {
			release();
			return 0;
		}
		if (oops())
			return 0;
		/* The stop has to come first. */
		if (!action && !(armed && is("stop")))
			again = run_step("again", nr, attend);
		if (again == HANG) {
			release();
			return 0;
		}
	}
	teardown = run_step("teardown", nr, attend);
	if (armed)
		say("hits n=%d count=%d", n, hits() - before);
	release();
	if (teardown == HANG)
		return 0;
	if (setup || again || (!action && teardown) || (action && !armed))
		bad++;
	if (umount2(tmp_dir(), MNT_DETACH))
		say("note n=%d cannot unmount %s: error %d", n, tmp_dir(), errno);
	if (unload_new(nr) == HANG)
		return 0;
	/* Behind a splat it is clear what is left, and why. */
	if (nr)
		left += settle(splat() || left ? 0 : limit_ms, unload_late);
	reap();
	return 1;
}

/*
 * Sets @goes_on to whether the guest is of any more use. Returns whether all is clean,
 * but for leaks.
 */
static int attempt(int *goes_on)
{
	static int looked;	/* and found that nothing is new */

	bad = left = 0;
	forget_splats();
	leaks_begin();
	say("trial n=%d fault=%s arg=%s space=%s creator=%s|name=%s", n,
	    trial.fault, trial.arg, trial.space, trial.creator, trial.name);
	if (cold)
		say("cold n=%d", n);
	cold = 0;
	slurp("/proc/modules", modules + 1, sizeof(modules) - 1);
	remember(looked);
	*goes_on = round_of(1, !is("control"));
	/* The control has to tell what is left each time, and what only once. */
	if (*goes_on && (!bad || is("control")) && !splat())
		*goes_on = round_of(2, 0);
	if (splat())
		bad++;
	leaks_end();
	looked = !bad && *goes_on;
	say("done n=%d clean=%d", n, looked);
	return looked;
}

/*
 * What is made at the first use and stays, as a device of loop, must not be taken
 * for what a fault leaves: so where there is such a thing the control alone begins
 * in a guest that is cold.
 */
static void warm_up(void)
{
	cold = 0;
	say("warm-up");
	slurp("/proc/modules", modules + 1, sizeof(modules) - 1);
	if (!round_of(0, 0)) {
		say("error the scenario hangs with nothing armed");
		exit(2);
	}
}

static char *next_field(char **at)
{
	char *field = *at, *end = strchr(field, '\t');

	if (end)
		*end = '\0';
	*at = end ? end + 1 : field + strlen(field);
	return field;
}

static void prepare(void)
{
	char secs[16];

	if (pipe2(output, O_CLOEXEC)) {
		say("error pipe: error %d", errno);
		exit(2);
	}
	syscall(__NR_fcntl, output[0], F_SETFL, O_NONBLOCK);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	/* Whoever is left by a step becomes a child of ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* Once, so that what a step makes in it is seen here. */
	mount("configfs", "/sys/kernel/config", "configfs", 0, NULL);
	find_disks();
	if (!*root)
		mkdir("/tmp/t", 0755);
	put("/proc/sys/kernel/modprobe", "/bin/modprobe");
	/* Of what hangs and is no step the kernel tells. */
	snprintf(secs, sizeof(secs), "%d", limit_ms / 1000);
	put("/sys/module/kthread_debug/parameters/stall_secs", secs);
	put("/sys/module/kthread_debug/parameters/stall_warnings", "-1");
	put("/proc/sys/kernel/hung_task_timeout_secs", secs);
	put("/proc/sys/kernel/hung_task_warnings", "-1");
	put("/proc/sys/kernel/sysrq", "1");
	put(KMEMLEAK, "scan=off");
	put(KMEMLEAK, "clear");
	if (net) {
		mount_on("tmpfs", tmp_dir(), "tmpfs", 0, NULL);
		if (in_child("ip link set lo up || ifconfig lo 127.0.0.1 up",
			     in_shell, NULL)) {
			say("error the loopback device does not come up");
			exit(2);
		}
		umount2(tmp_dir(), MNT_DETACH);
	}
}

int main(void)
{
	static char config[128 * 1024];
	char *at = config, *line;
	int clean, goes_on;

	if (slurp("/etc/explore", config, sizeof(config)) <= 0) {
		say("error /etc/explore is missing");
		return 2;
	}
	limit_ms = atoi(next_line(&at)) * 1000;
	net = atoi(next_line(&at));
	begin_cold = atoi(next_line(&at));
	prepare();
	modules[0] = '\n';	/* so that all names have one before them */
	while ((line = next_line(&at))) {
		n = atoi(next_field(&line));
		trial.fault = next_field(&line);
		trial.arg = next_field(&line);
		trial.space = next_field(&line);
		trial.name = next_field(&line);
		trial.creator = next_field(&line);
		if (cold && !begin_cold && !is("control"))
			warm_up();
		clean = attempt(&goes_on);
		if (goes_on && (!clean || !*at || leaks_full()))
			clean &= !leaks();
		if (clean)
			continue;
		/* What hangs here could be in the way of any other end. */
		put("/proc/sysrq-trigger", "b");
		return 1;
	}
	say("end");
	return 0;
}
