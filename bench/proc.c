/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Questions to the kernel about a process. */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read a small file of /proc/PID whole; "" when that fails. */
static void
slurp(pid_t pid, const char *name, char *to, size_t size)
{
	char path[330];
	size_t n;
	FILE *f;

	to[0] = '\0';
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	fclose(f);
}

/* What the scheduler counted for the living threads of a process, to the
 * nanosecond; -1 when this kernel does not tell. */
static int64_t
threads_cpu_us(pid_t pid)
{
	unsigned long long ns, sum = 0;
	char path[64], name[300], text[128];
	struct dirent *d;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	tasks = opendir(path);
	while (tasks != NULL && (d = readdir(tasks)) != NULL) {
		if (d->d_name[0] == '.') /* task/.. is the process once more */
			continue;
		snprintf(name, sizeof name, "task/%s/schedstat", d->d_name);
		slurp(pid, name, text, sizeof text);
		if (sscanf(text, "%llu", &ns) == 1)
			sum += ns;
	}
	if (tasks != NULL)
		closedir(tasks);
	return sum > 0 ? (int64_t)(sum / 1000) : -1;
}

/* Processor time of a process. */
int64_t
proc_cpu_us(pid_t pid)
{
	unsigned long user, sys;
	char text[1024], *p;
	int64_t exact = threads_cpu_us(pid);

	if (exact >= 0)
		return exact;
	slurp(pid, "stat", text, sizeof text);
	p = strrchr(text, ')'); /* the name may hold blanks and brackets */
	if (p == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&sys) != 2)
		return -1;
	return (
	    int64_t)((double)(user + sys) * 1e6 / (double)sysconf(_SC_CLK_TCK));
}

/* Add up a process and those it started, as far as they live. */
static void
add_tree(pid_t pid, int64_t *sum)
{
	int64_t own = proc_cpu_us(pid);
	struct dirent *d;
	char path[64];
	DIR *tasks;

	*sum += own > 0 ? own : 0;
	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	tasks = opendir(path);
	while (tasks != NULL && (d = readdir(tasks)) != NULL) {
		char name[300], text[8192], *p = text, *end;
		long child;

		snprintf(name, sizeof name, "task/%s/children", d->d_name);
		slurp(pid, name, text, sizeof text);
		while ((child = strtol(p, &end, 10)) > 0) {
			add_tree((pid_t)child, sum);
			p = end;
		}
	}
	if (tasks != NULL)
		closedir(tasks);
}

/* Processor time of a broker of several processes. */
int64_t
proc_tree_cpu_us(pid_t pid)
{
	int64_t sum = 0;

	if (proc_cpu_us(pid) < 0)
		return -1;
	add_tree(pid, &sum);
	return sum;
}

/* Processor time of ours. */
int64_t
proc_own_cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL +
	    u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* Processor time of all: the first line of /proc/stat without what was idle
 * (fourth) or waited for a disk (fifth). */
int64_t
proc_all_cpu_us(void)
{
	unsigned long v[8] = {0}, busy;
	FILE *f = fopen("/proc/stat", "re");
	int n;

	if (f == NULL)
		return 0;
	n = fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &v[0], &v[1],
	    &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	fclose(f);
	busy = v[0] + v[1] + v[2] + v[5] + v[6] + v[7];
	return n == 8
	    ? (int64_t)((double)busy * 1e6 / (double)sysconf(_SC_CLK_TCK))
	    : 0;
}

/* One line of /proc/PID/status in bytes. */
static int64_t
status_kb(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p == NULL ? 0 : atoll(p + strlen(key)) * 1024;
}

/* Memory of a process. */
void
proc_memory(pid_t pid, struct proc_mem *m)
{
	char text[4096];

	slurp(pid, "status", text, sizeof text);
	m->rss = status_kb(text, "VmRSS:");
	m->peak = status_kb(text, "VmHWM:");
}

/* Who listens there. */
pid_t
proc_peer(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return -1;
	return who.pid > 0 ? who.pid : -1;
}

/* Raise the limit on open files as far as is needed and allowed. */
int
proc_need_files(unsigned long n, struct err *e)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_errno(e, "getrlimit");
	if (l.rlim_cur >= n)
		return 0;
	l.rlim_cur = n;
	if (l.rlim_max < n)
		l.rlim_max = n; /* only root may */
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_errno(e,
		    "%lu open files are needed and the hard limit is lower; "
		    "raise it (ulimit -Hn, as root)",
		    n);
	return 0;
}
