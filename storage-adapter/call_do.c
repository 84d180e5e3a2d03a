/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What rows of the table do between their scripts: datapaths, epochs, the
 * record of attached SRs, keys that are set on new volumes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "call_int.h"
#include "call_json.h"
#include "each.h"
#include "pick.h"
#include "v2.h"

#define SECOND	     ((int64_t)1000000000)
#define HEALTH_TRIES 3
#define CLONE	     "vol.keys.clone-on-boot"
#define NO_URI	     "Please include a URI in the device-config"

/* ---- datapaths (4.3, 4.4, 4.7) ---- */

/* No datapath plugin: the error is as ever, the reason goes to people. */
static enum next
missing_uri(struct call *c)
{
	struct buf b = BUF_INIT;

	tree_write(&b, call_var(c, "vol.uri"));
	buf_addc(&b, '\0');
	call_note(c, "%s: no datapath plugin is served for any of %s",
	    c->method, buf_ok(&b) ? b.p : "the URIs");
	buf_fini(&b);
	return call_error_set(
	    c, v2_backend_error("MISSING_URI", json_pack("[s]", NO_URI)));
}

/* Choose from the record "vol": variables "dp" and "uri". */
static enum next
choose(struct call *c, const char *feature, bool epoch)
{
	const char *wanted = NULL, *uri;
	char scheme[PICK_SCHEME], known[PICK_SCHEME];

	if (epoch)
		wanted = c->w.epoch(c->w.arg, c->sr, call_text(c, "p.vdi"));
	if (wanted != NULL) {
		snprintf(known, sizeof(known), "%s", wanted);
		wanted = known;
	}
	uri = pick_uri(&c->w, call_var(c, "vol.uri"), wanted, feature, scheme);
	if (uri == NULL)
		return missing_uri(c);
	if (call_let(c, "dp", json_string(scheme)) != GO_ON)
		return FAILED;
	return call_let(c, "uri", json_string(uri));
}

/* For attach and all that follows it; "domain" too. */
enum next
do_pick(struct call *c)
{
	if (choose(c, NULL, true) != GO_ON)
		return FAILED;
	return call_let(c, "domain",
	    pick_domain(call_text(c, "p.dp"), call_text(c, "p.vm")));
}

/* At the beginning of an epoch: either "open", or "reset" with an "old" clone
 * if there is one, or neither. */
enum next
do_pick_begin(struct call *c)
{
	bool keep = call_has(c, "p.persistent");

	if (choose(c, keep ? NULL : "NONPERSISTENT", false) != GO_ON)
		return FAILED;
	if (pick_has(&c->w, call_text(c, "dp"), "NONPERSISTENT"))
		return call_let(c, "open", json_true());
	if (keep)
		return GO_ON;
	if (call_has(c, CLONE) &&
	    call_let(c, "old", json_incref(call_var(c, CLONE))) != GO_ON)
		return FAILED;
	return call_let(c, "reset", json_true());
}

/* At its end: "close", or an "old" clone, or neither. */
enum next
do_pick_end(struct call *c)
{
	if (choose(c, NULL, true) != GO_ON)
		return FAILED;
	if (pick_has(&c->w, call_text(c, "dp"), "NONPERSISTENT"))
		return call_let(c, "close", json_true());
	if (call_has(c, CLONE))
		return call_let(c, "old", json_incref(call_var(c, CLONE)));
	return GO_ON;
}

/* For smapiv3 calls: by the member "datapath", or the scheme of the URI. */
enum next
do_pick_scheme(struct call *c)
{
	char scheme[PICK_SCHEME], probe[PICK_SCHEME + 8];
	const char *given = call_text(c, "p.datapath");

	snprintf(probe, sizeof(probe), "%s:", given);
	if (!pick_scheme(
		*given != '\0' ? probe : call_text(c, "p.uri"), scheme))
		return call_internal(c,
		    "%s: a uri with a scheme, or \"datapath\", must say which "
		    "plugin is meant",
		    c->method);
	if (!pick_has(&c->w, scheme, NULL))
		return call_error_set(c,
		    v2_backend_error("MISSING_URI",
			json_pack("[o]",
			    tree_textf("No datapath plugin is served for the "
				       "scheme \"%s\"",
				scheme))));
	return call_let(c, "dp", json_string(scheme));
}

/* A plugin was opened: attach and close must find the same one.  Nothing was
 * opened: what an older epoch chose must not count. */
enum next
do_epoch_keep(struct call *c)
{
	const char *scheme = call_has(c, "open") ? call_text(c, "dp") : NULL;
	struct err e;

	if (c->w.epoch_set(
		c->w.arg, c->sr, call_text(c, "p.vdi"), scheme, &e) == 0)
		return GO_ON;
	if (scheme != NULL)
		return call_internal(c, "%s", e.text);
	call_note(c, "%s: %s", c->method, e.text);
	return GO_ON;
}

/* The epoch is over. */
enum next
do_epoch_forget(struct call *c)
{
	struct err e;

	if (c->w.epoch_set(c->w.arg, c->sr, call_text(c, "p.vdi"), NULL, &e) <
	    0)
		call_note(c, "%s: %s", c->method, e.text);
	return GO_ON;
}

/* Storage migration needs a plugin that can take it. */
enum next
do_mirror_in(struct call *c)
{
	if (pick_has(&c->w, call_text(c, "dp"), "VDI_MIRROR_IN"))
		return GO_ON;
	return call_error_set(c, v2_error("Unimplemented", "VDI_MIRROR_IN"));
}

/* ---- attached SRs ---- */

/* Variables "attached" and "handle", when it is. */
enum next
do_attached(struct call *c)
{
	const char *handle = c->w.sr_handle(c->w.arg, c->sr);

	if (handle == NULL)
		return GO_ON;
	if (call_let(c, "handle", json_string(handle)) != GO_ON)
		return FAILED;
	return call_let(c, "attached", json_true());
}

/* Ids of RRD sources; what is none is passed over. */
static json_t *
rrd_ids(struct call *c)
{
	struct buf id = BUF_INIT;
	json_t *out = json_array(), *e;
	int bad = 0;
	size_t i;

	array_each (call_var(c, "stat.datasources"), i, e) {
		if (pick_rrd(json_string_value(e), &id))
			bad |= json_array_append_new(
			    out, buf_ok(&id) ? json_stringn(id.p, id.n) : NULL);
	}
	buf_fini(&id);
	if (bad == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* Remember it, before the reply. */
enum next
do_attach_keep(struct call *c)
{
	json_t *uids = rrd_ids(c);
	struct err e;
	int rc;

	if (uids == NULL)
		return call_error_set(c, NULL);
	rc = c->w.sr_attached(c->w.arg, c->sr, call_text(c, "handle"),
	    call_var(c, "p.device_config"), uids, &e);
	json_decref(uids);
	return rc == 0 ? GO_ON : call_internal(c, "%s", e.text);
}

/* A failed attach is undone (7.3, 20), unless the SR had been attached before:
 * then it is in use.  Variable "fresh". */
enum next
do_attach_undo(struct call *c)
{
	if (call_var(c, "handle") == NULL ||
	    c->w.sr_handle(c->w.arg, c->sr) != NULL)
		return GO_ON;
	return call_let(c, "fresh", json_true());
}

/* Forget it, before the reply. */
enum next
do_detach_keep(struct call *c)
{
	struct err e;

	if (c->w.sr_detached(c->w.arg, c->sr, &e) == 0)
		return GO_ON;
	return call_internal(c, "%s", e.text);
}

/* The SR is no more, whether that can be written down or not. */
enum next
do_destroy_keep(struct call *c)
{
	struct err e;

	if (c->w.sr_detached(c->w.arg, c->sr, &e) < 0)
		call_note(c, "%s: %s", c->method, e.text);
	return GO_ON;
}

/* Only healthy SRs are listed; unreachable ones are asked a few times more. */
enum next
do_health(struct call *c)
{
	const char *health = call_text(c, "stat.health.0");

	if (strcmp(health, "Healthy") == 0)
		return GO_ON;
	if (strcmp(health, "Unreachable") == 0 && c->tries++ < HEALTH_TRIES) {
		c->wait_ns = SECOND;
		return AGAIN;
	}
	return call_error_set(
	    c, json_pack("[s,[s,s]]", "Sr_unhealthy", c->sr, health));
}

/* ---- keys of new volumes ---- */

/* Add a key that is to be set, unless the new volume has it so already. */
static int
add_key(struct call *c, json_t *sets, const char *prefix, const char *name,
    const char *value)
{
	json_t *key = json_sprintf("%s%s", prefix, name), *old;
	int rc;

	old = json_object_get(
	    call_var(c, "new.keys"), key != NULL ? json_string_value(key) : "");
	if (old != NULL && strcmp(json_string_value(old), value) == 0) {
		json_decref(key);
		return 0;
	}
	rc = json_array_append_new(sets, json_pack("[o,s]", key, value));
	return rc;
}

/* One tag each. */
static int
add_tags(struct call *c, json_t *sets)
{
	json_t *tag;
	size_t i;
	int bad = 0;

	array_each (call_var(c, "p.vdi_info.tags"), i, tag)
		bad |= add_key(c, sets, "tags", json_string_value(tag),
		    json_string_value(tag));
	return bad;
}

/* The list becomes variable "sets". */
static enum next
let_sets(struct call *c, json_t *sets, int bad)
{
	if (bad == 0)
		return call_let(c, "sets", sets);
	json_decref(sets);
	return call_error_set(c, NULL);
}

/* VDI.create: its type; the rest of the request is dropped. */
enum next
do_sets_create(struct call *c)
{
	const char *ty = call_text(c, "p.vdi_info.ty");
	json_t *sets = json_array();
	int bad = 0;

	if (*ty != '\0')
		bad = json_array_append_new(
		    sets, json_pack("[s,s]", "vdi-type", ty));
	return let_sets(c, sets, bad);
}

/* VDI.clone: what the toolstack says that it is (7.3, 25). */
enum next
do_sets_clone(struct call *c)
{
	const char *ty = call_text(c, "p.vdi_info.ty"), *key;
	const char *id = call_text(c, "p.vdi_info.content_id");
	json_t *sets = json_array(), *v;
	int bad = 0;

	if (!c->w.has_script(c->w.arg, &smapi_methods[SMAPI_VOLUME_SET]))
		return let_sets(c, sets, bad);
	if (*id != '\0')
		bad |= add_key(c, sets, "", "content_id", id);
	if (*ty != '\0')
		bad |= add_key(c, sets, "", "vdi-type", ty);
	object_each (call_var(c, "p.vdi_info.sm_config"), key, v)
		bad |=
		    add_key(c, sets, "_sm_config_", key, json_string_value(v));
	bad |= add_tags(c, sets);
	return let_sets(c, sets, bad);
}

/* Now, as the toolstack writes it. */
static json_t *
now(struct call *c)
{
	time_t t = (time_t)(c->w.began(c->w.arg) / SECOND);
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

/* VDI.snapshot: what it is a snapshot of, and since when. */
enum next
do_sets_snapshot(struct call *c)
{
	json_t *sets = json_pack("[[s,o],[s,s],[s,s],[s,s],[s,s]]",
	    "snapshot_time", now(c), "is_a_snapshot", "true", "snapshot_of",
	    call_text(c, "p.vdi_info.vdi"), "content_id",
	    call_text(c, "p.vdi_info.content_id"), "vdi-type",
	    call_text(c, "p.vdi_info.ty"));
	json_t *tag;
	size_t i;
	int bad = sets != NULL ? 0 : -1;

	array_each (call_var(c, "p.vdi_info.tags"), i, tag)
		bad |= json_array_append_new(sets,
		    json_pack("[o,O]",
			json_sprintf("tags%s", json_string_value(tag)), tag));
	return let_sets(c, sets, bad);
}
