/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A step of the scenario: a function of the script in a new shell, for a limited
 * time. What it prints comes on the console, line by line.
 */
#ifndef EXPLORE_STEP_H
#define EXPLORE_STEP_H

#include "explore_disk.h"

#define HANG		-1	/* as a step's status */
#define SAID		150	/* lines of a step that are shown */

static int output[2] = { -1, -1 };	/* a pipe for all steps and their children */
static int session;			/* of the step that runs */
static const char *step = "";		/* its name */
static int said;			/* lines of it so far */

static void said_line(const char *line)
{
	if (++said <= SAID)
		say("said n=%d step=%s %s", n, step, line);
}

/* What has come through the pipe. Control characters would end a record. */
static void drain(int end)
{
	static char line[800];
	static size_t len;
	char buf[4096];
	ssize_t got, i;

	while ((got = read(output[0], buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i++) {
			if (buf[i] == '\n' || len == sizeof(line) - 1) {
				line[len] = '\0';
				said_line(line);
				len = 0;
			}
			if (buf[i] != '\n')
				line[len++] = (unsigned char)buf[i] < ' ' ?
					      ' ' : buf[i];
		}
		/* A step that never stops printing must not keep us here. */
		if (said > 100 * SAID && !end)
			break;
	}
	if (end && len) {
		line[len] = '\0';
		said_line(line);
		len = 0;
	}
	if (end && said > SAID)
		say("said n=%d step=%s (%d more lines)", n, step, said - SAID);
}

static void enter_root(void)
{
	if (*root && (chroot(root) || chdir("/")))
		_exit(126);
	chdir("/tmp/t");
}

static void in_shell(const char *what)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char env_disks[16][32], command[300];
	char *argv[] = { "sh", "-e", "-c", command, NULL };
	char *env[24] = { path, "TMP=/tmp/t", "TMPDIR=/tmp/t", "HOME=/tmp/t",
			  "LC_ALL=C", "TERM=dumb",
			  "DM_DISABLE_UDEV=1" };	/* there is none */
	int i, nr = 7, in = open("/dev/null", O_RDONLY);

	for (i = 0; i < 16; i++) {
		if (!*disks[i])
			continue;
		snprintf(env_disks[i], sizeof(env_disks[i]), "DISK%d=/dev/%s",
			 i + 1, disks[i]);
		env[nr++] = env_disks[i];
	}
	snprintf(command, sizeof(command),
		 "setup() { :; }; again() { :; }; teardown() { :; }; . /scenario; %s",
		 what);
	enter_root();
	setsid();
	dup2(in, STDIN_FILENO);
	dup2(output[1], STDOUT_FILENO);
	dup2(output[1], STDERR_FILENO);
	execve("/bin/sh", argv, env);
	_exit(127);
}

/* The file @path, line by line, with a stack's "[<0>] " left out. */
static void say_file(const char *what, const char *path, int most)
{
	static char buf[64 * 1024];
	char *at = buf, *line;

	slurp(path, buf, sizeof(buf));
	while ((line = next_line(&at)) && most--)
		say("%s n=%d %s", what, n,
		    strncmp(line, "[<0>] ", 6) ? line : line + 6);
}

/* Where the tasks of the step are, or all of user space's, and end them. */
static void end_tasks(int stacks)
{
	char path[64], comm[64];
	struct dirent entry, *e;
	DIR *d = opendir("/proc");
	int in, pid;

	while (d && !readdir_r(d, &entry, &e) && e) {
		pid = atoi(e->d_name);
		if (pid <= 1 || pid == getpid() ||
		    is_kthread(e->d_name, comm, sizeof(comm), &in))
			continue;
		if (stacks && in == session) {
			say("stack n=%d pid=%d comm=%s", n, pid, comm);
			snprintf(path, sizeof(path), "/proc/%d/stack", pid);
			say_file("stack", path, 24);
		}
		kill(pid, SIGKILL);
	}
	if (d)
		closedir(d);
}

/*
 * What user space has done so far, in ticks and context switches. A step whose
 * tasks do anything is slow, as on a busy host, and does not hang.
 */
static unsigned long activity(void)
{
	char path[64], stat[1024], comm[64], *at;
	struct dirent entry, *e;
	DIR *d = opendir("/proc");
	unsigned long sum = 0;
	int pid, i;

	while (d && !readdir_r(d, &entry, &e) && e) {
		pid = atoi(e->d_name);
		if (pid <= 1 || pid == getpid() ||
		    is_kthread(e->d_name, comm, sizeof(comm), NULL))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		slurp(path, stat, sizeof(stat));
		at = strrchr(stat, ')');
		/* Behind the name: utime is the 12th word, and stime the next. */
		for (i = 0; at && i < 12; i++)
			next_word(&at);
		if (at)
			sum += strtoul(next_word(&at), NULL, 10) + pid;
		if (at)
			sum += strtoul(next_word(&at), NULL, 10);
		sum += strtoul(task_status(pid, "\nvoluntary_ctxt_switches:"),
			       NULL, 10);
		sum += strtoul(task_status(pid, "nonvoluntary_ctxt_switches:"),
			       NULL, 10);
	}
	if (d)
		closedir(d);
	return sum;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* What a step may need meanwhile: called now and then, with how long it runs. */
typedef void (*attend_fn)(int ms);

#define LOOK_MS		2000	/* between two looks at what a step does: they take a while */
#define PATIENCE	4	/* so many limits for one that does something */

static long long helped;	/* when @attend has last helped the step on */

/*
 * Call @child in a new process. Returns its exit status, 128 and the signal, or
 * HANG if nothing has happened in it for limit_ms. Looks are counted, too: where
 * the guest itself gets no CPU there are few of them.
 */
static int in_child(const char *what, void (*child)(const char *what),
		    attend_fn attend)
{
	long long start = now_ms(), now, looked = start, moved = start;
	unsigned long before = 0, done;
	int looks = 0;
	struct pollfd fds[2] = { { .fd = output[0], .events = POLLIN },
				 { .events = POLLIN } };
	int status = 0;
	pid_t pid;

	step = what;
	said = 0;
	pid = fork();
	if (!pid) {
		child(what);
		_exit(0);
	}
	if (pid < 0)
		return 126;
	session = pid;
	helped = start;
	fds[1].fd = syscall(__NR_pidfd_open, pid, 0);
	do {
		fds[1].revents = 0;
		poll(fds, 2, attend ? 20 : 200);
		drain(0);
		if (attend)
			attend(now_ms() - start);
		now = now_ms();
		if (now - looked < LOOK_MS)
			continue;
		looked = now;
		looks++;
		done = activity();
		if (done != before || helped > moved) {
			before = done;
			moved = now;
			looks = 0;
		}
	} while (!(fds[1].revents & POLLIN) &&
		 (now - moved < limit_ms || looks < limit_ms / LOOK_MS / 2) &&
		 now - helped < PATIENCE * limit_ms);
	close(fds[1].fd);
	drain(1);
	if (!(fds[1].revents & POLLIN)) {
		bad++;
		end_tasks(1);
		/* Who else is in the way: the kernel's table of requests, too. */
		put("/proc/sysrq-trigger", "w");
		return HANG;
	}
	waitpid(pid, &status, 0);
	reap();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The step @what of the scenario in the @round. Returns its status, or HANG. */
static int run_step(const char *what, int round, attend_fn attend)
{
	int status;

	say("begin n=%d round=%d what=%s", n, round, what);
	status = in_child(what, in_shell, attend);
	if (status == HANG)
		say("step n=%d round=%d what=%s status=hang", n, round, what);
	else
		say("step n=%d round=%d what=%s status=%d", n, round, what,
		    status);
	return status;
}

#endif
