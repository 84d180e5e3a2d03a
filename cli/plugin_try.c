/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One call of a plugin's script, judged: it ends by itself, prints one value of
 * JSON, of the declared type; or an error object and a status that is not 0.
 * What the adapter would put up with is a warning.
 */
#include <jansson.h>

#include "plugin_try.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../storage-adapter/trial.h"
#include "clock.h"
#include "gen_smapi.h"
#include "redact.h"
#include "text.h"
#include "units.h"

#define TAIL 300 /* bytes shown of what a script said */

/* ---- lines ---- */

static const struct {
	const char *word, *sign, *plain;
	const char *color;
} verdicts[] = {
    [TRY_OK] = {"ok", "\u2713", "ok  ", "\033[32m"},
    [TRY_FAIL] = {"fail", "\u2717", "FAIL", "\033[31m"},
    [TRY_WARN] = {"warn", "!", "warn", "\033[33m"},
    [TRY_SKIP] = {"skip", "-", "skip", ""},
};

static const struct col cols[] = {
    {"check", "CHECK", COL_TEXT, false, "what was tried"},
    {"verdict", "VERDICT", COL_TEXT, false, "ok, warn, fail or skip"},
    {"duration_s", "TOOK", COL_TOOK, false, "of the script"},
    {"text", "TEXT", COL_TEXT, false, "why"},
};

static const struct col sum_cols[] = {
    {"plugin", "PLUGIN", COL_TEXT, false, "name of the folder"},
    {"dir", "FOLDER", COL_TEXT, false, "as it was given"},
    {"kind", "KIND", COL_TEXT, false, "volume or datapath"},
    {"passed", "PASSED", COL_INT, false, "checks"},
    {"failed", "FAILED", COL_INT, false, "checks"},
    {"warnings", "WARNINGS", COL_INT, false, "checks"},
    {"skipped", "SKIPPED", COL_INT, false, "checks"},
};

int
try_begin(struct check *k)
{
	return k->c->json ? out_table(&k->c->out, "check", cols, 4, &k->c->why)
			  : 0;
}

void
try_end(struct check *k)
{
	struct out *o = &k->c->out;

	out_end(o);
	if (!k->c->json) {
		buf_addf(out_buf(o), "%s: %d passed, %d failed, %d warning%s",
		    k->name, k->ok, k->failed, k->warned,
		    k->warned == 1 ? "" : "s");
		if (k->skipped > 0)
			buf_addf(out_buf(o), ", %d skipped", k->skipped);
		out_line(o, true);
		return;
	}
	if (out_table(o, "checked", sum_cols, 7, &k->c->why) == -1)
		return; /* --columns names what only checks have */
	out_text(o, 0, str_of(k->name));
	out_text(o, 1, str_of(k->dir));
	out_text(o, 2, str_of(k->volume ? "volume" : "datapath"));
	out_int(o, 3, k->ok);
	out_int(o, 4, k->failed);
	out_int(o, 5, k->warned);
	out_int(o, 6, k->skipped);
	out_row(o);
	out_end(o);
}

/* For people. */
static void
put_line(struct check *k, enum verdict v, const char *what, double took_s,
    struct str why)
{
	struct buf *b = out_buf(&k->c->out);
	bool color = k->c->out.color;
	char took[UNITS_MAX];

	if (k->c->quiet && (v == TRY_OK || v == TRY_SKIP))
		return;
	buf_addf(b, "%s%s%s %s", color ? verdicts[v].color : "",
	    k->utf8 ? verdicts[v].sign : verdicts[v].plain,
	    color ? "\033[0m" : "", what);
	if (took_s >= 0) {
		units_took(took, took_s);
		buf_addf(b, " (%s)", took);
	}
	if (why.n > 0)
		buf_adds(b, ": ");
	text_put(b, why);
	out_line(&k->c->out, true);
}

/* For programs. */
static void
put_row(struct check *k, enum verdict v, const char *what, double took_s,
    struct str why)
{
	struct out *o = &k->c->out;

	out_text(o, 0, str_of(what));
	out_text(o, 1, str_of(verdicts[v].word));
	if (took_s >= 0)
		out_real(o, 2, took_s);
	if (why.n > 0)
		out_text(o, 3, why);
	out_row(o);
}

static void
say(struct check *k, enum verdict v, const char *what, double took_s,
    struct str why)
{
	int *counts[] = {&k->ok, &k->failed, &k->warned, &k->skipped};

	if (trial_stopped(k->t))
		return;
	++*counts[v];
	if (k->c->json)
		put_row(k, v, what, took_s, why);
	else
		put_line(k, v, what, took_s, why);
}

void
try_say(struct check *k, enum verdict v, const char *what, double took_s,
    const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	if (fmt != NULL)
		buf_vaddf(&b, fmt, ap);
	va_end(ap);
	say(k, v, what, took_s, (struct str){b.p, b.n});
	buf_fini(&b);
}

bool
try_that(struct check *k, bool right, const char *what, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	if (!right)
		buf_vaddf(&b, fmt, ap);
	va_end(ap);
	say(k, right ? TRY_OK : TRY_FAIL, what, -1, (struct str){b.p, b.n});
	buf_fini(&b);
	return right;
}

/* ---- calls ---- */

bool
try_has(struct check *k, int method)
{
	const char *path;

	return trial_find(k->t, smapi_methods[method].script, &path,
		   &(struct err){0}) != TRIAL_NONE;
}

/* The last of what was said, secrets masked, as one line. */
static void
put_tail(struct buf *b, const char *before, struct str s)
{
	char text[TAIL];
	size_t n;

	while (s.n > 0 && strchr(" \n", s.p[s.n - 1]) != NULL)
		s.n--;
	if (s.n == 0)
		return;
	if (s.n > TAIL)
		s = (struct str){s.p + s.n - TAIL, TAIL};
	n = redact(text, sizeof text, s);
	buf_adds(b, before);
	buf_add(b, text, n);
}

/* Run it; false after saying why it did not come to an end. */
static bool
launch(struct check *k, const char *what, int method, json_t *params,
    struct trial_run *r)
{
	char *input;
	struct err e;
	int rc;

	if (json_object_get(params, "dbg") == NULL)
		json_object_set_new(
		    params, "dbg", json_string("xmsg plugin check"));
	input = json_dumps(params, JSON_COMPACT);
	rc =
	    trial_run(k->t, smapi_methods[method].script, str_of(input), r, &e);
	free(input);
	json_decref(params);
	if (rc == -1)
		try_say(k, TRY_FAIL, what, -1, "%s", e.text);
	return rc == 0;
}

/* The one value that was printed; NULL with why not. */
static json_t *
printed(const struct trial_run *r, struct buf *why)
{
	json_error_t je;
	json_t *v = r->out.n == 0
	    ? NULL
	    : json_loadb(r->out.p, r->out.n, JSON_DECODE_ANY, &je);

	if (r->out.n == 0)
		buf_adds(why, "it printed nothing");
	else if (v == NULL)
		buf_addf(
		    why, "it printed no single value of JSON: %s", je.text);
	if (v == NULL && r->out.n > 0)
		put_tail(why, ": ", r->out);
	return v;
}

/* The declared form of a value, with remarks; NULL with why not. */
static json_t *
declared(
    const struct idl_method *m, json_t *v, struct buf *why, struct buf *remark)
{
	struct idl_fault f;
	char text[300];
	json_t *d = idl_decode(m->result, v, &f);

	if (d == NULL) {
		idl_fault_text(&f, text, sizeof text);
		buf_addf(why, "the answer is not of type %s: %s",
		    m->result->name, text);
	} else if (idl_check(m->result, v, &f) < 0) {
		idl_fault_text(&f, text, sizeof text);
		buf_addf(remark, "taken, but not of type %s: %s",
		    m->result->name, text);
	}
	return d;
}

/* The error object of a run in words: "CODE: param; param"; false when it is
 * none. */
static bool
put_error(struct buf *b, const struct trial_run *r)
{
	json_t *v = json_loadb(r->out.p ? r->out.p : "", r->out.n, 0, NULL);
	struct idl_fault f;
	json_t *error = v != NULL ? idl_decode(&idl_failure, v, &f) : NULL;
	json_t *list = json_object_get(error, "params"), *e;
	size_t i;

	if (error != NULL)
		buf_addf(b, "failed with %s",
		    json_string_value(json_object_get(error, "code")));
	json_array_foreach(list, i, e)
	{
		put_tail(b, i == 0 ? ": " : "; ",
		    (struct str){json_string_value(e), json_string_length(e)});
	}
	json_decref(error);
	json_decref(v);
	return error != NULL;
}

/* The answer of a run; NULL with why there is none. */
static json_t *
judge(const struct idl_method *m, const struct trial_run *r, struct buf *why,
    struct buf *remark)
{
	json_t *v, *d;

	if (!r->exited || r->status != 0) {
		if (r->exited && put_error(why, r))
			return NULL;
		buf_adds(why, r->how);
		put_tail(why, ": ", r->err.n > 0 ? r->err : r->out);
		return NULL;
	}
	v = printed(r, why);
	if (v == NULL)
		return NULL;
	d = declared(m, v, why, remark);
	json_decref(v);
	return d;
}

static json_t *
call(struct check *k, const char *what, int method, json_t *params, bool loud)
{
	const struct idl_method *m = &smapi_methods[method];
	struct buf why = BUF_INIT, remark = BUF_INIT;
	struct trial_run r;
	double took;
	json_t *v;

	if (what == NULL)
		what = m->name;
	if (!launch(k, what, method, params, &r))
		return NULL;
	took = (double)r.took_ns / 1e9;
	v = judge(m, &r, &why, &remark);
	if (v == NULL)
		say(k, TRY_FAIL, what, took, (struct str){why.p, why.n});
	else if (remark.n > 0)
		say(k, TRY_WARN, what, took, (struct str){remark.p, remark.n});
	else if (loud)
		say(k, TRY_OK, what, took, STR(""));
	buf_fini(&why);
	buf_fini(&remark);
	return v;
}

json_t *
try_call(struct check *k, const char *what, int method, json_t *params)
{
	return call(k, what, method, params, true);
}

bool
try_done(struct check *k, const char *what, int method, json_t *params)
{
	json_t *v = call(k, what, method, params, true);

	json_decref(v);
	return v != NULL;
}

json_t *
try_look(struct check *k, int method, json_t *params)
{
	return call(k, NULL, method, params, false);
}

/* ---- failures ---- */

/* Is it the error that was wanted, by its code or its first parameter? */
static bool
is_code(const json_t *error, const char *code)
{
	const char *c = json_string_value(json_object_get(error, "code"));
	const char *p = json_string_value(
	    json_array_get(json_object_get(error, "params"), 0));

	return code == NULL || (c != NULL && strcmp(c, code) == 0) ||
	    (p != NULL && strcmp(p, code) == 0);
}

/* What is wrong with a failure; TRY_OK: nothing. */
static enum verdict
judge_failure(const struct trial_run *r, const char *code, struct buf *why)
{
	struct idl_fault f;
	json_t *v, *error;
	char text[300];

	if (!r->exited) {
		buf_adds(why, r->how);
		return TRY_FAIL;
	}
	if (r->status == 0) {
		buf_adds(why, "it should fail, but ended with exit status 0");
		put_tail(why, " and printed ", r->out);
		return TRY_FAIL;
	}
	v = printed(r, why);
	error = v != NULL ? idl_decode(&idl_failure, v, &f) : NULL;
	if (v != NULL && error == NULL) {
		idl_fault_text(&f, text, sizeof text);
		buf_addf(why,
		    "its error is not of the form"
		    " {\"code\":..,\"params\":[..],\"backtrace\":{..}}: %s",
		    text);
	}
	json_decref(v);
	if (error == NULL)
		return TRY_FAIL;
	if (is_code(error, code)) {
		json_decref(error);
		return TRY_OK;
	}
	buf_addf(why, "it fails, but not with %s: %s", code,
	    json_string_value(json_object_get(error, "code")));
	json_decref(error);
	return TRY_WARN;
}

void
try_refused(struct check *k, const char *what, int method, json_t *params,
    const char *code)
{
	struct buf why = BUF_INIT;
	struct trial_run r;
	enum verdict v;

	if (!launch(k, what, method, params, &r))
		return;
	v = judge_failure(&r, code, &why);
	say(k, v, what, (double)r.took_ns / 1e9, (struct str){why.p, why.n});
	buf_fini(&why);
}

void
try_either(struct check *k, const char *what, int method, json_t *params)
{
	const struct idl_method *m = &smapi_methods[method];
	struct buf why = BUF_INIT, remark = BUF_INIT;
	enum verdict v = TRY_OK;
	struct trial_run r;
	json_t *answer;

	if (!launch(k, what, method, params, &r))
		return;
	if (r.exited && r.status == 0) {
		answer = judge(m, &r, &why, &remark);
		v = answer == NULL ? TRY_FAIL : remark.n ? TRY_WARN : TRY_OK;
		json_decref(answer);
	} else {
		v = judge_failure(&r, NULL, &why);
	}
	buf_add(&why, remark.p, remark.n);
	say(k, v, what, (double)r.took_ns / 1e9, (struct str){why.p, why.n});
	buf_fini(&why);
	buf_fini(&remark);
}
