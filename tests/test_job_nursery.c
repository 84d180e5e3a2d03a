/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The nursery, from which runners are forked: what they look like, what it
 * holds, and that nothing is lost or done twice when it is stopped, killed,
 * or asked for what it cannot do.
 */
#include "job/jobtest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

#define PATIENCE_NS (20 * NS_PER_SEC)
/* More than its socket holds, in messages of BULK bytes. */
#define MANY 32
#define BULK 24000

/* The command line of a process, as the kernel shows it. */
static size_t
command_line(pid_t pid, char *buf, size_t n)
{
	char path[40];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd == -1 ? -1 : read(fd, buf, n);
	if (fd != -1)
		close(fd);
	return got > 0 ? (size_t)got : 0;
}

/* Is it a nursery of ours, and alive? */
static bool
is_nursery(pid_t pid)
{
	char line[8192];
	struct spool_proc p;
	size_t n, head;

	if (!spool_proc(pid, &p) || p.parent != getpid() || p.state == 'Z')
		return false;
	n = command_line(pid, line, sizeof line);
	head = strnlen(line, n) + 1;
	return n > head + strlen(SPOOL_NURSERY) &&
	    strcmp(line + head, SPOOL_NURSERY) == 0;
}

/* Ours, or 0: the youngest, as that of the test before may be on its way out. */
static pid_t
nursery(void)
{
	DIR *d = opendir("/proc");
	struct spool_proc p;
	struct dirent *e;
	uint64_t ticks = 0;
	pid_t pid, found = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		pid = (pid_t)atoi(e->d_name);
		if (!isdigit((unsigned char)e->d_name[0]) || !is_nursery(pid) ||
		    !spool_proc(pid, &p) || p.ticks < ticks ||
		    (p.ticks == ticks && pid < found))
			continue;
		ticks = p.ticks;
		found = pid;
	}
	closedir(d);
	return found;
}

/* One turn of the loop. */
static void
turn(struct fix *f, int64_t limit)
{
	struct timeval tv = {0, 5000};

	assert_true(clock_mono_ns() < limit);
	event_base_loopexit(f->base, &tv);
	event_base_loop(f->base, EVLOOP_ONCE);
}

/* The runner of step 0, once its script has begun. */
static pid_t
runner(struct fix *f)
{
	struct spool_start s;
	const char *text;

	until_file(f, "req/0.pid");
	text = contents(f, "req/0.pid");
	assert_true(spool_read_start(text, strlen(text), &s));
	return s.runner;
}

/* Its parent. */
static pid_t
parent(pid_t pid)
{
	struct spool_proc p;

	assert_true(spool_proc(pid, &p));
	return p.parent;
}

/* How many descriptors a process has. */
static int
descriptors(pid_t pid)
{
	char path[40];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Until the nursery has let go of all but 0 to 2 and its socket. */
static void
until_empty(pid_t pid)
{
	int64_t limit = clock_mono_ns() + PATIENCE_NS;

	while (descriptors(pid) != 4)
		assert_true(clock_mono_ns() < limit);
}

/* How many lines the log has. */
static int
log_lines(struct fix *f)
{
	const char *p = contents(f, "log");
	int n = 0;

	for (; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* A script that waits until it may go. */
static const char *
waiting(struct fix *f)
{
	return script(f,
	    "echo x >>$D/log; until [ -e $D/go ]; do sleep 0.01; done; exit 3");
}

/* It may. */
static void
go(struct fix *f)
{
	tempdir_write(in_dir(f, "go"), "x", 1);
}

/* A runner is a child of the nursery that looks as if it had been started, and
 * of which the nursery has kept nothing. */
static void
runners_are_forked(void **state)
{
	static const char *const args[] = {"--json", "a b", NULL};
	struct fix *f = *state;
	char line[8192], want[4096];
	pid_t us = nursery(), pid;
	struct got g;
	size_t n, len;

	assert_true(us > 0);
	f->spec.argv = args;
	(void)start(f, waiting(f), &g);
	pid = runner(f);
	assert_int_equal(parent(pid), us);
	n = command_line(pid, line, sizeof line);
	assert_string_equal(line, f->runner);
	assert_string_equal(line + strlen(line) + 1, "--time");
	len = (size_t)snprintf(want, sizeof want, "%s%c0%c%s%c--json%ca b",
		  f->req, 0, 0, f->spec.script, 0, 0) +
	    1;
	assert_non_null(memmem(line, n, want, len));
	until_empty(us); /* while the script waits */
	assert_int_equal(getpgid(pid), pid);
	go(f);
	until_told(f, &g);
	assert_end(&g, JOB_EXIT, 3);
	assert_int_equal(nursery(), us);
	got_free(&g);
}

/* Where there is no room for the whole command line, folder and script are
 * what is shown; what no message holds is started by exec. */
static void
long_command_lines(void **state)
{
	static const struct {
		size_t n;
		bool forked;
	} cases[] = {{100, true}, {2500, true}, {20000, true}, {40000, false}};
	struct fix *f = *state;
	static char env[40001] = "BULK=", line[65536];
	static const char *const envs[] = {env, NULL};
	struct got g;
	size_t i, n;
	pid_t pid;

	f->spec.env = envs;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(env + 5, 'x', cases[i].n - 5);
		env[cases[i].n] = '\0';
		(void)start(f, waiting(f), &g);
		pid = runner(f);
		assert_int_equal(
		    parent(pid), cases[i].forked ? nursery() : getpid());
		n = command_line(pid, line, sizeof line);
		assert_non_null(memmem(line, n, f->req, strlen(f->req)));
		assert_non_null(
		    memmem(line, n, f->spec.script, strlen(f->spec.script)));
		go(f);
		until_told(f, &g);
		assert_end(&g, JOB_EXIT, 3);
		got_free(&g);
		unlink(in_dir(f, "go"));
		assert_int_equal(job_remove_folder(f->req, NULL), 0);
		assert_int_equal(mkdir(f->req, 0700), 0);
	}
}

/* Killed when idle: the next run is started without it, and there is a new one
 * not sooner than a second after the last. */
static void
an_idle_nursery_is_replaced(void **state)
{
	struct fix *f = *state;
	int64_t limit = clock_mono_ns() + PATIENCE_NS;
	pid_t first = nursery();
	struct got g;
	int runs = 0;

	assert_true(first > 0);
	kill(first, SIGKILL);
	until_gone(first);
	f->spec.script = script(f, "echo x >>$D/log; exit 3");
	do {
		run(f, f->spec.script, &g);
		assert_end(&g, JOB_EXIT, 3);
		got_free(&g);
		assert_int_equal(log_lines(f), ++runs);
		turn(f, limit);
	} while (nursery() == 0);
	assert_int_not_equal(nursery(), first);
	assert_int_equal(waitpid(first, NULL, WNOHANG), -1); /* was reaped */
	assert_int_equal(errno, ECHILD);
}

/* Killed while a script runs: neither it nor its runner cares, and it can be
 * cancelled. */
static void
runners_outlive_the_nursery(void **state)
{
	struct fix *f = *state;
	struct got g;
	struct job *j;
	pid_t us, pid;
	int i;

	for (i = 0; i < 2; i++) {
		fix_again(f);
		j = start(f, waiting(f), &g);
		pid = runner(f);
		us = parent(pid);
		assert_int_equal(us, nursery());
		kill(us, SIGKILL);
		until_gone(us);
		assert_true(lives(pid));
		if (i == 0)
			go(f);
		else
			job_cancel(j);
		until_told(f, &g);
		assert_end(
		    &g, i == 0 ? JOB_EXIT : JOB_CANCELLED, i == 0 ? 3 : 0);
		got_free(&g);
		unlink(in_dir(f, "go"));
		assert_int_equal(job_remove_folder(f->req, NULL), 0);
		assert_int_equal(mkdir(f->req, 0700), 0);
	}
}

/* Wait until a signal has stopped it. */
static void
stop(pid_t pid)
{
	int64_t limit = clock_mono_ns() + PATIENCE_NS;
	struct spool_proc p;

	assert_true(pid > 0);
	kill(pid, SIGSTOP);
	do {
		assert_true(clock_mono_ns() < limit);
		assert_true(spool_proc(pid, &p));
	} while (p.state != 'T');
}

/* What is on its way to the nursery is claimed: an adapter that comes then
 * waits for it, and it runs once; also when the first adapter is gone. */
static void
what_is_on_its_way_is_claimed(void **state)
{
	struct fix *f = *state;
	pid_t stopped = nursery();
	struct job_look l;
	struct got g;

	stop(stopped);
	(void)start(f, script(f, "echo x >>$D/log; exit 3"), &g);
	fix_again(f); /* forgets it, with another nursery */
	assert_int_equal(job_look(f->req, &l, NULL), 0);
	assert_true(l.running);
	assert_int_equal(l.pid, 0);
	(void)start(f, f->spec.script, &g);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(g.calls, 0);
	assert_int_equal(log_lines(f), 0);
	kill(stopped, SIGCONT);
	until_told(f, &g);
	assert_end(&g, JOB_EXIT, 3);
	assert_int_equal(log_lines(f), 1);
	got_free(&g);
	until_gone(stopped); /* has read all, and found the end */
}

/* Killed with a message on its way: nothing was run, and that is told; asked
 * again, it runs. */
static void
what_was_on_its_way_may_run(void **state)
{
	struct fix *f = *state;
	pid_t stopped = nursery();
	struct got g;

	stop(stopped);
	(void)start(f, script(f, "echo x >>$D/log; exit 3"), &g);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(g.calls, 0);
	kill(stopped, SIGKILL);
	until_told(f, &g);
	assert_end(&g, JOB_NOSTART, ECHILD);
	assert_int_equal(log_lines(f), 0);
	got_free(&g);
	run(f, f->spec.script, &g);
	assert_end(&g, JOB_EXIT, 3);
	assert_int_equal(log_lines(f), 1);
	got_free(&g);
}

/* Cancelled on its way: it does not run for long, if at all. */
static void
what_is_on_its_way_can_be_cancelled(void **state)
{
	struct fix *f = *state;
	pid_t stopped = nursery();
	struct got g;

	stop(stopped);
	job_cancel(start(f, script(f, "sleep 100"), &g));
	kill(stopped, SIGCONT);
	until_told(f, &g);
	assert_end(&g, JOB_CANCELLED, 0);
	got_free(&g);
}

/* A nursery that takes nothing does not block us: what its socket does not hold
 * is started by exec; when it goes on, each has run once. */
static void
a_full_socket_does_not_block(void **state)
{
	struct fix *f = *state;
	static char bulk[BULK + 1], dirs[MANY][TEMPDIR_MAX + 16];
	static const char *const args[] = {bulk, NULL};
	int64_t limit = clock_mono_ns() + PATIENCE_NS;
	pid_t stopped = nursery();
	struct got g[MANY];
	struct job_look l;
	int i, waits = 0;

	memset(bulk, 'x', BULK);
	bulk[BULK] = '\0';
	f->spec.argv = args;
	f->spec.script = script(f, "echo x >>$D/log; exit 3");
	stop(stopped);
	for (i = 0; i < MANY; i++) {
		snprintf(dirs[i], sizeof dirs[i], "%s/m%d", f->dir, i);
		assert_int_equal(mkdir(dirs[i], 0700), 0);
		f->spec.dir = dirs[i];
		(void)start(f, f->spec.script, &g[i]);
	}
	until_told(f, &g[MANY - 1]); /* it had no room for that one */
	for (i = 0; i < MANY; i++) {
		assert_int_equal(job_look(dirs[i], &l, NULL), 0);
		waits += g[i].calls == 0 && l.running && l.pid == 0;
	}
	assert_in_range(waits, 1, MANY - 1);
	kill(stopped, SIGCONT);
	for (i = 0; i < MANY; i++) {
		while (g[i].calls == 0)
			turn(f, limit);
		assert_end(&g[i], JOB_EXIT, 3);
		got_free(&g[i]);
		assert_int_equal(job_remove_folder(dirs[i], NULL), 0);
	}
	assert_int_equal(log_lines(f), MANY);
	assert_int_equal(nursery(), stopped);
}

/* ---- a nursery by hand ---- */

/* One, with the other end of its socket, which has told that it is ready; flags
 * are how that is read. */
static pid_t
by_hand(struct fix *f, int *fd, int flags)
{
	char *argv[] = {f->runner, (char *)SPOOL_NURSERY, NULL}, hello[64];
	posix_spawn_file_actions_t fa;
	ssize_t n;
	pid_t pid;
	int p[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p), 0);
	assert_int_equal(posix_spawn_file_actions_init(&fa), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&fa, p[1], 3), 0);
	assert_int_equal(
	    posix_spawn(&pid, argv[0], &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(p[1]);
	n = recv(p[0], hello, sizeof hello, flags);
	assert_bytes(hello, (size_t)n, SPOOL_NURSERY_HELLO);
	*fd = p[0];
	return pid;
}

/* Send so many bytes with so many descriptors. */
static void
post(int to, const char *text, size_t n, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = {.room = {0}};
	struct iovec v = {(char *)text, n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (n_fds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(to, &m, MSG_NOSIGNAL), (ssize_t)n);
}

/* What it cannot read it refuses, with the reason, and lives on. */
static void
bad_messages_are_refused(void **state)
{
	static char big[SPOOL_NURSERY_MAX + 1];
	static const struct {
		const char *text;
		size_t n, fds;
	} bad[] = {{"x", 1, 2}, {"a\0b", 3, 2}, {"a", 2, 2}, {"a", 2, 1},
	    {"a", 2, 0}, {"a", 2, 3}, {big, sizeof big, 2}};
	struct fix *f = *state;
	int to, status, p[2], fds[3];
	unsigned char why;
	pid_t pid = by_hand(f, &to, 0);
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(
		    mkfifo(in_dir(f, "fifo"), 0600), i == 0 ? 0 : -1);
		p[0] =
		    open(in_dir(f, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		p[1] = open(in_dir(f, "fifo"), O_WRONLY | O_CLOEXEC);
		assert_int_equal(fcntl(p[0], F_SETFL, 0), 0);
		fds[0] = p[1];
		fds[1] = fds[2] = STDIN_FILENO;
		post(to, bad[i].text, bad[i].n, fds, bad[i].fds);
		close(p[1]);
		if (bad[i].fds > 0) {
			assert_int_equal(read(p[0], &why, 1), 1);
			assert_in_range(why, 1, 127);
		}
		assert_int_equal(read(p[0], &why, 1), 0); /* let go */
		close(p[0]);
		assert_true(lives(pid));
	}
	until_empty(pid);
	kill(pid, SIGTERM); /* it ends with the adapter, not before */
	kill(pid, SIGINT);
	close(to);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* All that was sent before the adapter went is begun; also when it goes without
 * having read what the nursery said, which the kernel calls a reset. */
static void
what_was_sent_is_begun(void **state)
{
	struct fix *f = *state;
	int to, fds[2], status, i;
	char text[8192], fifo[TEMPDIR_MAX + 64];
	const char *path = script(f, "cat >>$D/log");
	pid_t pid = by_hand(f, &to, MSG_PEEK);
	size_t n;

	stop(pid);
	tempdir_write(in_dir(f, "in"), "x\n", 2);
	for (i = 0; i < 3; i++) {
		snprintf(fifo, sizeof fifo, "%s/req/%d.run", f->dir, i);
		assert_int_equal(mkfifo(fifo, 0600), 0);
		fds[0] = open(fifo, O_RDWR | O_CLOEXEC);
		fds[1] = open(in_dir(f, "in"), O_RDONLY | O_CLOEXEC);
		n = (size_t)snprintf(text, sizeof text, "%s%c%s%c%d%c%s",
			f->runner, 0, f->req, 0, i, 0, path) +
		    1;
		post(to, text, n, fds, 2);
		close(fds[0]);
		close(fds[1]);
	}
	close(to);
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	until_file(f, "req/0.status");
	until_file(f, "req/1.status");
	until_file(f, "req/2.status");
	assert_int_equal(log_lines(f), 3);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(runners_are_forked),
	    CASE(long_command_lines),
	    CASE(an_idle_nursery_is_replaced),
	    CASE(runners_outlive_the_nursery),
	    CASE(what_is_on_its_way_is_claimed),
	    CASE(what_was_on_its_way_may_run),
	    CASE(what_is_on_its_way_can_be_cancelled),
	    CASE(a_full_socket_does_not_block),
	    CASE(bad_messages_are_refused),
	    CASE(what_was_sent_is_begun),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
