/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The records that are answered with, and the errors. */
#include "v2.h"

#include <string.h>

#include "buf.h"
#include "call_json.h"
#include "each.h"
#include "str.h"

#define NO_TIME "19700101T00:00:00Z"
#define SM	"_sm_config_"
#define TAG	"tags"

/* ---- vdi_info ---- */

/* A reserved key of a volume, or what stands for it. */
static const char *
key_of(const json_t *volume, const char *name, const char *none)
{
	const char *s = json_string_value(
	    json_object_get(json_object_get(volume, "keys"), name));

	return s != NULL ? s : none;
}

/* Keys with a prefix as a map: sm_config. */
static json_t *
sm_config(json_t *keys)
{
	json_t *out = json_object(), *v;
	const char *key;

	object_each (keys, key, v) {
		if (strncmp(key, SM, sizeof(SM) - 1) == 0 &&
		    json_object_set(out, key + sizeof(SM) - 1, v) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* Keys with a prefix as a list: tags. */
static json_t *
tags(json_t *keys)
{
	json_t *out = json_array(), *v;
	const char *key;

	object_each (keys, key, v) {
		if (strncmp(key, TAG, sizeof(TAG) - 1) == 0 &&
		    json_array_append_new(
			out, json_string(key + sizeof(TAG) - 1)) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* The first half of the record. */
static json_t *
vdi_head(const json_t *volume)
{
	json_t *keys = json_object_get(volume, "keys");
	json_t *cbt = json_object_get(volume, "cbt_enabled");

	return json_pack("{s:o, s:o, s:O, s:b, s:O, s:O, s:b, s:b}", "tags",
	    tags(keys), "sm_config", sm_config(keys), "sharable",
	    json_object_get(volume, "sharable"), "persistent", 1,
	    "physical_utilisation",
	    json_object_get(volume, "physical_utilisation"), "virtual_size",
	    json_object_get(volume, "virtual_size"), "cbt_enabled",
	    json_is_true(cbt), "read_only",
	    !json_is_true(json_object_get(volume, "read_write")));
}

/* A member of this name and text; -1 when out of memory. */
static int
put_text(json_t *o, const char *name, const char *text)
{
	return json_object_set_new(o, name, json_string(text));
}

/* 4.2 */
json_t *
v2_vdi_of(const json_t *volume, bool *odd)
{
	const char *snap = key_of(volume, "is_a_snapshot", "false");
	bool is = strcmp(snap, "true") == 0;
	json_t *v = vdi_head(volume), *uuid;
	int bad = 0;

	*odd = !is && strcmp(snap, "false") != 0;
	bad |= put_text(v, "snapshot_of", key_of(volume, "snapshot_of", ""));
	bad |= put_text(
	    v, "snapshot_time", key_of(volume, "snapshot_time", NO_TIME));
	bad |= json_object_set_new(v, "is_a_snapshot", json_boolean(is));
	bad |= put_text(v, "metadata_of_pool", "");
	bad |= put_text(v, "ty", key_of(volume, "vdi-type", ""));
	bad |= json_object_set(
	    v, "name_description", json_object_get(volume, "description"));
	bad |=
	    json_object_set(v, "name_label", json_object_get(volume, "name"));
	bad |= put_text(v, "content_id", key_of(volume, "content_id", ""));
	uuid = json_object_get(volume, "uuid");
	if (uuid != NULL)
		bad |= json_object_set(v, "uuid", uuid);
	bad |= json_object_set(v, "vdi", json_object_get(volume, "key"));
	if (bad == 0)
		return v;
	json_decref(v);
	return NULL;
}

/* ---- the other records ---- */

/* sr_info */
json_t *
v2_sr_of(const json_t *s)
{
	json_t *uuid = json_object_get(s, "uuid");
	json_t *v = json_pack("{s:O, s:O, s:O, s:O, s:O, s:O}", "health",
	    json_array_get(json_object_get(s, "health"), 0), "clustered",
	    json_object_get(s, "clustered"), "free_space",
	    json_object_get(s, "free_space"), "total_space",
	    json_object_get(s, "total_space"), "name_description",
	    json_object_get(s, "description"), "name_label",
	    json_object_get(s, "name"));

	if (v != NULL && uuid != NULL &&
	    json_object_set(v, "sr_uuid", uuid) < 0) {
		json_decref(v);
		return NULL;
	}
	return v;
}

/* query_result; takes `features`. */
json_t *
v2_query_of(const json_t *q, json_t *features)
{
	static const char *const copied[][2] = {
	    {"required_api_version", "required_api_version"},
	    {"version", "version"}, {"copyright", "copyright"},
	    {"vendor", "vendor"}, {"description", "description"},
	    {"name", "name"}, {"driver", "plugin"}};
	json_t *v = json_pack("{s:s, s:[], s:O, s:O, s:o}", "smapi_version",
	    "SMAPIv3", "supported_image_formats", "required_cluster_stack",
	    json_object_get(q, "required_cluster_stack"), "configuration",
	    json_object_get(q, "configuration"), "features", features);
	size_t i;

	for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
		if (json_object_set(v, copied[i][0],
			json_object_get(q, copied[i][1])) < 0) {
			json_decref(v);
			return NULL;
		}
	}
	return v;
}

/* One element. */
static json_t *
probe_element(const json_t *e, bool with_sr)
{
	json_t *sr = json_object_get(e, "sr");
	json_t *v =
	    json_pack("{s:O}", "extra_info", json_object_get(e, "extra_info"));
	int bad = 0;

	if (with_sr)
		bad |= json_object_set_new(v, "sr", v2_sr_of(sr));
	bad |= json_object_set(v, "complete", json_object_get(e, "complete"));
	bad |= json_object_set(
	    v, "configuration", json_object_get(e, "configuration"));
	if (bad == 0)
		return v;
	json_decref(v);
	return NULL;
}

/* What is wrong with an element, or NULL. */
static const char *
probe_fault(bool sr, bool complete, bool uuid)
{
	if (!complete && uuid)
		return "a configuration with a uuid cannot be incomplete";
	if (sr && !uuid)
		return "not attachable without a uuid";
	return NULL;
}

/* ["Probe", elements] */
json_t *
v2_probe_of(const json_t *result, struct buf *why)
{
	json_t *out = json_array(), *e;
	const char *fault;
	int bad = out == NULL ? -1 : 0;
	bool sr;
	size_t i;

	array_each (result, i, e) {
		sr = json_object_get(e, "sr") != NULL;
		fault = probe_fault(sr,
		    json_is_true(json_object_get(e, "complete")),
		    tree_at(e, "configuration.sr_uuid", 21) != NULL);
		if (fault == NULL)
			bad |= json_array_append_new(out, probe_element(e, sr));
		else
			buf_addf(why, "%s%s", why->n > 0 ? "; " : "", fault);
	}
	if (bad == 0 && why->n == 0)
		return json_pack("[s,o]", "Probe", out);
	json_decref(out);
	return NULL;
}

/* ---- errors ---- */

/* With one text. */
json_t *
v2_error(const char *tag, const char *text)
{
	return json_pack("[s,o]", tag, tree_text(str_of(text)));
}

/* With a list. */
json_t *
v2_backend_error(const char *code, json_t *list)
{
	return json_pack("[s,[s,o]]", "Backend_error", code, list);
}

/* "SCRIPT_FAILED", "Sr_not_attached" */
const char *
v2_error_code(const json_t *error)
{
	const char *tag = json_string_value(json_array_get(error, 0));
	const char *code;

	if (tag == NULL)
		return "Internal_error";
	if (strncmp(tag, "Backend_error", 13) != 0)
		return tag;
	code = json_string_value(json_array_get(json_array_get(error, 1), 0));
	return code != NULL ? code : tag;
}

/* The strings in a value, one after the other. */
static void
put_texts(struct buf *b, const json_t *v, size_t from)
{
	size_t i;

	if (json_is_string(v))
		buf_adds(b, json_string_value(v));
	for (i = from; i < json_array_size(v); i++) {
		if (i > from)
			buf_adds(b, ": ");
		put_texts(b, json_array_get(v, i), 0);
	}
}

/* For people. */
json_t *
v2_error_text(const json_t *error)
{
	const char *tag = json_string_value(json_array_get(error, 0));
	const json_t *v = json_array_get(error, 1);
	struct buf b = BUF_INIT;
	json_t *text;
	bool trace;

	trace = tag != NULL && strcmp(tag, "Backend_error_with_backtrace") == 0;
	if (trace || (tag != NULL && strcmp(tag, "Backend_error") == 0))
		v = json_array_get(v, 1);
	put_texts(&b, v, trace ? 1 : 0);
	text = tree_text((struct str){b.p, b.n});
	buf_fini(&b);
	return text;
}
