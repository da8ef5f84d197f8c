// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz:N:SEED	N writes to the files of the series: values that are right, nearly
 *		right and wrong, up to 8192 bytes, at offsets, in pieces, from a bad
 *		address, and by two writers at once
 *
 * A write that is refused must change no file. One that is accepted must be read
 * back as fuzz.h says, and change no other file. After each write the files are read.
 *
 * Some threads are held at the point run, so that there is something to release and
 * nothing waits for it. Nothing else is ever held: while a knob is armed its name is
 * one that no thread has, and it is disarmed again before the next write.
 *
 * All that is chosen comes from SEED. At the first fault it ends, and prints the
 * seed, the file, and the bytes.
 */
#include "fuzz_bytes.h"

#define MODULE_FILE	"/sys/kernel/debug/test_kthread"
#define NOBODY		"fuzz-nobody"
#define LIMIT		60000	/* ms until what has been released is gone */
#define BURST		8	/* writes of the other writer, and of the first at most */
#define MOST		(8 * BURST)
#define DELAY		300000	/* ns */
#define SCHED_FIFO	1
#define TURNS		5	/* in which all numbers are read */
#define TELL		15000	/* ms between two lines that say how far it is */

static unsigned long long seed;
static long nr_writes, accepted, refused, at_once;
static long long told;
static long pos[NR_FILES];	/* of each file that is open */

/* --- what is said --- */

static void print_bytes(const char *what, const char *buf, size_t len)
{
	size_t i;

	printf("# %s: ", what);
	for (i = 0; i < len; i++) {
		if (buf[i] > ' ' && buf[i] < 127 && buf[i] != '\\')
			printf("%c", buf[i]);
		else
			printf("\\x%02x", (unsigned char)buf[i]);
		if (i % 64 == 63 && i + 1 < len)
			printf("\n#   ");
	}
	printf("\n");
}

static void print_op(const struct op *op)
{
	int i;

	printf("# seed %llu, write %ld: %s%s, %lu bytes, %s", seed, nr_writes,
	       op->file->dir, op->file->name, (unsigned long)op->len, hows[op->how]);
	if (op->how == SEEK || op->how == AT_OFFSET)
		printf(" to %ld", op->offset);
	for (i = 0; i < op->nr_pieces; i++)
		printf(" %lu", (unsigned long)op->pieces[i]);
	printf("\n");
	print_bytes("bytes", op->buf, op->len);
}

/* --- what is read --- */

static void shut(void)
{
	int i;

	for (i = 0; i < NR_FILES; i++) {
		if (files[i].fd >= 0)
			close(files[i].fd);
		if (files[i].seen >= 0)
			close(files[i].seen);
	}
}

static void open_all(void)
{
	int i;

	for (i = 0; i < NR_FILES; i++) {
		struct file *f = &files[i];

		snprintf(f->path, sizeof(f->path), "%s%s", f->dir, f->name);
		f->there = !access(f->path, F_OK);
		f->fd = f->seen = -ENOENT;
		pos[i] = 0;
		if (!f->there)
			continue;
		f->fd = _sys_open(f->path, O_WRONLY, 0);
		if (f->kind != RELEASE && !no_seek(f))
			f->seen = open(f->path, O_RDONLY);
	}
}

/* In one read(): what a file has is short, and held threads are the first of the table. */
static ssize_t read_file(struct file *f, char *buf, size_t size)
{
	int fd = f->seen < 0 ? _sys_open(f->path, O_RDONLY, 0) : f->seen;
	struct iovec all = { buf, size };
	ssize_t len;

	if (fd < 0)
		return fd;
	if (f->seen >= 0)
		return _syscall(__NR_preadv, fd, &all, 1, 0L, 0L);
	len = read(fd, buf, size);
	close(fd);
	return len;
}

/* Of the table only the held threads count; others come and go. */
static int rows_are_right(struct file *f)
{
	static char buf[65536];
	ssize_t len = read_file(f, buf, sizeof(buf) - 1);
	char *line, *end, *name;
	int row = 0;

	if (len <= 0)
		return 0;
	buf[len] = '\0';
	if (strncmp(buf, "# id age_ms stage hold flags by_pid by_comm pid threadfn name\n", 62))
		return 0;
	for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		name = strrchr(line, ' ');
		if (!name || strncmp(name, " fuzz-", 6))
			continue;
		if (row >= nr_held || strtoull(line, NULL, 10) != held[row].id ||
		    atoi(name + 6) != held[row].number || !strstr(line, " waking run - "))
			return 0;
		row++;
	}
	return row == nr_held;
}

static int reads_right(struct file *f)
{
	char buf[4 * LINE];
	ssize_t len;

	if (!f->there || f->kind == RELEASE)
		return 1;
	if (f->kind == REQUESTS)
		return rows_are_right(f);
	if (f->kind == HELD_NOW)
		f->len = snprintf(f->now, sizeof(f->now), "%d\n", nr_held);
	len = read_file(f, buf, sizeof(buf));
	return len == (ssize_t)f->len && !memcmp(buf, f->now, len);
}

/*
 * Numbers have to be opened for each look, which takes long under KASAN: of those that
 * are not @written each has its turn.
 */
static int all_read_right(const struct file *written)
{
	static int turn;
	char buf[4 * LINE];
	int i, wrong = 0;
	ssize_t len;

	turn = (turn + 1) % TURNS;
	for (i = 0; i < NR_FILES; i++) {
		if (no_seek(&files[i]) && &files[i] != written && i % TURNS != turn)
			continue;
		if (reads_right(&files[i]))
			continue;
		wrong++;
		printf("# %s%s is wrong\n", files[i].dir, files[i].name);
		if (no_seek(&files[i]) && &files[i] != written)
			printf("# that has come in the last %d writes\n", TURNS);
		if (files[i].kind == REQUESTS)
			continue;
		print_bytes("it has to read", files[i].now, files[i].len);
		len = read_file(&files[i], buf, sizeof(buf));
		print_bytes("it reads", buf, len > 0 ? len : 0);
	}
	return !wrong;
}

static int adopt(struct file *f)
{
	ssize_t len = read_file(f, f->now, sizeof(f->now));

	f->len = len > 0 ? len : 0;
	return len > 0;
}

/* --- a write --- */

/* @len bytes at @buf, or at an address where nothing is. */
static long write_op(const struct op *op, int fd)
{
	struct iovec pieces[4];
	size_t done = 0;
	int i;

	switch (op->how) {
	case AT_OFFSET:
		pieces[0] = (struct iovec){ (void *)op->buf, op->len };
		return _syscall(__NR_pwritev, fd, pieces, 1, op->offset, 0L);
	case PIECES:
		for (i = 0; i < op->nr_pieces; i++) {
			pieces[i] = (struct iovec){ (void *)(op->buf + done), op->pieces[i] };
			done += op->pieces[i];
		}
		return _syscall(__NR_writev, fd, pieces, op->nr_pieces);
	case BAD_ADDRESS:
		return _syscall(__NR_write, fd, (void *)16, op->len);
	default:
		return _syscall(__NR_write, fd, op->buf, op->len);
	}
}

/* As expect(), for all of @op. The file is at *@at, and then at the new place. */
static void expect_op(const struct op *op, long *at, struct want *w)
{
	const struct file *f = op->file;
	struct want one;
	size_t done = 0;
	int i;

	memset(w, 0, sizeof(*w));
	if (f->fd < 0) {
		w->result = -EACCES;
		return;
	}
	if (op->how == AT_OFFSET) {
		w->result = op->offset < 0 ? -EINVAL : no_pwrite(f) ? -ESPIPE : 0;
		if (!w->result && op->len)
			expect(f, op->offset, op->buf, op->len, 0, w);
		return;
	}
	if (op->how != PIECES || parameter(f)) {
		expect(f, *at, op->buf, op->len, op->how == BAD_ADDRESS, w);
		if (w->result > 0 && (knobs_own(f) || parameter(f)))
			*at += w->result;
		return;
	}
	/* A write each, up to the first that is refused. Only an empty first one is one. */
	for (i = 0; op->len && i < op->nr_pieces; i++) {
		if (!op->pieces[i] && i)
			continue;
		expect(f, *at, op->buf + done, op->pieces[i], 0, &one);
		if (one.result < 0) {
			if (!done)
				*w = one;
			return;
		}
		if (knobs_own(f))
			*at += one.result;
		done += one.result;
		if (one.sets || one.releases)
			*w = one;
		w->result = done;
	}
}

/* The module's threads that have been released and not been stopped yet. */
static int gone[HELD], nr_gone;

static void forget_released(const struct want *w)
{
	int i, left = 0;

	for (i = 0; i < nr_held; i++) {
		if (w->releases == 2 || (w->releases && held[i].id == w->id))
			gone[nr_gone++] = held[i].number;
		else
			held[left++] = held[i];
	}
	nr_held = left;
}

/* What is released goes by and by. */
static int are_gone(void)
{
	struct file *now = file_of(BLOCK, "held"), *table = file_of(KTHREAD, "requests");
	long long end = now_ms() + LIMIT;
	char command[64];
	int err;

	while (!reads_right(now) || !reads_right(table)) {
		if (now_ms() > end) {
			printf("# what was released is still held\n");
			return 0;
		}
		sched_yield();
	}
	while (nr_gone) {
		snprintf(command, sizeof(command), "stop fuzz-%d", gone[--nr_gone]);
		err = put(MODULE_FILE, command);
		/* -EINTR: it was stopped before its function ran. */
		if (err && err != -EINTR) {
			printf("# cannot %s: error %d\n", command, -err);
			return 0;
		}
	}
	return 1;
}

static int as_wanted(const struct op *op, const struct want *w, long result)
{
	if (result == w->result || (w->or && result == w->or))
		return 1;
	print_op(op);
	printf("# it has to return %ld, and returned %ld\n", w->result, result);
	return 0;
}

static void take(struct file *f, const struct want *w)
{
	if (w->sets) {
		memcpy(f->now, w->value, w->len);
		f->len = w->len;
	}
	nr_writes++;
	if (w->result < 0)
		refused++, f->refused++;
	else
		accepted++, f->accepted++;
}

static void tell(void)
{
	if (now_ms() - told < TELL)
		return;
	told = now_ms();
	printf("# %ld writes: %ld accepted, %ld refused; %ld by two at once\n", nr_writes,
	       accepted, refused, at_once);
}

/* Write, and look at everything. */
static int do_op(struct op *op)
{
	struct file *f = op->file;
	long *at = &pos[f - files], to = op->how == SEEK ? op->offset : 0, result = 0, seek;
	struct want w;

	if (f->fd >= 0 && op->how != GO_ON && op->how != AT_OFFSET && !no_seek(f)) {
		seek = _sys_lseek(f->fd, to, SEEK_SET);
		*at = to;
		if (to && f->kind == RELEASE) {
			/* It cannot be read, and seq_file reads to get there. */
			result = seek == -EINVAL ? 0 : -EIO;
			*at = 0;
		} else if (seek != to) {
			result = -EIO;
		}
		if (result) {
			print_op(op);
			printf("# lseek() returned %ld\n", seek);
			return 0;
		}
	}
	expect_op(op, at, &w);
	result = f->fd < 0 ? f->fd : write_op(op, f->fd);
	if (!as_wanted(op, &w, result))
		return 0;
	take(f, &w);
	forget_released(&w);
	if ((nr_gone && !are_gone()) || !all_read_right(f)) {
		print_op(op);
		printf("# it returned %ld\n", result);
		return 0;
	}
	tell();
	return 1;
}

/* A plain write of the right value @text. */
static int set(const char *dir, const char *name, const char *text)
{
	static struct op op;

	op.file = file_of(dir, name);
	if (!op.file->there)
		return 1;
	op.how = no_seek(op.file) ? GO_ON : AT_START;
	op.len = strlen(text);
	memcpy(op.buf, text, op.len);
	return do_op(&op);
}

/* --- which file --- */

static int arms(const struct file *f)
{
	return !strcmp(f->name, "probability");
}

static struct file *choose_file(void)
{
	struct file *f;

	/* Those of the series more often, and what has to be disarmed again less. */
	do
		f = &files[below(2) ? below(NR_FILES) : below(NR_SERIES)];
	while (!f->there || (arms(f) && below(4)));
	return f;
}

/* Before a knob may be armed: its name is one that no thread has. */
static int make_safe(const struct file *f)
{
	return !arms(f) || !strcmp(file_of(f->dir, "name")->now, NOBODY "\n") ||
	       set(f->dir, "name", NOBODY);
}

/* What must not stay: a knob that is armed, and a report that comes soon. */
static int calm_down(void)
{
	int i;

	for (i = 0; i < NR_FILES; i++)
		if (arms(&files[i]) && strcmp(files[i].now, "0\n") &&
		    !set(files[i].dir, "probability", "0"))
			return 0;
	if (*file_of(PARAMS, "stall_panic")->now == 'Y' && !set(PARAMS, "stall_panic", "N"))
		return 0;
	i = atoi(file_of(PARAMS, "stall_secs")->now);
	return !i || i >= 100 || set(PARAMS, "stall_secs", "120");
}

/*
 * --- two writers ---
 *
 * The other one is a real-time task. It sleeps for a moment before each write, and
 * then interrupts the first one in whatever that does, or writes on another CPU.
 */

static struct {
	struct op ops[2];
	struct want wants[2];
	long results[2][MOST];
	int most[2], times[2];		/* writes, at most and so far */
	unsigned int delays[BURST];	/* in ns */
	unsigned long cpus;
	volatile int done;
} *shared;
static int to_other[2], from_other[2];

/* Does a file that both write to have the value of one of them, or a mixture? */
static int is_either(void)
{
	struct file *f = shared->ops[0].file;
	const struct want *w = shared->wants;
	char buf[4 * LINE];
	ssize_t len;
	int i;

	if (f != shared->ops[1].file || !w[0].sets || !w[1].sets)
		return 1;
	len = read_file(f, buf, sizeof(buf));
	for (i = 0; i < 2; i++)
		if (len == (ssize_t)w[i].len && !memcmp(buf, w[i].value, len))
			return 1;
	print_bytes("a mixture", buf, len > 0 ? len : 0);
	return 0;
}

static int race_writes(int who, int fd)
{
	const struct op *op = &shared->ops[who];
	int i;

	for (i = 0; i < shared->most[who] && !(i && !who && shared->done); i++) {
		if (who)
			syscall(__NR_clock_nanosleep, CLOCK_MONOTONIC, 0,
				&(struct timespec){ .tv_nsec = shared->delays[i] }, NULL);
		if (!no_seek(op->file))
			_sys_lseek(fd, 0, SEEK_SET);
		shared->results[who][i] = write_op(op, fd);
		shared->times[who] = i + 1;
		if (!who && !is_either())
			return 0;
	}
	return 1;
}

static void other_writer(void)
{
	int prio = 50;
	char c;

	syscall(__NR_sched_setscheduler, 0, SCHED_FIFO, &prio);
	/* Where the first writer is in a file is its own. */
	shut();
	open_all();
	while (read(to_other[0], &c, 1) == 1) {
		/* There need not be such a CPU. */
		syscall(__NR_sched_setaffinity, 0, sizeof(shared->cpus), &shared->cpus);
		race_writes(1, shared->ops[1].file->fd);
		shared->done = 1;
		write(from_other[1], "", 1);
	}
	_exit(0);
}

/* Each write is as it is alone; a file that both write to has the value of one. */
static int race_was_right(const struct want *wants)
{
	int who, i, good = 0;

	for (who = 0; who < 2; who++) {
		const struct op *op = &shared->ops[who];

		for (i = 0; i < shared->times[who]; i++) {
			long result = shared->results[who][i];

			at_once++;
			good += result >= 0;
			take(op->file, &wants[who]);
			/* Of two releases of one thread the first has it. */
			if (wants[who].releases == 1 && result == -EINVAL)
				continue;
			if (!as_wanted(op, &wants[who], result))
				return 0;
		}
	}
	if (wants[0].releases == 1 && wants[1].releases == 1 &&
	    wants[0].id == wants[1].id && good != 1) {
		printf("# of two releases of one thread %d were accepted\n", good);
		return 0;
	}
	return 1;
}

static int race(void)
{
	struct op *a = &shared->ops[0], *b = &shared->ops[1];
	struct want *wants = shared->wants;
	long at = 0, last;
	int who, i, once, unmixed;
	char c;

	a->file = nr_held && !below(8) ? file_of(BLOCK, "release") : choose_file();
	b->file = below(4) ? a->file : choose_file();
	/* Neither arms a knob while the other changes whom it means. */
	if ((arms(a->file) && !strcmp(b->file->name, "name")) ||
	    (arms(b->file) && !strcmp(a->file->name, "name")))
		return 1;
	if (!make_safe(a->file) || !make_safe(b->file))
		return 0;
	once = a->file->kind == RELEASE || b->file->kind == RELEASE;
	shared->most[0] = once ? 1 : MOST;
	shared->most[1] = once ? 1 : BURST;
	shared->times[0] = shared->times[1] = shared->done = 0;
	shared->cpus = 1UL << below(2);
	for (i = 0; i < BURST; i++)
		shared->delays[i] = below(once ? DELAY / 4 : DELAY);
	for (who = 0; who < 2; who++) {
		struct op *op = &shared->ops[who];

		if (once && op->file->kind == RELEASE && nr_held && below(4))
			op->len = print_to(op->buf, "%llu", held[0].id);
		else
			choose_bytes(op);
		op->how = no_seek(op->file) ? GO_ON : AT_START;
		op->nr_pieces = 0;
		at = 0;
		expect_op(op, &at, &wants[who]);
		if (op->file->fd < 0)
			return 1;
	}
	write(to_other[1], "", 1);
	unmixed = race_writes(0, a->file->fd);
	if (read(from_other[0], &c, 1) != 1)
		return 0;
	last = shared->results[0][shared->times[0] - 1];
	pos[a->file - files] = knobs_own(a->file) && last > 0 ? last : 0;

	if (!unmixed || !race_was_right(wants))
		goto wrong;
	forget_released(&wants[0]);
	forget_released(&wants[1]);
	if (nr_gone && !are_gone())
		goto wrong;
	/* take() has taken the second one's, and the first may have been last. */
	if (a->file == b->file && wants[0].sets && !reads_right(a->file)) {
		memcpy(a->file->now, wants[0].value, wants[0].len);
		a->file->len = wants[0].len;
	}
	if (all_read_right(a->file) && reads_right(b->file))
		return 1;
wrong:
	printf("# by two writers at once, %d and %d times:\n", shared->times[0], shared->times[1]);
	print_op(a);
	print_op(b);
	return 0;
}

/* --- the threads that are held --- */

static int hold_one(void)
{
	struct file *hits = file_of(BLOCK, "hits"), *now = file_of(BLOCK, "held");
	unsigned long long before = strtoull(hits->now, NULL, 10), id;
	long long end = now_ms() + LIMIT;
	static int number;
	char name[32], command[64], *behind;

	snprintf(name, sizeof(name), "fuzz-%d", ++number);
	snprintf(command, sizeof(command), "run %s", name);
	if (!set(BLOCK, "name", name) || !set(BLOCK, "creator", "\n") ||
	    !set(BLOCK, "point", "run") || !set(BLOCK, "hold_ms", "0") ||
	    !set(BLOCK, "interval", "1") || !set(BLOCK, "space", "0") ||
	    !set(BLOCK, "times", "1") || !set(BLOCK, "verbose", "0") ||
	    !set(BLOCK, "task-filter", "N") || !set(BLOCK, "require-start", "0") ||
	    !set(BLOCK, "require-end", sizeof(long) == 8 ? "0xffffffffffffffff" : "0xffffffff") ||
	    !set(BLOCK, "reject-start", "0") || !set(BLOCK, "reject-end", "0") ||
	    !set(BLOCK, "probability", "100"))
		return 0;
	if (put(MODULE_FILE, command)) {
		printf("# cannot %s\n", command);
		return 0;
	}
	nr_held++;
	while (!reads_right(now) && now_ms() < end)
		sched_yield();
	adopt(hits);
	id = strtoull(hits->now, &behind, 10);
	if (id != before + 1 || now_ms() >= end) {
		printf("# %s is not held\n", name);
		return 0;
	}
	held[nr_held - 1].id = strtoull(behind, NULL, 10);
	held[nr_held - 1].number = number;
	/* That is what its times have come to. */
	file_of(BLOCK, "times")->len = snprintf(file_of(BLOCK, "times")->now, LINE, "0\n");
	return set(BLOCK, "probability", "0");
}

/* --- all of it --- */

/* A file that fuzz.h does not have is one that nobody tries. */
static int knows_all(const char *dir)
{
	struct dirent entry, *found;
	DIR *listing = opendir(dir);
	int unknown = 0;

	if (!listing) {
		printf("# cannot read %s: error %d\n", dir, errno);
		return 0;
	}
	while (!readdir_r(listing, &entry, &found) && found) {
		if (*entry.d_name == '.' || file_of(dir, entry.d_name))
			continue;
		if (!strcmp(dir, KTHREAD) && (!strcmp(entry.d_name, "comp_block") ||
					  !strcmp(entry.d_name, "fail_create")))
			continue;
		printf("# nobody tries %s%s\n", dir, entry.d_name);
		unknown++;
	}
	closedir(listing);
	return !unknown;
}

static int begin(void)
{
	int i, err = insmod("/mod/test_kthread.ko", "");
	unsigned long one = 1;

	if (err) {
		printf("# cannot load test_kthread.ko: error %d\n", -err);
		return 0;
	}
	if (!knows_all(KTHREAD) || !knows_all(BLOCK) || !knows_all(FAIL) || !knows_all(PARAMS))
		return 0;
	open_all();
	for (i = 0; i < NR_FILES; i++) {
		if (!files[i].there && !attribute(&files[i])) {
			printf("# no %s%s\n", files[i].dir, files[i].name);
			return 0;
		}
		if (files[i].there && files[i].kind != RELEASE && files[i].kind != REQUESTS &&
		    !adopt(&files[i])) {
			printf("# cannot read %s%s\n", files[i].dir, files[i].name);
			return 0;
		}
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(to_other) ||
	    pipe(from_other))
		return 0;
	syscall(__NR_sched_setaffinity, 0, sizeof(one), &one);
	if (!fork()) {
		close(to_other[1]);
		other_writer();
	}
	close(to_other[0]);
	return 1;
}

static int step(void)
{
	static unsigned long long nr_steps;
	static struct op op;

	/* Which of two writers at once is the last one must not change what follows. */
	state = seed ^ (++nr_steps << 32);
	state = chance();
	if (nr_held < HELD && !below(48))
		return hold_one();
	if (!below(25))
		return race() && calm_down();
	op.file = choose_file();
	if (!make_safe(op.file))
		return 0;
	choose_bytes(&op);
	choose_how(&op);
	return do_op(&op) && calm_down();
}

/* Each file has been written to, and taken and refused what it can. */
static int all_tried(void)
{
	int i, good = 1;

	for (i = 0; i < NR_FILES; i++) {
		const struct file *f = &files[i];
		int takes = f->kind != HITS && f->kind != HELD_NOW && f->kind != REQUESTS &&
			    f->kind != COUNT;

		if (!f->there || (f->refused && (f->accepted || !takes)) ||
		    (f->kind == SWITCH && f->accepted))
			continue;
		printf("# %s%s: %ld accepted, %ld refused\n", f->dir, f->name, f->accepted,
		       f->refused);
		good = 0;
	}
	return good;
}

int main(int argc, char **argv)
{
	long writes = argc > 1 ? atol(argv[1]) : 0;
	struct want all = { .releases = 2 };
	int good, i;

	if (argc != 3 || writes <= 0) {
		printf("# usage: fuzz WRITES SEED\n");
		return 2;
	}
	seed = strtoull(argv[2], NULL, 10);
	told = now_ms();
	printf("1..2\n# seed %llu\n", seed);
	good = begin();
	while (good && nr_writes < writes)
		good = step();
	for (i = 0; good && i < TURNS; i++)
		good = all_read_right(NULL);
	/* Leave nothing behind, whatever has happened. */
	put(BLOCK "probability", "0");
	put(FAIL "probability", "0");
	put(PARAMS "stall_panic", "0");
	put(BLOCK "release", "all");
	forget_released(&all);
	good = good && are_gone();
	printf("# %ld writes: %ld accepted, %ld refused; %ld by two at once\n", nr_writes,
	       accepted, refused, at_once);
	printf("%sok 1 each write is refused and changes nothing, or is read back\n",
	       good ? "" : "not ");
	/* Some hundred times as many files as there are. */
	if (good && writes < 20 * NR_FILES * 10)
		printf("ok 2 each file is tried # SKIP with so few writes\n");
	else
		printf("%sok 2 each file is tried\n", good && all_tried() ? "" : "not ");
	return !good;
}
