/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The script's first moments.  The child borrows our memory, as in vfork(2):
 * nothing is copied, and errors come back in variables.  We sleep until it has
 * become the script or is gone.
 *
 * The order is what makes a run happen once.  The child gives the record its
 * name `pid` just before it becomes the script, and holds the FIFO until that
 * very moment (it is closed by exec).  So for anyone who finds that nobody
 * holds the FIFO: no record, no script, ever; it may be started.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "whole.h"

#define CHILD_STACK (64 << 10)
/* The script goes before the daemons when memory is short. */
#define OOM_SCORE "100"

/* What the child is given. */
struct birth {
	struct run *r;
	int out, err; /* writing ends */
	char **env;
};

/* Bounds on the script. */
static void
limit(int64_t nofile)
{
	struct rlimit l = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &l);
	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return;
	if (geteuid() == 0 || l.rlim_max > (rlim_t)nofile)
		l.rlim_max = (rlim_t)nofile;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

/* What cannot go wrong, or may. */
static void
settle(struct run *r)
{
	(void)setsid();
	umask(022);
	limit(r->o.nofile);
	(void)run_put(AT_FDCWD, "/proc/self/oom_score_adj", OOM_SCORE);
	if (r->cgroup != -1 && r->end.cgroup == 0)
		r->end.cgroup = run_put(r->cgroup, "cgroup.procs", "0");
}

/* The record, with our number in it, under its name. */
static int
record(struct run *r)
{
	char buf[SPOOL_RECORD], from[SPOOL_NAME], to[SPOOL_NAME];
	struct spool_proc p;

	r->start.pid = getpid();
	if (!spool_proc(r->start.pid, &p))
		return ENOSYS; /* no /proc: nobody could find the script */
	r->start.ticks = p.ticks;
	spool_write(buf, &r->start, NULL);
	if (whole_pwrite(r->record, buf, sizeof buf, 0) == -1)
		return errno;
	if (renameat(r->dir, spool_name(from, (unsigned)r->o.step, SPOOL_NEW),
		r->dir, spool_name(to, (unsigned)r->o.step, SPOOL_PID)) == -1)
		return errno;
	r->recorded = true;
	return 0;
}

/* In the child: prepare, record, become the script. */
static int
born(void *arg)
{
	struct birth *b = arg;
	struct run *r = b->r;
	sigset_t none;
	int rc = 0;

	settle(r);
	if (dup2(b->out, STDOUT_FILENO) == -1 ||
	    dup2(b->err, STDERR_FILENO) == -1 || chdir("/") == -1)
		rc = errno;
	if (rc == 0 && getppid() != r->start.runner)
		rc = ESRCH; /* our runner was killed: nobody would watch */
	if (rc == 0)
		rc = record(r);
	if (rc == 0 && getppid() == r->start.runner) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(r->o.argv[0], r->o.argv, b->env);
		rc = errno;
	}
	r->error = rc;
	_exit(127);
}

/* Does the list have this variable?  of: "NAME=..." */
static bool
has(char *const *env, const char *of)
{
	size_t n = (size_t)(strchr(of, '=') - of) + 1;

	for (; *env != NULL; env++)
		if (strncmp(*env, of, n) == 0)
			return true;
	return false;
}

/* The whole environment: what was asked for, and what is not in it. */
static char **
environment(const struct run_opts *o)
{
	static char path[4096];
	const char *own[] = {path, geteuid() == 0 ? "HOME=/root" : "HOME=/",
	    "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TMPDIR=/tmp"};
	char **env = calloc((size_t)o->n_env + 6, sizeof *env);
	size_t i, n = 0;

	if (env == NULL)
		return NULL;
	snprintf(path, sizeof path, "PATH=%s", o->path);
	for (i = 0; i < (size_t)o->n_env; i++)
		env[n++] = (char *)o->env[i];
	for (i = 0; i < sizeof own / sizeof *own; i++)
		if (!has(env, own[i]))
			env[n++] = (char *)own[i];
	return env;
}

/* A pipe whose reading end is ours and does not block. */
static int
make_pipe(struct run_stream *s, int *writing)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return errno;
	s->pipe = p[0];
	*writing = p[1];
	return fcntl(p[0], F_SETFL, O_NONBLOCK) == -1 ? errno : 0;
}

/* The child itself; errno when it could not be made or not be recorded. */
static int
bear(struct run *r, struct birth *b)
{
	char *stack;
	int pid, rc = 0;

	stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return errno;
	r->start.wall_ns = clock_wall_ns();
	r->began_ns = clock_mono_ns();
	pid = clone(
	    born, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, b);
	if (pid == -1)
		rc = errno;
	else if (!r->recorded) /* it failed, or was killed on the way */
		rc = r->error != 0 ? r->error : EINTR;
	munmap(stack, CHILD_STACK);
	return rc;
}

/* All of it. */
int
run_start(struct run *r)
{
	struct birth b = {r, -1, -1, NULL};
	int rc;

	rc = make_pipe(&r->out, &b.out);
	if (rc == 0)
		rc = make_pipe(&r->err, &b.err);
	if (rc == 0) {
		b.env = environment(&r->o);
		rc = b.env != NULL ? bear(r, &b) : ENOMEM;
	}
	close(b.out);
	close(b.err);
	free(b.env);
	return rc;
}
