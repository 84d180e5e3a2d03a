/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Folders of runs: looked at, ended, removed, damaged, full; and what a run
 * leaves behind in the process that started it. */
#include "job/jobtest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

/* ---- records ---- */

static const struct spool_start some_start = {
    .boot = "00000000-1111-2222-3333-444444444444",
    .runner = 12,
    .pid = 34,
    .ticks = 5678901234567,
    .wall_ns = 1700000000000000000,
    .script = "/a path/with \"all\"",
};
static const struct spool_end some_end = {
    .end = JOB_SIGNAL,
    .code = 9,
    .took_ns = 1,
    .stuck = true,
    .out = 16 << 20,
    .err = INT64_MAX,
    .user_us = 3,
    .system_us = 4,
    .rss_kb = 5,
    .cgroup = 6,
};

/* What is written is what is read. */
static void
record_round_trip(void **state)
{
	struct spool_start s;
	struct spool_end e;
	char buf[SPOOL_RECORD];

	(void)state;
	spool_write(buf, &some_start, NULL);
	assert_true(spool_read_start(buf, sizeof buf, &s));
	assert_memory_equal(&s, &some_start, sizeof s);
	assert_false(spool_read_end(buf, sizeof buf, &e));
	spool_write(buf, &some_start, &some_end);
	assert_true(spool_read_start(buf, sizeof buf, &s));
	assert_true(spool_read_end(buf, sizeof buf, &e));
	assert_memory_equal(&s, &some_start, sizeof s);
	assert_int_equal(e.end, JOB_SIGNAL);
	assert_int_equal(e.code, 9);
	assert_true(e.stuck);
	assert_int_equal(e.out, 16 << 20);
	assert_true(e.err == INT64_MAX);
	assert_int_equal(e.cgroup, 6);
}

/* The longest of everything has room. */
static void
record_has_room(void **state)
{
	struct spool_start s, back;
	struct spool_end e, end;
	char buf[SPOOL_RECORD];

	(void)state;
	memset(&s, 0, sizeof s);
	memset(s.boot, 'b', 36);
	memset(s.script, '\n', 255);
	s.runner = s.pid = INT32_MAX;
	s.ticks = INT64_MAX;
	s.wall_ns = INT64_MAX;
	e = (struct spool_end){JOB_CANCELLED, INT32_MAX, INT64_MAX, true,
	    INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT32_MAX};
	spool_write(buf, &s, &e);
	assert_true(spool_read_start(buf, sizeof buf, &back));
	assert_true(spool_read_end(buf, sizeof buf, &end));
	assert_int_equal(strlen(back.script), 255);
	assert_int_equal(back.script[254], '?');
	assert_int_equal(end.cgroup, INT32_MAX);
	assert_int_equal(buf[SPOOL_RECORD - 1], '\n');
}

/* Every byte changed, every length cut: read as what it is, or refused, and
 * never as another end. */
static void
record_is_read_strictly(void **state)
{
	static const struct {
		const char *from, *to;
	} bad[] = {{"xmsg-run ", "xmsg-ran "}, {"pid=34", "pid=0 "},
	    {"pid=34", "pid=-4"}, {"pid=34", "pid=3x"},
	    {"runner=12", "runner= 2"}, {"ticks=", "tacks="},
	    {"wall=1", "wall=-"}};
	static const struct {
		const char *from, *to;
	} bad_end[] = {{"end=signal", "end=sagnal"}, {"code=9", "code=-"},
	    {"stuck=1", "stuck=2"}, {"out=1", "out=+"},
	    {"err=9223372036854775807", "err=9223372036854775808"},
	    {"cgroup=6\n", "cgroup=6 "}, {"rss_kb=5 c", "rss_kb=5  "}};
	char buf[SPOOL_RECORD], copy[SPOOL_RECORD + 1], *at;
	struct spool_start s;
	struct spool_end e;
	size_t i;

	(void)state;
	spool_write(buf, &some_start, &some_end);
	for (i = 0; i < sizeof buf; i++)
		assert_false(
		    spool_read_start(buf, i, &s) || spool_read_end(buf, i, &e));
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		memcpy(copy, buf, sizeof buf);
		copy[sizeof buf] = '\0';
		at = strstr(copy, bad[i].from);
		assert_non_null(at);
		memcpy(at, bad[i].to, strlen(bad[i].to));
		assert_false(spool_read_start(copy, sizeof buf, &s));
	}
	for (i = 0; i < sizeof bad_end / sizeof *bad_end; i++) {
		memcpy(copy, buf, sizeof buf);
		copy[sizeof buf] = '\0';
		at = strstr(copy, bad_end[i].from);
		assert_non_null(at);
		memcpy(at, bad_end[i].to, strlen(bad_end[i].to));
		assert_true(spool_read_start(copy, sizeof buf, &s));
		assert_false(spool_read_end(copy, sizeof buf, &e));
	}
}

/* Names both ways; what is nearly one is none. */
static void
names_round_trip(void **state)
{
	static const char *const bad[] = {"", "0", "0.", "0.runs", "00.run",
	    "+1.run", " 1.run", "-1.run", "1000000.run", "1.run ", ".run",
	    "99999999999999999999.run", "x.run"};
	char name[SPOOL_NAME];
	enum spool_file file, f;
	unsigned step;
	size_t i;

	(void)state;
	for (f = 0; f < SPOOL_FILES; f++) {
		spool_name(name, 999999 - f, f);
		assert_true(spool_is(name, &step, &file));
		assert_int_equal(step, 999999 - f);
		assert_int_equal(file, f);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(spool_is(bad[i], &step, &file));
}

/* ---- folders ---- */

/* What is told about folders before, during and after a run. */
static void
look_tells_the_newest(void **state)
{
	struct fix *f = *state;
	struct job_look l;
	struct err e;
	struct got g;

	assert_int_equal(job_look(f->req, &l, &e), 0);
	assert_int_equal(l.steps, 0);
	assert_false(l.running);
	run(f, script(f, "exit 0"), &g);
	got_free(&g);
	assert_int_equal(job_look(f->req, &l, &e), 0);
	assert_int_equal(l.steps, 1);
	assert_false(l.running);
	assert_int_equal(l.pid, 0);
	assert_true(l.start_wall_ns > 0);
	assert_string_equal(l.script, f->spec.script);
	(void)start(f, script(f, "echo $$ >$D/pid; exec sleep 100"), &g);
	until_file(f, "pid");
	assert_int_equal(job_look(f->req, &l, &e), 0);
	assert_int_equal(l.steps, 2);
	assert_true(l.running);
	assert_int_equal(l.pid, pid_in(f, "pid"));
	assert_string_equal(l.script, f->spec.script);
	jobs_free(f->js);
	f->js = NULL;
	fix_again(f);
	assert_int_equal(job_look("/nonexistent/x", &l, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/x"));
}

/* A folder nobody asks for: its script is ended, then it can go. */
static void
end_folder_ends_what_runs(void **state)
{
	struct fix *f = *state;
	int64_t limit = clock_mono_ns() + 10 * NS_PER_SEC;
	struct got g;

	assert_true(job_end_folder(f->req));
	(void)start(
	    f, script(f, "trap '' TERM; echo $$ >$D/pid; sleep 100"), &g);
	until_file(f, "pid");
	jobs_free(f->js);
	f->js = NULL;
	assert_false(job_end_folder(f->req));
	while (!job_end_folder(f->req))
		assert_true(clock_mono_ns() < limit);
	assert_false(lives(pid_in(f, "pid")));
	assert_int_equal(job_remove_folder(f->req, NULL), 0);
	assert_int_equal(access(f->req, F_OK), -1);
	assert_true(job_end_folder(f->req)); /* gone is over */
	assert_int_equal(job_remove_folder(f->req, NULL), 0);
	fix_again(f);
}

/* What is not ours is removed too; what cannot be is said. */
static void
remove_folder_removes_all(void **state)
{
	struct fix *f = *state;
	char sub[TEMPDIR_MAX + 32];
	struct err e;
	struct got g;

	run(f, script(f, "echo x; echo y >&2"), &g);
	got_free(&g);
	tempdir_write(in_dir(f, "req/note"), "x", 1);
	snprintf(sub, sizeof sub, "%s/sub", f->req);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(job_remove_folder(f->req, &e), -1);
	assert_non_null(strstr(e.text, f->req));
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(job_remove_folder(f->req, &e), 0);
	assert_int_equal(access(f->req, F_OK), -1);
}

/* Removal that was cut short, at each point: nothing runs anew as long as the
 * claim is there. */
static void
half_removed_is_not_run_again(void **state)
{
	static const struct {
		const char *name;
		enum job_end end;
		int code;
	} cut[] = {{"req/0.boot", JOB_EXIT, 3},
	    {"req/0.out", JOB_LOST, EBADMSG}, {"req/0.status", JOB_LOST, 0}};
	struct fix *f = *state;
	const char *path = script(f, "echo x >>$D/log; echo y; exit 3");
	struct got g;
	size_t i;

	run(f, path, &g);
	got_free(&g);
	for (i = 0; i < sizeof cut / sizeof *cut; i++) {
		assert_int_equal(unlink(in_dir(f, cut[i].name)), 0);
		f->spec.step = 0;
		run(f, path, &g);
		assert_end(&g, cut[i].end, cut[i].code);
		got_free(&g);
	}
	assert_string_equal(contents(f, "log"), "x\n");
}

/* Claimed in another boot: what may have run is not run again. */
static void
other_boots_are_lost(void **state)
{
	struct fix *f = *state;
	const char *path = script(f, "echo x >>$D/log");
	struct got g;

	assert_int_equal(symlink("another boot", in_dir(f, "req/0.boot")), 0);
	run(f, path, &g);
	assert_end(&g, JOB_LOST, 0);
	got_free(&g);
	assert_int_equal(mkfifo(in_dir(f, "req/0.run"), 0600), 0);
	f->spec.step = 0;
	run(f, path, &g);
	assert_end(&g, JOB_LOST, 0);
	got_free(&g);
	/* a claim without any boot */
	assert_int_equal(mkfifo(in_dir(f, "req/1.run"), 0600), 0);
	run(f, path, &g);
	assert_end(&g, JOB_LOST, 0);
	got_free(&g);
	assert_string_equal(contents(f, "log"), "");
}

/* Files that are not what they should be. */
static void
damage_is_told(void **state)
{
	struct fix *f = *state;
	const char *path = script(f, "echo hello");
	struct got g;

	run(f, path, &g);
	got_free(&g);
	tempdir_write(in_dir(f, "req/0.out"), "hell", 4);
	f->spec.step = 0;
	run(f, path, &g);
	assert_end(&g, JOB_LOST, EBADMSG);
	got_free(&g);
	tempdir_write(in_dir(f, "req/0.status"), "nonsense\n", 9);
	f->spec.step = 0;
	run(f, path, &g);
	assert_end(&g, JOB_LOST, 0);
	got_free(&g);
	/* the claim itself is no FIFO */
	assert_int_equal(unlink(in_dir(f, "req/0.status")), 0);
	assert_int_equal(unlink(in_dir(f, "req/0.run")), 0);
	tempdir_write(in_dir(f, "req/0.run"), "x", 1);
	f->spec.step = 0;
	run(f, path, &g);
	assert_end(&g, JOB_LOST, 0);
	got_free(&g);
}

/* ---- room ---- */

/* A runner that can write no file longer than so many blocks of 512 bytes. */
static void
small_files(struct fix *f, int blocks)
{
	char text[8192];

	snprintf(text, sizeof text, "ulimit -f %d; exec %s \"$@\"", blocks,
	    f->runner);
	f->limits.runner = script(f, text);
	fix_again(f);
}

/* Output that cannot be kept: told with the reason; errors that cannot be kept
 * are only cut. */
static void
files_that_cannot_grow(void **state)
{
	struct fix *f = *state;
	struct got g;

	small_files(f, 4);
	run(f, script(f, "head -c 2048 /dev/zero"), &g);
	assert_end(&g, JOB_EXIT, 0);
	got_free(&g);
	run(f, script(f, "head -c 2049 /dev/zero; sleep 100"), &g);
	assert_end(&g, JOB_OUTPUT, EFBIG);
	assert_int_equal(g.r.out.n, 2048);
	got_free(&g);
	run(f, script(f, "head -c 9000 /dev/zero >&2; exit 7"), &g);
	assert_end(&g, JOB_EXIT, 7);
	assert_int_equal(g.r.err.n, 2048);
	got_free(&g);
	small_files(f, 1);
	run(f, script(f, "echo x >$D/log"), &g);
	assert_end(&g, JOB_NOSTART, EFBIG);
	assert_string_equal(contents(f, "log"), "");
	got_free(&g);
}

/* A file system of its own, of 64 KiB, at the request's folder; false when
 * this machine does not let us. */
static bool
small_disk(struct fix *f)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == -1)
		return false;
	fix_again(f); /* with a nursery that sees the same mounts */
	return mount("tmpfs", f->req, "tmpfs", 0, "size=64k") == 0;
}

/* A full disk: before a run nothing is run, during a run it ends; the record
 * has its room in any case. */
static void
full_disk(void **state)
{
	struct fix *f = *state;
	struct got g;

	if (!small_disk(f))
		skip(); /* not root, or mounts are forbidden */
	run(f, script(f, "yes | head -c 100000; sleep 100"), &g);
	assert_end(&g, JOB_OUTPUT, ENOSPC);
	assert_true(g.r.out.n >= 32768 && g.r.out.n < 65536);
	got_free(&g);
	run(f, script(f, "echo x >$D/log"), &g);
	assert_end(&g, JOB_NOSTART, ENOSPC);
	assert_string_equal(contents(f, "log"), "");
	got_free(&g);
	assert_int_equal(unlink(in_dir(f, "req/0.out")), 0);
	f->spec.step = 1;
	run(f, f->spec.script, &g);
	assert_end(&g, JOB_EXIT, 0);
	got_free(&g);
	/* full while it runs: the end is still recorded */
	run(f,
	    script(f,
		"head -c 60000 /dev/zero >$D/req/filler;"
		"head -c 60000 /dev/zero >$D/req/filler2; exit 9"),
	    &g);
	assert_end(&g, JOB_EXIT, 9);
	got_free(&g);
	assert_int_equal(umount2(f->req, MNT_DETACH), 0);
	/* no room for the claim: two files, of which the folder is one */
	assert_int_equal(mount("tmpfs", f->req, "tmpfs", 0, "nr_inodes=2"), 0);
	unlink(in_dir(f, "log"));
	f->spec.step = 0;
	run(f, script(f, "echo x >$D/log"), &g);
	assert_end(&g, JOB_NOSTART, ENOSPC);
	assert_string_equal(contents(f, "log"), "");
	got_free(&g);
	assert_int_equal(umount2(f->req, MNT_DETACH), 0);
}

/* No descriptors left: nothing is run, and that is told; a run that there is
 * is found again when there are some. */
static void
no_descriptors(void **state)
{
	struct fix *f = *state;
	struct rlimit old, none;
	struct got g;
	int fd;

	(void)start(
	    f, script(f, "until [ -e $D/go ]; do sleep 0.01; done"), &g);
	jobs_free(f->js); /* forgets it */
	f->js = NULL;
	fix_again(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	none = (struct rlimit){(rlim_t)fd, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	close(fd);
	none.rlim_cur = (rlim_t)fd; /* the lowest free one is beyond it */
	(void)start(f, f->spec.script, &g);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(g.calls, 0);
	f->spec.step = 1;
	{
		struct got none_run;

		(void)start(f, f->spec.script, &none_run);
		until_told(f, &none_run);
		assert_end(&none_run, JOB_NOSTART, EMFILE);
		got_free(&none_run);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	tempdir_write(in_dir(f, "go"), "x", 1);
	until_told(f, &g);
	assert_end(&g, JOB_EXIT, 0);
	got_free(&g);
}

/* ---- what is left behind ---- */

/* How many descriptors are open. */
static int
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Resident size, KiB. */
static long
resident(void)
{
	FILE *in = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%ld %ld", &size, &pages), 2);
	fclose(in);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* How many children we have, dead ones too. */
static int
children(void)
{
	struct spool_proc p;
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += atoi(e->d_name) > 0 &&
		    spool_proc((pid_t)atoi(e->d_name), &p) &&
		    p.parent == getpid();
	closedir(d);
	return n;
}

/* A count of calls, and nothing kept. */
static void
count(const struct job_result *r, void *arg)
{
	struct got *g = arg;

	assert_int_equal(r->end, JOB_EXIT);
	assert_int_equal(r->out.n, 16 << 20);
	g->calls++;
}

/* Large outputs leave no descriptors, no memory, no children. */
static void
nothing_is_left_behind(void **state)
{
	struct fix *f = *state;
	int64_t limit = clock_mono_ns() + 10 * NS_PER_SEC;
	struct timeval tv = {0, 50000};
	long before = 0;
	struct got g;
	int i, fds = 0, nursery = 0;

	for (i = 0; i < 6; i++) {
		if (i == 1) {
			nursery = children(); /* and those of other tests */
			before = resident();
			fds = descriptors();
		}
		f->spec.script = script(f, "head -c 16777216 /dev/zero");
		memset(&g, 0, sizeof g);
		(void)job_start(f->js, &f->spec, count, &g);
		until_told(f, &g);
		f->spec.step++;
	}
	assert_true(resident() - before < 4096);
	assert_int_equal(descriptors(), fds);
	while (children() > nursery) {
		assert_true(clock_mono_ns() < limit);
		event_base_loopexit(f->base, &tv);
		event_base_dispatch(f->base);
	}
}

/* ---- what cannot be killed, control groups ---- */

#define FREEZER "/sys/fs/cgroup/freezer"

/* A frozen script survives KILL: told as stuck, a second later. */
static void
stuck_is_told(void **state)
{
	struct fix *f = *state;
	char group[128], file[160], text[512];
	struct got g;

	snprintf(group, sizeof group, FREEZER "/xmsg-test-%d", (int)getpid());
	snprintf(file, sizeof file, "%s/freezer.state", group);
	if (mkdir(group, 0755) == -1 || access(file, W_OK) == -1) {
		rmdir(group);
		skip(); /* no such hierarchy, or not root */
	}
	f->spec.limit_ns = 100 * MS;
	snprintf(text, sizeof text,
	    "echo $$ >$D/pid; echo $$ >%s/tasks; echo FROZEN >%s", group, file);
	run(f, script(f, text), &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	assert_true(g.r.stuck);
	assert_true(g.r.took_ns < 15 * NS_PER_SEC);
	assert_true(lives(pid_in(f, "pid")));
	tempdir_write(file, "THAWED", 6);
	until_gone(pid_in(f, "pid"));
	rmdir(group);
	got_free(&g);
}

/* A version 2 hierarchy to which we may write, or NULL. */
static const char *
hierarchy(void)
{
	static const char *const at[] = {
	    "/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char file[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "%s/cgroup.procs", at[i]);
		if (access(file, W_OK) == 0)
			return at[i];
	}
	return NULL;
}

/* With a group of its own a script runs there, and the group is gone after. */
static void
control_group(void **state)
{
	struct fix *f = *state;
	struct spool_end e;
	char group[128];
	const char *p;
	struct got g;

	f->limits.cgroup = "/nonexistent/group";
	fix_again(f);
	run(f, script(f, "exit 0"), &g);
	assert_end(&g, JOB_EXIT, 0); /* best effort, recorded */
	p = contents(f, "req/0.status");
	assert_true(spool_read_end(p, strlen(p), &e));
	assert_int_equal(e.cgroup, ENOENT);
	got_free(&g);
	f->limits.cgroup = hierarchy();
	if (f->limits.cgroup == NULL)
		skip(); /* none, or not root */
	fix_again(f);
	f->spec.limit_ns = 300 * MS;
	run(f, script(f, "cat /proc/$$/cgroup; setsid sleep 100 & sleep 100"),
	    &g);
	assert_end(&g, JOB_TIMEOUT, 0);
	p = strstr(g.r.out.p, "0::/");
	assert_non_null(p);
	p = strstr(p, "/xmsg-");
	assert_non_null(p);
	snprintf(group, sizeof group, "%s%.*s", f->limits.cgroup,
	    (int)strcspn(p, "\n"), p);
	assert_int_equal(access(group, F_OK), -1);
	got_free(&g);
}

/* Bad command lines of xmsg-run: status 22, a text, and nothing done. */
static void
runner_refuses_bad_options(void **state)
{
	static const char *const bad[] = {"", "%s", "%s 0", "%s x /bin/true",
	    "%s -1 /bin/true", "%s 1000000 /bin/true", "%s 0 bin/true",
	    "--time x %s 0 /bin/true", "--time -1 %s 0 /bin/true",
	    "--time 99999999999999999999 %s 0 /bin/true",
	    "--env NAME %s 0 /bin/true", "--nonsense 1 %s 0 /bin/true",
	    "--time %s 0 /bin/true", "--out"};
	struct fix *f = *state;
	char args[512], line[8192], text[256];
	size_t i;
	FILE *p;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *at = strstr(bad[i], "%s");

		if (at == NULL)
			snprintf(args, sizeof args, "%s", bad[i]);
		else
			snprintf(args, sizeof args, "%.*s%s%s",
			    (int)(at - bad[i]), bad[i], f->req, at + 2);
		snprintf(line, sizeof line, "%s %s 2>&1", f->runner, args);
		p = popen(line, "r");
		assert_non_null(p);
		assert_non_null(fgets(text, sizeof text, p));
		assert_memory_equal(text, "usage: xmsg-run ", 16);
		while (fgets(text, sizeof text, p) != NULL)
			;
		assert_int_equal(WEXITSTATUS(pclose(p)), EINVAL);
	}
	assert_int_equal(rmdir(f->req), 0); /* empty */
	assert_int_equal(mkdir(f->req, 0700), 0);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(record_round_trip),
	    cmocka_unit_test(record_has_room),
	    cmocka_unit_test(record_is_read_strictly),
	    cmocka_unit_test(names_round_trip),
	    CASE(look_tells_the_newest),
	    CASE(end_folder_ends_what_runs),
	    CASE(remove_folder_removes_all),
	    CASE(half_removed_is_not_run_again),
	    CASE(other_boots_are_lost),
	    CASE(damage_is_told),
	    CASE(files_that_cannot_grow),
	    CASE(full_disk),
	    CASE(no_descriptors),
	    CASE(nothing_is_left_behind),
	    CASE(stuck_is_told),
	    CASE(control_group),
	    CASE(runner_refuses_bad_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
