/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The facade over the stores: the table of schemes, and nothing that a store
 * could do differently. */
#include "store.h"

#include <stddef.h>

static const struct store_vt *const stores[] = {
    &store_sqlite_vt,
    &store_mem_vt,
};

/* The store whose scheme the URL begins with. */
static const struct store_vt *
find(const char *url)
{
	for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
		size_t n = strlen(stores[i]->scheme);
		if (strncmp(url, stores[i]->scheme, n) == 0 && url[n] == ':')
			return stores[i];
	}
	return NULL;
}

/* Open by URL. */
struct store *
store_open(const struct store_config *c, struct err *e)
{
	const struct store_vt *vt = find(c->url);

	if (vt == NULL) {
		err_set(e, 1,
		    "no store for \"%s\": use sqlite:PATH or memory:", c->url);
		return NULL;
	}
	return vt->open(c, e);
}

/* Queue a chain. */
void
store_submit(struct store *s, struct store_op *chain)
{
	s->vt->submit(s, chain);
}

/* Commit what is pending. */
void
store_kick(struct store *s)
{
	s->vt->kick(s);
}

/* How long to look for more. */
int64_t
store_gather_ns(struct store *s)
{
	return s->vt->gather_ns != NULL ? s->vt->gather_ns(s) : 0;
}

/* Counters and facts. */
void
store_info(const struct store *s, struct store_info *i)
{
	memset(i, 0, sizeof *i);
	s->vt->info(s, i);
}

/* Finish everything, then closed(). */
void
store_close(struct store *s, void (*closed)(void *), void *arg)
{
	s->vt->close(s, closed, arg);
}

/* For people. */
const char *
store_rc_text(enum store_rc rc)
{
	static const char *const text[] = {
	    [STORE_OK] = "done",
	    [STORE_NO_QUEUE] = "no such queue",
	    [STORE_BUSY] = "the store has too much work waiting",
	    [STORE_FULL] = "the disk is full",
	    [STORE_DOWN] = "the store is shutting down",
	    [STORE_IO] = "the store failed to write",
	    [STORE_UNKNOWN] = "the store failed, and may have done it",
	};

	return rc < sizeof text / sizeof *text ? text[rc] : "unknown";
}
