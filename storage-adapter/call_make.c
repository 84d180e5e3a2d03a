/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Results of calls, from the variables that their steps have left. */
#include <string.h>

#include "call_int.h"
#include "call_json.h"
#include "each.h"
#include "pick.h"
#include "v2.h"

/* ---- Query.query ---- */

/* Scripts that stand for a feature, in the order of the features (4.5). */
static const struct {
	int method;
	const char *feature;
} script_features[] = {
    {SMAPI_VOLUME_STAT, "VDI_UPDATE"},
    {SMAPI_VOLUME_DESTROY, "VDI_DELETE"},
    {SMAPI_VOLUME_RESIZE, "VDI_RESIZE"},
    {SMAPI_VOLUME_SNAPSHOT, "VDI_SNAPSHOT"},
    {SMAPI_VOLUME_CLONE, "VDI_CLONE"},
    {SMAPI_VOLUME_CREATE, "VDI_CREATE"},
    {SMAPI_SR_PROBE, "SR_PROBE"},
    {SMAPI_SR_STAT, "SR_UPDATE"},
    {SMAPI_SR_LS, "SR_SCAN"},
    {SMAPI_SR_DETACH, "SR_DETACH"},
    {SMAPI_SR_DESTROY, "SR_DELETE"},
    {SMAPI_SR_CREATE, "SR_CREATE"},
    {SMAPI_SR_ATTACH, "SR_ATTACH"},
};

/* What the adapter does for every plugin. */
static const char *const own_features[] = {"VDI_ATTACH", "VDI_DETACH",
    "VDI_ACTIVATE", "VDI_DEACTIVATE", "VDI_INTRODUCE"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The plugin's own list, with one word as the toolstack knows it. */
static int
plugin_features(struct call *c, json_t *out)
{
	json_t *e;
	size_t i;
	int bad = 0;

	array_each (call_var(c, "query.features"), i, e) {
		if (strcmp(json_string_value(e), "VDI_DESTROY") == 0)
			bad |= json_array_append_new(
			    out, json_string("VDI_DELETE"));
		else
			bad |= json_array_append(out, e);
	}
	return bad;
}

/* The whole list. */
static json_t *
features(struct call *c)
{
	json_t *out = json_array(), *e;
	int bad = plugin_features(c, out);
	size_t i;

	for (i = 0; i < COUNT(script_features); i++)
		if (c->w.has_script(
			c->w.arg, &smapi_methods[script_features[i].method]))
			bad |= json_array_append_new(
			    out, json_string(script_features[i].feature));
	for (i = 0; i < COUNT(own_features); i++)
		bad |= json_array_append_new(out, json_string(own_features[i]));
	array_each (out, i, e) {
		if (strcmp(json_string_value(e), "VDI_CLONE") == 0) {
			bad |= json_array_insert_new(
			    out, 0, json_string("VDI_RESET_ON_BOOT/2"));
			break;
		}
	}
	if (bad == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* query_result */
json_t *
make_query(struct call *c)
{
	return v2_query_of(call_var(c, "query"), features(c));
}

/* ---- SRs ---- */

/* ["Probe", ...] */
json_t *
make_probe(struct call *c)
{
	struct buf why = BUF_INIT;
	json_t *out = v2_probe_of(call_var(c, "probe"), &why);

	if (out == NULL && why.n > 0)
		call_error_set(c,
		    v2_backend_error("SCRIPT_FAILED",
			json_pack("[s,o]", "SR.probe",
			    tree_text((struct str){why.p, why.n}))));
	buf_fini(&why);
	return out;
}

/* Names of attached SRs. */
json_t *
make_list(struct call *c)
{
	return c->w.sr_list(c->w.arg);
}

/* sr_info */
json_t *
make_sr(struct call *c)
{
	return v2_sr_of(call_var(c, "stat"));
}

/* One volume, with a note about what is odd in it. */
static json_t *
vdi_of(struct call *c, const json_t *volume)
{
	bool odd;
	json_t *v = v2_vdi_of(volume, &odd);

	if (odd)
		call_note(c,
		    "%s: volume %s: is_a_snapshot is neither true nor false: "
		    "taken for false",
		    c->method,
		    json_string_value(json_object_get(volume, "key")));
	return v;
}

/* Keys of volumes that only stand in for others since their boot. */
static json_t *
hidden(const json_t *volumes)
{
	json_t *out = json_object(), *e;
	const char *key;
	size_t i;

	array_each (volumes, i, e) {
		key = json_string_value(tree_at(e, "keys.clone-on-boot", 18));
		if (key != NULL &&
		    json_object_set_new(out, key, json_true()) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* All volumes that are not hidden. */
json_t *
make_scan(struct call *c)
{
	const json_t *volumes = call_var(c, "ls");
	json_t *hide = hidden(volumes), *out = json_array(), *e;
	int bad = hide != NULL ? 0 : -1;
	size_t i;

	array_each (volumes, i, e) {
		if (json_object_get(hide,
			json_string_value(json_object_get(e, "key"))) == NULL)
			bad |= json_array_append_new(out, vdi_of(c, e));
	}
	json_decref(hide);
	if (bad == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* The volumes and the SR. */
json_t *
make_scan2(struct call *c)
{
	return json_pack("[o,o]", make_scan(c), make_sr(c));
}

/* ---- volumes ---- */

/* vdi_info */
json_t *
make_vdi(struct call *c)
{
	return vdi_of(c, call_var(c, "vol"));
}

/* vdi_info of a new volume, as it is after its keys were set. */
json_t *
make_new(struct call *c)
{
	json_t *keys = call_var(c, "new.keys"), *e;
	size_t i;

	array_each (call_var(c, "sets"), i, e) {
		if (json_object_set(keys,
			json_string_value(json_array_get(e, 0)),
			json_array_get(e, 1)) < 0)
			return NULL;
	}
	return vdi_of(c, call_var(c, "new"));
}

/* [] */
json_t *
make_empty(struct call *c)
{
	(void)c;
	return json_array();
}

/* The socket path of the first NBD server whose URI makes sense (7.3, 33). */
json_t *
make_nbd(struct call *c)
{
	struct buf path = BUF_INIT;
	json_t *list = json_array(), *e, *found = NULL;
	const char *uri = NULL;
	bool usable = false;
	size_t i;

	array_each (call_var(c, "backend.implementations"), i, e) {
		uri = json_string_value(tree_at(e, "1.uri", 5));
		usable = uri != NULL && pick_nbd(uri, &path);
		if (usable)
			break;
		if (uri != NULL)
			json_array_append_new(
			    list, tree_textf("cannot be used: %s", uri));
	}
	if (usable && buf_ok(&path))
		found = json_stringn(path.p, path.n);
	buf_fini(&path);
	if (usable) {
		json_decref(list);
		return found;
	}
	call_error_set(c, v2_backend_error("No nbd server found", list));
	return NULL;
}
