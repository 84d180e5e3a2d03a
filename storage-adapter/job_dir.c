/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the files of a run tell, and what may be concluded from them.
 *
 * Claim: the link STEP.boot, then the FIFO STEP.run.  Run: the runner is given
 * the FIFO's writing end, by the call that makes it or through the nursery; it
 * and its child hold it; the child gives the record the name STEP.pid, then
 * becomes the script, which does not hold it.
 *
 * On the way through the nursery the writing end is never let go: the adapter
 * holds it until it has been sent, a message in the socket holds what it
 * carries, the nursery holds what it has read until there is a child, and the
 * child has it from its first moment.  A message is read once, and begets one
 * child at most; the adapter sends one, or starts a runner, never both: only
 * when nothing was sent there is a call to start one.  Who dies lets go of what
 * it holds: of a dead nursery's socket the messages are dropped (its children,
 * which share the socket for a moment, do not read it).  So:
 *
 *  1. Somebody holds the FIFO: a runner is at work, or will be when it has come
 *     through the nursery, or the adapter that claims (which can only be
 *     ourselves, as there is one per state folder).  A nursery outlives its
 *     adapter by what was sent to it.
 *  2. Nobody holds it, and there is STEP.status: it is over, and how.
 *  3. Nobody holds it, and there is STEP.pid: the script may have run, and
 *     nobody knows how far.  Lost.
 *  4. Nobody holds it, and there is neither: no script was ever begun, as the
 *     name comes before the script, and who would give it, or would have made
 *     who does, is gone: it held the FIFO until then.  It may be started.  The order of reading matters: first
 *     the FIFO, then the names.
 *  5. All this is about one boot of the machine: after a power cut a name may
 *     be missing that was there.  So without STEP.boot of this very boot, 4
 *     becomes 3.
 */
#include "job_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "whole.h"
#include "xalloc.h"

static char boot_id[37]; /* it does not change under us */

/* Learn it. */
int
job_boot_read(void)
{
	return clock_boot_id(boot_id);
}

/* This boot. */
const char *
job_boot(void)
{
	return boot_id;
}

/* Make link and FIFO. */
int
job_claim(int dir, unsigned step)
{
	const char *boot = job_boot();
	char name[SPOOL_NAME];

	if (symlinkat(*boot != '\0' ? boot : "unknown", dir,
		spool_name(name, step, SPOOL_BOOT)) == -1 &&
	    errno != EEXIST)
		return -1;
	if (mkfifoat(dir, spool_name(name, step, SPOOL_RUN), 0600) == 0)
		return 1;
	return errno == EEXIST ? 0 : -1;
}

/* Was the step claimed in this boot? */
static bool
of_this_boot(int dir, unsigned step)
{
	const char *boot = job_boot();
	char name[SPOOL_NAME], said[40];
	ssize_t n;

	n = readlinkat(
	    dir, spool_name(name, step, SPOOL_BOOT), said, sizeof said);
	return *boot != '\0' && n == (ssize_t)strlen(boot) &&
	    memcmp(said, boot, (size_t)n) == 0;
}

/* Who holds the FIFO; *fd gets a reading end when somebody does. */
static int
holder(int dir, unsigned step, enum job_claim *claim, int *fd)
{
	char name[SPOOL_NAME], c;
	struct stat st;
	int rc = 0, why;
	ssize_t n;

	*fd = whole_open(dir, spool_name(name, step, SPOOL_RUN),
	    O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
	*claim = CLAIM_NONE;
	if (*fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(*fd, &st) == -1 || !S_ISFIFO(st.st_mode)) {
		*claim = CLAIM_DAMAGED;
	} else {
		do
			n = read(*fd, &c, 1);
		while (n == -1 && errno == EINTR);
		if (n == -1 && errno != EAGAIN)
			rc = -1; /* waiting for its end could be for ever */
		*claim = n == 0 ? CLAIM_LOOSE : CLAIM_HELD;
	}
	if (*claim != CLAIM_HELD || rc == -1) {
		why = errno;
		close(*fd);
		*fd = -1;
		errno = why;
	}
	return rc;
}

/* Read a record whole. */
int
job_record(int dir, unsigned step, enum spool_file which, struct spool_start *s,
    struct spool_end *e)
{
	char name[SPOOL_NAME], buf[SPOOL_RECORD + 1];
	ssize_t n;
	int fd = whole_open(dir, spool_name(name, step, which),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	n = whole_read(fd, buf, sizeof buf);
	close(fd);
	if (n == -1)
		return -1;
	if (!spool_read_start(buf, (size_t)n, s) ||
	    (e != NULL && !spool_read_end(buf, (size_t)n, e))) {
		errno = EBADMSG;
		return -1;
	}
	return 1;
}

/* Rules 2 to 5; a damaged record is a lost run.  -1 with errno when it cannot
 * be told now. */
static int
find_fate(int dir, unsigned step, struct job_facts *f)
{
	int rc = job_record(dir, step, SPOOL_STATUS, &f->start, &f->end);

	f->fate = FATE_ENDED;
	if (rc == 1)
		return 0;
	if (rc == 0)
		rc = job_record(dir, step, SPOOL_PID, &f->start, NULL);
	if (rc == -1 && job_passing(errno))
		return -1;
	f->fate = FATE_UNBORN;
	if (rc == 0 && of_this_boot(dir, step))
		return 0;
	f->fate = FATE_LOST;
	if (rc != 1)
		memset(&f->start, 0, sizeof f->start);
	return 0;
}

/* Rule 1 first. */
int
job_facts(int dir, unsigned step, struct job_facts *f)
{
	char name[SPOOL_NAME];
	enum job_claim claim;
	struct stat st;

	memset(f, 0, sizeof *f);
	f->fifo = -1;
	if (holder(dir, step, &claim, &f->fifo) == -1)
		return -1;
	if (claim == CLAIM_HELD) {
		f->fate = FATE_RUNNING;
		(void)job_record(dir, step, SPOOL_PID, &f->start, NULL);
	} else if (claim == CLAIM_LOOSE || claim == CLAIM_DAMAGED) {
		if (find_fate(dir, step, f) == -1)
			return -1;
		if (claim == CLAIM_DAMAGED && f->fate == FATE_UNBORN)
			f->fate = FATE_LOST;
	} else {
		/* a link of a previous boot: the FIFO may have been there */
		f->fate = FATE_FREE;
		if (fstatat(dir, spool_name(name, step, SPOOL_BOOT), &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    !of_this_boot(dir, step))
			f->fate = FATE_LOST;
	}
	return 0;
}

/* Open a folder of a request. */
static int
open_dir(const char *dir, struct err *e)
{
	int fd = whole_open(
	    AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);

	if (fd == -1)
		err_errno(e, "%s", dir);
	return fd;
}

/* A listing of an open folder; fd stays the caller's. */
static DIR *
list(int fd)
{
	int copy = whole_open(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *d = copy != -1 ? fdopendir(copy) : NULL;

	if (d == NULL && copy != -1)
		close(copy);
	return d;
}

/* One more than the highest step claimed; -1 with errno. */
static int
count_steps(int fd, unsigned *steps)
{
	enum spool_file file;
	struct dirent *de;
	unsigned step;
	DIR *d = list(fd);

	*steps = 0;
	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL)
		if (spool_is(de->d_name, &step, &file) && file == SPOOL_RUN &&
		    step >= *steps)
			*steps = step + 1;
	closedir(d);
	return 0;
}

/* The newest step. */
int
job_look(const char *dir, struct job_look *l, struct err *e)
{
	struct job_facts f;
	int fd, rc = 0;

	memset(l, 0, sizeof *l);
	fd = open_dir(dir, e);
	if (fd == -1)
		return -1;
	if (count_steps(fd, &l->steps) == -1 ||
	    (l->steps > 0 && job_facts(fd, l->steps - 1, &f) == -1)) {
		rc = err_errno(e, "%s", dir);
	} else if (l->steps > 0) {
		l->running = f.fate == FATE_RUNNING;
		l->pid = l->running ? f.start.pid : 0;
		l->start_wall_ns = f.start.wall_ns;
		memcpy(l->script, f.start.script, sizeof l->script);
		if (f.fifo != -1)
			close(f.fifo);
	}
	close(fd);
	return rc;
}

/* End one step; true when nothing of it runs. */
static bool
end_step(int fd, unsigned step)
{
	struct job_facts f;

	if (job_facts(fd, step, &f) == -1)
		return false;
	if (f.fifo != -1)
		close(f.fifo);
	if (f.fate == FATE_RUNNING) {
		if (f.start.pid != 0)
			(void)job_term_runner(&f.start);
		return false;
	}
	return f.fate != FATE_LOST || f.start.pid == 0 ||
	    job_kill_script(&f.start) == 0;
}

/* All steps. */
bool
job_end_folder(const char *dir)
{
	unsigned steps, i;
	bool over = true;
	int fd = open_dir(dir, NULL);

	if (fd == -1)
		return errno == ENOENT;
	if (count_steps(fd, &steps) == -1)
		over = false;
	else
		for (i = 0; i < steps; i++)
			over = end_step(fd, i) && over;
	close(fd);
	return over;
}

/* A name in a folder that goes. */
struct entry {
	int rank;
	char name[NAME_MAX + 1];
};

/* In which order files go: a folder that is half removed, when we are killed
 * meanwhile, must never look as if nothing had run.  Without the link it is at
 * best lost (rule 5); the claim goes last. */
static int
rank(const char *name)
{
	enum spool_file file;
	unsigned step;

	if (!spool_is(name, &step, &file))
		return 1;
	switch (file) {
	case SPOOL_BOOT: return 0;
	case SPOOL_STATUS: return 2;
	case SPOOL_PID: return 3;
	case SPOOL_RUN: return 4;
	default: return 1;
	}
}

/* For qsort. */
static int
by_rank(const void *a, const void *b)
{
	return ((const struct entry *)a)->rank -
	    ((const struct entry *)b)->rank;
}

/* All names, in the order in which they go; *v is the caller's to free. */
static int
names(int fd, struct entry **v, size_t *n)
{
	struct dirent *de;
	DIR *d = list(fd);

	*v = NULL;
	*n = 0;
	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (*n % 16 == 0)
			*v = xreallocarray(*v, *n + 16, sizeof **v);
		(*v)[*n].rank = rank(de->d_name);
		snprintf((*v)[*n].name, sizeof(*v)[*n].name, "%s", de->d_name);
		(*n)++;
	}
	closedir(d);
	if (*n > 0)
		qsort(*v, *n, sizeof **v, by_rank);
	return 0;
}

/* One after the other, then the folder; what is gone already is good. */
int
job_remove_folder(const char *dir, struct err *e)
{
	struct entry *v;
	size_t i, n;
	int fd, rc;

	fd = open_dir(dir, e);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = names(fd, &v, &n);
	for (i = 0; rc == 0 && i < n; i++)
		if (unlinkat(fd, v[i].name, 0) == -1 && errno != ENOENT)
			rc = -1;
	if (rc == 0)
		rc = rmdir(dir);
	if (rc == -1)
		err_errno(e, "%s cannot be removed", dir);
	free(v);
	close(fd);
	return rc;
}
