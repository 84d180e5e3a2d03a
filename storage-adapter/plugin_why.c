/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Questions about plugins: which there are, and why there is none. */
#include "plugin_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_name.h"
#include "watch.h"
#include "xalloc.h"

/* Is it served, whatever else is going on? */
bool
plugin_served(const struct plugin *p)
{
	return ((const struct entry *)p)->served; /* p is its first member */
}

/* Has everything found at the start been asked? */
bool
plugins_settled(const struct plugins *ps)
{
	if (!ps->open)
		return false;
	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i]->first)
			return false;
	return true;
}

/* By name; of a scheme, that which has it. */
struct plugin *
plugins_find(const struct plugins *ps, enum plugin_kind kind, const char *name)
{
	struct plugin *shadowed = NULL;

	for (size_t i = 0; i < ps->n; i++) {
		struct entry *e = ps->v[i];
		if (e->p.kind != kind || strcmp(e->p.name, name) != 0)
			continue;
		if (!e->shadowed)
			return &e->p;
		shadowed = &e->p;
	}
	return shadowed;
}

/* Each one. */
void
plugins_each(const struct plugins *ps, void (*fn)(struct plugin *p, void *arg),
    void *arg)
{
	for (size_t i = 0; i < ps->n; i++)
		fn(&ps->v[i]->p, arg);
}

/* Why is what is at this path no plugin? */
static void
why_path(const char *path, char *why, size_t n)
{
	char shown[PLUGIN_SHOWN];
	struct stat st;

	plugin_name_show(shown, sizeof shown, path);
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		snprintf(why, n,
		    "%s is not a folder: a plugin is a folder with its "
		    "scripts in it",
		    shown);
	else if (errno = 0, stat(path, &st) == 0)
		snprintf(why, n,
		    "%s has not been looked at yet, or there are more than %d",
		    shown, WATCH_MOST);
	else if (errno == ENOENT && lstat(path, &st) == 0)
		snprintf(why, n, "%s is a link to nothing", shown);
	else if (errno == ENOENT)
		snprintf(why, n, "there is no folder %s", shown);
	else
		snprintf(
		    why, n, "cannot look at %s: %s", shown, strerror(errno));
}

/* Why is there no such plugin? */
void
plugins_why_not(const struct plugins *ps, enum plugin_kind kind,
    const char *name, char *why, size_t n)
{
	const struct plugin *p = plugins_find(ps, kind, name);
	const char *bad = plugin_name_bad(name);
	char *path;

	if (p || bad) {
		snprintf(why, n, "%s",
		    !p		    ? bad
			: p->why[0] ? p->why
				    : "it is served");
		return;
	}
	path = xasprintf("%s/%s", ps->root, watch_kind_name(kind));
	why_path(path, why, n);
	if (access(path, X_OK) == 0) {
		free(path);
		path = xasprintf(
		    "%s/%s/%s", ps->root, watch_kind_name(kind), name);
		why_path(path, why, n);
	}
	free(path);
}

/* Every invariant holds. */
void
plugins_check(const struct plugins *ps)
{
	unsigned asked = 0;

	for (size_t i = 0; i < ps->n; i++) {
		const struct entry *e = ps->v[i];
		bool waits = e->due_ns != PLUGIN_NEVER;
		asked += e->asked;
		assert(ps->moved || i == 0 ||
		    plugins_order(&ps->v[i - 1], &ps->v[i]) < 0);
		assert(
		    !e->served || (e->p.query && e->p.version && !e->p.why[0]));
		assert(e->p.state == PLUGIN_PROBING ||
		    e->served == (e->p.state == PLUGIN_SERVING));
		assert(e->served || e->p.why[0]);
		assert(
		    e->asked || waits || e->served || e->held || e->shadowed);
		assert(e->p.features);
	}
	assert(asked == ps->asked);
}
