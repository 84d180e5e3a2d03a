/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A call is one ring event: RING_REPLY with the method as its client and the
 * SR as its peer.  The text is lines: error, sentence, scripts, so that what is
 * cut at the end is the least of it; a line "repeated" may follow.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "each.h"
#include "redact.h"
#include "ring_file.h"
#include "xalloc.h"

#define TEXT_MAX RING_MAX_PAYLOAD

struct record {
	struct ring ring;
	void *mem;
	size_t size;
};

struct record *
record_open(const char *dir, size_t size, struct err *e)
{
	char *path = xasprintf("%s/calls.ring", dir);
	struct record *r = xcalloc(1, sizeof *r);

	r->size = size & ~(size_t)7;
	r->mem = ring_file_open(&r->ring, path, r->size, e);
	free(path);
	if (r->mem != NULL)
		return r;
	free(r);
	return NULL;
}

struct record *
record_view(const char *dir, struct err *e)
{
	char *path = xasprintf("%s/calls.ring", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct record *r = xcalloc(1, sizeof *r);
	struct stat st = {0};

	r->mem = MAP_FAILED;
	if (fd == -1 || fstat(fd, &st) == -1)
		err_errno(e, "cannot read %s", path);
	else if (st.st_size < RING_MIN_SIZE)
		err_set(e, EINVAL, "%s is no record of calls", path);
	else if ((r->mem = mmap(NULL, r->size = (size_t)st.st_size & ~(size_t)7,
		      PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err_errno(e, "cannot map %s", path);
	else if (!ring_attach(&r->ring, r->mem, r->size)) {
		err_set(e, EINVAL, "%s is no record of calls", path);
		munmap(r->mem, r->size);
		r->mem = MAP_FAILED;
	}
	if (fd != -1)
		close(fd);
	free(path);
	if (r->mem != MAP_FAILED)
		return r;
	free(r);
	return NULL;
}

void
record_close(struct record *r)
{
	if (r == NULL)
		return;
	munmap(r->mem, r->size);
	free(r);
}

/* Append a line, secrets masked, at most `most` bytes of it. */
static void
line(struct buf *b, const char *p, size_t most)
{
	char out[TEXT_MAX];
	size_t n = redact(out, most, str_of(p));

	for (size_t i = 0; i < n; i++)
		buf_addc(b, out[i] == '\n' ? ' ' : out[i]);
	buf_addc(b, '\n');
}

void
record_put(struct record *r, const struct record_call *c)
{
	struct buf b = BUF_INIT;
	struct ring_event ev = {
	    .wall_ns = clock_wall_ns(),
	    .type = RING_REPLY,
	    .id = c->id,
	    .dur_ns = c->took_ns,
	    .client = str_of(c->method),
	    .queue = str_of(c->queue),
	    .peer = str_of(c->sr),
	};

	line(&b, c->error ? c->error : "", 64);
	line(&b, c->text ? c->text : "", 280);
	line(&b, c->scripts ? c->scripts : "", 140);
	if (c->repeated)
		buf_adds(&b, "repeated");
	ev.text = (struct str){b.p, b.n};
	ev.size = (uint32_t)b.n;
	if (buf_ok(&b))
		ring_put(&r->ring, &ev);
	buf_fini(&b);
}

/* The next line of the text. */
static struct str
next_line(struct str *s)
{
	const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;
	struct str out = {s->p, nl ? (size_t)(nl - s->p) : s->n};
	size_t used = out.n + (nl != NULL);

	s->p += used;
	s->n -= used;
	return out;
}

/* A string, "" when it is not UTF-8 (a cut cannot do that; damage can). */
static json_t *
string(struct str s)
{
	json_t *v = json_stringn(s.n ? s.p : "", s.n);

	return v ? v : json_string("");
}

static json_t *
entry(const struct ring_event *e, struct str error, struct str rest)
{
	struct str text = next_line(&rest), scripts = next_line(&rest);

	return json_pack("{sI sf so sI so so sf so so so sb}", "seq",
	    (json_int_t)e->seq, "time", (double)e->wall_ns / 1e9, "queue",
	    string(e->queue), "id", (json_int_t)e->id, "method",
	    string(e->client), "sr", string(e->peer), "took",
	    (double)e->dur_ns / 1e9, "error",
	    error.n ? string(error) : json_null(), "text", string(text),
	    "scripts", string(scripts), "repeated",
	    str_eq(rest, STR("repeated")));
}

int64_t
record_since(double seconds)
{
	if (!(seconds > -9e9))
		return INT64_MIN;
	return seconds < 9e9 ? (int64_t)(seconds * 1e9) : INT64_MAX;
}

/* Is the method one of these globs?  No array: any. */
static bool
is_chosen(const struct ring_event *e, const json_t *methods)
{
	char method[RING_MAX_NAME + 1];
	const json_t *glob;
	size_t i;

	if (!json_is_array(methods))
		return true;
	snprintf(method, sizeof method, "%.*s", (int)e->client.n, e->client.p);
	array_each (methods, i, glob) {
		const char *text = json_string_value(glob);

		if (text != NULL && fnmatch(text, method, FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

json_t *
record_list(const struct record *r, int64_t since_ns, bool failed,
    const json_t *methods, size_t limit)
{
	struct ring_cursor at = ring_seek(&r->ring, 0);
	json_t *list = json_array();
	struct ring_copy copy; /* another process may be writing */
	struct ring_event e;

	while (ring_read_copy(&r->ring, &at, &e, &copy)) {
		struct str rest = e.text, error = next_line(&rest);

		if (e.wall_ns < since_ns || (failed && error.n == 0) ||
		    !is_chosen(&e, methods))
			continue;
		json_array_append_new(list, entry(&e, error, rest));
		if (json_array_size(list) > limit)
			json_array_remove(list, 0);
	}
	return list;
}
