/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Names and records of a run's files; process facts from /proc. */
#include "spool.h"
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const suffixes[SPOOL_FILES] = {
    [SPOOL_BOOT] = "boot",
    [SPOOL_RUN] = "run",
    [SPOOL_NEW] = "new",
    [SPOOL_PID] = "pid",
    [SPOOL_STATUS] = "status",
    [SPOOL_OUT] = "out",
    [SPOOL_ERR] = "err",
};

static const char *const ends[] = {
    [JOB_EXIT] = "exit",
    [JOB_SIGNAL] = "signal",
    [JOB_TIMEOUT] = "timeout",
    [JOB_CANCELLED] = "cancelled",
    [JOB_OUTPUT] = "output",
    [JOB_NOEXEC] = "noexec",
    [JOB_LOST] = "lost",
    [JOB_NOSTART] = "nostart",
};

/* "STEP.suffix". */
const char *
spool_name(char name[SPOOL_NAME], unsigned step, enum spool_file file)
{
	snprintf(name, SPOOL_NAME, "%u.%s", step, suffixes[file]);
	return name;
}

/* The other way round. */
bool
spool_is(const char *name, unsigned *step, enum spool_file *file)
{
	char again[SPOOL_NAME], *dot;
	unsigned long n = strtoul(name, &dot, 10);
	unsigned f;

	if (*dot != '.' || n >= SPOOL_STEPS)
		return false;
	for (f = 0; f < SPOOL_FILES; f++)
		if (strcmp(dot + 1, suffixes[f]) == 0)
			break;
	if (f == SPOOL_FILES)
		return false;
	*step = (unsigned)n;
	*file = f;
	return strcmp(spool_name(again, *step, *file), name) == 0;
}

/* A record is lines of key=value; script comes last, as it may hold blanks. */
void
spool_write(char buf[SPOOL_RECORD], const struct spool_start *s,
    const struct spool_end *e)
{
	size_t n, i, script;

	n = (size_t)snprintf(buf, SPOOL_RECORD,
	    "xmsg-run boot=%.36s runner=%d pid=%d ticks=%" PRIu64
	    " wall=%" PRId64 " script=",
	    s->boot, (int)s->runner, (int)s->pid, s->ticks, s->wall_ns);
	script = n;
	n += (size_t)snprintf(buf + n, SPOOL_RECORD - n, "%.255s", s->script);
	for (i = script; i < n; i++)
		if ((unsigned char)buf[i] < ' ' || buf[i] == 0x7f)
			buf[i] = '?';
	buf[n++] = '\n';
	if (e != NULL)
		n += (size_t)snprintf(buf + n, SPOOL_RECORD - n,
		    "end=%s code=%d took=%" PRId64 " stuck=%d out=%" PRId64
		    " err=%" PRId64 " user_us=%" PRId64 " system_us=%" PRId64
		    " rss_kb=%" PRId64 " cgroup=%d\n",
		    ends[e->end], e->code, e->took_ns, e->stuck, e->out, e->err,
		    e->user_us, e->system_us, e->rss_kb, e->cgroup);
	memset(buf + n, ' ', SPOOL_RECORD - n);
	buf[SPOOL_RECORD - 1] = '\n';
}

/* Past "key=" when that is what comes next. */
static bool
take_key(const char **at, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(*at, key, n) != 0 || (*at)[n] != '=')
		return false;
	*at += n + 1;
	return true;
}

/* "key=NUMBER" and the blank or newline behind it. */
static bool
take_int(const char **at, const char *key, int64_t min, int64_t max, int64_t *v)
{
	char *end;

	if (!take_key(at, key))
		return false;
	if (**at != '-' && (**at < '0' || **at > '9'))
		return false;
	errno = 0;
	*v = strtoll(*at, &end, 10);
	if (errno != 0 || end == *at || (*end != ' ' && *end != '\n') ||
	    *v < min || *v > max)
		return false;
	*at = end + 1;
	return true;
}

/* "key=WORD " of n bytes at most. */
static bool
take_word(const char **at, const char *key, char *word, size_t n)
{
	size_t len;

	if (!take_key(at, key))
		return false;
	len = strcspn(*at, " \n");
	if (len >= n || (*at)[len] != ' ')
		return false;
	memcpy(word, *at, len);
	word[len] = '\0';
	*at += len + 1;
	return true;
}

/* Line number i (0, 1) of a record as a string in out. */
static bool
line_of(const char *buf, size_t n, int i, char out[SPOOL_RECORD])
{
	const char *p = buf, *nl;

	if (n != SPOOL_RECORD)
		return false;
	for (;; p = nl + 1) {
		nl = memchr(p, '\n', n - (size_t)(p - buf));
		if (nl == NULL)
			return false;
		if (i-- == 0)
			break;
	}
	memcpy(out, p, (size_t)(nl + 1 - p));
	out[nl + 1 - p] = '\0';
	return true;
}

/* The first line. */
bool
spool_read_start(const char *buf, size_t n, struct spool_start *s)
{
	char line[SPOOL_RECORD + 1];
	const char *at = line;
	int64_t runner, pid, ticks;
	size_t len;

	memset(s, 0, sizeof *s);
	if (!line_of(buf, n, 0, line) || strncmp(at, "xmsg-run ", 9) != 0)
		return false;
	at += 9;
	if (!take_word(&at, "boot", s->boot, sizeof s->boot) ||
	    !take_int(&at, "runner", 1, INT32_MAX, &runner) ||
	    !take_int(&at, "pid", 1, INT32_MAX, &pid) ||
	    !take_int(&at, "ticks", 0, INT64_MAX, &ticks) ||
	    !take_int(&at, "wall", 0, INT64_MAX, &s->wall_ns) ||
	    !take_key(&at, "script"))
		return false;
	len = strcspn(at, "\n");
	if (len >= sizeof s->script || at[len] != '\n')
		return false;
	memcpy(s->script, at, len);
	s->runner = (pid_t)runner;
	s->pid = (pid_t)pid;
	s->ticks = (uint64_t)ticks;
	return true;
}

/* Which end a word names. */
static bool
end_of(const char *word, enum job_end *end)
{
	size_t i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++)
		if (strcmp(word, ends[i]) == 0) {
			*end = (enum job_end)i;
			return true;
		}
	return false;
}

/* The second line. */
bool
spool_read_end(const char *buf, size_t n, struct spool_end *e)
{
	char line[SPOOL_RECORD + 1], word[16];
	const char *at = line;
	int64_t code, stuck, cgroup;

	memset(e, 0, sizeof *e);
	if (!line_of(buf, n, 1, line) ||
	    !take_word(&at, "end", word, sizeof word) ||
	    !end_of(word, &e->end) ||
	    !take_int(&at, "code", 0, INT32_MAX, &code) ||
	    !take_int(&at, "took", 0, INT64_MAX, &e->took_ns) ||
	    !take_int(&at, "stuck", 0, 1, &stuck) ||
	    !take_int(&at, "out", 0, INT64_MAX, &e->out) ||
	    !take_int(&at, "err", 0, INT64_MAX, &e->err) ||
	    !take_int(&at, "user_us", 0, INT64_MAX, &e->user_us) ||
	    !take_int(&at, "system_us", 0, INT64_MAX, &e->system_us) ||
	    !take_int(&at, "rss_kb", 0, INT64_MAX, &e->rss_kb) ||
	    !take_int(&at, "cgroup", 0, INT32_MAX, &cgroup))
		return false;
	e->code = (int)code;
	e->stuck = stuck != 0;
	e->cgroup = (int)cgroup;
	return *at == '\0';
}

/* Fields 3 to 22 of /proc/PID/stat; the name before them may hold anything, so
 * they are counted from its last parenthesis. */
bool
spool_proc(pid_t pid, struct spool_proc *p)
{
	char path[40], buf[1024], *at;
	int fd, parent, group, session;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = whole_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -1)
		return false;
	n = whole_read(fd, buf, sizeof buf - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	at = strrchr(buf, ')');
	return at != NULL &&
	    sscanf(at + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d"
		" %*d %*d %*d %" SCNu64,
		&p->state, &parent, &group, &session, &p->ticks) == 5 &&
	    (p->parent = parent, p->group = group, p->session = session, true);
}
