/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* idlval: values against the generated tables of the storage interface. */
#include "support/unit.h"

#include "gen_smapi.h"

#define BASE                                                                   \
	"\"key\":\"k\",\"name\":\"n\",\"description\":\"\","                   \
	"\"read_write\":true,\"sharable\":false,\"virtual_size\":1,"           \
	"\"physical_utilisation\":0,\"uri\":[\"u\"],\"keys\":{}"

/* A type, a value, what idl_check says, what idl_decode makes of it. */
struct sample {
	const struct idl_type *type;
	const char *json, *fault, *decoded;
};

static const struct sample samples[] = {
    {&smapi_volume, "{" BASE "}", "", "{" BASE "}"},
    {&smapi_volume, "{" BASE ",\"volume_type\":\"Data\"}", "",
	"{" BASE ",\"volume_type\":\"Data\"}"},
    {&smapi_volume, "{" BASE ",\"volume_type\":[\"Data\"]}",
	"volume_type: expected volume_type, got [\"Data\"]",
	"{" BASE ",\"volume_type\":\"Data\"}"},
    {&smapi_volume, "{" BASE ",\"volume_type\":[\"Data\",null]}",
	"volume_type: expected volume_type, got [\"Data\",null]",
	"{" BASE ",\"volume_type\":\"Data\"}"},
    {&smapi_volume, "{" BASE ",\"uuid\":null}",
	"uuid: expected string, got null", "{" BASE "}"},
    {&smapi_volume, "{" BASE ",\"tags\":{}}", "tags: is not a member of volume",
	"{" BASE "}"},
    {&smapi_status, "{\"Failed\":true,\"COMPLETE\":false}",
	"Failed: is not a member of status",
	"{\"failed\":true,\"complete\":false}"},
    {&smapi_status, "{\"failed\":true,\"complete\":false,\"progress\":1}", "",
	"{\"failed\":true,\"complete\":false,\"progress\":1}"},
    {&smapi_status, "{\"failed\":true}", "complete: is missing (bool)", NULL},
    {&smapi_status, "[]", "expected status, got []", NULL},
    {&smapi_health, "[\"Healthy\",\"\"]", "", "[\"Healthy\",\"\"]"},
    {&smapi_health, "\"Healthy\"", "expected health, got \"Healthy\"", NULL},
    {&smapi_health, "[\"Healthy\"]", "expected health, got [\"Healthy\"]",
	NULL},
    {&smapi_health, "[\"Ill\",\"\"]", "expected health, got [\"Ill\",\"\"]",
	NULL},
    {&smapi_health, "[\"Healthy\",5]", "[1]: expected string, got 5", NULL},
    {&smapi_health, "{}", "expected health, got {}", NULL},
    {&smapi_blocklist, "{\"blocksize\":1,\"ranges\":[[0,1],[2,3]]}", "",
	"{\"blocksize\":1,\"ranges\":[[0,1],[2,3]]}"},
    {&smapi_blocklist, "{\"blocksize\":1,\"ranges\":[[0,1],[2]]}",
	"ranges[1]: expected pair<int64, int64>, got [2]", NULL},
    {&smapi_blocklist, "{\"blocksize\":1,\"ranges\":[[0,\"1\"]]}",
	"ranges[0][1]: expected int64, got \"1\"", NULL},
    {&smapi_state,
	"[\"Completed\",{\"duration\":1.5,\"result\":[\"Volume\",{" BASE "}]}]",
	"",
	"[\"Completed\",{\"duration\":1.5,\"result\":[\"Volume\",{" BASE
	"}]}]"},
    {&idl_unit, "5", "expected unit, got 5", "null"},
    {&idl_bool, "null", "expected bool, got null", NULL},
};

/* Strict and lenient, by table. */
static void
values_are_checked_and_decoded(void **state)
{
	size_t i, n = sizeof(samples) / sizeof(samples[0]);
	struct idl_fault f;
	json_t *v, *out, *want;
	char text[300];

	(void)state;
	for (i = 0; i < n; i++) {
		v = json_loads(samples[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		text[0] = '\0';
		if (idl_check(samples[i].type, v, &f) < 0)
			idl_fault_text(&f, text, sizeof(text));
		assert_string_equal(text, samples[i].fault);
		out = idl_decode(samples[i].type, v, &f);
		if (samples[i].decoded == NULL) {
			assert_null(out);
			assert_int_not_equal(f.kind, IDL_OK);
		} else {
			want = json_loads(
			    samples[i].decoded, JSON_DECODE_ANY, NULL);
			assert_non_null(out);
			assert_true(json_equal(out, want));
			assert_int_equal(
			    idl_check(samples[i].type, out, &f), 0);
			json_decref(want);
		}
		json_decref(out);
		json_decref(v);
	}
}

/* Params: in order of declaration, others let through. */
static void
params_are_checked(void **state)
{
	const struct idl_method *m = &smapi_methods[SMAPI_VOLUME_RESIZE];
	json_t *p = json_pack("{s:s, s:s, s:s, s:b}", "dbg", "d", "sr", "s",
	    "key", "k", "json", 1);
	struct idl_fault f;
	char text[200];

	(void)state;
	assert_int_equal(idl_check_params(m, p, &f), -1);
	assert_int_equal(f.kind, IDL_MISSING);
	assert_string_equal(f.path, "new_size");
	json_object_set_new(p, "new_size", json_string("5"));
	assert_int_equal(idl_check_params(m, p, &f), -1);
	idl_fault_text(&f, text, sizeof(text));
	assert_string_equal(text, "new_size: expected int64, got \"5\"");
	json_object_set_new(p, "new_size", json_integer(5));
	assert_int_equal(idl_check_params(m, p, &f), 0);
	json_decref(p);
	p = json_array();
	assert_int_equal(idl_check_params(m, p, &f), -1);
	assert_string_equal(f.expected, "object");
	json_decref(p);
}

/* Methods are found in any case; the table is whole. */
static void
methods_are_found(void **state)
{
	size_t i, n = 0;

	(void)state;
	assert_int_equal(SMAPI_N_METHODS, 49);
	for (i = 0; i < SMAPI_N_METHODS; i++) {
		assert_non_null(smapi_methods[i].name);
		assert_string_equal(smapi_methods[i].params[0].name, "dbg");
		assert_ptr_equal(idl_method_find(smapi_methods, SMAPI_N_METHODS,
				     smapi_methods[i].name),
		    &smapi_methods[i]);
	}
	assert_ptr_equal(
	    idl_method_find(smapi_methods, SMAPI_N_METHODS, "plugin.QUERY"),
	    &smapi_methods[SMAPI_PLUGIN_QUERY]);
	assert_string_equal(
	    smapi_methods[SMAPI_PLUGIN_QUERY].script, "Plugin.Query");
	assert_null(idl_method_find(smapi_methods, SMAPI_N_METHODS, "SR.x"));
	while (smapi_errors[n] != NULL)
		n++;
	assert_int_equal(n, 6);
}

/* A long path is cut, not overrun. */
static void
long_paths_are_cut(void **state)
{
	char key[400];
	json_t *v = json_object();
	struct idl_fault f;
	const struct idl_type map = {
	    .kind = IDL_MAP, .name = "map", .a = &idl_string};
	const struct idl_type maps = {
	    .kind = IDL_MAP, .name = "maps", .a = &map};

	(void)state;
	memset(key, 'x', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	json_object_set_new(v, key, json_pack("{s:i}", key, 5));
	assert_int_equal(idl_check(&maps, v, &f), -1);
	assert_int_equal(strlen(f.path), sizeof(f.path) - 1);
	json_decref(v);
}

/* Names from outside do not reach a terminal or a log as they are. */
static void
paths_are_clean(void **state)
{
	const struct idl_type map = {
	    .kind = IDL_MAP, .name = "map", .a = &idl_string};
	json_t *v = json_pack("{s:i}", "a\n\033b", 5);
	struct idl_fault f;

	(void)state;
	assert_int_equal(idl_check(&map, v, &f), -1);
	assert_string_equal(f.path, "a??b");
	json_decref(v);
}

/* Run all cases. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_checked_and_decoded),
	    cmocka_unit_test(params_are_checked),
	    cmocka_unit_test(methods_are_found),
	    cmocka_unit_test(long_paths_are_cut),
	    cmocka_unit_test(paths_are_clean),
	};

	return cmocka_run_group_tests_name("idlval", tests, NULL, NULL);
}
