/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* xmsg-run: its options, its surroundings, and the order of things. */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "whole.h"

/* Options with a number. */
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
    {"--time", offsetof(struct run_opts, time_ns)},
    {"--out", offsetof(struct run_opts, max_out)},
    {"--err", offsetof(struct run_opts, max_err)},
    {"--grace", offsetof(struct run_opts, grace_ns)},
    {"--term", offsetof(struct run_opts, term_ns)},
    {"--nofile", offsetof(struct run_opts, nofile)},
};

/* Options with a text. */
static const struct {
	const char *name;
	size_t at;
} texts[] = {
    {"--path", offsetof(struct run_opts, path)},
    {"--cgroup", offsetof(struct run_opts, cgroup)},
};

static const char usage[] =
    "usage: xmsg-run [--time NS] [--out BYTES] [--err BYTES] [--grace NS]\n"
    "                [--term NS] [--nofile N] [--path PATH] [--cgroup DIR]\n"
    "                [--env NAME=VALUE]... DIR STEP SCRIPT [ARG...]\n"
    "       xmsg-run --nursery [PADDING]\n"
    "See xmsg-run(8).  It is the storage adapter that starts this program.\n";

/* A number that is not negative. */
static bool
number(const char *text, int64_t *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*v = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* One option with its value; false: no such, or not a number. */
static bool
option(struct run_opts *o, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(name, numbers[i].name) == 0)
			return number(
			    value, (int64_t *)((char *)o + numbers[i].at));
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(name, texts[i].name) == 0) {
			*(const char **)((char *)o + texts[i].at) = value;
			return true;
		}
	if (strcmp(name, "--env") != 0 || strchr(value, '=') == NULL)
		return false;
	o->env[o->n_env++] = value;
	return true;
}

/* The command line, or false. */
static bool
options(struct run_opts *o, int argc, char **argv)
{
	int i;

	*o = (struct run_opts){
	    .max_out = 16 << 20,
	    .max_err = 64 << 10,
	    .grace_ns = NS_PER_SEC / 4,
	    .term_ns = 5 * NS_PER_SEC,
	    .nofile = 4096,
	    .path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		    "/bin",
	};
	o->env = calloc((size_t)argc + 1, sizeof *o->env);
	if (o->env == NULL)
		return false;
	for (i = 1; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
		if (!option(o, argv[i], argv[i + 1]))
			return false;
	if (argc - i < 3 || argv[i + 2][0] != '/' ||
	    !number(argv[i + 1], &o->step) || o->step >= SPOOL_STEPS)
		return false;
	o->dir = argv[i];
	o->argv = argv + i + 2;
	return true;
}

/* Without the system call: what /proc lists. */
static void
close_listed(int from)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int fd;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		fd = atoi(e->d_name);
		if (fd >= from && fd != dirfd(d))
			close(fd);
	}
	closedir(d);
}

/* Nothing but standard input and the claim is ours. */
static void
close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, RUN_CLAIM_FD + 1, ~0U, 0) == 0)
		return;
#endif
	close_listed(RUN_CLAIM_FD + 1);
}

/* Standard output and error go nowhere: they are our parent's.  So does input
 * of a nursery, which must not be given a run's descriptors below 3. */
static void
silence(bool input)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return;
	if (input)
		dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > RUN_CLAIM_FD)
		close(fd);
}

/* Default for each signal: what is ignored would stay ignored, here and in the
 * script.  Asked of the kernel, as the library keeps two of them to itself. */
static void
default_signals(void)
{
	static const unsigned long zero[8]; /* any layout of it: SIG_DFL */
	int i;

	for (i = 1; i < _NSIG; i++)
		(void)syscall(
		    SYS_rt_sigaction, i, zero, NULL, (size_t)(_NSIG / 8));
}

/* What a runner that comes of a nursery finds done. */
static bool prepared;
static char boot[37];

void
run_prepare(bool input)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	default_signals();
	close_others();
	silence(input);
	(void)clock_boot_id(boot); /* else each run tries again */
	prepared = true;
}

/* A group away from our parent's, signals by descriptor, orphans to us.  A
 * session of our own would protect no better, as we take no SIGHUP, and costs
 * the scheduler a group of its own. */
static int
surroundings(struct run *r)
{
	sigset_t ours;

	(void)setpgid(0, 0); /* fails for a leader, who is away already */
	(void)fcntl(RUN_CLAIM_FD, F_SETFD, FD_CLOEXEC); /* may be none */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would reap for us */
	r->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals == -1)
		return errno;
	r->dir = whole_open(
	    AT_FDCWD, r->o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (r->dir == -1)
		return errno;
	return chdir("/") == -1 ? errno : 0; /* keep no mount busy */
}

/* The file of the record, with room for all of it. */
static int
make_record(struct run *r)
{
	char buf[SPOOL_RECORD], name[SPOOL_NAME];

	spool_name(name, (unsigned)r->o.step, SPOOL_NEW);
	r->record = whole_open(r->dir, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->record == -1)
		return errno;
	spool_write(buf, &r->start, NULL);
	return whole_write(r->record, buf, sizeof buf) == -1 ? errno : 0;
}

/* The second line, and the name that says it is there. */
static int
finish_record(struct run *r)
{
	char buf[SPOOL_RECORD], from[SPOOL_NAME], to[SPOOL_NAME];

	spool_write(buf, &r->start, &r->end);
	if (whole_pwrite(r->record, buf, sizeof buf, 0) == -1)
		return errno;
	if (renameat(r->dir, spool_name(from, (unsigned)r->o.step, SPOOL_PID),
		r->dir,
		spool_name(to, (unsigned)r->o.step, SPOOL_STATUS)) == -1)
		return errno;
	return 0;
}

/* From start to record; errno when nothing was run or recorded. */
static int
supervise(struct run *r)
{
	int rc;

	rc = surroundings(r);
	if (rc == 0)
		rc = make_record(r);
	if (rc != 0)
		return rc;
	if (r->o.cgroup != NULL)
		run_cgroup_make(r);
	rc = run_start(r);
	if (rc == 0) {
		run_watch(r);
		rc = finish_record(r);
	}
	run_cgroup_remove(r);
	return rc;
}

void
run_refuse(int claim, int why)
{
	unsigned char byte = (unsigned char)why;
	struct stat st;

	if (fstat(claim, &st) == 0 && S_ISFIFO(st.st_mode))
		(void)!write(claim, &byte, 1);
}

/* Of the files, whose room may be wanted, then of the claim; both sooner than
 * our pages are given back. */
static void
let_go(struct run *r)
{
	close(r->out.file);
	close(r->err.file);
	close(r->record);
	close(RUN_CLAIM_FD);
}

int
run_script(int argc, char **argv)
{
	static struct run r = {
	    .dir = -1,
	    .record = -1,
	    .signals = -1,
	    .cgroup = -1,
	    .out = {.pipe = -1, .file = -1},
	    .err = {.pipe = -1, .file = -1},
	};
	int rc;

	if (!options(&r.o, argc, argv)) {
		(void)!write(STDERR_FILENO, usage, sizeof usage - 1);
		run_refuse(RUN_CLAIM_FD, EINVAL);
		return EINVAL;
	}
	if (!prepared)
		run_prepare(false);
	rc = *boot == '\0' && clock_boot_id(boot) == -1 ? errno : 0;
	memcpy(r.start.boot, boot, sizeof boot);
	r.start.runner = getpid();
	snprintf(r.start.script, sizeof r.start.script, "%s", r.o.argv[0]);
	if (rc == 0)
		rc = supervise(&r);
	if (rc != 0)
		run_refuse(RUN_CLAIM_FD, rc);
	let_go(&r);
	free(r.o.env);
	return rc;
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], SPOOL_NURSERY) == 0)
		return run_nursery(argc, argv);
	return run_script(argc, argv);
}
