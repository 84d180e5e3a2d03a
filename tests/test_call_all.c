/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What holds for all calls: none is missing, any script may fail, memory may
 * run out, every method of SMAPIv3 can be called as it is. */
#include "support/unit.h"

#include "call_json.h"
#include "gen_smapi.h"
#include "support/callcase.h"

static struct callcase cases[MAX_CASES];
static size_t ncases;

/* The cases that go well, and all others. */
static int
setup(void **state)
{
	(void)state;
	ncases = callcase_read("samples.call", cases, 0, MAX_CASES);
	ncases = callcase_read("calls.call", cases, ncases, MAX_CASES);
	ncases = callcase_read("rules.call", cases, ncases, MAX_CASES);
	ncases = callcase_read("envelope.call", cases, ncases, MAX_CASES);
	return 0;
}

/* Gone again. */
static int
teardown(void **state)
{
	(void)state;
	callcase_free(cases, ncases);
	return 0;
}

/* The reply in a log. */
static const char *
reply_in(const char *log)
{
	const char *s = strstr(log, "\n< ");

	return s != NULL ? s + 3 : log + 2;
}

/* The n-th line (from 1) of a log that begins so, or NULL. */
static const char *
nth(const char *log, const char *begins, size_t n)
{
	const char *s;

	for (s = log; s != NULL && *s != '\0'; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (strncmp(s, begins, strlen(begins)) == 0 && --n == 0)
			return s;
	}
	return NULL;
}

/* Do two lines say the same? */
static bool
same_line(const char *a, const char *b)
{
	size_t n;

	if (a == NULL || b == NULL)
		return false;
	n = strcspn(a, "\n");
	return n == strcspn(b, "\n") && strncmp(a, b, n) == 0;
}

/* ---- none is missing ---- */

/* 81 calls, of which 49 are implemented, each with a case. */
static void
every_call_has_a_case(void **state)
{
	const struct call_info *info;
	struct play p = {.log = BUF_INIT};
	size_t i, k, v2 = 0, done = 0, v3 = 0;

	(void)state;
	for (i = 0; (info = call_at(i)) != NULL; i++) {
		if (strncmp(info->name, "smapiv3.", 8) == 0) {
			v3++;
			continue;
		}
		v2++;
		done += info->implemented;
		for (k = 0; k < ncases; k++) {
			play_run(&p, &cases[k]);
			if (strcmp(p.method, info->name) == 0 &&
			    (strstr(reply_in(p.log.p),
				 "\"Unimplemented\",\"") == NULL) ==
				info->implemented)
				break;
		}
		if (k == ncases)
			fail_msg("%s has no case", info->name);
		assert_int_equal(p.idempotent, info->idempotent);
	}
	assert_int_equal(v2, 81);
	assert_int_equal(done, 49);
	assert_int_equal(v3, 49);
	play_fini(&p);
}

/* Calls with a script that must not be run twice. */
static void
some_calls_are_not_idempotent(void **state)
{
	static const char *const not [] = {"SR.create", "SR.destroy",
	    "VDI.create", "VDI.destroy", "VDI.snapshot", "VDI.clone",
	    "VDI.revert", "VDI.compose", "VDI.epoch_begin", "VDI.epoch_end",
	    "DATA.mirror"};
	const struct call_info *info;
	size_t i, k, n = sizeof(not ) / sizeof(not [0]);

	(void)state;
	for (i = 0; (info = call_at(i)) != NULL; i++) {
		if (strncmp(info->name, "smapiv3.", 8) == 0)
			break;
		for (k = 0; k < n && strcmp(not [k], info -> name) != 0; k++)
			;
		if (info->idempotent != (k == n))
			fail_msg("%s", info->name);
	}
}

/* ---- any script may fail ---- */

/* Scripts that undo what came before, by call. */
static const struct {
	const char *method, *script;
} undo[] = {
    {"SR.attach", "run SR.detach "},
    {"VDI.create", "run Volume.destroy "},
    {"VDI.snapshot", "run Volume.destroy "},
    {"VDI.clone", "run Volume.destroy "},
    {"VDI.epoch_begin", "run Volume.destroy "},
    {"VDI.epoch_begin", "run two/Datapath.close "},
};

/* Is the line one that undoes? */
static bool
undoes(const char *method, const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(undo) / sizeof(undo[0]); i++)
		if (strcmp(undo[i].method, method) == 0 &&
		    strncmp(line, undo[i].script, strlen(undo[i].script)) == 0)
			return true;
	return false;
}

#define OBJECT                                                                 \
	"{\"code\":\"C\",\"params\":[\"p\"],\"backtrace\":{\"error\":\"\","    \
	"\"files\":[],\"lines\":[]}}"

static const struct {
	struct job_result how;
	const char *error;
} failures[] = {
    {{.end = JOB_EXIT, .code = 1, .out = {OBJECT, sizeof(OBJECT) - 1}},
	"[\"Backend_error_with_backtrace\",[\"C\","
	"[\"{\\\"error\\\":\\\"\\\",\\\"files\\\":[],"
	"\\\"lines\\\":[]}\",\"p\"]]]"},
    {{.end = JOB_EXIT, .out = {"[", 1}}, "\"bad json on stdout\""},
    {{.end = JOB_SIGNAL, .code = 15}, "\"signalled\",\"SIGTERM\""},
    {{.end = JOB_TIMEOUT}, "\"time limit\""},
    {{.end = JOB_CANCELLED}, "[\"Cancelled\",\""},
    {{.end = JOB_OUTPUT}, "\"too much output\""},
    {{.end = JOB_NOEXEC}, "\"127\""},
    {{.end = JOB_LOST}, "\"interrupted, outcome unknown\""},
    {{.end = JOB_NOSTART}, "cannot be started"},
};

/* Case k, whose log is `good`, with script number `at` failing. */
static void
fail_one(const struct callcase *k, const char *good, size_t at, size_t how)
{
	struct play p = {
	    .log = BUF_INIT, .fail_at = at, .failure = &failures[how].how};
	const char *line, *reply;
	size_t i;

	play_run(&p, k);
	reply = reply_in(p.log.p);
	if (strncmp(reply, "{\"result\":null,\"error\":[", 24) != 0 ||
	    strstr(reply, failures[how].error) == NULL)
		fail_msg("%s, script %zu: %s", k->name, at, p.log.p);
	for (i = 1; (line = nth(p.log.p, "run ", i)) != NULL; i++) {
		if (i <= at ? !same_line(line, nth(good, "run ", i))
			    : !undoes(p.method, line))
			fail_msg("%s, script %zu: %s", k->name, at, p.log.p);
	}
	play_fini(&p);
}

/* Whatever fails ends the call; only what undoes it runs after that. */
static void
any_script_may_fail(void **state)
{
	struct play good = {.log = BUF_INIT};
	size_t k, at, how, tried = 0;

	(void)state;
	for (k = 0; k < ncases; k++) {
		play_run(&good, &cases[k]);
		if (strstr(reply_in(good.log.p), "\"error\":null") == NULL)
			continue;
		for (at = 1; nth(good.log.p, "run ", at) != NULL; at++)
			for (how = 0;
			     how < sizeof(failures) / sizeof(failures[0]);
			     how++, tried++)
				fail_one(&cases[k], good.log.p, at, how);
	}
	assert_true(tried > 1000);
	play_fini(&good);
}

/* ---- memory may run out ---- */

static long budget; /* allocations that still work; -1: all */

/* malloc until the budget is spent; then it works again. */
static void *
scarce(size_t n)
{
	if (budget > 0 && --budget == 0)
		return NULL;
	return malloc(n);
}

/* Every script in `log` is one of `good`, or undoes. */
static void
assert_no_odd_script(const struct play *p, const char *log, const char *good)
{
	const char *line;
	size_t i, j;

	for (i = 1; (line = nth(log, "run ", i)) != NULL; i++) {
		for (j = 1; nth(good, "run ", j) != NULL; j++)
			if (same_line(line, nth(good, "run ", j)))
				break;
		if (nth(good, "run ", j) == NULL && !undoes(p->method, line))
			fail_msg("%s: %s", p->k->name, log);
	}
}

/* Does a log end with a failure, or without a call? */
static bool
is_failure(const char *log)
{
	return strncmp(reply_in(log), "{\"result\":null,\"error\":[", 24) ==
	    0 ||
	    strcmp(log, "no call\n") == 0;
}

/* Any one allocation of a tree may fail: no script gets other parameters. */
static void
memory_may_run_out(void **state)
{
	struct play good = {.log = BUF_INIT}, p = {.log = BUF_INIT};
	size_t k, tried = 0;
	long n;

	(void)state;
	for (k = 0; k < ncases; k++) {
		play_run(&good, &cases[k]);
		json_set_alloc_funcs(scarce, free);
		for (n = 1;; n++) {
			budget = n;
			play_run(&p, &cases[k]);
			tried++;
			assert_no_odd_script(&p, p.log.p, good.log.p);
			if (strcmp(reply_in(p.log.p), reply_in(good.log.p)) !=
				0 &&
			    !is_failure(p.log.p))
				fail_msg("%s: %s", cases[k].name, p.log.p);
			if (budget > 0)
				break;
		}
		budget = 0;
		json_set_alloc_funcs(malloc, free);
		assert_string_equal(p.log.p, good.log.p);
	}
	assert_true(tried > 10000);
	play_fini(&good);
	play_fini(&p);
}

/* ---- SMAPIv3 as it is ---- */

/* A value of a type, as text. */
static void
sample(struct buf *b, const struct idl_type *t, const char *name)
{
	const struct idl_field *f;

	switch (t->kind) {
	case IDL_STRING:
		buf_adds(b, strcmp(name, "uri") == 0 ? "\"dpx://v\"" : "\"s\"");
		break;
	case IDL_INT:
	case IDL_INT64: buf_adds(b, "-7"); break;
	case IDL_FLOAT: buf_adds(b, "0.25"); break;
	case IDL_BOOL: buf_adds(b, "true"); break;
	case IDL_UNIT: buf_adds(b, "null"); break;
	case IDL_LIST:
		buf_addc(b, '[');
		sample(b, t->a, "");
		buf_addc(b, ']');
		break;
	case IDL_MAP:
		buf_adds(b, "{\"m\":");
		sample(b, t->a, "");
		buf_addc(b, '}');
		break;
	case IDL_PAIR:
		buf_addc(b, '[');
		sample(b, t->a, "");
		buf_addc(b, ',');
		sample(b, t->b, "");
		buf_addc(b, ']');
		break;
	case IDL_RECORD:
		for (f = t->fields; f->name != NULL; f++) {
			buf_addf(b, "%s\"%s\":", f == t->fields ? "{" : ",",
			    f->name);
			sample(b, f->type, f->name);
		}
		buf_addc(b, '}');
		break;
	case IDL_VARIANT:
		f = t->fields;
		buf_addf(b, f->type != NULL ? "[\"%s\"," : "\"%s\"", f->name);
		if (f->type != NULL) {
			sample(b, f->type, "");
			buf_addc(b, ']');
		}
	}
}

/* Parameters of a method, in reverse order. */
static void
sample_params(struct buf *b, const struct idl_method *m)
{
	const struct idl_field *f = m->params;
	const char *comma = "{";

	while (f->name != NULL)
		f++;
	while (f-- > m->params) {
		buf_addf(b, "%s\"%s\":", comma, f->name);
		sample(b, f->type, f->name);
		comma = ",";
	}
	buf_addc(b, '}');
}

/* A line of a case that is made here. */
static void
line(struct callcase *k, const char *a, const char *b, const char *rest)
{
	struct buf s = BUF_INIT;

	buf_addf(&s, "%s%s%s", a, b, rest);
	k->line[k->n++] = buf_steal(&s, NULL);
}

/* A method with values of all its types. */
static void
pass_one(const struct idl_method *m)
{
	struct callcase k = {.file = "", .name = strdup(m->name)};
	bool datapath = strncmp(m->name, "Data", 4) == 0;
	struct buf params = BUF_INIT, result = BUF_INIT, b = BUF_INIT;
	struct play p = {.log = BUF_INIT};

	sample_params(&params, m);
	buf_addc(&params, '\0');
	sample(&result, m->result, "");
	buf_addc(&result, '\0');
	buf_addf(&b, "{\"method\":\"smapiv3.%s\",\"id\":\"q\",\"params\":[{",
	    m->name);
	if (datapath && strstr(params.p, "\"uri\"") == NULL)
		buf_adds(&b, "\"datapath\":\"dpx\",");
	buf_addf(&b, "%s]}", params.p + 1);
	buf_addc(&b, '\0');
	line(&k, "> ", b.p, "");
	buf_reset(&b);
	buf_addf(&b, "%s%s %s", datapath ? "dpx/" : "", m->name, params.p);
	buf_addc(&b, '\0');
	line(&k, "run ", b.p, "");
	line(&k, "= ", result.p, "");
	line(&k, "< {\"result\":", result.p, ",\"error\":null,\"id\":\"q\"}");
	buf_reset(&b);
	play_expected(&k, &b);
	buf_addc(&b, '\0');
	play_run(&p, &k);
	assert_string_equal(p.log.p, b.p);
	assert_int_equal(p.idempotent, m->idempotent);
	callcase_free(&k, 1);
	buf_fini(&params);
	buf_fini(&result);
	buf_fini(&b);
	play_fini(&p);
}

/* All of them. */
static void
every_method_passes_through(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SMAPI_N_METHODS; i++)
		pass_one(&smapi_methods[i]);
}

/* By a name, with the tests' own setup. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_call_has_a_case),
	    cmocka_unit_test(some_calls_are_not_idempotent),
	    cmocka_unit_test(any_script_may_fail),
	    cmocka_unit_test(memory_may_run_out),
	    cmocka_unit_test(every_method_passes_through),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
