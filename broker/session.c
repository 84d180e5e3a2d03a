/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Sessions by token. */
#include "session.h"

#include <stddef.h>
#include <stdlib.h>

#include "xalloc.h"

/* Look up. */
struct session *
session_find(const struct sessions *ss, struct str token)
{
	return map_find(ss->by_token, token.p, token.n);
}

/* Look up or make. */
struct session *
session_get(struct sessions *ss, struct str token)
{
	struct session *s = session_find(ss, token);

	if (s != NULL)
		return s;
	s = xcalloc(1, sizeof *s + token.n);
	memcpy(s->bytes, token.p, token.n);
	s->token = (struct str){s->bytes, token.n};
	s->of = ss;
	if (++ss->next_serial == 0)
		ss->next_serial = 1;
	s->serial = ss->next_serial;
	ss->by_token = map_add(ss->by_token, s, s->bytes, token.n);
	ss->n++;
	return s;
}

/* One connection more. */
void
session_attach(struct sessions *ss, struct deadlines *ds, struct session *s)
{
	(void)ss;
	s->nclients++;
	deadline_clear(ds, &s->grace);
}

/* One connection less. */
void
session_detach(struct sessions *ss, struct session *s)
{
	if (--s->nclients > 0)
		return;
	if (ss->ended != NULL)
		ss->ended(ss->ctx, s);
	session_release(ss, s);
}

/* The grace has passed. */
static void
grace_over(struct deadline *d, int64_t now)
{
	struct session *s =
	    (struct session *)((char *)d - offsetof(struct session, grace));
	struct sessions *ss = s->of;

	(void)now;
	if (ss->ended != NULL)
		ss->ended(ss->ctx, s);
	session_release(ss, s);
}

/* Let it live without connections for a while. */
void
session_grace(
    struct sessions *ss, struct deadlines *ds, struct session *s, int64_t at_ns)
{
	(void)ss;
	if (s->nclients > 0)
		return;
	s->grace.fn = grace_over;
	deadline_set(ds, &s->grace, at_ns);
}

static void
discard(struct sessions *ss, struct session *s)
{
	if (ss->gone != NULL)
		ss->gone(ss->ctx, s);
	free(s);
}

/* Free when nothing holds it. */
void
session_release(struct sessions *ss, struct session *s)
{
	if (s->nclients > 0 || s->nqueues > 0 || deadline_pending(&s->grace))
		return;
	ss->by_token = map_del(ss->by_token, s);
	ss->n--;
	discard(ss, s);
}

/* Free all. */
void
sessions_fini(struct sessions *ss)
{
	struct session *s;

	while ((s = ss->by_token) != NULL) {
		ss->by_token = map_del(ss->by_token, s);
		discard(ss, s);
	}
	ss->n = 0;
}
