/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The plugins of a root: which ones are served, and why the others are not.
 * watch tells which folders there are; each is asked Plugin.Query, and those
 * that answer well are served.  The states are drawn in plugin.h.
 *
 * Volume plugins are not served before each datapath plugin that was there at
 * the start has been asked: else the first calls fail for want of a datapath.
 */
#include "plugin_impl.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "plugin_name.h"
#include "watch.h"
#include "xalloc.h"

#define ASK_GAP_NS (300 * NS_PER_MS) /* between probes of one plugin */

/* ---- names ---- */

/* Order: name, kind, folder. */
int
plugins_order(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	int c = strcmp(x->p.name, y->p.name);

	if (c == 0)
		c = (int)x->p.kind - (int)y->p.kind;
	return c ? c : strcmp(x->folder, y->folder);
}

/* Order: folders that differ only in case together, the first in order of bytes
 * first. */
static int
by_scheme(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	int c = (int)x->p.kind - (int)y->p.kind;

	if (c == 0)
		c = strcasecmp(x->folder, y->folder);
	return c ? c : strcmp(x->folder, y->folder);
}

/* Another folder of the same scheme comes first. */
static void
shadow(struct plugins *ps, struct entry *e, const struct entry *by)
{
	char why[sizeof e->p.why], shown[PLUGIN_SHOWN];

	plugin_name_show(shown, sizeof shown, by->p.dir);
	snprintf(why, sizeof why,
	    "%s has the same name but for case, and comes first", shown);
	e->shadowed = true;
	strcpy(e->p.name, e->folder);
	entry_refuse(ps, e, why);
}

/* It has its scheme for itself, written in lower case. */
static void
unshadow(struct entry *e)
{
	for (char *c = e->p.name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (e->shadowed)
		e->due_ns = 0;
	e->shadowed = false;
}

/* Which datapath plugins have their name for themselves? */
static void
settle_names(struct plugins *ps)
{
	struct entry *first = NULL;

	if (ps->n == 0)
		return;
	qsort(ps->v, ps->n, sizeof *ps->v, by_scheme);
	for (size_t i = 0; i < ps->n; i++) {
		struct entry *e = ps->v[i];
		if (e->p.kind != PLUGIN_DATAPATH)
			continue;
		if (first && strcasecmp(first->folder, e->folder) == 0) {
			shadow(ps, e, first);
		} else {
			unshadow(e);
			first = e;
		}
	}
	qsort(ps->v, ps->n, sizeof *ps->v, plugins_order);
}

/* ---- the watch's news ---- */

/* A folder is new. */
static void
add(struct plugins *ps, struct entry *e)
{
	if (ps->n == ps->cap) {
		ps->cap = ps->cap ? ps->cap * 2 : 16;
		ps->v = xreallocarray(ps->v, ps->cap, sizeof(*ps->v));
	}
	ps->v[ps->n++] = e;
	ps->moved = true;
}

/* A folder is gone. */
static void
discard(struct plugins *ps, struct entry *e)
{
	size_t i = 0;

	while (ps->v[i] != e)
		i++;
	memmove(ps->v + i, ps->v + i + 1, (ps->n - i - 1) * sizeof(*ps->v));
	ps->n--;
	ps->moved = true;
	entry_unask(ps, e);
	if (e->served)
		entry_withdraw(ps, e, "its folder is gone");
	entry_free(e);
}

/* A folder has changed: ask again, and begin anew with waiting. */
static void
changed(struct entry *e)
{
	int64_t soon = e->asked_ns + ASK_GAP_NS;

	scripts_forget(e->p.scripts);
	if (e->shadowed)
		return;
	if (soon < e->due_ns)
		e->due_ns = soon;
	e->p.failures = 0;
}

static void
seen(void *arg, enum plugin_kind kind, const char *name, enum watch_what what,
    void **user)
{
	struct plugins *ps = arg;
	struct entry *e = *user;

	switch (what) {
	case WATCH_NEW:
		e = entry_new(ps, kind, name);
		*user = e;
		add(ps, e);
		return;
	case WATCH_CHANGED: changed(e); return;
	case WATCH_GONE:
		*user = NULL;
		discard(ps, e);
		return;
	}
}

/* The watch has told all there is. */
static void
looked(void *arg)
{
	struct plugins *ps = arg;

	if (ps->moved)
		settle_names(ps);
	ps->moved = false;
	ps->looked = true;
	plugins_kick(ps);
}

/* ---- time ---- */

/* Do what is due, as soon as the loop runs. */
void
plugins_kick(struct plugins *ps)
{
	static const struct timeval zero;

	if (event_add(ps->timer, &zero) == -1)
		log_error("plugin", "cannot set a timer: out of memory");
}

/* Ask those of a kind that are due, as many as may be. */
static void
ask_due(struct plugins *ps, enum plugin_kind kind)
{
	int64_t now = clock_mono_ns();

	for (size_t i = 0; i < ps->n; i++) {
		struct entry *e = ps->v[i];
		if (e->p.kind == kind && e->due_ns <= now &&
		    (e->asked || ps->asked < PLUGIN_ASK_MOST))
			entry_ask(ps, e);
	}
}

/* Have the datapath plugins of the start been asked?  Then serve the volume
 * plugins that have answered meanwhile. */
static void
try_open(struct plugins *ps)
{
	if (ps->open || !ps->looked)
		return;
	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i]->first && ps->v[i]->p.kind == PLUGIN_DATAPATH)
			return;
	ps->open = true;
	for (size_t i = 0; i < ps->n; i++)
		entry_release(ps, ps->v[i]);
}

/* Wake up when the next one is due; while too many are asked, an answer wakes
 * us. */
static void
arm(struct plugins *ps)
{
	int64_t next = PLUGIN_NEVER, wait_us;
	struct timeval tv;

	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i]->due_ns < next &&
		    (ps->v[i]->asked || ps->asked < PLUGIN_ASK_MOST))
			next = ps->v[i]->due_ns;
	if (next == PLUGIN_NEVER)
		return;
	wait_us = (next - clock_mono_ns() + 999) / 1000;
	if (wait_us < 0)
		wait_us = 0;
	tv.tv_sec = wait_us / 1000000;
	tv.tv_usec = wait_us % 1000000;
	if (event_add(ps->timer, &tv) == -1)
		log_error("plugin", "cannot set a timer: out of memory");
}

/* Do what is due. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct plugins *ps = arg;

	(void)fd, (void)what;
	ask_due(ps, PLUGIN_DATAPATH);
	ask_due(ps, PLUGIN_VOLUME);
	try_open(ps);
	arm(ps);
}

/* ---- life ---- */

/* The root as an absolute path without slashes at its end. */
static char *
absolute(const char *root, struct err *e)
{
	char here[PATH_MAX] = "", *path;
	size_t n;

	if (root[0] != '/' && getcwd(here, sizeof here) == NULL) {
		err_errno(e, "cannot tell the current folder");
		return NULL;
	}
	path = root[0] == '/' ? xstrdup(root) : xasprintf("%s/%s", here, root);
	for (n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	return path;
}

/* Begin. */
struct plugins *
plugins_new(struct event_base *base, const struct plugins_conf *c,
    const struct plugins_hooks *h, struct err *e)
{
	struct watch_hooks wh = {.seen = seen, .looked = looked};
	struct plugins *ps = xcalloc(1, sizeof(*ps));

	wh.arg = ps;
	ps->conf = *c;
	ps->hooks = *h;
	ps->root = absolute(c->root, e);
	if (ps->root == NULL)
		goto fail;
	ps->conf.root = ps->root;
	ps->timer = evtimer_new(base, on_timer, ps);
	if (ps->timer == NULL) {
		err_set(e, ENOMEM, "cannot watch plugins: out of memory");
		goto fail;
	}
	ps->watch = watch_new(base, &ps->conf, &wh, e);
	if (ps->watch)
		return ps;
fail:
	plugins_free(ps);
	return NULL;
}

/* End. */
void
plugins_free(struct plugins *ps)
{
	if (ps == NULL)
		return;
	watch_free(ps->watch);
	for (size_t i = 0; i < ps->n; i++) {
		if (ps->v[i]->served)
			entry_give_up(ps, ps->v[i], "the adapter ends");
		entry_free(ps->v[i]);
	}
	free(ps->v);
	if (ps->timer)
		event_free(ps->timer);
	free(ps->root);
	free(ps);
}

/* Look now, and ask those again that have failed. */
void
plugins_rescan(struct plugins *ps)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i]->p.state == PLUGIN_WAITING && !ps->v[i]->shadowed)
			ps->v[i]->due_ns = 0;
	watch_now(ps->watch);
}
