/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* idl: YAML with places, loading, linking, checking, values, prose. */
#include "support/unit.h"

#include "check.h"
#include "emit.h"
#include "load.h"
#include "prose.h"
#include "yml.h"

#define HEAD                                                                   \
	"api:\n"                                                               \
	"  name: a\n  title: A\n  version: '1'\n  description: A.\n"           \
	"  context: {dbg: {type: string, description: D., example: d}}\n"      \
	"  releases: {r1: {title: R}, r2: {title: R}}\n"                       \
	"  lifecycle: [{published: r1}]\n"                                     \
	"  features: {FEAT: {description: F.}}\n"                              \
	"errors:\n"                                                            \
	"  Gone: {description: G., argument: {type: string, "                  \
	"description: W.}}\n"                                                  \
	"module: {name: box, title: T, description: M.}\n"
/* HEAD has 12 lines: bodies begin on line 13. */
#define METHOD                                                                 \
	"interfaces:\n"                                                        \
	"  Box:\n"                                                             \
	"    title: B\n    version: '1'\n    description: B.\n"                \
	"    errors: [Gone]\n"                                                 \
	"    methods:\n"                                                       \
	"      put:\n"                                                         \
	"        title: P\n        description: P.\n"
/* METHOD has 10 lines more: its rest begins on line 23. */
#define EXAMPLE "        examples: [{title: E, params: {}, result: null}]\n"

/* Load one text as a whole interface; the problems in d. */
static struct api *
load(const char *text, struct diag *d)
{
	struct api *api = api_new();

	load_text(api, "t", text, strlen(text), d);
	if (!api->broken)
		load_link(api, d);
	if (d->n == 0)
		check_api(api, d);
	return api;
}

/* The same, without problems. */
static struct api *
must_load(const char *text)
{
	struct diag d = DIAG_INIT;
	struct api *api = load(text, &d);

	if (d.n > 0)
		fail_msg("%.*s", (int)d.text.n, d.text.p);
	diag_fini(&d);
	return api;
}

/* What is good has no problems. */
static void
good_declarations_load(void **state)
{
	struct api *api = must_load(HEAD METHOD EXAMPLE);
	const struct method *m = api_method(api, "Box.put");

	(void)state;
	assert_non_null(m);
	assert_string_equal(m->params->name, "dbg");
	assert_null(m->params->next);
	assert_int_equal(m->result->kind, TYPE_UNIT);
	assert_string_equal(m->script, "Box.put");
	assert_string_equal(life_first(m->life)->release->id, "r1");
	assert_string_equal(
	    json_string_value(json_object_get(m->examples->params, "dbg")),
	    "d");
	assert_int_equal(api_lookup(api, "Gone"), ITEM_ERROR);
	assert_int_equal(api_lookup(api, "FEAT"), ITEM_FEATURE);
	assert_int_equal(api_lookup(api, "box"), ITEM_MODULE);
	assert_int_equal(api_lookup(api, "Box"), ITEM_IFACE);
	assert_int_equal(api_lookup(api, "Box.pull"), ITEM_NONE);
	api_free(api);
}

/* A mistake and the whole message that it gets. */
struct mistake {
	const char *text, *message;
};

static const struct mistake mistakes[] = {
    /* not even YAML, or more than we take */
    {"a: [b",
	"t:2:1: did not find expected ',' or ']' while parsing a flow "
	"sequence\n"},
    {"", "t:1:1: the file is empty\n"},
    {"a: 1\n---\nb: 2\n", "t:2:1: only one document a file\n"},
    {"a: &x 1\n", "t:1:4: anchors (&name) are not used here\n"},
    {"a: *x\n", "t:1:4: aliases (*name) are not used here\n"},
    {"a: !!str 1\n", "t:1:4: tags (!name) are not used here\n"},
    {"[a]: 1\n", "t:1:1: a key must be a plain name\n"},
    {"api: 1\nerrors: {}\napi: 2\n",
	"t:3:1: \"api\" is there twice (first on line 1)\n"},
    {"api: \"a\\0b\"\n", "t:1:6: a text must not contain a NUL\n"},
    /* shape */
    {HEAD METHOD EXAMPLE "        exmaples: []\n",
	"t:24:9: Box.put: unknown key \"exmaples\" (did you mean "
	"\"examples\"?)\n"},
    {HEAD METHOD, "t:20:7: Box.put: \"examples\" is missing\n"},
    {HEAD METHOD EXAMPLE "        idempotent: yes\n",
	"t:24:21: Box.put: true or false is expected, not \"yes\"\n"},
    {HEAD METHOD EXAMPLE "        params: [sr]\n",
	"t:24:17: Box.put.params: a mapping (name: ...) is expected here\n"},
    {HEAD "types:\n  one: {description: O.}\n",
	"t:14:3: one: a type has exactly one of \"type\", \"fields\" and "
	"\"tags\"\n"},
    {HEAD METHOD EXAMPLE "        description2: ''\n",
	"t:24:9: Box.put: unknown key \"description2\" (did you mean "
	"\"description\"?)\n"},
    /* names that lead nowhere */
    {HEAD METHOD EXAMPLE "        params:\n"
			 "          what: {type: strng, description: W.}\n",
	"t:25:24: Box.put.params.what: unknown type \"strng\" (did you mean "
	"\"string\"?)\n"},
    {HEAD METHOD EXAMPLE
	"        params:\n"
	"          what: {type: list<map<labl>>, description: W.}\n"
	"types: {label: {type: string, description: L.}}\n",
	"t:25:33: Box.put.params.what: unknown type \"labl\" (did you mean "
	"\"label\"?)\n"},
    {HEAD METHOD EXAMPLE "        feature: FEET\n",
	"t:24:18: Box.put: unknown feature \"FEET\" (did you mean "
	"\"FEAT\"?)\n"},
    {HEAD METHOD EXAMPLE "        raises: {Gne: never}\n",
	"t:24:18: Box.put: unknown error \"Gne\" (did you mean \"Gone\"?)\n"},
    {HEAD METHOD EXAMPLE "        lifecycle: [{published: r3}]\n",
	"t:24:33: Box.put: unknown release \"r3\" (did you mean \"r1\"?)\n"},
    {HEAD "types: {one: {type: list<string, description: O.}}\n",
	"t:13:32: one: \">\" is expected in the type \"list<string\"\n"},
    /* rules */
    {HEAD METHOD EXAMPLE "        lifecycle: [{removed: r1, note: n}]\n",
	"t:24:31: Box.put: \"removed\" cannot come first\n"},
    {HEAD METHOD EXAMPLE
	"        lifecycle: [{published: r2}, {deprecated: r1, note: n}]\n",
	"t:24:51: Box.put: release r1 is older than the event before it\n"},
    {HEAD METHOD EXAMPLE
	"        lifecycle: [{published: r1}, {changed: r2}]\n",
	"t:24:48: Box.put: \"changed\" needs a note that says what and why\n"},
    {HEAD METHOD "        examples: [{title: E, params: {}, result: 5}]\n",
	"t:23:51: Box.put.examples[0]: the example is not of its type: "
	"expected unit, got 5\n"},
    {HEAD METHOD EXAMPLE "        params: {while: {type: int, description: "
			 "W.}}\n",
	"t:24:18: Box.put.params.while: \"while\" is a reserved word in a "
	"language we write\n"
	"t:23:20: Box.put.examples[0]: the parameter \"while\" is missing\n"},
    {HEAD METHOD "        examples: [{title: E, params: {a: 1}, result: "
		 "null}]\n",
	"t:23:43: Box.put.examples[0]: unknown parameter \"a\"\n"},
    {HEAD METHOD "        examples: [{title: E, params: {}}]\n",
	"t:23:20: Box.put.examples[0]: an example has either a result or an "
	"error (result: null)\n"},
    {HEAD "types:\n  one: {description: O, type: string}\n" METHOD EXAMPLE,
	"t:14:3: one: the description ends without a full stop\n"},
    {HEAD "types:\n  one: {description: 'See `Box.x`.', type: string}\n" METHOD
	    EXAMPLE,
	"t:14:3: one: the text refers to `Box.x`, which is not declared\n"},
    {HEAD "types:\n  one: {description: O., type: two}\n"
	  "  two: {description: O., type: list<one>}\n",
	"t:14:3: one: the type contains itself\n"
	"t:15:3: two: the type contains itself\n"},
    {HEAD "types:\n  One: {description: O., type: string}\n" METHOD EXAMPLE,
	"t:14:3: One: the name \"One\" is not made of small letters, digits "
	"and _, a letter first\n"},
    {HEAD,
	"t:1:1: api: no interface is declared; give the files of all "
	"modules\n"},
};

/* Each mistake gets its line, column and suggestion. */
static void
mistakes_are_found_where_they_are(void **state)
{
	size_t i, n = sizeof(mistakes) / sizeof(mistakes[0]);
	struct diag d;
	struct api *api;

	(void)state;
	for (i = 0; i < n; i++) {
		d = (struct diag)DIAG_INIT;
		api = load(mistakes[i].text, &d);
		buf_addc(&d.text, '\0');
		if (strcmp(d.text.p, mistakes[i].message) != 0)
			fail_msg("mistake %zu:\n%s  instead of\n%s", i,
			    d.text.p, mistakes[i].message);
		api_free(api);
		diag_fini(&d);
	}
}

/* One mistake does not hide the next; a flood is cut. */
static void
many_mistakes_are_all_found(void **state)
{
	struct buf text = BUF_INIT;
	struct diag d = DIAG_INIT;
	struct api *api;
	int i;

	(void)state;
	buf_adds(&text, HEAD METHOD EXAMPLE "        params:\n");
	for (i = 0; i < 300; i++)
		buf_addf(&text, "          p%d: {type: t%d, description: P.}\n",
		    i, i);
	buf_addc(&text, '\0');
	api = load(text.p, &d);
	assert_int_equal(d.n, 300);
	assert_true(diag_full(&d));
	buf_addc(&d.text, '\0');
	assert_non_null(strstr(d.text.p, "t:124:"));
	assert_null(strstr(d.text.p, "t:125:"));
	assert_non_null(strstr(d.text.p, "the rest is not shown"));
	api_free(api);
	diag_fini(&d);
	buf_fini(&text);
}

/* Depth, entries and bytes are bounded. */
static void
bounds_hold(void **state)
{
	struct diag d = DIAG_INIT;
	struct arena a = {NULL};
	struct buf text = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i <= YML_MAX_DEPTH; i++)
		buf_addc(&text, '[');
	for (i = 0; i <= YML_MAX_DEPTH; i++)
		buf_addc(&text, ']');
	assert_non_null(yml_parse(&a, "t", text.p, text.n, &d));
	assert_int_equal(d.n, 0);
	buf_reset(&text);
	for (i = 0; i <= YML_MAX_DEPTH + 1; i++)
		buf_addc(&text, '[');
	for (i = 0; i <= YML_MAX_DEPTH + 1; i++)
		buf_addc(&text, ']');
	assert_null(yml_parse(&a, "t", text.p, text.n, &d));
	assert_int_equal(d.n, 1);
	buf_reset(&text);
	buf_addc(&text, '[');
	for (i = 0; i <= YML_MAX_ENTRIES; i++)
		buf_adds(&text, "1,");
	buf_addc(&text, ']');
	assert_null(yml_parse(&a, "t", text.p, text.n, &d));
	assert_int_equal(d.n, 2);
	assert_null(yml_parse(&a, "t", text.p, YML_MAX_BYTES + 1, &d));
	assert_int_equal(d.n, 3);
	arena_fini(&a);
	diag_fini(&d);
	buf_fini(&text);
}

static const char types_text[] =
    HEAD "types:\n"
	 "  label: {type: string, description: L.}\n"
	 "  rec:\n"
	 "    description: R.\n"
	 "    fields:\n"
	 "      a: {type: label, description: A.}\n"
	 "      b: {type: 'list<pair<int64, float>>', description: B.}\n"
	 "      c: {type: var, optional: true, description: C.}\n"
	 "      d: {type: map<bool>, description: D.}\n"
	 "  var:\n"
	 "    description: V.\n"
	 "    tags: {None: {description: N.}, Some: {type: label, description: "
	 "S.}}\n" METHOD EXAMPLE;

/* A value, and what is wrong with it ("" = nothing). */
static const struct {
	const char *json, *why;
} values[] = {
    {"{\"a\":\"x\",\"b\":[],\"d\":{}}", ""},
    {"{\"a\":\"x\",\"b\":[[1,2.5],[3,4]],\"c\":\"None\",\"d\":{\"k\":true}}",
	""},
    {"{\"a\":\"x\",\"b\":[],\"c\":[\"Some\",\"y\"],\"d\":{}}", ""},
    {"[]", "expected rec, got []"},
    {"{\"b\":[],\"d\":{}}", "no member \"a\""},
    {"{\"a\":\"x\",\"b\":[],\"d\":{},\"e\":1}", "unknown member \"e\""},
    {"{\"a\":1,\"b\":[],\"d\":{}}", "a: expected string, got 1"},
    {"{\"a\":\"x\",\"b\":[[1,2],[3]],\"d\":{}}",
	"b[1]: expected pair<int64, float>, got [3]"},
    {"{\"a\":\"x\",\"b\":[[1,\"2\"]],\"d\":{}}",
	"b[0][1]: expected float, got \"2\""},
    {"{\"a\":\"x\",\"b\":[],\"c\":null,\"d\":{}}", "c: expected var, got null"},
    {"{\"a\":\"x\",\"b\":[],\"c\":[\"None\"],\"d\":{}}",
	"c: expected var, got [\"None\"]"},
    {"{\"a\":\"x\",\"b\":[],\"c\":[\"Some\",1],\"d\":{}}",
	"c[1]: expected string, got 1"},
    {"{\"a\":\"x\",\"b\":[],\"d\":{\"k\":1}}", "d.k: expected bool, got 1"},
};

/* Values are matched, and the place of what is wrong is named. */
static void
values_match_their_types(void **state)
{
	struct api *api = must_load(types_text);
	struct type rec = {.kind = TYPE_NAMED, .name = "rec"};
	struct buf why = BUF_INIT;
	json_t *v;
	size_t i;

	(void)state;
	rec.def = api_type(api, "rec");
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		v = json_loads(values[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		buf_reset(&why);
		assert_int_equal(type_match(&rec, v, &why),
		    values[i].why[0] != '\0' ? -1 : 0);
		buf_addc(&why, '\0');
		assert_string_equal(why.p, values[i].why);
		json_decref(v);
	}
	v = tdef_sample(rec.def);
	assert_int_equal(type_match(&rec, v, &why), 0);
	json_decref(v);
	buf_fini(&why);
	api_free(api);
}

/* Paragraphs, items and code keep apart; lines fit. */
static void
prose_is_filled_by_blocks(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	prose_fill(&b,
	    "one two\nthree four\n\n- item that is\n  long\n- next\n\n"
	    "    code  x\n\n      y\n\nend `a b`",
	    "# ", 13);
	assert_bytes(b.p, b.n,
	    "# one two\n# three four\n#\n# - item that\n#   is long\n"
	    "# - next\n#\n#     code  x\n\n#       y\n#\n# end `a b`\n");
	buf_fini(&b);
}

/* The first sentence; spans of code. */
static void
prose_parts(void **state)
{
	const char *p = "see `a.b` and `c";
	struct str s = prose_first("It is 1.5 long. More.");
	struct str run;
	bool code;

	(void)state;
	assert_bytes(s.p, s.n, "It is 1.5 long.");
	assert_true(prose_span(&p, &run, &code));
	assert_bytes(run.p, run.n, "see ");
	assert_false(code);
	assert_true(prose_span(&p, &run, &code));
	assert_bytes(run.p, run.n, "a.b");
	assert_true(code);
	assert_true(prose_span(&p, &run, &code));
	assert_bytes(run.p, run.n, " and ");
	assert_true(prose_span(&p, &run, &code));
	assert_bytes(run.p, run.n, "`c");
	assert_false(code);
	assert_false(prose_span(&p, &run, &code));
}

/* The nearest name is offered, and none that is far. */
static void
suggestions_are_near(void **state)
{
	struct suggest s;

	(void)state;
	suggest_init(&s, "stirng");
	suggest_offer(&s, "bool");
	suggest_offer(&s, "string");
	assert_string_equal(suggest_text(&s), " (did you mean \"string\"?)");
	suggest_init(&s, "volume");
	suggest_offer(&s, "bool");
	assert_string_equal(suggest_text(&s), "");
}

/* Every format takes every good model. */
static void
emitters_write_something(void **state)
{
	struct api *api = must_load(HEAD METHOD EXAMPLE);
	struct out_file *f;
	struct out o;
	size_t i;

	(void)state;
	for (i = 0; emitters[i] != NULL; i++) {
		o = (struct out){NULL};
		emitters[i]->emit(api, &o);
		assert_non_null(o.files);
		for (f = o.files; f != NULL; f = f->next) {
			assert_true(buf_ok(&f->text));
			assert_true(f->text.n > 0);
			assert_int_equal(f->text.p[f->text.n - 1], '\n');
		}
		out_fini(&o);
	}
	api_free(api);
}

/* Run all cases. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_declarations_load),
	    cmocka_unit_test(mistakes_are_found_where_they_are),
	    cmocka_unit_test(many_mistakes_are_all_found),
	    cmocka_unit_test(bounds_hold),
	    cmocka_unit_test(values_match_their_types),
	    cmocka_unit_test(prose_is_filled_by_blocks),
	    cmocka_unit_test(prose_parts),
	    cmocka_unit_test(suggestions_are_near),
	    cmocka_unit_test(emitters_write_something),
	};

	return cmocka_run_group_tests_name("idl", tests, NULL, NULL);
}
