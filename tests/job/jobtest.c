/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the tests of job share. */
#include "jobtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

/* Nothing in these tests takes longer. */
#define PATIENCE_NS (20 * NS_PER_SEC)

/* A short pause between two looks. */
static void
pause_ms(int n)
{
	struct timespec ts = {0, n * 1000000L};

	nanosleep(&ts, NULL);
}

void
fix_again(struct fix *f)
{
	if (f->js != NULL)
		jobs_free(f->js);
	f->js = jobs_new(f->base, &f->limits, NULL);
	assert_non_null(f->js);
}

int
fix_setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	const char *build = getenv("XMSG_BUILDDIR");

	assert_non_null(f);
	tempdir_make(f->dir);
	snprintf(f->req, sizeof f->req, "%s/req", f->dir);
	assert_int_equal(mkdir(f->req, 0700), 0);
	snprintf(f->runner, sizeof f->runner, "%s/xmsg-run",
	    build != NULL ? build : ".");
	f->base = event_base_new();
	f->limits = (struct job_limits){
	    .runner = f->runner,
	    .path = "/usr/bin:/bin",
	    .max_out = 16 << 20,
	    .max_err = 64 << 10,
	    .grace_ns = 250 * MS,
	    .term_ns = 300 * MS,
	    .nofile = 256,
	};
	f->spec = (struct job_spec){.dir = f->req};
	fix_again(f);
	*state = f;
	return 0;
}

int
fix_teardown(void **state)
{
	struct fix *f = *state;
	int64_t limit = clock_mono_ns() + PATIENCE_NS;

	while (!job_end_folder(f->req)) {
		assert_true(clock_mono_ns() < limit);
		pause_ms(2);
	}
	jobs_free(f->js);
	event_base_free(f->base);
	if (access(f->req, F_OK) == 0)
		assert_int_equal(job_remove_folder(f->req, NULL), 0);
	tempdir_remove(f->dir);
	free(f);
	return 0;
}

const char *
in_dir(struct fix *f, const char *name)
{
	static char path[TEMPDIR_MAX + 64];

	snprintf(path, sizeof path, "%s/%s", f->dir, name);
	return path;
}

const char *
script(struct fix *f, const char *text)
{
	static char paths[8][TEMPDIR_MAX + 64];
	char *path = paths[f->n % 8], head[TEMPDIR_MAX + 32] = "";
	FILE *o;

	snprintf(path, sizeof paths[0], "%s/script%u", f->dir, f->n++);
	if (strncmp(text, "#!", 2) != 0)
		snprintf(head, sizeof head, "#!/bin/sh\nD=%s\n", f->dir);
	o = fopen(path, "w");
	assert_non_null(o);
	fprintf(o, "%s%s", head, text);
	assert_int_equal(fclose(o), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

const char *
contents(struct fix *f, const char *name)
{
	static char text[65536];
	int fd = open(in_dir(f, name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof text - 1);

	if (fd != -1)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* One turn of the loop, at most a moment long. */
static void
turn(struct fix *f, int64_t limit)
{
	struct timeval tv = {0, 20000};

	assert_true(clock_mono_ns() < limit);
	event_base_loopexit(f->base, &tv);
	event_base_loop(f->base, EVLOOP_ONCE);
}

void
until_file(struct fix *f, const char *name)
{
	int64_t limit = clock_mono_ns() + PATIENCE_NS;

	while (contents(f, name)[0] == '\0')
		turn(f, limit);
}

/* A copy that the test owns. */
static struct str
keep(struct str s)
{
	char *p = malloc(s.n + 1);

	assert_non_null(p);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){p, s.n};
}

void
got_it(const struct job_result *r, void *arg)
{
	struct got *g = arg;

	g->calls++;
	g->r = *r;
	g->r.out = keep(r->out);
	g->r.err = keep(r->err);
	g->at_ns = clock_mono_ns();
}

void
until_told(struct fix *f, struct got *g)
{
	int64_t limit = clock_mono_ns() + PATIENCE_NS;

	while (g->calls == 0)
		turn(f, limit);
	assert_int_equal(g->calls, 1);
}

void
got_free(struct got *g)
{
	free((char *)g->r.out.p);
	free((char *)g->r.err.p);
	memset(g, 0, sizeof *g);
}

struct job *
start(struct fix *f, const char *path, struct got *g)
{
	struct job *j;

	memset(g, 0, sizeof *g);
	f->spec.script = path;
	j = job_start(f->js, &f->spec, got_it, g);
	assert_non_null(j);
	assert_int_equal(g->calls, 0);
	return j;
}

void
run(struct fix *f, const char *path, struct got *g)
{
	(void)start(f, path, g);
	until_told(f, g);
	f->spec.step++;
}

bool
lives(pid_t pid)
{
	struct spool_proc p;

	return spool_proc(pid, &p) && p.state != 'Z';
}

pid_t
pid_in(struct fix *f, const char *name)
{
	until_file(f, name);
	return (pid_t)atoi(contents(f, name));
}

void
until_gone(pid_t pid)
{
	int64_t limit = clock_mono_ns() + PATIENCE_NS;

	assert_true(pid > 0);
	while (lives(pid)) {
		assert_true(clock_mono_ns() < limit);
		pause_ms(2);
	}
}
