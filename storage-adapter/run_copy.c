/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * From the pipes of the script into files.  Standard output is kept up to a
 * bound; one byte more ends the script.  Of standard error the end is kept: the
 * file grows to twice the bound, then its second half becomes its first.  So it
 * can be read at any time, also when we are gone.
 */
#include "run.h"
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK (64 << 10)

static char buffer[CHUNK];

/* The file, made when there is something to put into it. */
static int
file_of(struct run *r, struct run_stream *s, enum spool_file which)
{
	char name[SPOOL_NAME];

	if (s->file != -1 || s->error != 0)
		return s->error;
	spool_name(name, (unsigned)r->o.step, which);
	s->file = whole_open(r->dir, name,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->file == -1)
		s->error = errno;
	return s->error;
}

/* Write all of it at the end of what is kept. */
static int
append(struct run_stream *s, const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = pwrite(s->file, p, n, s->len);
		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return s->error = done == 0 ? EIO : errno;
		p += done;
		n -= (size_t)done;
		s->len += done;
	}
	return 0;
}

/* Standard output: all of it, or the script has to end. */
static void
keep_out(struct run *r, const char *p, size_t n)
{
	int64_t room = r->o.max_out - r->out.len;

	if (r->too_much || r->phase == RUN_TERM || r->phase == RUN_KILL)
		return;
	if ((int64_t)n > room) {
		r->too_much = true;
		n = (size_t)room;
	}
	if (n > 0 &&
	    (file_of(r, &r->out, SPOOL_OUT) != 0 || append(&r->out, p, n) != 0))
		r->too_much = true;
	r->end.out = r->out.len;
}

/* The last max_err bytes of the file become its first. */
static void
fold(struct run_stream *s, int64_t max)
{
	static char part[4096];
	int64_t from = s->len - max, end = s->len;
	ssize_t n;

	s->len = 0;
	while (from < end) {
		n = whole_pread(s->file, part, sizeof part, from);
		if (n <= 0 || append(s, part, (size_t)n) != 0)
			return;
		from += n;
	}
	(void)!ftruncate(s->file, s->len);
}

/* Standard error: its end.  A full disk costs only what is kept of it. */
static void
keep_err(struct run *r, const char *p, size_t n)
{
	struct run_stream *s = &r->err;
	int64_t max = r->o.max_err;

	r->end.err += (int64_t)n;
	if ((int64_t)n > max) {
		p += (int64_t)n - max;
		n = (size_t)max;
	}
	if (n == 0 || file_of(r, s, SPOOL_ERR) != 0)
		return;
	if (s->len + (int64_t)n > 2 * max)
		fold(s, max);
	if (s->error == 0)
		(void)append(s, p, n);
}

/* Read up to max bytes; 0: nothing there, or the end. */
static size_t
take(struct run *r, struct run_stream *s, size_t max)
{
	ssize_t n;

	if (s->pipe == -1 || max == 0)
		return 0;
	do
		n = read(s->pipe, buffer, max < CHUNK ? max : CHUNK);
	while (n == -1 && errno == EINTR);
	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		if (n == -1 && s->error == 0)
			s->error = errno; /* what is there is not all of it */
		r->too_much |= s == &r->out && s->error != 0;
		close(s->pipe);
		s->pipe = -1;
	}
	if (n <= 0)
		return 0;
	if (s == &r->out)
		keep_out(r, buffer, (size_t)n);
	else
		keep_err(r, buffer, (size_t)n);
	return (size_t)n;
}

/* One buffer each. */
void
run_copy(struct run *r)
{
	(void)take(r, &r->out, CHUNK);
	(void)take(r, &r->err, CHUNK);
}

/* What was there when we were called, of one. */
static void
drain(struct run *r, struct run_stream *s)
{
	size_t n;
	int there = 0;

	if (s->pipe == -1 || ioctl(s->pipe, FIONREAD, &there) == -1)
		return;
	for (; there > 0; there -= (int)n) {
		n = take(r, s, (size_t)there);
		if (n == 0)
			return;
	}
}

/* Of both. */
void
run_drain(struct run *r)
{
	drain(r, &r->out);
	drain(r, &r->err);
}
