/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Parked polls by name. */
#include "waiter.h"

#include <stdlib.h>

#include "xalloc.h"

/* The entry of a name, made when there is none. */
static struct waitname *
name_get(struct waiters *ws, struct str name)
{
	struct waitname *wn = waiters_find(ws, name);

	if (wn != NULL)
		return wn;
	wn = xcalloc(1, sizeof *wn + name.n);
	TAILQ_INIT(&wn->links);
	memcpy(wn->bytes, name.p, name.n);
	wn->name = (struct str){wn->bytes, name.n};
	ws->names = map_add(ws->names, wn, wn->bytes, name.n);
	return wn;
}

/* Take a link off its list; the name goes with its last link. */
static void
unlink_name(struct waiters *ws, struct waitlink *l)
{
	struct waitname *wn = l->name;

	TAILQ_REMOVE(&wn->links, l, entry);
	if (--wn->nlinks > 0)
		return;
	ws->names = map_del(ws->names, wn);
	free(wn);
}

/* Does the waiter have exactly these names already? */
static bool
same(const struct waiter *w, const struct str *names, size_t n)
{
	if (w->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(w->links[i].name->name, names[i]))
			return false;
	return true;
}

/* Change the names. */
bool
waiter_names(
    struct waiters *ws, struct waiter *w, const struct str *names, size_t n)
{
	struct waitlink *links;

	if (same(w, names, n))
		return true;
	links = calloc(n ? n : 1, sizeof *links);
	if (links == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct waitlink *l = &links[i];

		l->waiter = w;
		l->name = name_get(ws, names[i]);
		l->name->nlinks++;
		TAILQ_INSERT_TAIL(&l->name->links, l, entry);
	}
	for (size_t i = 0; i < w->n; i++)
		unlink_name(ws, &w->links[i]);
	free(w->links);
	w->links = links;
	w->n = (uint32_t)n;
	return true;
}

/* Begin to wait. */
void
waiter_park(struct waiters *ws, struct deadlines *ds, struct waiter *w,
    int64_t until_ns)
{
	if (!w->parked) {
		w->parked = true;
		ws->nparked++;
		for (size_t i = 0; i < w->n; i++)
			w->links[i].name->nparked++;
	}
	deadline_set(ds, &w->deadline, until_ns);
}

/* Stop waiting. */
void
waiter_unpark(struct waiters *ws, struct deadlines *ds, struct waiter *w)
{
	if (!w->parked)
		return;
	w->parked = false;
	ws->nparked--;
	for (size_t i = 0; i < w->n; i++)
		w->links[i].name->nparked--;
	deadline_clear(ds, &w->deadline);
}

/* Leave every list. */
void
waiter_leave(struct waiters *ws, struct deadlines *ds, struct waiter *w)
{
	waiter_unpark(ws, ds, w);
	for (size_t i = 0; i < w->n; i++)
		unlink_name(ws, &w->links[i]);
	free(w->links);
	w->links = NULL;
	w->n = 0;
}

/* By name. */
struct waitname *
waiters_find(const struct waiters *ws, struct str name)
{
	return map_find(ws->names, name.p, name.n);
}

/* Those who wait on a name.  fn answers a waiter and unparks it; it does not
 * take it off the list, so the list stays good while it is walked. */
void
waiters_wake(struct waiters *ws, struct str name,
    void (*fn)(void *arg, struct waiter *w), void *arg)
{
	struct waitname *wn = waiters_find(ws, name);
	struct waitlink *l, *next;

	if (wn == NULL || wn->nparked == 0)
		return;
	for (l = TAILQ_FIRST(&wn->links); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->waiter->parked)
			fn(arg, l->waiter);
	}
}

/* Invariant. */
bool
waiter_check(const struct waiters *ws, const struct waiter *w)
{
	if (w->parked != deadline_pending(&w->deadline))
		return false;
	for (size_t i = 0; i < w->n; i++) {
		struct waitlink *l;
		bool there = false;

		TAILQ_FOREACH (l, &w->links[i].name->links, entry)
			there |= l == &w->links[i];
		if (!there ||
		    waiters_find(ws, w->links[i].name->name) !=
			w->links[i].name)
			return false;
	}
	return true;
}
