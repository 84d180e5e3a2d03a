/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A repository's life, as the toolstack would let it be: made, attached, filled
 * with volumes that are changed, copied and removed, detached, removed.  Each
 * step looks at what the one before it has done.  Calls that the plugin does
 * not have are passed over: which it must have is said elsewhere.
 */
#include <jansson.h>

#include "plugin_try.h"

#include <stdio.h>
#include <string.h>

#include "../storage-adapter/trial.h"
#include "ask.h"
#include "gen_smapi.h"

#define UUID "5b6e1a52-5d7c-4c5e-9d0a-2f5c3e0c7a11"
#define SIZE (8 * 1024 * 1024)
#define NO   "xmsg-check-no-such"

struct story {
	struct check *k;
	json_t *config; /* that SR.attach gets */
	char sr[4096]; /* handle; "" while it is not attached */
	json_t *keys; /* of volumes that are there */
	bool made; /* SR.create went well */
};

/* ---- little things ---- */

/* {"sr":..} and, when there is one, {"key":..}. */
static json_t *
at(const struct story *s, const char *key)
{
	json_t *o = json_pack("{ss}", "sr", s->sr);

	if (key != NULL)
		json_object_set_new(o, "key", json_string(key));
	return o;
}

/* The same with one more. */
static json_t *
with(json_t *o, const char *name, json_t *v)
{
	json_object_set_new(o, name, v);
	return o;
}

static const char *
text_in(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

/* ---- the repository ---- */

/* SR.attach, twice with the same answer. */
static bool
attach(struct story *s, bool again)
{
	json_t *p = json_pack("{sO}", "configuration", s->config);
	json_t *v = try_call(s->k, again ? "SR.attach after SR.detach" : NULL,
	    SMAPI_SR_ATTACH, p);

	snprintf(
	    s->sr, sizeof s->sr, "%s", v != NULL ? json_string_value(v) : "");
	json_decref(v);
	if (s->sr[0] == '\0' || again)
		return s->sr[0] != '\0';
	p = json_pack("{sO}", "configuration", s->config);
	v = try_look(s->k, SMAPI_SR_ATTACH, p);
	if (v != NULL)
		(void)try_that(s->k, strcmp(json_string_value(v), s->sr) == 0,
		    "SR.attach again gives the same handle",
		    "first %s, then %s", s->sr, json_string_value(v));
	json_decref(v);
	return true;
}

static bool
create(struct story *s)
{
	json_t *v;

	if (try_has(s->k, SMAPI_SR_PROBE))
		try_either(s->k, "SR.probe of an empty place", SMAPI_SR_PROBE,
		    json_pack("{sO}", "configuration", s->config));
	if (!try_has(s->k, SMAPI_SR_CREATE))
		return true; /* it is there already */
	v = try_call(s->k, NULL, SMAPI_SR_CREATE,
	    json_pack("{ss sO ss ss}", "uuid", UUID, "configuration", s->config,
		"name", "xmsg check", "description", "a test"));
	if (v == NULL)
		return false;
	s->made = true;
	json_decref(s->config);
	s->config = v;
	if (try_has(s->k, SMAPI_SR_PROBE))
		(void)try_done(s->k, NULL, SMAPI_SR_PROBE,
		    json_pack("{sO}", "configuration", s->config));
	return true;
}

/* What SR.stat says of what SR.create and SR.set_name were told. */
static void
stat_repository(struct story *s, const char *name)
{
	json_t *v = try_call(s->k, NULL, SMAPI_SR_STAT, at(s, NULL));
	const char *uuid = text_in(v, "uuid");

	if (v != NULL && s->made) {
		(void)try_that(s->k, strcmp(text_in(v, "name"), name) == 0,
		    "SR.stat knows the name", "it is '%s', not '%s'",
		    text_in(v, "name"), name);
		(void)try_that(s->k, *uuid == '\0' || strcmp(uuid, UUID) == 0,
		    "SR.stat knows the uuid", "it is '%s', not '%s'", uuid,
		    UUID);
	}
	json_decref(v);
}

static void
rename_repository(struct story *s)
{
	if (!s->made)
		return; /* somebody's own */
	if (try_has(s->k, SMAPI_SR_SET_DESCRIPTION))
		(void)try_done(s->k, NULL, SMAPI_SR_SET_DESCRIPTION,
		    with(at(s, NULL), "new_description", json_string("b")));
	if (try_has(s->k, SMAPI_SR_SET_NAME) &&
	    try_done(s->k, NULL, SMAPI_SR_SET_NAME,
		with(at(s, NULL), "new_name", json_string("xmsg two"))))
		stat_repository(s, "xmsg two");
}

/* SR.ls names the volume, or does not. */
static void
listed(struct story *s, const char *key, bool there, const char *what)
{
	json_t *list = try_look(s->k, SMAPI_SR_LS, at(s, NULL)), *v;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, v)
	{
		found |= strcmp(text_in(v, "key"), key) == 0;
	}
	if (list != NULL)
		(void)try_that(s->k, found == there, what, "%s is %s", key,
		    found ? "still in the list" : "not in the list");
	json_decref(list);
}

/* ---- volumes ---- */

/* A volume that came into being: its key, kept for the end; "" when not. */
static const char *
born(struct story *s, const json_t *v, const char *what)
{
	json_t *key = json_object_get(v, "key"), *k;
	bool again = false;
	size_t i;

	if (v == NULL)
		return "";
	json_array_foreach(s->keys, i, k)
	{
		again |= json_equal(k, key);
	}
	if (!try_that(s->k, !again && *text_in(v, "key") != '\0', what,
		"%s is not new", text_in(v, "key")))
		return "";
	json_array_append(s->keys, key);
	return json_string_value(
	    json_array_get(s->keys, json_array_size(s->keys) - 1));
}

/* Volume.stat, silent when it goes well. */
static json_t *
stat_of(struct story *s, const char *key)
{
	return try_has(s->k, SMAPI_VOLUME_STAT)
	    ? try_look(s->k, SMAPI_VOLUME_STAT, at(s, key))
	    : NULL;
}

static const char *
create_volume(struct story *s)
{
	const char *key;
	json_t *v = try_call(s->k, NULL, SMAPI_VOLUME_CREATE,
	    json_pack("{ss ss ss si sb}", "sr", s->sr, "name", "one",
		"description", "first", "size", SIZE, "sharable", 0));

	key = born(s, v, "Volume.create gives a new key");
	if (*key != '\0') {
		(void)try_that(s->k, ask_int(v, "virtual_size", 0) >= SIZE,
		    "Volume.create makes it large enough", "%lld bytes, not %d",
		    (long long)ask_int(v, "virtual_size", 0), SIZE);
		(void)try_that(s->k,
		    strcmp(text_in(v, "name"), "one") == 0 &&
			json_is_true(json_object_get(v, "read_write")),
		    "Volume.create gives it its name and lets it be written",
		    "name '%s', read_write %s", text_in(v, "name"),
		    json_is_true(json_object_get(v, "read_write")) ? "true"
								   : "false");
		(void)try_that(s->k,
		    json_array_size(json_object_get(v, "uri")) > 0,
		    "Volume.create says where its data is",
		    "uri is empty, so it cannot be attached");
		listed(s, key, true, "SR.ls knows the volume");
	}
	json_decref(v);
	return key;
}

/* Volume.stat says the same as before of what has not changed. */
static void
stat_volume(struct story *s, const char *key)
{
	json_t *v;

	if (!try_has(s->k, SMAPI_VOLUME_STAT))
		return;
	v = try_call(s->k, NULL, SMAPI_VOLUME_STAT, at(s, key));
	if (v != NULL)
		(void)try_that(s->k,
		    strcmp(text_in(v, "key"), key) == 0 &&
			ask_int(v, "virtual_size", 0) >= SIZE,
		    "Volume.stat says what Volume.create said",
		    "key %s, %lld bytes", text_in(v, "key"),
		    (long long)ask_int(v, "virtual_size", 0));
	json_decref(v);
	try_refused(s->k, "Volume.stat of a volume that is not there",
	    SMAPI_VOLUME_STAT, at(s, NO), "Volume_does_not_exist");
}

/* Volume.set and Volume.unset. */
static void
notes(struct story *s, const char *key)
{
	json_t *v, *note;

	if (!try_has(s->k, SMAPI_VOLUME_SET) ||
	    !try_done(s->k, NULL, SMAPI_VOLUME_SET,
		with(with(at(s, key), "k", json_string("xmsg:k")), "v",
		    json_string("v \xc3\xa9"))))
		return;
	v = stat_of(s, key);
	note = json_object_get(json_object_get(v, "keys"), "xmsg:k");
	if (v != NULL)
		(void)try_that(s->k,
		    note && strcmp(json_string_value(note), "v \xc3\xa9") == 0,
		    "Volume.set is kept", "keys of Volume.stat have it not");
	json_decref(v);
	if (!try_has(s->k, SMAPI_VOLUME_UNSET) ||
	    !try_done(s->k, NULL, SMAPI_VOLUME_UNSET,
		with(at(s, key), "k", json_string("xmsg:k"))))
		return;
	v = stat_of(s, key);
	if (v != NULL)
		(void)try_that(s->k,
		    json_object_get(json_object_get(v, "keys"), "xmsg:k") ==
			NULL,
		    "Volume.unset takes it away", "it is still there");
	json_decref(v);
}

/* Calls that change one member of what Volume.stat says. */
static const struct {
	int method;
	const char *param, *member, *what;
} changes[] = {
    {SMAPI_VOLUME_SET_NAME, "new_name", "name", "Volume.set_name is kept"},
    {SMAPI_VOLUME_SET_DESCRIPTION, "new_description", "description",
	"Volume.set_description is kept"},
};

static void
change(struct story *s, const char *key)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		json_t *v;

		if (!try_has(s->k, changes[i].method) ||
		    !try_done(s->k, NULL, changes[i].method,
			with(at(s, key), changes[i].param,
			    json_string("changed"))))
			continue;
		v = stat_of(s, key);
		if (v != NULL)
			(void)try_that(s->k,
			    strcmp(text_in(v, changes[i].member), "changed") ==
				0,
			    changes[i].what, "it is '%s'",
			    text_in(v, changes[i].member));
		json_decref(v);
	}
}

static void
resize(struct story *s, const char *key)
{
	json_t *v;

	if (!try_has(s->k, SMAPI_VOLUME_RESIZE) ||
	    !try_done(s->k, NULL, SMAPI_VOLUME_RESIZE,
		with(at(s, key), "new_size", json_integer(2 * SIZE))))
		return;
	v = stat_of(s, key);
	if (v != NULL)
		(void)try_that(s->k, ask_int(v, "virtual_size", 0) >= 2 * SIZE,
		    "Volume.resize makes it larger", "%lld bytes, not %d",
		    (long long)ask_int(v, "virtual_size", 0), 2 * SIZE);
	json_decref(v);
}

/* Volume.snapshot, .revert, .clone. */
static void
copies(struct story *s, const char *key)
{
	const char *snap;
	json_t *v;

	if (try_has(s->k, SMAPI_VOLUME_SNAPSHOT)) {
		v = try_call(s->k, NULL, SMAPI_VOLUME_SNAPSHOT, at(s, key));
		snap = born(s, v, "Volume.snapshot gives a new key");
		if (*snap != '\0')
			(void)try_that(s->k,
			    !json_is_true(json_object_get(v, "read_write")),
			    "Volume.snapshot cannot be written",
			    "read_write is true");
		if (*snap != '\0' && try_has(s->k, SMAPI_VOLUME_REVERT))
			(void)try_done(s->k, NULL, SMAPI_VOLUME_REVERT,
			    with(at(s, key), "snapshot", json_string(snap)));
		json_decref(v);
	}
	if (try_has(s->k, SMAPI_VOLUME_CLONE)) {
		v = try_call(s->k, NULL, SMAPI_VOLUME_CLONE, at(s, key));
		if (*born(s, v, "Volume.clone gives a new key") != '\0')
			(void)try_that(s->k,
			    json_is_true(json_object_get(v, "read_write")),
			    "Volume.clone can be written",
			    "read_write is false");
		json_decref(v);
	}
}

/* Volume.enable_cbt and Volume.disable_cbt. */
static void
tracking(struct story *s, const char *key)
{
	if (try_has(s->k, SMAPI_VOLUME_ENABLE_CBT) &&
	    try_has(s->k, SMAPI_VOLUME_DISABLE_CBT) &&
	    try_done(s->k, NULL, SMAPI_VOLUME_ENABLE_CBT, at(s, key)))
		(void)try_done(
		    s->k, NULL, SMAPI_VOLUME_DISABLE_CBT, at(s, key));
}

static void
volumes(struct story *s)
{
	const char *key;

	if (!try_has(s->k, SMAPI_VOLUME_CREATE))
		return;
	key = create_volume(s);
	if (*key == '\0')
		return;
	stat_volume(s, key);
	notes(s, key);
	change(s, key);
	resize(s, key);
	copies(s, key);
	tracking(s, key);
}

/* ---- the end ---- */

/* Every volume that was made goes; the first with a line. */
static void
destroy_volumes(struct story *s)
{
	bool said = false;

	while (json_array_size(s->keys) > 0) {
		json_t *key = json_incref(
		    json_array_get(s->keys, json_array_size(s->keys) - 1));
		const char *k = json_string_value(key);

		json_array_remove(s->keys, json_array_size(s->keys) - 1);
		if (!said && try_has(s->k, SMAPI_VOLUME_DESTROY) &&
		    try_done(s->k, NULL, SMAPI_VOLUME_DESTROY, at(s, k)))
			listed(s, k, false, "SR.ls forgets it");
		else if (said)
			json_decref(
			    try_look(s->k, SMAPI_VOLUME_DESTROY, at(s, k)));
		said = try_has(s->k, SMAPI_VOLUME_DESTROY);
		json_decref(key);
	}
}

/* SR.detach, twice; a detached one refuses. */
static void
detach(struct story *s)
{
	if (!try_has(s->k, SMAPI_SR_DETACH) ||
	    !try_done(s->k, NULL, SMAPI_SR_DETACH, at(s, NULL)))
		return;
	(void)try_done(s->k, "SR.detach again", SMAPI_SR_DETACH, at(s, NULL));
	try_refused(s->k, "SR.stat of a detached repository", SMAPI_SR_STAT,
	    at(s, NULL), "Sr_not_attached");
	s->sr[0] = '\0';
}

/* Nothing of ours stays. */
static void
tidy_up(struct story *s)
{
	s->k->interrupted |= trial_stopped(s->k->t);
	trial_again(s->k->t);
	if (s->sr[0] != '\0')
		destroy_volumes(s);
	if (s->sr[0] != '\0')
		detach(s);
	if (s->made && try_has(s->k, SMAPI_SR_DESTROY) && attach(s, true))
		(void)try_done(s->k, NULL, SMAPI_SR_DESTROY, at(s, NULL));
}

void
try_repository(struct check *k, json_t *config, bool keep)
{
	struct story s = {
	    .k = k, .config = json_incref(config), .keys = json_array()};

	if (create(&s) && attach(&s, false)) {
		stat_repository(&s, "xmsg check");
		(void)try_done(k, NULL, SMAPI_SR_LS, at(&s, NULL));
		rename_repository(&s);
		volumes(&s);
	}
	if (keep)
		try_say(k, TRY_SKIP, "removing it", -1,
		    "it stays: repository %s, %zu volumes", s.sr,
		    json_array_size(s.keys));
	else
		tidy_up(&s);
	json_decref(s.config);
	json_decref(s.keys);
}

/* ---- a datapath ---- */

/* In the order of a machine's life. */
static const int steps[] = {SMAPI_DATAPATH_ATTACH, SMAPI_DATAPATH_ACTIVATE,
    SMAPI_DATAPATH_DEACTIVATE, SMAPI_DATAPATH_DETACH};

void
try_datapath(struct check *k, const char *uri)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		const char *name = smapi_methods[steps[i]].name;
		json_t *first, *again;
		char what[64];

		if (!try_has(k, steps[i]))
			continue;
		snprintf(what, sizeof what, "%s again", name);
		first = try_call(k, NULL, steps[i],
		    json_pack("{ss ss}", "uri", uri, "domain", "xmsg-check"));
		if (first == NULL)
			continue;
		again = try_call(k, what, steps[i],
		    json_pack("{ss ss}", "uri", uri, "domain", "xmsg-check"));
		if (again != NULL && steps[i] == SMAPI_DATAPATH_ATTACH)
			(void)try_that(k, json_equal(first, again),
			    "Datapath.attach again gives the same answer",
			    "the second one differs");
		json_decref(first);
		json_decref(again);
	}
}
