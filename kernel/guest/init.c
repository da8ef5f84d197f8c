// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's process 1: mount, run the programs that the command line names,
 * say how each ended, reboot.
 *
 *	kdebug.run=prog1,prog2:arg:arg	/bin/prog1, then /bin/prog2 arg arg
 *	kdebug.run=shell		a shell on the console; its exit ends the
 *					guest, as do poweroff, halt and reboot
 *	kdebug.nonce=<hex>		comes back in every status line
 *	kdebug.off=1			off at the end, where a reboot is not one
 *
 * Everything goes out as records of /dev/kmsg and not to the console device: a
 * record is one whole line, has the kernel's time stamp, and stands in order
 * with what the kernel itself says.
 */
#include "guest.h"

/* devkmsg_write() refuses records over 1024 bytes, its prefix included. */
#define TEXT_MAX	900

static char cmdline[4096];
static char nonce[64] = "none";
static int kmsg = -1;

static __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	char buf[TEXT_MAX + 100];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (len > (int)sizeof(buf) - 2)
		len = sizeof(buf) - 2;
	/* A record without it is kept open, and from readers, until the next. */
	buf[len++] = '\n';
	/* Without /dev/kmsg the console still shows why there is nothing else. */
	if (kmsg < 0 || write(kmsg, buf, len) != len)
		write(STDERR_FILENO, buf, len);
}

static void attach(const char *fs, const char *dir, int must)
{
	mkdir(dir, 0755);
	if (mount(fs, dir, fs, 0, NULL) && must)
		say("kdebug: cannot mount %s on %s: error %d", fs, dir, errno);
}

/* The value of @key in the command line, copied to @val; 0 if there is none. */
static int option(const char *key, char *val, size_t size)
{
	size_t klen = strlen(key), len;
	const char *p = cmdline;

	while (*p) {
		len = 0;
		while (p[len] && p[len] != ' ' && p[len] != '\n')
			len++;
		if (len > klen && !strncmp(p, key, klen) && p[klen] == '=') {
			len -= klen + 1;
			if (len >= size)
				len = size - 1;
			memcpy(val, p + klen + 1, len);
			val[len] = '\0';
			return 1;
		}
		p += len + !!p[len];
	}
	return 0;
}

/* How many CPUs are online, from a list such as "0-2,5". */
static int cpus_online(void)
{
	char list[256], *p = list;
	int first, last, cpus = 0;

	slurp("/sys/devices/system/cpu/online", list, sizeof(list));
	while (*p >= '0' && *p <= '9') {
		first = last = strtol(p, &p, 10);
		if (*p == '-')
			last = strtol(p + 1, &p, 10);
		cpus += last - first + 1;
		p += *p == ',';
	}
	return cpus;
}

/* A program's output on its way to becoming lines. */
struct lines {
	const char *prog;
	size_t len;
	int split;
	char text[TEXT_MAX + 1];
};

static void flush_line(struct lines *l, int split)
{
	l->text[l->len] = '\0';
	/* The rest of a split line is marked: it must not pass for a line. */
	say("kdebug: %s| %s%s", l->prog, l->split ? "+ " : "", l->text);
	l->len = 0;
	l->split = split;
}

static void feed(struct lines *l, const char *buf, ssize_t n)
{
	static const char hex[] = "0123456789abcdef";
	ssize_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = buf[i];

		if (c == '\n') {
			flush_line(l, 0);
			continue;
		}
		/* Room for the longest that one byte can become. */
		if (l->len + 4 > TEXT_MAX)
			flush_line(l, 1);
		if ((c < ' ' && c != '\t') || c == 127) {
			l->text[l->len++] = '\\';
			l->text[l->len++] = 'x';
			l->text[l->len++] = hex[c >> 4];
			l->text[l->len++] = hex[c & 15];
		} else {
			l->text[l->len++] = c;
		}
	}
}

static void child(char **argv, int out)
{
	static char *const env[] = {
		"PATH=/bin", "TMPDIR=/tmp", "HOME=/", "TERM=linux", NULL
	};
	char path[128];
	int in = open("/dev/null", O_RDONLY);

	snprintf(path, sizeof(path), "/bin/%s", argv[0]);
	setpgid(0, 0);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execve(path, argv, env);
	printf("# cannot run %s: error %d\n", path, errno);
	_exit(errno == ENOENT ? 127 : 126);
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run the words in @spec, separated by ':'. Returns the exit code. */
static int run(char *spec)
{
	static struct lines l;
	char *argv[32] = { spec }, buf[4096];
	struct pollfd fds[2];
	int pipefd[2], argc = 1, status = 0;
	ssize_t n;
	pid_t pid;
	char *p;

	for (p = spec; *p; p++) {
		if (*p == ':' && argc < 31) {
			*p = '\0';
			argv[argc++] = p + 1;
		}
	}
	l = (struct lines){ .prog = spec };

	if (pipe2(pipefd, O_CLOEXEC)) {
		say("kdebug: pipe: error %d", errno);
		return 126;
	}
	pid = fork();
	if (pid < 0) {
		say("kdebug: fork: error %d", errno);
		return 126;
	}
	if (!pid)
		child(argv, pipefd[1]);
	close(pipefd[1]);
	syscall(__NR_fcntl, pipefd[0], F_SETFL, O_NONBLOCK);

	/*
	 * Wait for the program and not for the end of its output: a thread it
	 * left behind may keep the pipe open for ever.
	 */
	fds[0] = (struct pollfd){ .fd = pipefd[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .events = POLLIN };
	fds[1].fd = syscall(__NR_pidfd_open, pid, 0);
	do {
		fds[1].revents = 0;
		poll(fds, 2, -1);
		while ((n = read(pipefd[0], buf, sizeof(buf))) > 0)
			feed(&l, buf, n);
		if (!n)
			fds[0].fd = -1;
	} while (!(fds[1].revents & POLLIN));
	if (l.len || l.split)
		flush_line(&l, 0);

	waitpid(pid, &status, 0);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	close(pipefd[0]);
	close(fds[1].fd);
	return exit_code(status);
}

/* Programs in the order of the command line; returns how many failed. */
static int run_all(char *list, int *progs)
{
	int failed = 0, code;
	char *next;

	for (*progs = 0; list; list = next) {
		next = strchr(list, ',');
		if (next)
			*next++ = '\0';
		code = run(list);
		++*progs;
		failed += code != 0;
		say("kdebug: status nonce=%s prog=%s exit=%d", nonce, list, code);
	}
	return failed;
}

#define SIGNAL(n)	(1ULL << ((n) - 1))

/*
 * What ends the guest: busybox sends one of the last three to process 1 for
 * reboot, halt and poweroff. Blocked, they wait until somebody asks for them.
 */
static const unsigned long long ends = SIGNAL(SIGCHLD) | SIGNAL(SIGTERM) |
				       SIGNAL(SIGUSR1) | SIGNAL(SIGUSR2);

static void block(int how)
{
	syscall(__NR_rt_sigprocmask, how, &ends, NULL, sizeof(ends));
}

/* Until the process @pid has ended, or somebody ends the guest. */
static void attend(pid_t pid)
{
	int sig = 0, left = pid > 0;
	pid_t gone;

	while (left && (sig <= 0 || sig == SIGCHLD)) {
		sig = syscall(__NR_rt_sigtimedwait, &ends, NULL, NULL,
			      sizeof(ends));
		while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
			left &= gone != pid;
	}
}

static void shell(void)
{
	static char *const env[] = {
		"PATH=/bin", "TMPDIR=/tmp", "HOME=/", "TERM=linux",
		"PS1=guest:\\w# ", NULL
	};
	static char *const argv[] = { "sh", NULL };
	char active[64], tty[80], hint[1024];
	char *name = active, *p;
	ssize_t n;
	pid_t pid;
	int fd;

	/* /dev/console cannot be a controlling tty, so no ^C there. */
	slurp("/sys/class/tty/console/active", active, sizeof(active));
	for (p = active; *p; p++) {
		if (*p == ' ')
			name = p + 1;
		if (*p == '\n')
			*p = '\0';
	}
	snprintf(tty, sizeof(tty), "/dev/%s", *name ? name : "console");

	/* The boot was quiet, and what is reported from now on is to be seen. */
	put("/proc/sys/kernel/printk", "7\n");
	block(SIG_BLOCK);
	pid = fork();
	if (!pid) {
		block(SIG_UNBLOCK);
		setsid();
		chdir("/sys/kernel/debug/kthread");
		fd = open(tty, O_RDWR);
		ioctl(fd, TIOCSCTTY, 0);
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		n = slurp("/etc/hint", hint, sizeof(hint));
		write(STDOUT_FILENO, hint, n > 0 ? n : 0);
		execve("/bin/busybox", argv, env);
		say("kdebug: cannot run /bin/busybox: error %d", errno);
		_exit(127);
	}
	attend(pid);
}

int main(void)
{
	static char list[sizeof(cmdline)];
	int progs = 0, failed = 0, off, err;

	attach("devtmpfs", "/dev", 1);
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	attach("proc", "/proc", 1);
	attach("sysfs", "/sys", 1);
	attach("tmpfs", "/tmp", 1);
	/* Not in every kernel that is tested. */
	attach("debugfs", "/sys/kernel/debug", 0);
	attach("tracefs", "/sys/kernel/tracing", 0);

	/* No rate limit on what the programs say, or lines get lost. */
	put("/proc/sys/kernel/printk_devkmsg", "on\n");

	err = slurp("/proc/cmdline", cmdline, sizeof(cmdline));
	if (err < 0)
		say("kdebug: cannot read /proc/cmdline: error %d", -err);
	option("kdebug.nonce", nonce, sizeof(nonce));
	option("kdebug.run", list, sizeof(list));
	/* A person wants the prompt: printed late, it would come behind it. */
	if (strcmp(list, "shell"))
		say("kdebug: init nonce=%s cpus=%d", nonce, cpus_online());

	if (!*list)
		say("kdebug: no kdebug.run= on the kernel command line");
	else if (!strcmp(list, "shell"))
		shell();
	else
		failed = run_all(list, &progs);

	say("kdebug: end nonce=%s progs=%d failed=%d", nonce, progs, failed);
	off = option("kdebug.off", list, sizeof(list));
	reboot(off ? LINUX_REBOOT_CMD_POWER_OFF : LINUX_REBOOT_CMD_RESTART);
	say("kdebug: cannot reboot: error %d", errno);
	for (;;)
		poll(NULL, 0, -1);
}
