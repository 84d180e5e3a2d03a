/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Asking one plugin, and what its answer leads to.
 *
 * A plugin that has changed is asked again while it is served.  When it then
 * fails to answer it is asked once more a little later, and only then given up:
 * packages are upgraded file by file, each change of a file begins this anew,
 * and giving up takes the queue away, which fails calls in progress and lets the
 * toolstack's next ones wait for a queue that is not there.  But it is given up:
 * a plugin that cannot even say who it is fails its users slowly and in odd
 * places, whereas one that is gone is seen in listings, with the reason.  One
 * that may not be trusted any more, or says that it needs another version, is
 * given up at once: its scripts would not be run, or would be misunderstood.
 */
#include "plugin_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "plugin_query.h"
#include "watch.h"
#include "xalloc.h"

#define WAIT_NS	 NS_PER_SEC /* after the first failure; doubles */
#define REASKS	 2 /* failures of a served one before it is given up */
#define REASK_NS (NS_PER_SEC / 4) /* between them */

static const char *const no_features[] = {NULL};
static const char *const state_names[] = {[PLUGIN_NEW] = "new",
    [PLUGIN_PROBING] = "probing",
    [PLUGIN_SERVING] = "serving",
    [PLUGIN_WAITING] = "waiting"};

/* ---- one entry ---- */

/* The one way into a state. */
static void
enter(struct entry *e, enum plugin_state state, const char *why)
{
	if (e->p.state != state) {
		log_debug("plugin", "%s: %s -> %s", e->p.name,
		    state_names[e->p.state], state_names[state]);
		e->p.state = state;
		e->p.since_wall_ns = clock_wall_ns();
	}
	if (why != e->p.why)
		snprintf(e->p.why, sizeof e->p.why, "%s", why);
}

/* Forget the answer. */
static void
drop_query(struct entry *e)
{
	if (e->p.features != (const char **)no_features)
		free(e->p.features);
	e->p.features = (const char **)no_features;
	e->p.version = NULL;
	json_decref(e->p.query);
	e->p.query = NULL;
}

/* A folder that was found. */
struct entry *
entry_new(const struct plugins *ps, enum plugin_kind kind, const char *folder)
{
	struct entry *e = xcalloc(1, sizeof *e);

	e->p.kind = kind;
	e->p.state = PLUGIN_NEW;
	e->p.name = xstrdup(folder);
	e->p.dir =
	    xasprintf("%s/%s/%s", ps->root, watch_kind_name(kind), folder);
	e->p.scripts = scripts_new(e->p.dir);
	e->p.features = (const char **)no_features;
	e->p.since_wall_ns = clock_wall_ns();
	snprintf(e->p.why, sizeof e->p.why, "it has not been asked yet");
	e->folder = xstrdup(folder);
	e->due_ns = 0;
	e->first = !ps->looked;
	return e;
}

/* Free one that is not served. */
void
entry_free(struct entry *e)
{
	drop_query(e);
	json_decref(e->held);
	scripts_free(e->p.scripts);
	free(e->p.name);
	free(e->p.dir);
	free(e->folder);
	free(e);
}

/* Say once why one is not served. */
static void
say(struct entry *e, const char *why)
{
	if (strcmp(e->said, why) == 0)
		return;
	snprintf(e->said, sizeof e->said, "%s", why);
	log_warn("plugin", "Failed to register %s plugin %s: %s",
	    watch_kind_name(e->p.kind), e->p.name, why);
}

/* The time after which one that has failed is asked again. */
static int64_t
patience(const struct plugins *ps, unsigned failures)
{
	int64_t ns = WAIT_NS;

	while (failures-- > 1 && ns < ps->conf.retry_max_ns)
		ns *= 2;
	return ns < ps->conf.retry_max_ns ? ns : ps->conf.retry_max_ns;
}

/* The probe that is under way, if any, does not count any more. */
void
entry_unask(struct plugins *ps, struct entry *e)
{
	if (e->asked)
		ps->asked--;
	e->asked = false;
	e->ticket = 0;
}

/* ---- serving ---- */

/* No longer serve one. */
void
entry_give_up(struct plugins *ps, struct entry *e, const char *why)
{
	char copy[sizeof e->p.why];

	snprintf(copy, sizeof copy, "%s", why);
	e->served = false;
	enter(e, PLUGIN_WAITING, copy);
	ps->hooks.give_up(ps->hooks.arg, &e->p);
	e->p.user = NULL;
	drop_query(e);
}

/* The same, in the course of work. */
void
entry_withdraw(struct plugins *ps, struct entry *e, const char *why)
{
	if (e->p.kind == PLUGIN_VOLUME)
		log_info("plugin", "Removing %s", e->p.name);
	else
		log_info("plugin", "Removing datapath plugin %s", e->p.name);
	entry_give_up(ps, e, why);
}

/* A probe, or what follows from it, has failed; for_good: so that a served one
 * cannot be kept. */
static void
failed(struct plugins *ps, struct entry *e, const char *why, bool for_good)
{
	int64_t now = clock_mono_ns();

	e->p.failures++;
	if (e->served && !for_good && e->p.failures < REASKS) {
		e->due_ns = now + REASK_NS;
		log_warn("plugin", "%s has changed and does not answer: %s",
		    e->p.name, why);
		return;
	}
	if (e->served) {
		e->p.failures = 1;
		entry_withdraw(ps, e, why);
	}
	e->due_ns = now + patience(ps, e->p.failures);
	say(e, why);
	enter(e, PLUGIN_WAITING, why);
}

/* The answer is in e->p: serve it, or serve it differently. */
static void
serve(struct plugins *ps, struct entry *e)
{
	bool before = e->served;
	struct err err = {0};

	if (!before && e->p.kind == PLUGIN_VOLUME)
		log_info("plugin", "Adding %s", e->p.name);
	e->p.why[0] = '\0';
	if (ps->hooks.serve(ps->hooks.arg, &e->p, &err) == -1) {
		failed(ps, e, err.text[0] ? err.text : "it cannot be served",
		    true);
		if (!e->served)
			drop_query(e);
		return;
	}
	e->served = true;
	e->p.failures = 0;
	e->said[0] = '\0';
	enter(e, PLUGIN_SERVING, "");
	if (!before && e->p.kind == PLUGIN_DATAPATH)
		log_info("plugin", "Registered datapath plugin %s", e->p.name);
	plugin_query_remark(&e->p);
}

/* The version is not ours: the text of the original's error, as JSON. */
static void
say_version(struct entry *e, const char *why)
{
	json_t *j = json_pack("[ss]", "No_storage_plugin_for_sr", why);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	say(e, text ? text : why);
	free(text);
	json_decref(j);
	snprintf(e->said, sizeof e->said, "%s", why);
}

/* A plugin has answered. */
static void
answered(struct plugins *ps, struct entry *e, json_t *answer)
{
	const char *version, **features;
	json_t *old = e->p.query;
	const char **old_features = e->p.features;
	struct err err = {0};

	if (plugin_query_read(e->p.name, answer, &version, &features, &err) ==
	    -1) {
		if (err.code == ENOTSUP && strcmp(e->said, err.text) != 0)
			say_version(e, err.text);
		failed(ps, e, err.text, err.code == ENOTSUP);
		return;
	}
	e->p.query = json_incref(answer);
	e->p.version = version;
	e->p.features = features;
	if (e->served && json_equal(old, answer)) {
		e->p.failures = 0;
		enter(e, PLUGIN_SERVING, "");
	} else {
		serve(ps, e);
	}
	json_decref(old); /* the hook may have looked into it until now */
	if (old_features != (const char **)no_features)
		free(old_features);
}

/* Go on with the answer that was held. */
void
entry_release(struct plugins *ps, struct entry *e)
{
	json_t *answer = e->held;

	if (answer == NULL)
		return;
	e->held = NULL;
	answered(ps, e, answer);
	json_decref(answer);
}

/* Not to be served. */
void
entry_refuse(struct plugins *ps, struct entry *e, const char *why)
{
	if (e->served)
		entry_withdraw(ps, e, why);
	entry_unask(ps, e);
	json_decref(e->held);
	e->held = NULL;
	e->first = false;
	e->due_ns = PLUGIN_NEVER;
	e->p.failures = 0;
	say(e, why);
	enter(e, PLUGIN_WAITING, why);
}

/* ---- asking ---- */

/* Is there something that can be asked, and may it be run? */
static int
may_ask(struct entry *e, bool *for_good, struct err *err)
{
	const char *path;
	enum script_rc rc;

	*for_good = true;
	if (trust_path(e->p.dir, err) == -1)
		return -1;
	rc = scripts_find(e->p.scripts, "Plugin.query", &path, err);
	*for_good = rc == SCRIPT_UNTRUSTED;
	return rc == SCRIPT_OK ? 0 : -1;
}

/* Begin a probe. */
void
entry_ask(struct plugins *ps, struct entry *e)
{
	struct err err = {0};
	bool for_good;

	if (e->asked)
		e->first = false; /* once was enough */
	entry_unask(ps, e);
	json_decref(e->held);
	e->held = NULL;
	e->due_ns = PLUGIN_NEVER;
	e->asked_ns = clock_mono_ns();
	if (may_ask(e, &for_good, &err) == -1) {
		e->first = false;
		failed(ps, e, err.text, for_good);
		return;
	}
	e->asked = true;
	ps->asked++;
	if (++ps->tickets == 0)
		ps->tickets = 1;
	e->ticket = ps->tickets;
	enter(e, PLUGIN_PROBING, e->served ? "" : "Plugin.Query is running");
	ps->hooks.probe(ps->hooks.arg, &e->p, e->ticket);
}

/* The result of a probe.  p may be gone by now, so it is searched for, not
 * looked into. */
void
plugins_probed(struct plugins *ps, struct plugin *p, unsigned ticket,
    json_t *answer, const char *why)
{
	struct entry *e = NULL;

	for (size_t i = 0; i < ps->n && e == NULL; i++)
		if (&ps->v[i]->p == p)
			e = ps->v[i];
	if (e == NULL || !e->asked || e->ticket != ticket)
		return;
	entry_unask(ps, e);
	e->first = false;
	plugins_kick(ps);
	if (e->due_ns != PLUGIN_NEVER)
		return; /* changed since: asked again at once */
	if (answer == NULL)
		failed(ps, e, why ? why : "Plugin.Query failed", false);
	else if (ps->open || e->p.kind == PLUGIN_DATAPATH)
		answered(ps, e, answer);
	else {
		e->held = json_incref(answer);
		enter(e, PLUGIN_PROBING,
		    "it has answered; the datapath plugins come first");
	}
}
