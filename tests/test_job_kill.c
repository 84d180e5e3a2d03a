/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Adapter, nursery and runner are killed, once before each of their system
 * calls, and when scripts run.  Whatever happens, no script runs twice, each run has one
 * result, and it is the right one.
 */
#include "job/jobtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

/* More calls than either makes. */
#define CALLS_MAX 400
/* Folders of one agent. */
#define FOLDERS 32

struct agent {
	const char *path; /* of the script */
	const char *dirs[FOLDERS + 1]; /* NULL-terminated */
	const char *in; /* program in which calls are counted, or NULL */
	const char *who; /* whom to kill */
	int at; /* before which call; 0: none */
	const char *count; /* file for a line for each call, or NULL */
};

/* What an agent said, by folder. */
struct said {
	bool there;
	int end, code, stuck, bytes;
};

/* In the child: become the agent. */
static void
exec_agent(struct fix *f, const struct agent *a, int out)
{
	const char *argv[FOLDERS + 4] = {NULL, f->runner, a->path};
	char number[16], path[4096], preload[4096];
	size_t i;

	snprintf(path, sizeof path, "%.4000s/tests/job_agent",
	    getenv("XMSG_BUILDDIR"));
	snprintf(preload, sizeof preload, "%.4000s/tests/job/.libs/killjob.so",
	    getenv("XMSG_BUILDDIR"));
	argv[0] = path;
	for (i = 0; a->dirs[i] != NULL; i++)
		argv[i + 3] = a->dirs[i];
	argv[i + 3] = NULL;
	dup2(out, STDOUT_FILENO);
	if (a->in != NULL) {
		snprintf(number, sizeof number, "%d", a->at);
		setenv("XMSG_KILL_IN", a->in, 1);
		setenv("XMSG_KILL_AT", number, 1);
		setenv("XMSG_KILL_WHO", a->who, 1);
		if (a->count != NULL)
			setenv("XMSG_KILL_COUNT", a->count, 1);
		setenv("LD_PRELOAD", preload, 1);
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	}
	execv(path, (char *const *)argv);
	_exit(99);
}

/* Start an agent; *out gets the reading end of what it says. */
static pid_t
agent_start(struct fix *f, const struct agent *a, int *out)
{
	pid_t pid;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		exec_agent(f, a, p[1]);
	close(p[1]);
	*out = p[0];
	return pid;
}

/* Read what it says to the end; its exit status, or -SIGNAL. */
static int
agent_end(pid_t pid, int out, struct said said[FOLDERS])
{
	FILE *in = fdopen(out, "r");
	struct said s;
	int i, status;

	assert_non_null(in);
	memset(said, 0, FOLDERS * sizeof *said);
	while (fscanf(in, "%d %d %d %d %d\n", &i, &s.end, &s.code, &s.stuck,
		   &s.bytes) == 5) {
		assert_in_range(i, 0, FOLDERS - 1);
		assert_false(said[i].there);
		said[i] = s;
		said[i].there = true;
	}
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* From start to end. */
static int
agent(struct fix *f, const struct agent *a, struct said said[FOLDERS])
{
	int out;
	pid_t pid = agent_start(f, a, &out);

	return agent_end(pid, out, said);
}

/* A fresh folder; borrowed until teardown or the next sweep. */
static const char *
folder(struct fix *f, int i)
{
	static char paths[CALLS_MAX][TEMPDIR_MAX + 16];

	snprintf(paths[i], sizeof paths[i], "%s/f%d", f->dir, i);
	assert_int_equal(mkdir(paths[i], 0700), 0);
	return paths[i];
}

/* How many lines the file has. */
static int
lines(struct fix *f, const char *name)
{
	const char *p = contents(f, name);
	int n = 0;

	for (; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* The folder is done with: nothing runs in it, and it can go. */
static void
clear(struct fix *f, const char *dir)
{
	int64_t limit = clock_mono_ns() + 10 * NS_PER_SEC;

	while (!job_end_folder(dir))
		assert_true(clock_mono_ns() < limit);
	assert_int_equal(job_remove_folder(dir, NULL), 0);
	unlink(in_dir(f, "log"));
	unlink(in_dir(f, "pid"));
}

/* The adapter is killed at each call; the one after it finds or makes the run:
 * it is always told exit and output of exactly one. */
static void
adapter_killed_at_each_call(void **state)
{
	struct fix *f = *state;
	struct agent a = {
	    .path = script(f, "echo x >>$D/log; sleep 0.01; echo done; exit 3"),
	    .in = "job_agent",
	    .who = "self"};
	struct said said[FOLDERS];
	int rc = -SIGKILL;

	for (a.at = 1; rc == -SIGKILL; a.at++) {
		assert_in_range(a.at, 1, CALLS_MAX - 1);
		a.dirs[0] = folder(f, a.at);
		a.in = "job_agent";
		rc = agent(f, &a, said);
		a.in = NULL;
		assert_int_equal(agent(f, &a, said), 0);
		assert_true(said[0].there);
		assert_int_equal(said[0].end, JOB_EXIT);
		assert_int_equal(said[0].code, 3);
		assert_int_equal(said[0].bytes, 5);
		assert_int_equal(lines(f, "log"), 1);
		clear(f, a.dirs[0]);
	}
	assert_int_equal(rc, 0);
	assert_true(a.at > 20);
}

/* The one answer for what an adapter is told when its runner was killed, and
 * for what the log says. */
static void
check_one_run(const struct said *s, int log)
{
	assert_true(s->there);
	assert_in_range(log, 0, 1);
	switch (s->end) {
	case JOB_EXIT:
		assert_int_equal(s->code, 3);
		assert_int_equal(s->bytes, 5);
		assert_int_equal(log, 1);
		break;
	case JOB_NOSTART: assert_int_equal(log, 0); break;
	case JOB_SIGNAL: /* the child, after its record, before the script */
		assert_int_equal(s->code, SIGKILL);
		assert_int_equal(log, 0);
		break;
	case JOB_LOST: break;
	default: fail_msg("end %d", s->end);
	}
}

/* Asked again, the outcome is the same; what was not begun now is. */
static void
check_again(struct fix *f, struct agent *a, const struct said *s, int log)
{
	struct said again[FOLDERS];
	const char *in = a->in;

	a->in = NULL;
	assert_int_equal(agent(f, a, again), 0);
	a->in = in;
	if (s->end == JOB_NOSTART) {
		assert_int_equal(again[0].end, JOB_EXIT);
		assert_int_equal(lines(f, "log"), 1);
	} else {
		assert_int_equal(again[0].end, s->end);
		assert_int_equal(again[0].code, s->code);
		assert_int_equal(lines(f, "log"), log);
	}
}

/* Kill in the runner at each call. */
static void
kill_runner(struct fix *f, const char *who)
{
	struct agent a = {.path = script(f,
			      "echo $$ >$D/pid; echo x >>$D/log; sleep 0.02;"
			      "echo done; exit 3"),
	    .in = "xmsg-run",
	    .who = who};
	int seen[JOB_NOSTART + 1] = {0}, log, unharmed = 0;
	struct said said[FOLDERS];

	for (a.at = 1; unharmed < 3; a.at++) {
		assert_in_range(a.at, 1, CALLS_MAX - 1);
		a.dirs[0] = folder(f, a.at);
		assert_int_equal(agent(f, &a, said), 0);
		log = lines(f, "log");
		check_one_run(&said[0], log);
		seen[said[0].end]++;
		/* told, so it does not run any more */
		if (log > 0)
			assert_false(lives(pid_in(f, "pid")));
		check_again(f, &a, &said[0], log);
		/* the last call may be made after the record is there */
		unharmed = said[0].end == JOB_EXIT ? unharmed + 1 : 0;
		clear(f, a.dirs[0]);
	}
	assert_true(seen[JOB_NOSTART] > 10);
	assert_true(seen[JOB_LOST] > 3);
}

static void
runner_killed_at_each_call(void **state)
{
	kill_runner(*state, "owner");
}

static void
whoever_calls_killed_at_each_call(void **state)
{
	kill_runner(*state, "self");
}

/* How many calls the nursery makes for one run. */
static int
nursery_calls(struct fix *f, struct agent *a)
{
	struct said said[FOLDERS];
	char count[4096];

	snprintf(count, sizeof count, "%s", in_dir(f, "count"));
	a->at = 0;
	a->count = count;
	a->dirs[0] = folder(f, 0);
	assert_int_equal(agent(f, a, said), 0);
	check_one_run(&said[0], lines(f, "log"));
	assert_int_equal(said[0].end, JOB_EXIT);
	clear(f, a->dirs[0]);
	a->count = NULL;
	assert_non_null(strstr(contents(f, "count"), " recvmsg\n"));
	assert_non_null(strstr(contents(f, "count"), " fork\n"));
	return lines(f, "count");
}

/* The nursery is killed at each call: before it was asked the runner is started
 * without it, after it has forked it is not missed, and between nothing is
 * run. */
static void
nursery_killed_at_each_call(void **state)
{
	struct fix *f = *state;
	struct agent a = {
	    .path = script(
		f, "echo $$ >$D/pid; echo x >>$D/log; echo done; exit 3"),
	    .in = "nursery",
	    .who = "self"};
	int seen[JOB_NOSTART + 1] = {0}, log, n = nursery_calls(f, &a);
	struct said said[FOLDERS];

	for (a.at = 1; a.at <= n; a.at++) {
		a.dirs[0] = folder(f, a.at);
		assert_int_equal(agent(f, &a, said), 0);
		log = lines(f, "log");
		check_one_run(&said[0], log);
		seen[said[0].end]++;
		check_again(f, &a, &said[0], log);
		clear(f, a.dirs[0]);
	}
	assert_int_equal(seen[JOB_EXIT] + seen[JOB_NOSTART], n);
	assert_true(seen[JOB_EXIT] > 5);
	assert_true(seen[JOB_NOSTART] > 0);
}

/* 32 scripts under way, the adapter dies: all are found by the next one. */
static void
scripts_outlive_the_adapter(void **state)
{
	struct fix *f = *state;
	struct agent a = {.path = script(f,
			      "echo x >>$D/log; until [ -e $D/go ];"
			      " do sleep 0.05; done; echo done; exit 3")};
	struct said said[FOLDERS];
	int i, round, out;
	pid_t pid;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < FOLDERS; i++)
			a.dirs[i] = folder(f, i);
		pid = agent_start(f, &a, &out);
		/* killed on the way, later each time */
		while (lines(f, "log") < FOLDERS * round / 2)
			usleep(1000);
		kill(pid, SIGKILL);
		assert_int_equal(agent_end(pid, out, said), -SIGKILL);
		pid = agent_start(f, &a, &out);
		while (lines(f, "log") < FOLDERS)
			usleep(1000);
		tempdir_write(in_dir(f, "go"), "x", 1);
		assert_int_equal(agent_end(pid, out, said), 0);
		for (i = 0; i < FOLDERS; i++) {
			assert_int_equal(said[i].end, JOB_EXIT);
			assert_int_equal(said[i].code, 3);
			assert_int_equal(said[i].bytes, 5);
		}
		assert_int_equal(lines(f, "log"), FOLDERS);
		for (i = 0; i < FOLDERS; i++)
			clear(f, a.dirs[i]);
		unlink(in_dir(f, "go"));
	}
}

/* The adapter's whole group and terminal go: scripts and runners do not. */
static void
scripts_outlive_the_group(void **state)
{
	struct fix *f = *state;
	struct agent a = {.path = script(f,
			      "echo $$ >$D/pid; until [ -e $D/go"
			      " ]; do sleep 0.01; done; exit 3")};
	struct said said[FOLDERS];
	int out, gate[2];
	pid_t pid;
	char c;

	a.dirs[0] = folder(f, 0);
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		(void)agent_start(f, &a, &out);
		close(gate[1]);
		close(gate[0]);
		for (;;)
			pause();
	}
	close(gate[1]);
	assert_int_equal(read(gate[0], &c, 1), 0);
	close(gate[0]);
	until_file(f, "pid");
	assert_int_equal(kill(-pid, SIGHUP), 0);
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(lives(pid_in(f, "pid")));
	pid = agent_start(f, &a, &out);
	tempdir_write(in_dir(f, "go"), "x", 1);
	assert_int_equal(agent_end(pid, out, said), 0);
	assert_int_equal(said[0].end, JOB_EXIT);
	assert_int_equal(said[0].code, 3);
	clear(f, a.dirs[0]);
}

/* The number of the runner, from the record. */
static pid_t
runner_of(struct fix *f)
{
	const char *text = contents(f, "req/0.pid");
	struct spool_start s;

	assert_true(spool_read_start(text, strlen(text), &s));
	return s.runner;
}

/* The runner dies under a living script, which is ended: also a script that
 * ignores TERM, and its children. */
static void
lost_script_is_ended(void **state)
{
	struct fix *f = *state;
	struct got g;

	(void)start(f,
	    script(f,
		"trap '' TERM; sh -c 'echo $$ >'$D'/child; while :; do"
		" sleep 1; done' & echo why >&2; echo $$ >$D/pid;"
		" while :; do sleep 1; done"),
	    &g);
	until_file(f, "pid");
	until_file(f, "child");
	until_file(f, "req/0.err");
	kill(runner_of(f), SIGKILL);
	until_told(f, &g);
	assert_end(&g, JOB_LOST, 0);
	assert_bytes(g.r.err.p, g.r.err.n, "why\n");
	assert_true(g.r.start_wall_ns > 0);
	assert_false(lives(pid_in(f, "pid")));
	assert_false(lives(pid_in(f, "child")));
	got_free(&g);
}

/* The runner died, then the script; a child of it still runs. */
static void
lost_children_are_ended(void **state)
{
	struct fix *f = *state;
	struct got g;

	(void)start(f,
	    script(f,
		"sh -c 'echo $$ >'$D'/child; exec sleep 100' &"
		" echo $$ >$D/pid; until [ -e $D/go ]; do sleep 0.01;"
		" done"),
	    &g);
	until_file(f, "pid");
	until_file(f, "child");
	jobs_free(f->js); /* nobody looks */
	f->js = NULL;
	kill(runner_of(f), SIGKILL);
	tempdir_write(in_dir(f, "go"), "x", 1);
	until_gone(pid_in(f, "pid"));
	assert_true(lives(pid_in(f, "child")));
	fix_again(f);
	run(f, f->spec.script, &g);
	assert_end(&g, JOB_LOST, 0);
	assert_false(lives(pid_in(f, "child")));
	got_free(&g);
}

/* A process that has the number of a lost script, but is another, lives. */
static void
strangers_are_left_alone(void **state)
{
	struct fix *f = *state;
	struct spool_start s = {.runner = 1, .script = "/x"};
	char buf[SPOOL_RECORD];
	struct got g;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0) {
			setsid();
			for (;;)
				pause();
		}
		run(f, script(f, "exit 0"), &g);
		got_free(&g);
		f->spec.step = 0;
		s.pid = pid;
		clock_boot_id(s.boot);
		if (i == 0)
			s.ticks = 1; /* began at another time */
		else
			s.boot[0] ^= 1; /* in another boot */
		spool_write(buf, &s, NULL);
		unlink(in_dir(f, "req/0.status"));
		tempdir_write(in_dir(f, "req/0.pid"), buf, sizeof buf);
		run(f, f->spec.script, &g);
		assert_end(&g, JOB_LOST, 0);
		assert_true(job_end_folder(f->req));
		assert_true(lives(pid));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		got_free(&g);
		assert_int_equal(job_remove_folder(f->req, NULL), 0);
		assert_int_equal(mkdir(f->req, 0700), 0);
		f->spec.step = 0;
	}
}

/* In a child: a family of two who wait; the number of the younger goes to fd.
 */
static void
family(int fd)
{
	pid_t pid = fork();

	if (pid > 0)
		(void)!write(fd, &pid, sizeof pid);
	for (;;)
		pause();
}

/* A folder is ended whose record names a runner; but whose script has begun at
 * another time: that runner is a stranger, and is not asked to end. */
static void
strange_runners_are_left_alone(void **state)
{
	struct fix *f = *state;
	struct spool_start s = {.script = "/x", .ticks = 1};
	char buf[SPOOL_RECORD];
	int fd, out[2], status;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s.runner = fork();
	if (s.runner == 0)
		family(out[1]);
	assert_int_equal(read(out[0], &s.pid, sizeof s.pid), sizeof s.pid);
	clock_boot_id(s.boot);
	spool_write(buf, &s, NULL);
	tempdir_write(in_dir(f, "req/0.pid"), buf, sizeof buf);
	assert_int_equal(mkfifo(in_dir(f, "req/0.run"), 0600), 0);
	fd = open(in_dir(f, "req/0.run"), O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_false(job_end_folder(f->req));
	kill(s.runner, SIGKILL);
	assert_int_equal(waitpid(s.runner, &status, 0), s.runner);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	kill(s.pid, SIGKILL);
	close(fd);
	close(out[0]);
	close(out[1]);
}

/* With the runner that can be preloaded. */
static int
setup(void **state)
{
	struct fix *f;
	int rc = fix_setup(state);

	f = *state;
	snprintf(f->runner, sizeof f->runner, "%.4000s/tests/job/xmsg-run",
	    getenv("XMSG_BUILDDIR"));
	fix_again(f);
	return rc;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(adapter_killed_at_each_call),
	    CASE(runner_killed_at_each_call),
	    CASE(whoever_calls_killed_at_each_call),
	    CASE(nursery_killed_at_each_call),
	    CASE(scripts_outlive_the_adapter),
	    CASE(scripts_outlive_the_group),
	    CASE(lost_script_is_ended),
	    CASE(lost_children_are_ended),
	    CASE(strangers_are_left_alone),
	    CASE(strange_runners_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
