/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Starting a runner, and signals to one and to what one has left behind. */
#include "job_int.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "whole.h"
#include "xalloc.h"

/* Where the runner expects its end of the FIFO. */
#define CLAIM_FD 3

char *
job_runner(const char *said)
{
	char self[4096], *beside, *slash;
	ssize_t n;

	if (said != NULL)
		return xstrdup(said);
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		beside = xasprintf("%.*s/xmsg-run", (int)(slash - self), self);
		if (access(beside, X_OK) == 0)
			return beside;
		free(beside);
	}
	return xstrdup(RUNNER_PATH);
}

/* The command line of a runner: numbers live in text. */
struct command {
	const char **argv;
	size_t n;
	char text[8][24];
	size_t n_text;
};

/* One more word. */
static void
word(struct command *c, const char *w)
{
	c->argv[c->n++] = w;
}

/* One more option with a number. */
static void
number(struct command *c, const char *name, int64_t v)
{
	char *text = c->text[c->n_text++];

	snprintf(text, sizeof c->text[0], "%" PRId64, v);
	word(c, name);
	word(c, text);
}

/* Count a NULL-terminated list, which may be NULL. */
static size_t
count(const char *const *v)
{
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

/* All of it; argv is the caller's to free, words are borrowed. */
static void
command(
    struct command *c, const struct job_limits *l, const struct job_spec *spec)
{
	size_t i, args = count(spec->argv), envs = count(spec->env);

	memset(c, 0, sizeof *c);
	c->argv = xcalloc(args + 2 * envs + 24, sizeof *c->argv);
	word(c, l->runner);
	number(c, "--time", spec->limit_ns);
	number(c, "--out", l->max_out);
	number(c, "--err", l->max_err);
	number(c, "--grace", l->grace_ns);
	number(c, "--term", l->term_ns);
	number(c, "--nofile", l->nofile);
	if (l->path != NULL) {
		word(c, "--path");
		word(c, l->path);
	}
	if (l->cgroup != NULL) {
		word(c, "--cgroup");
		word(c, l->cgroup);
	}
	for (i = 0; i < envs; i++) {
		word(c, "--env");
		word(c, spec->env[i]);
	}
	word(c, spec->dir);
	snprintf(c->text[c->n_text], sizeof c->text[0], "%u", spec->step);
	word(c, c->text[c->n_text]);
	word(c, spec->script);
	for (i = 0; i < args; i++)
		word(c, spec->argv[i]);
}

/* Standard input that touches no disk: what we write, the script reads. */
static int
input(struct str s)
{
	int saved, fd = memfd_create("stdin", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	if (whole_pwrite(fd, s.p, s.n, 0) == 0) /* it is read from 0 */
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* A copy of fd at 10 or above, where dup2 to 0..3 does not meet it. */
int
job_above(int fd)
{
	int up = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
	return up;
}

/* Signals wait until the runner can take them: it must not die of a TERM that
 * comes before it knows what to do with it. */
static void
block_signals(posix_spawnattr_t *a)
{
	sigset_t all;

	sigfillset(&all);
	posix_spawnattr_setsigmask(a, &all);
	posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK);
}

/* Both descriptors go where the program expects them. */
int
job_exec(pid_t *pid, const char *const *argv, int in, int fd3)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t a;
	int rc = 0;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&a) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return ENOMEM;
	}
	block_signals(&a);
	if (in != -1)
		rc = posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, fd3, CLAIM_FD);
	if (rc == 0)
		rc = posix_spawn(
		    pid, argv[0], &fa, &a, (char *const *)argv, environ);
	posix_spawnattr_destroy(&a);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

/* In the nursery, else by exec; both descriptors are closed.  errno, or 0. */
static int
begin(struct nursery *n, const char *const *argv, int claim, int in, pid_t *pid)
{
	int rc = 0;

	*pid = 0;
	if (!nursery_pass(n, argv, claim, in)) {
		in = job_above(in);
		if (in == -1)
			rc = errno;
		claim = job_above(claim);
		if (claim == -1)
			rc = errno;
		if (rc == 0)
			rc = job_exec(pid, argv, in, claim);
	}
	if (in != -1)
		close(in);
	if (claim != -1)
		close(claim);
	return rc;
}

/* A runner for a claimed step.  The FIFO has a reader: our caller. */
int
job_spawn(int dir, struct nursery *n, const struct job_limits *l,
    const struct job_spec *spec, pid_t *pid)
{
	char name[SPOOL_NAME];
	struct command c;
	int claim, rc, in = input(spec->input);

	if (in == -1)
		return -1;
	claim = whole_open(dir, spool_name(name, spec->step, SPOOL_RUN),
	    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
	if (claim == -1) {
		rc = errno;
		close(in);
	} else {
		command(&c, l, spec);
		rc = begin(n, c.argv, claim, in, pid);
		free(c.argv);
	}
	errno = rc;
	return rc == 0 ? 0 : -1;
}

/* Is the process the one of the record, in this boot? */
static bool
same(const struct spool_start *s, struct spool_proc *p)
{
	return s->pid > 0 && strcmp(job_boot(), s->boot) == 0 &&
	    spool_proc(s->pid, p) && p->ticks == s->ticks;
}

/* A descriptor of a process, where the kernel has such; else -1. */
static int
pid_open(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* Signal by descriptor, or by number where there is none. */
static bool
signal_by(int fd, pid_t pid, int sig)
{
#ifdef SYS_pidfd_send_signal
	if (fd != -1)
		return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
#endif
	(void)fd;
	return kill(pid, sig) == 0;
}

/* The script's parent is its runner: while that holds, the number of the
 * runner is nobody else's.  The descriptor, taken before looking, makes it
 * hold.  When the script has died already there is nothing to end. */
bool
job_term_runner(const struct spool_start *s)
{
	struct spool_proc p;
	int fd = pid_open(s->runner);
	bool done;

	done = same(s, &p) && p.parent == s->runner &&
	    signal_by(fd, s->runner, SIGTERM);
	if (fd != -1)
		close(fd);
	return done;
}

/* Those of the script's session, when the script itself is gone.  As long as
 * one of them lives, the kernel gives its number to nobody; who has it and
 * began at another time is therefore a stranger with a session of his own. */
static unsigned
kill_session(const struct spool_start *s)
{
	DIR *d = opendir("/proc");
	struct spool_proc p;
	struct dirent *e;
	unsigned n = 0;
	pid_t pid;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		pid = (pid_t)atoi(e->d_name);
		if (!isdigit((unsigned char)e->d_name[0]) ||
		    !spool_proc(pid, &p) || p.session != s->pid ||
		    p.ticks < s->ticks || p.state == 'Z')
			continue;
		n++;
		(void)kill(pid, SIGKILL);
	}
	closedir(d);
	return n;
}

/* The script with its group, or what of its session is left. */
unsigned
job_kill_script(const struct spool_start *s)
{
	struct spool_proc p;

	if (s->pid <= 0 || strcmp(job_boot(), s->boot) != 0)
		return 0;
	if (spool_proc(s->pid, &p) && p.ticks != s->ticks)
		return 0; /* a stranger's number: nobody is left */
	if (same(s, &p) && p.session == s->pid)
		(void)kill(-s->pid, SIGKILL);
	return kill_session(s);
}
