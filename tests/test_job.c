/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* job and xmsg-run: how scripts end, and what they are given. */
#include "job/jobtest.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

/* Output, last words and exit status of an ordinary script. */
static void
job_tells_exit_and_output(void **state)
{
	struct fix *f = *state;
	struct got g;
	int64_t before = clock_wall_ns();

	f->spec.input = STR("{\"a\":1}");
	run(f, script(f, "cat; echo oops >&2; exit 3"), &g);
	assert_end(&g, JOB_EXIT, 3);
	assert_out(&g, "{\"a\":1}");
	assert_bytes(g.r.err.p, g.r.err.n, "oops\n");
	assert_true(g.r.start_wall_ns >= before - NS_PER_SEC);
	assert_true(g.r.start_wall_ns <= clock_wall_ns() + NS_PER_SEC);
	assert_true(g.r.took_ns > 0 && g.r.took_ns < 10 * NS_PER_SEC);
	assert_false(g.r.stuck);
	assert_string_equal(g.r.script, f->spec.script);
	assert_int_equal(jobs_running(f->js), 0);
	got_free(&g);
}

/* The extremes of an exit status, and nothing printed. */
static void
job_tells_every_status(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {{"exit 0", 0}, {"exit 1", 1}, {"exit 126", 126},
	    {"exit 127", 127}, {"exit 255", 255}};
	struct fix *f = *state;
	struct got g;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		run(f, script(f, cases[i].text), &g);
		assert_end(&g, JOB_EXIT, cases[i].code);
		assert_out(&g, "");
		assert_int_equal(g.r.err.n, 0);
		got_free(&g);
	}
}

/* A script that dies of a signal of its own. */
static void
job_tells_the_signal(void **state)
{
	static const int signals[] = {
	    SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGPIPE, SIGUSR1, SIGALRM};
	struct fix *f = *state;
	char text[64];
	struct got g;
	size_t i;

	for (i = 0; i < sizeof signals / sizeof *signals; i++) {
		snprintf(text, sizeof text, "echo x; kill -%d $$", signals[i]);
		run(f, script(f, text), &g);
		assert_end(&g, JOB_SIGNAL, signals[i]);
		assert_out(&g, "x\n");
		got_free(&g);
	}
}

/* Arguments arrive as they are, argv[0] is the path. */
static void
job_passes_arguments(void **state)
{
	static const char *const args[] = {
	    "--json", "", "two words", "--env", NULL};
	struct fix *f = *state;
	struct got g;
	char want[512];

	f->spec.argv = args;
	run(f, script(f, "echo $0; for a; do echo \"<$a>\"; done"), &g);
	assert_end(&g, JOB_EXIT, 0);
	snprintf(want, sizeof want, "%s\n<--json>\n<>\n<two words>\n<--env>\n",
	    f->spec.script);
	assert_out(&g, want);
	got_free(&g);
}

/* A clean environment, however dirty ours is. */
static void
job_cleans_the_environment(void **state)
{
	static const char *const env[] = {
	    "TRACEPARENT=a b=c", "HOME=/elsewhere", "EMPTY=", NULL};
	struct fix *f = *state;
	struct got g;

	assert_int_equal(setenv("BASH_ENV", "/nonsense", 1), 0);
	assert_int_equal(setenv("IFS", "x", 1), 0);
	assert_int_equal(setenv("PYTHONPATH", "/nonsense", 1), 0);
	f->spec.env = env;
	run(f, script(f, "#!/usr/bin/env -S sh -c 'exec env'\n"), &g);
	assert_end(&g, JOB_EXIT, 0);
	assert_non_null(strstr(g.r.out.p, "TRACEPARENT=a b=c\n"));
	assert_non_null(strstr(g.r.out.p, "EMPTY=\n"));
	assert_non_null(strstr(g.r.out.p, "HOME=/elsewhere\n"));
	assert_null(strstr(g.r.out.p, "HOME=/root"));
	assert_non_null(strstr(g.r.out.p, "PATH=/usr/bin:/bin\n"));
	assert_non_null(strstr(g.r.out.p, "LANG=C.UTF-8\n"));
	assert_non_null(strstr(g.r.out.p, "LC_ALL=C.UTF-8\n"));
	assert_non_null(strstr(g.r.out.p, "TMPDIR=/tmp\n"));
	assert_null(strstr(g.r.out.p, "nonsense"));
	assert_null(strstr(g.r.out.p, "XMSG"));
	assert_null(strstr(g.r.out.p, "IFS"));
	unsetenv("BASH_ENV");
	unsetenv("IFS");
	unsetenv("PYTHONPATH");
	got_free(&g);
}

/* The value behind "Name:\t" in a status file, up to the newline. */
static const char *
field(const char *text, const char *name)
{
	static char value[128];
	const char *p = strstr(text, name);
	size_t n;

	assert_non_null(p);
	p += strlen(name);
	p += strspn(p, ": \t");
	n = strcspn(p, "\n");
	assert_true(n < sizeof value);
	memcpy(value, p, n);
	value[n] = '\0';
	return value;
}

/* Descriptors 0, 1, 2; default signals; own session; root folder; limits. */
static void
job_cleans_the_process(void **state)
{
	struct fix *f = *state;
	struct got g;
	int spare[2];

	assert_int_equal(pipe(spare), 0); /* inherited unless closed */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	run(f,
	    script(f,
		"echo fds /proc/self/fd/*; cat /proc/self/status; pwd; umask;"
		"ulimit -n; ulimit -c; cat /proc/$$/stat; echo pid $$;"
		"echo oom; cat /proc/$$/oom_score_adj"),
	    &g);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	close(spare[0]);
	close(spare[1]);
	assert_end(&g, JOB_EXIT, 0);
	/* the shell has the script itself at 10, closed on exec */
	assert_non_null(strstr(g.r.out.p,
	    "fds /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/10"
	    " /proc/self/fd/2"));
	assert_string_equal(field(g.r.out.p, "SigBlk"), "0000000000000000");
	assert_string_equal(field(g.r.out.p, "SigIgn"), "0000000000000000");
	assert_string_equal(field(g.r.out.p, "\nUmask"), "0022");
	assert_non_null(strstr(g.r.out.p, "\n/\n0022\n256\n0\n"));
	assert_string_equal(field(g.r.out.p, "oom\n"), "100");
	got_free(&g);
}

/* It leads a session and a group of its own. */
static void
job_gives_a_session(void **state)
{
	struct fix *f = *state;
	char want[64];
	struct got g;
	pid_t pid;

	run(f, script(f, "echo $$; cut -d' ' -f5,6 /proc/$$/stat"), &g);
	assert_end(&g, JOB_EXIT, 0);
	pid = (pid_t)atoi(g.r.out.p);
	snprintf(want, sizeof want, "%d\n%d %d\n", pid, pid, pid);
	assert_out(&g, want);
	assert_int_not_equal(getsid(0), pid);
	got_free(&g);
}

/* exec that fails is told as such, and not as status 127. */
static void
job_tells_failed_exec(void **state)
{
	struct fix *f = *state;
	struct got g;
	const char *path;

	run(f, "/nonexistent/script", &g);
	assert_end(&g, JOB_NOEXEC, ENOENT);
	got_free(&g);
	run(f, script(f, "#!/nonexistent/interpreter\n"), &g);
	assert_end(&g, JOB_NOEXEC, ENOENT);
	got_free(&g);
	path = script(f, "exit 0");
	assert_int_equal(chmod(path, 0644), 0);
	run(f, path, &g);
	assert_end(&g, JOB_NOEXEC, EACCES);
	got_free(&g);
	tempdir_write(path, "neither magic nor number\n", 25);
	assert_int_equal(chmod(path, 0755), 0);
	run(f, path, &g);
	assert_end(&g, JOB_NOEXEC, ENOEXEC);
	got_free(&g);
	run(f, f->dir, &g);
	assert_end(&g, JOB_NOEXEC, EACCES);
	got_free(&g);
}

/* Without a runner nothing is run, and that is what is told. */
static void
job_tells_when_nothing_was_run(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->limits.runner = "/nonexistent/xmsg-run";
	fix_again(f);
	run(f, script(f, "exit 0"), &g);
	assert_end(&g, JOB_NOSTART, ENOENT);
	got_free(&g);
	/* a runner that ends at once: its status is the reason */
	f->limits.runner = script(f, "exit 12");
	fix_again(f);
	run(f, script(f, "exit 0"), &g);
	assert_end(&g, JOB_NOSTART, 12);
	got_free(&g);
	f->spec.dir = "/nonexistent/folder";
	run(f, script(f, "exit 0"), &g);
	assert_end(&g, JOB_NOSTART, ENOENT);
	got_free(&g);
	/* and nothing is in the way of a second try */
	f->spec.dir = f->req;
	f->spec.step = 0;
	f->limits.runner = f->runner;
	fix_again(f);
	run(f, script(f, "exit 5"), &g);
	assert_end(&g, JOB_EXIT, 5);
	got_free(&g);
}

/* The time limit: TERM is enough for most. */
static void
job_ends_at_its_limit(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->limits.term_ns = 30 * NS_PER_SEC;
	fix_again(f);
	f->spec.limit_ns = 200 * MS;
	run(f, script(f, "echo $$ >$D/pid; echo part; sleep 100"), &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_out(&g, "part\n");
	assert_true(g.r.took_ns >= 200 * MS && g.r.took_ns < 15 * NS_PER_SEC);
	until_gone(pid_in(f, "pid"));
	got_free(&g);
}

/* A script that ignores TERM, and its children, get KILL. */
static void
job_kills_who_ignores_term(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->spec.limit_ns = 100 * MS;
	run(f,
	    script(f,
		"trap '' TERM; echo $$ >$D/pid\n"
		"sh -c 'echo $$ >'$D'/child; while :; do sleep 1; done' &\n"
		"while :; do sleep 1; done"),
	    &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_true(g.r.took_ns >= 400 * MS && g.r.took_ns < 15 * NS_PER_SEC);
	assert_false(g.r.stuck);
	until_gone(pid_in(f, "pid"));
	until_gone(pid_in(f, "child"));
	got_free(&g);
}

/* A script that cleans up on TERM may print while it does. */
static void
job_lets_a_script_clean_up(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->spec.limit_ns = 100 * MS;
	run(f,
	    script(f,
		"trap 'yes | head -c 200000; echo clean >&2; exit 0' TERM\n"
		"while :; do sleep 0.05; done"),
	    &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_non_null(strstr(g.r.err.p, "clean\n"));
	got_free(&g);
}

/* A stopped script is woken for its TERM. */
static void
job_ends_a_stopped_script(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->limits.term_ns = 30 * NS_PER_SEC;
	fix_again(f);
	f->spec.limit_ns = 100 * MS;
	run(f, script(f, "trap 'echo term; exit 1' TERM; kill -STOP $$"), &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_true(g.r.took_ns < 15 * NS_PER_SEC);
	got_free(&g);
}

/* A daemon of its own session dies with a script that is ended. */
static void
job_kills_daemons_of_an_ended_script(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->spec.limit_ns = 200 * MS;
	run(f,
	    script(f,
		"setsid sh -c 'echo $$ >'$D'/daemon; exec sleep 100' &\n"
		"sleep 100"),
	    &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	until_gone(pid_in(f, "daemon"));
	got_free(&g);
}

/* Processes that make processes, in sessions of their own too. */
static void
job_ends_a_fork_bomb(void **state)
{
	struct fix *f = *state;
	char text[256], line[64];
	struct got g;
	FILE *p;

	f->spec.limit_ns = 300 * MS;
	run(f,
	    script(f,
		"ln -s $(command -v sleep) $D/xmsg-bomb\n"
		"bomb() { [ $1 -gt 5 ] && exec $D/xmsg-bomb 60;"
		" bomb $(($1 + 1)) & bomb $(($1 + 1)); }\n"
		"setsid $D/xmsg-bomb 60 & bomb 0"),
	    &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_false(g.r.stuck);
	snprintf(text, sizeof text, "pgrep -f '^%s/xmsg-bomb' | wc -l", f->dir);
	p = popen(text, "r");
	assert_non_null(p);
	assert_non_null(fgets(line, sizeof line, p));
	pclose(p);
	assert_int_equal(atoi(line), 0);
	got_free(&g);
}

/* Somebody keeps standard output open: told after the grace, left alone. */
static void
job_waits_for_daemons_only_a_moment(void **state)
{
	struct fix *f = *state;
	int64_t began;
	struct got g;
	pid_t pid;

	f->limits.grace_ns = NS_PER_SEC;
	fix_again(f);
	began = clock_mono_ns();
	run(f, script(f, "sleep 100 & echo $! >$D/daemon; echo hello; exit 4"),
	    &g);
	assert_end(&g, JOB_EXIT, 4);
	assert_out(&g, "hello\n");
	/* what the script took does not include the waiting */
	assert_true(g.at_ns - began - g.r.took_ns >= NS_PER_SEC);
	assert_true(g.at_ns - began < 15 * NS_PER_SEC);
	pid = pid_in(f, "daemon");
	assert_true(lives(pid));
	kill(pid, SIGKILL);
	until_gone(pid);
	got_free(&g);
}

/* The same daemon with its output elsewhere costs no time. */
static void
job_does_not_wait_for_quiet_daemons(void **state)
{
	struct fix *f = *state;
	int64_t began;
	struct got g;
	pid_t pid;

	f->limits.grace_ns = 19 * NS_PER_SEC;
	fix_again(f);
	began = clock_mono_ns();
	run(f,
	    script(f, "setsid sleep 100 >/dev/null 2>&1 & echo $! >$D/daemon"),
	    &g);
	assert_end(&g, JOB_EXIT, 0);
	assert_true(g.at_ns - began < 15 * NS_PER_SEC);
	pid = pid_in(f, "daemon");
	assert_true(lives(pid));
	kill(pid, SIGKILL);
	got_free(&g);
}

/* What a script leaves in the pipe is read even without any grace. */
static void
job_drains_the_pipe(void **state)
{
	struct fix *f = *state;
	struct got g;

	f->limits.grace_ns = 0;
	fix_again(f);
	run(f, script(f, "sleep 100 & echo $! >$D/p; head -c 65536 /dev/zero"),
	    &g);
	assert_end(&g, JOB_EXIT, 0);
	assert_int_equal(g.r.out.n, 65536);
	kill(pid_in(f, "p"), SIGKILL);
	got_free(&g);
}

/* Exactly the limit is good, one byte more ends the script. */
static void
job_bounds_output(void **state)
{
	struct fix *f = *state;
	struct got g;
	size_t i;

	run(f, script(f, "head -c 16777216 /dev/zero; exit 1"), &g);
	assert_end(&g, JOB_EXIT, 1);
	assert_int_equal(g.r.out.n, 16777216);
	for (i = 0; i < g.r.out.n; i += 4093)
		assert_int_equal(g.r.out.p[i], 0);
	got_free(&g);
	run(f, script(f, "head -c 16777217 /dev/zero; sleep 100"), &g);
	assert_end(&g, JOB_OUTPUT, 0);
	assert_int_equal(g.r.out.n, 16777216);
	got_free(&g);
	run(f, script(f, "head -c 16777217 /dev/zero"), &g);
	assert_end(&g, JOB_OUTPUT, 0);
	got_free(&g);
	run(f, script(f, "exec yes"), &g);
	assert_end(&g, JOB_OUTPUT, 0);
	got_free(&g);
}

/* Of standard error the end is kept, on the disk never more than twice that. */
static void
job_keeps_the_end_of_errors(void **state)
{
	struct fix *f = *state;
	char want[4096];
	struct stat st;
	struct got g;
	size_t i;

	f->limits.max_err = 1024;
	fix_again(f);
	run(f, script(f, "seq 1 100000 >&2; exit 1"), &g);
	assert_end(&g, JOB_EXIT, 1);
	assert_int_equal(g.r.err.n, 1024);
	for (i = 0, *want = '\0'; i < 200; i++)
		snprintf(want + strlen(want), sizeof want - strlen(want),
		    "%zu\n", 99801 + i);
	assert_memory_equal(g.r.err.p, want + strlen(want) - 1024, 1024);
	assert_int_equal(stat(in_dir(f, "req/0.err"), &st), 0);
	assert_true(st.st_size <= 2048);
	got_free(&g);
	f->spec.limit_ns = 300 * MS;
	run(f, script(f, "exec yes >&2"), &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_int_equal(g.r.err.n, 1024);
	assert_int_equal(stat(in_dir(f, "req/1.err"), &st), 0);
	assert_true(st.st_size <= 2048);
	got_free(&g);
}

/* Input that nobody reads disturbs nobody; what is read is what was given. */
static void
job_gives_all_input(void **state)
{
	struct fix *f = *state;
	size_t n = 1 << 20;
	char *big = malloc(n);
	struct got g;
	size_t i;

	assert_non_null(big);
	for (i = 0; i < n; i++)
		big[i] = (char)(i * 31 >> 3);
	f->spec.input = (struct str){big, n};
	run(f, script(f, "exit 0"), &g);
	assert_end(&g, JOB_EXIT, 0);
	got_free(&g);
	run(f, script(f, "exec cat"), &g);
	assert_end(&g, JOB_EXIT, 0);
	assert_int_equal(g.r.out.n, n);
	assert_memory_equal(g.r.out.p, big, n);
	got_free(&g);
	f->spec.input = (struct str){NULL, 0};
	run(f, script(f, "cat; echo end"), &g);
	assert_out(&g, "end\n");
	got_free(&g);
	free(big);
}

/* Cancelled: TERM at once, however early. */
static void
job_can_be_cancelled(void **state)
{
	struct fix *f = *state;
	struct job *j;
	struct got g;

	j = start(f, script(f, "echo $$ >$D/pid; exec sleep 100"), &g);
	until_file(f, "pid");
	assert_int_equal(job_pid(j), pid_in(f, "pid"));
	assert_int_equal(jobs_running(f->js), 1);
	job_cancel(j);
	job_cancel(j);
	until_told(f, &g);
	assert_end(&g, JOB_CANCELLED, 0);
	until_gone(pid_in(f, "pid"));
	got_free(&g);
	f->spec.step++;
	/* before the runner has even begun */
	j = start(f, script(f, "exec sleep 100"), &g);
	job_cancel(j);
	until_told(f, &g);
	assert_end(&g, JOB_CANCELLED, 0);
	got_free(&g);
}

/* Left alone: nobody is told, the script goes on, and can be found again. */
static void
job_can_be_left(void **state)
{
	struct fix *f = *state;
	struct got g, again;
	struct job *j;

	j = start(f,
	    script(f,
		"echo $$ >$D/pid; until [ -e $D/go ]; do sleep 0.01;"
		" done; echo done"),
	    &g);
	until_file(f, "pid");
	job_leave(j);
	assert_int_equal(jobs_running(f->js), 0);
	assert_true(lives(pid_in(f, "pid")));
	(void)start(f, f->spec.script, &again);
	tempdir_write(in_dir(f, "go"), "x", 1);
	until_told(f, &again);
	assert_end(&again, JOB_EXIT, 0);
	assert_out(&again, "done\n");
	assert_int_equal(g.calls, 0);
	got_free(&again);
}

/* A finished step is not run again; the next step is another run. */
static void
job_runs_a_step_once(void **state)
{
	struct fix *f = *state;
	const char *path = script(f, "echo x >>$D/log; cat $D/log");
	struct got g;
	int i;

	for (i = 0; i < 3; i++) {
		f->spec.step = 0;
		run(f, path, &g);
		assert_end(&g, JOB_EXIT, 0);
		assert_out(&g, "x\n");
		got_free(&g);
	}
	run(f, path, &g);
	assert_out(&g, "x\nx\n");
	assert_string_equal(contents(f, "log"), "x\nx\n");
	got_free(&g);
}

/* Many at once, and each gets its own. */
static void
job_runs_many(void **state)
{
	enum { MANY = 24 };
	struct fix *f = *state;
	char req[MANY][TEMPDIR_MAX + 16], want[16];
	const char *args[2] = {want, NULL};
	const char *path = script(f, "sleep 0.1; echo $1");
	struct got g[MANY];
	int i;

	f->spec.argv = args;
	for (i = 0; i < MANY; i++) {
		snprintf(req[i], sizeof req[i], "%s/r%d", f->dir, i);
		assert_int_equal(mkdir(req[i], 0700), 0);
		f->spec.dir = req[i];
		snprintf(want, sizeof want, "%d", i);
		(void)start(f, path, &g[i]);
	}
	assert_int_equal(jobs_running(f->js), MANY);
	for (i = 0; i < MANY; i++) {
		until_told(f, &g[i]);
		snprintf(want, sizeof want, "%d\n", i);
		assert_end(&g[i], JOB_EXIT, 0);
		assert_out(&g[i], want);
		got_free(&g[i]);
		assert_int_equal(job_remove_folder(req[i], NULL), 0);
		assert_int_equal(access(req[i], F_OK), -1);
	}
	assert_int_equal(jobs_running(f->js), 0);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(job_tells_exit_and_output),
	    CASE(job_tells_every_status),
	    CASE(job_tells_the_signal),
	    CASE(job_passes_arguments),
	    CASE(job_cleans_the_environment),
	    CASE(job_cleans_the_process),
	    CASE(job_gives_a_session),
	    CASE(job_tells_failed_exec),
	    CASE(job_tells_when_nothing_was_run),
	    CASE(job_ends_at_its_limit),
	    CASE(job_kills_who_ignores_term),
	    CASE(job_lets_a_script_clean_up),
	    CASE(job_ends_a_stopped_script),
	    CASE(job_kills_daemons_of_an_ended_script),
	    CASE(job_ends_a_fork_bomb),
	    CASE(job_waits_for_daemons_only_a_moment),
	    CASE(job_does_not_wait_for_quiet_daemons),
	    CASE(job_drains_the_pipe),
	    CASE(job_bounds_output),
	    CASE(job_keeps_the_end_of_errors),
	    CASE(job_gives_all_input),
	    CASE(job_can_be_cancelled),
	    CASE(job_can_be_left),
	    CASE(job_runs_a_step_once),
	    CASE(job_runs_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
