/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Ending what a script started.  Orphans of its family become our children
 * (we are a subreaper), so who has no more children has nobody left.  The
 * script itself stays unreaped to the end: as long, its number can be nobody
 * else's, and signals to its group hit nobody else.
 */
#include "run.h"
#include "whole.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Children looked at in one go; the rest comes in the next one. */
#define CHILDREN 1024
/* Processes in a group of its own. */
#define PIDS_MAX "4096"

/* One short write. */
int
run_put(int dir, const char *name, const char *text)
{
	int rc = 0, fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return errno;
	if (write(fd, text, strlen(text)) == -1)
		rc = errno;
	close(fd);
	return rc;
}

/* TERM, to be seen by a stopped group too. */
void
run_term(struct run *r)
{
	(void)kill(-r->start.pid, SIGTERM);
	(void)kill(-r->start.pid, SIGCONT);
}

/* Our children, as the kernel lists them; -1 when it does not. */
static int
listed_children(pid_t *v, int max)
{
	static char buf[CHILDREN * 12];
	char path[48], *at = buf, *end;
	ssize_t have;
	int fd, count = 0;

	snprintf(
	    path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = whole_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	have = whole_read(fd, buf, sizeof buf - 1);
	close(fd);
	if (have == -1)
		return -1;
	buf[have] = '\0';
	for (; count < max; at = end) {
		v[count] = (pid_t)strtol(at, &end, 10);
		if (end == at || *end != ' ')
			break;
		count++;
	}
	return count;
}

/* Our children, looked for among all processes. */
static int
found_children(pid_t *v, int max)
{
	DIR *d = opendir("/proc");
	struct spool_proc p;
	struct dirent *e;
	int count = 0;

	if (d == NULL)
		return 0;
	while (count < max && (e = readdir(d)) != NULL) {
		v[count] = (pid_t)atoi(e->d_name);
		if (isdigit((unsigned char)e->d_name[0]) &&
		    spool_proc(v[count], &p) && p.parent == getpid())
			count++;
	}
	closedir(d);
	return count;
}

/* Our children, one way or the other. */
static int
children(pid_t *v, int max)
{
	int n = listed_children(v, max);

	return n >= 0 ? n : found_children(v, max);
}

/* In the script's group, and alive? */
bool
run_group_left(struct run *r)
{
	static pid_t v[CHILDREN];
	struct spool_proc p;
	int i, n = children(v, CHILDREN);

	for (i = 0; i < n; i++)
		if (v[i] != r->start.pid && spool_proc(v[i], &p) &&
		    p.group == r->start.pid && p.state != 'Z')
			return true;
	return false;
}

/* Kill one child; true when it is still there. */
static bool
kill_child(const struct run *r, pid_t pid)
{
	if (pid == r->start.pid)
		return !r->dead; /* has been killed with its group */
	(void)kill(pid, SIGKILL);
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* Is there a child, dead (si_pid) or alive?  It stays to be waited for. */
static bool
peek(siginfo_t *si)
{
	int rc;

	do {
		si->si_pid = 0;
		rc = waitid(P_ALL, 0, si, WEXITED | WNOHANG | WNOWAIT);
	} while (rc == -1 && errno == EINTR);
	return rc == 0;
}

/* Everyone.  When only the dead script is left it is buried, as only then
 * the kernel can be asked whether there are others. */
unsigned
run_kill(struct run *r)
{
	static pid_t v[CHILDREN];
	siginfo_t si;
	unsigned left = 0;
	int i, n;

	if (r->cgroup != -1)
		(void)run_put(r->cgroup, "cgroup.kill", "1");
	if (!r->reaped)
		(void)kill(-r->start.pid, SIGKILL);
	n = children(v, CHILDREN);
	for (i = 0; i < n; i++)
		left += kill_child(r, v[i]);
	run_reap(r);
	if (left > 0 || !r->dead)
		return left > 0 ? left : 1;
	run_bury(r);
	return peek(&si);
}

/* The end of the script, as the kernel tells it. */
static void
died(struct run *r, const siginfo_t *si)
{
	r->dead = true;
	if (r->phase != RUN_RUN)
		return; /* ended by us: that is what is told */
	r->end.end = si->si_code == CLD_EXITED ? JOB_EXIT : JOB_SIGNAL;
	r->end.code = si->si_status;
}

/* Look at one after the other until the script comes. */
void
run_reap(struct run *r)
{
	siginfo_t si;

	while (!r->dead) {
		if (!peek(&si) || si.si_pid == 0)
			return;
		if (si.si_pid == r->start.pid)
			died(r, &si);
		else
			(void)waitpid(si.si_pid, NULL, WNOHANG);
	}
}

/* Microseconds. */
static int64_t
micros(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * 1000000 + tv->tv_usec;
}

/* Reap, and keep what it has used. */
void
run_bury(struct run *r)
{
	struct rusage u;

	if (r->reaped || wait4(r->start.pid, NULL, WNOHANG, &u) <= 0)
		return;
	r->reaped = true;
	r->end.user_us = micros(&u.ru_utime);
	r->end.system_us = micros(&u.ru_stime);
	r->end.rss_kb = u.ru_maxrss;
}

/* A folder below the one we were given. */
void
run_cgroup_make(struct run *r)
{
	char path[4200];

	snprintf(r->cgroup_name, sizeof r->cgroup_name, "xmsg-%d",
	    (int)r->start.runner);
	snprintf(path, sizeof path, "%s/%s", r->o.cgroup, r->cgroup_name);
	if (mkdir(path, 0755) == 0)
		r->cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->cgroup == -1)
		r->end.cgroup = errno;
	else
		(void)run_put(r->cgroup, "pids.max", PIDS_MAX);
}

/* Stays while a daemon of the script is in it. */
void
run_cgroup_remove(struct run *r)
{
	char path[4200];

	if (r->cgroup == -1)
		return;
	snprintf(path, sizeof path, "%s/%s", r->o.cgroup, r->cgroup_name);
	(void)rmdir(path);
}
