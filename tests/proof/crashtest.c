/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the tests of power cuts share. */
#include "crashtest.h"

#include "support/unit.h"

#include <errno.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/crashvfs.h"

/* ---- what is bent ---- */

int __real_posix_fallocate(int fd, off_t off, off_t n);
int __wrap_posix_fallocate(int fd, off_t off, off_t n);
int __real_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg);

const char *crashtest_setting;

/* The reserve, without its cost. */
int
__wrap_posix_fallocate(int fd, off_t off, off_t n)
{
	return ftruncate(fd, off + n) == 0 ? 0 : errno;
}

/* Another value of the setting that everything hangs on. */
int
__wrap_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg)
{
	const char *key = "synchronous=FULL;", *at = strstr(sql, key);
	char text[1000];

	if (crashtest_setting == NULL || at == NULL)
		return __real_sqlite3_exec(db, sql, fn, arg, msg);
	snprintf(text, sizeof text, "%.*ssynchronous=%s;%s", (int)(at - sql),
	    sql, crashtest_setting, at + strlen(key));
	return __real_sqlite3_exec(db, text, fn, arg, msg);
}

/* ---- the state of a store as one number ---- */

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h;
}

static uint64_t
mix_int(uint64_t h, int64_t v)
{
	return mix(h, &v, sizeof v);
}

static uint64_t
mix_str(uint64_t h, struct str s)
{
	return mix(mix_int(h, s.p ? (int64_t)s.n : -1), s.p, s.p ? s.n : 0);
}

static uint64_t
mix_msg(uint64_t h, const struct store_msg *m)
{
	h = mix_str(mix_int(h, m->id), m->queue);
	h = mix_int(mix_str(mix_int(h, m->at_ns), m->origin), m->held);
	h = mix_int(mix_str(mix_str(h, m->reply_to), m->re_queue), m->re_id);
	return mix_str(mix_str(h, m->key), m->payload);
}

/* Queues, answers, messages, and what is kept. */
uint64_t
crashtest_digest(struct st *t, int64_t *last)
{
	static const enum store_kind kinds[] = {
	    STORE_LIST, STORE_ANSWERS, STORE_SCAN, STORE_REMOVED};
	uint64_t h = 0xcbf29ce484222325ULL;
	struct st_op o;

	*last = 0;
	for (size_t k = 0; k < 4; k++) {
		st_fill_read(&o, kinds[k]);
		if (kinds[k] == STORE_SCAN)
			o.op.u.scan.after = -1;
		if (st_do(t, &o) != STORE_OK)
			h = 1; /* no state is this one */
		h = mix_int(h, (int64_t)o.nrows);
		for (size_t i = 0; i < o.nrows; i++) {
			h = mix_msg(h, &o.rows[i].m);
			if (kinds[k] == STORE_REMOVED)
				h = mix_int(h, o.rows[i].gone.act);
			if (o.rows[i].m.id > *last)
				*last = o.rows[i].m.id;
		}
		st_free(&o);
	}
	return h;
}

/* All of it? */
bool
crashtest_full(void)
{
	return getenv("XMSG_FULL") != NULL;
}

/* Before the first store is opened. */
void
crashtest_begin(void)
{
	tempdir_in_memory();
	crashvfs_install();
}
