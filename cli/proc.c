/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Reading /proc. */
#include "proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small file, NUL-terminated; "" when it cannot be read. */
static void
slurp(char *out, size_t max, int64_t pid, const char *name)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, out, max - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
}

/* The name stands in parentheses and may hold anything. */
static bool
parse_stat(struct proc *p, int64_t *session, char *text)
{
	char *open = strchr(text, '('), *shut = strrchr(text, ')');
	unsigned long user, sys;
	long sid;

	if (open == NULL || shut == NULL || shut < open)
		return false;
	*shut = '\0';
	snprintf(p->comm, sizeof p->comm, "%s", open + 1);
	if (sscanf(shut + 1,
		" %c %*d %*d %ld %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&p->state, &sid, &user, &sys) != 4)
		return false;
	p->cpu_s = (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
	*session = sid;
	return true;
}

static bool
look(struct proc *p, int64_t pid, int64_t *session)
{
	char text[512];

	memset(p, 0, sizeof *p);
	p->pid = pid;
	slurp(text, sizeof text, pid, "stat");
	if (!parse_stat(p, session, text))
		return false;
	slurp(p->wchan, sizeof p->wchan, pid, "wchan");
	if (strcmp(p->wchan, "0") == 0)
		p->wchan[0] = '\0';
	return true;
}

/* One. */
bool
proc_look(struct proc *p, int64_t pid)
{
	int64_t session;

	return pid > 0 && look(p, pid, &session);
}

/* Its session. */
bool
proc_session(struct proc *p, int64_t pid)
{
	struct dirent *e;
	struct proc one;
	int64_t session, other;
	double cpu_s;
	DIR *d;

	if (pid <= 0 || !look(p, pid, &session))
		return false;
	cpu_s = p->cpu_s;
	d = opendir("/proc");
	while (d != NULL && (e = readdir(d)) != NULL) {
		int64_t id = strtoll(e->d_name, NULL, 10);

		if (id <= 0 || id == pid || !look(&one, id, &other) ||
		    other != session)
			continue;
		cpu_s += one.cpu_s;
		if (one.state == 'D' && p->state != 'D')
			*p = one;
	}
	if (d != NULL)
		closedir(d);
	p->cpu_s = cpu_s;
	return true;
}
