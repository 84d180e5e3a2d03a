/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The scripts of storage calls. */
#include "runs.h"

#include <jansson.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../storage-adapter/record.h"
#include "../storage-adapter/spool.h"
#include "ask.h"
#include "text.h"
#include "xalloc.h"

#define MOST_CALLS 10000
#define MOST_STEPS 100 /* of one call that are looked at */

/* One more; the texts are copied. */
static void
add(struct runs *r, int64_t id, struct str script, struct str end, double took)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->v = xreallocarray(r->v, r->cap, sizeof *r->v);
	}
	r->v[r->n++] = (struct chart_run){
	    .id = id,
	    .script = {text_copy(script), script.n},
	    .end = {text_copy(end), end.n},
	    .took_s = took,
	};
}

/* Free them. */
void
runs_fini(struct runs *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free((char *)(uintptr_t)r->v[i].script.p);
		free((char *)(uintptr_t)r->v[i].end.p);
	}
	free(r->v);
	*r = (struct runs){0};
}

/* ---- the record ---- */

/* What stands before a mark; s moves on behind it. */
static struct str
next_part(struct str *s, const char *mark)
{
	size_t n = strlen(mark);
	const char *at = s->n ? memmem(s->p, s->n, mark, n) : NULL;
	struct str part = {s->p, at ? (size_t)(at - s->p) : s->n};

	s->p += part.n + (at ? n : 0);
	s->n -= part.n + (at ? n : 0);
	return part;
}

/* Its words.  The last ones may have been cut off: a run without its time is
 * left out. */
void
runs_add_words(struct runs *r, int64_t id, struct str words)
{
	while (words.n > 0) {
		struct str end = next_part(&words, ", ");
		struct str name = next_part(&end, " ");
		struct str took = next_part(&end, "ms");
		char number[32], *stop;
		double ms;

		if (took.n == 0 || took.n >= sizeof number ||
		    end.p == took.p + took.n) /* no ms */
			continue;
		memcpy(number, took.p, took.n);
		number[took.n] = '\0';
		ms = strtod(number, &stop);
		if (*stop != '\0' || !(ms >= 0))
			continue;
		if (end.n > 0 && *end.p == ' ')
			end = (struct str){end.p + 1, end.n - 1};
		add(r, id, name, end, ms / 1e3);
	}
}

static int
read_record(struct runs *r, const char *dir, double since, struct err *e)
{
	struct record *rec = record_view(dir, e);
	json_t *list, *call;
	size_t i;

	if (rec == NULL)
		return -1;
	list = record_list(rec, record_since(since), false, NULL, MOST_CALLS);
	json_array_foreach(list, i, call)
	{
		runs_add_words(
		    r, ask_int(call, "id", 0), ask_str(call, "scripts"));
	}
	json_decref(list);
	record_close(rec);
	return 0;
}

/* ---- the spool ---- */

/* Does a step of a call run?  Then it is added.  False: there is no such step. */
static bool
add_step(struct runs *r, int dir, int64_t id, unsigned step)
{
	char name[SPOOL_NAME], record[SPOOL_RECORD];
	const char *base;
	struct spool_start s;
	ssize_t n;
	int fd;

	if (faccessat(dir, spool_name(name, step, SPOOL_RUN), F_OK, 0) == -1)
		return false;
	fd = openat(dir, spool_name(name, step, SPOOL_PID),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return true; /* it is over, or has not begun */
	n = read(fd, record, sizeof record);
	close(fd);
	if (n > 0 && spool_read_start(record, (size_t)n, &s)) {
		base = strrchr(s.script, '/');
		add(r, id, str_of(base ? base + 1 : s.script), STR(""), -1);
	}
	return true;
}

/* The number that a name is; 0: it is none. */
static int64_t
number_of(const char *name)
{
	char *end;
	long long id = strtoll(name, &end, 10);

	return *end == '\0' && id > 0 ? id : 0;
}

/* The folders of a queue's calls. */
static void
read_queue(struct runs *r, int spool, const char *queue)
{
	int fd = openat(
	    spool, queue, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL && fd != -1)
		close(fd);
	while (d != NULL && (e = readdir(d)) != NULL) {
		int64_t id = number_of(e->d_name);
		int call = id > 0
		    ? openat(fd, e->d_name,
			  O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW)
		    : -1;

		for (unsigned i = 0; call != -1 && i < MOST_STEPS; i++)
			if (!add_step(r, call, id, i))
				break;
		if (call != -1)
			close(call);
	}
	if (d != NULL)
		closedir(d);
}

static int
read_spool(struct runs *r, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/spool", dir);
	DIR *d = opendir(path);
	struct dirent *entry;

	if (d == NULL)
		err_errno(e, "cannot read %s", path);
	free(path);
	if (d == NULL)
		return -1;
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			read_queue(r, dirfd(d), entry->d_name);
	closedir(d);
	return 0;
}

/* Both. */
int
runs_read(struct runs *r, const char *dir, double since, struct err *e)
{
	int record = read_record(r, dir, since, e);
	int spool = read_spool(r, dir, e);

	return record == -1 && spool == -1 ? -1 : 0;
}
