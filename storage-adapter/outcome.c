/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * From the end of a script to a value or an error.  Lists of errors end with
 * what the script wrote to standard error; when it wrote nothing, with its
 * output once more, as the original does always.
 */
#include "outcome.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "call_json.h"
#include "call_text.h"
#include "each.h"
#include "gen_smapi.h"
#include "v2.h"

#define MAX_OUT 1024 /* bytes of output in an error */
#define MAX_ERR 4096 /* bytes of standard error in an error */
#define MISSING "Check whether the file exists and has correct permissions"
#define NO_EXIT "non-zero exit and bad json on stdout"

/* ---- lists of errors ---- */

/* Add to a list; takes v. */
static void
add(json_t **list, json_t *v)
{
	if (json_array_append_new(*list, v) < 0) {
		json_decref(*list);
		*list = NULL;
	}
}

/* The beginning of what was printed. */
static json_t *
out_text(const struct call_ran *r)
{
	return tree_text(text_head(r->result->out, MAX_OUT));
}

/* The end of what was said, or what was printed. */
static json_t *
err_text(const struct call_ran *r)
{
	if (r->result->err.n == 0)
		return out_text(r);
	return tree_text(text_tail(r->result->err, MAX_ERR));
}

/* [script, what, detail, stdout, stderr] */
static json_t *
failed(const struct call_ran *r, const char *what, const char *detail)
{
	json_t *list = json_array();

	add(&list, tree_text(str_of(r->path)));
	add(&list, json_string(what));
	add(&list, tree_text(str_of(detail)));
	add(&list, out_text(r));
	add(&list, err_text(r));
	return v2_backend_error("SCRIPT_FAILED", list);
}

/* Exit 0, but no JSON: [script, what, stdout], and stderr if there is any. */
static json_t *
bad_json(const struct call_ran *r)
{
	json_t *list = json_array();

	add(&list, tree_text(str_of(r->path)));
	add(&list, json_string("bad json on stdout"));
	add(&list, out_text(r));
	if (r->result->err.n > 0)
		add(&list, err_text(r));
	return v2_backend_error("SCRIPT_FAILED", list);
}

/* What nothing else fits: one text. */
static json_t *
unexpected(const struct call_ran *r, const char *text)
{
	json_t *list = json_array();

	add(&list, tree_textf("Unexpected exception:%s: %s", r->path, text));
	return v2_backend_error("SCRIPT_FAILED", list);
}

/* It could not be looked up. */
static json_t *
not_found(const struct call_ran *r)
{
	bool missing = r->found == CALL_MISSING;
	json_t *list = json_array();

	if (r->found == CALL_NO_DIR) {
		json_decref(list);
		return unexpected(r, r->why != NULL ? r->why : "no folder");
	}
	add(&list, tree_text(str_of(r->path)));
	add(&list,
	    tree_text(str_of(missing || r->why == NULL ? MISSING : r->why)));
	return v2_backend_error(
	    missing ? "SCRIPT_MISSING" : "SCRIPT_NOT_EXECUTABLE", list);
}

/* SIGKILL; SIG(77) */
static json_t *
signalled(const struct call_ran *r)
{
	const char *abbrev = sigabbrev_np(r->result->code);
	char name[32];

	if (abbrev != NULL)
		snprintf(name, sizeof(name), "SIG%s", abbrev);
	else
		snprintf(name, sizeof(name), "SIG(%d)", r->result->code);
	return failed(r, "signalled", name);
}

/* exec failed: as a shell would have it. */
static json_t *
no_exec(const struct call_ran *r)
{
	json_t *list = json_array();

	add(&list, tree_text(str_of(r->path)));
	add(&list, json_string(NO_EXIT));
	add(&list, json_string("127"));
	add(&list, json_string(""));
	add(&list, tree_text(str_of(strerror(r->result->code))));
	return v2_backend_error("SCRIPT_FAILED", list);
}

/* ---- the error object ---- */

/* files and lines are read in pairs. */
static void
equalise(json_t *t)
{
	json_t *files = json_object_get(t, "files");
	json_t *lines = json_object_get(t, "lines");

	while (json_array_size(files) < json_array_size(lines))
		json_array_append_new(files, json_string(""));
	while (json_array_size(lines) < json_array_size(files))
		json_array_append_new(lines, json_integer(0));
}

/* The backtrace as a text. */
static json_t *
trace_text(json_t *t)
{
	struct buf b = BUF_INIT;
	json_t *text;

	equalise(t);
	tree_write(&b, t);
	text = buf_ok(&b) ? json_stringn(b.p, b.n) : NULL;
	buf_fini(&b);
	return text;
}

/* From the script's error object, decoded. */
static json_t *
declared(json_t *object)
{
	json_t *params = json_object_get(object, "params"), *list;
	const char *first = json_string_value(json_array_get(params, 0));

	if (json_array_size(params) == 2 &&
	    strcmp(first, "Activated_on_another_host") == 0)
		return v2_error(
		    first, json_string_value(json_array_get(params, 1)));
	list = json_array();
	add(&list, trace_text(json_object_get(object, "backtrace")));
	if (json_array_extend(list, params) < 0) {
		json_decref(list);
		return NULL;
	}
	return json_pack("[s,[O,o]]", "Backend_error_with_backtrace",
	    json_object_get(object, "code"), list);
}

/* It exited with another status than 0. */
static json_t *
exited(const struct call_ran *r)
{
	char why[200], status[16];
	json_t *raw = tree_read(r->result->out, why, sizeof(why));
	json_t *object, *error;
	struct idl_fault f;

	object = raw != NULL ? v2_decode(&idl_failure, raw, &f) : NULL;
	json_decref(raw);
	snprintf(status, sizeof(status), "%d", r->result->code);
	if (object == NULL)
		return failed(r, NO_EXIT, status);
	error = declared(object);
	json_decref(object);
	return error;
}

/* Any end but exit 0. */
static json_t *
ended(const struct call_ran *r)
{
	const struct job_result *j = r->result;
	char text[300];

	switch (j->end) {
	case JOB_EXIT: return exited(r);
	case JOB_SIGNAL: return signalled(r);
	case JOB_NOEXEC: return no_exec(r);
	case JOB_OUTPUT: return failed(r, "too much output", "");
	case JOB_LOST:
		return failed(r, "interrupted, outcome unknown",
		    r->rebooted ? "the machine was restarted" : "");
	case JOB_TIMEOUT:
		snprintf(text, sizeof(text), "%lld",
		    (long long)((j->took_ns + 500000000) / 1000000000));
		return failed(r, "time limit", text);
	case JOB_CANCELLED:
		snprintf(text, sizeof(text), "%s: cancelled", r->path);
		return v2_error("Cancelled", text);
	default:
		snprintf(text, sizeof(text), "cannot be started: %s",
		    strerror(j->code));
		return unexpected(r, text);
	}
}

/* ---- values ---- */

/* A member that plugins of API 3.0 don't know; -1: out of memory. */
static int
add_sharable(json_t *volume)
{
	if (!json_is_object(volume))
		return 0;
	return json_object_set_new(volume, "sharable", json_false());
}

/* The rules for plugins of API 3.0 (2.6); may change v. */
static json_t *
compat(const struct outcome_of *o, json_t *v)
{
	int bad = 0;
	json_t *e;
	size_t i;

	if (o->method == &smapi_methods[SMAPI_SR_CREATE] && json_is_null(v))
		return json_deep_copy(
		    json_object_get(o->params, "configuration"));
	if (o->method == &smapi_methods[SMAPI_VOLUME_STAT] ||
	    o->method == &smapi_methods[SMAPI_VOLUME_CREATE])
		bad = add_sharable(v);
	if (o->method == &smapi_methods[SMAPI_SR_LS])
		array_each (v, i, e)
			bad |= add_sharable(e);
	return bad == 0 ? json_incref(v) : NULL;
}

/* Can this volume be understood?  If not, people are told. */
static bool
is_volume(const struct outcome_of *o, const struct call_ran *r, json_t *v,
    size_t number)
{
	char text[300], line[700];
	struct idl_fault f;
	json_t *out = v2_decode(&smapi_volume, v, &f);

	json_decref(out);
	if (out != NULL || f.kind == IDL_NOMEM)
		return true;
	idl_fault_text(&f, text, sizeof(text));
	snprintf(line, sizeof(line), "%s: volume %zu is left out: %s", r->path,
	    number, text);
	o->note(o->arg, line);
	return false;
}

/* A listing without the volumes that cannot be understood (7.3, 29); anything
 * else as it is.  Takes v. */
static json_t *
degraded(const struct outcome_of *o, const struct call_ran *r, json_t *v)
{
	json_t *out, *e;
	int bad = 0;
	size_t i;

	if (o->plain || o->method != &smapi_methods[SMAPI_SR_LS] ||
	    !json_is_array(v))
		return v;
	out = json_array();
	array_each (v, i, e) {
		if (is_volume(o, r, e, i))
			bad |= json_array_append(out, e);
	}
	json_decref(v);
	if (bad == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* The value of a script that exited with 0. */
static json_t *
value(const struct outcome_of *o, const struct call_ran *r, json_t *raw,
    json_t **error)
{
	const struct idl_type *t = o->method->result;
	json_t *v = o->v30 ? compat(o, raw) : json_incref(raw), *out;
	struct idl_fault f = {.kind = IDL_NOMEM};
	char text[300];

	v = degraded(o, r, v);
	out = v != NULL ? v2_decode(t, v, &f) : NULL;
	json_decref(v);
	if (out == NULL) {
		idl_fault_text(&f, text, sizeof(text));
		*error = unexpected(r, text);
		return NULL;
	}
	if (o->plain)
		return out;
	v = v2_turned(t, out);
	json_decref(out);
	return v;
}

/* Is a missing script as good as one that did nothing (2.6)? */
static bool
may_miss(const struct outcome_of *o)
{
	return o->v30 &&
	    (o->method == &smapi_methods[SMAPI_VOLUME_SET] ||
		o->method == &smapi_methods[SMAPI_VOLUME_UNSET]);
}

/* A value or an error. */
json_t *
outcome_read(
    const struct outcome_of *o, const struct call_ran *r, json_t **error)
{
	json_t *raw, *v = NULL;
	char why[200], line[500];

	*error = NULL;
	if (r->found == CALL_MISSING && may_miss(o)) {
		snprintf(line, sizeof(line),
		    "script %s is missing, taken for one that does nothing: "
		    "update the plugin",
		    r->path);
		o->note(o->arg, line);
		return json_null();
	}
	if (r->found != CALL_FOUND) {
		*error = not_found(r);
		return NULL;
	}
	if (r->result->end != JOB_EXIT || r->result->code != 0) {
		*error = ended(r);
		return NULL;
	}
	raw = tree_read(r->result->out, why, sizeof(why));
	if (raw != NULL) {
		v = value(o, r, raw, error);
	} else {
		snprintf(line, sizeof(line), "%s printed bad JSON: %s", r->path,
		    why);
		o->note(o->arg, line);
		*error = bad_json(r);
	}
	json_decref(raw);
	return v;
}

/* By the class of the plugin's exception. */
bool
outcome_gone(const json_t *error)
{
	json_t *list = json_array_get(json_array_get(error, 1), 1);
	const char *tag = json_string_value(json_array_get(error, 0));
	const char *class = json_string_value(json_array_get(list, 1));

	return tag != NULL && class != NULL &&
	    strcmp(tag, "Backend_error_with_backtrace") == 0 &&
	    strcmp(class, "Volume_does_not_exist") == 0;
}
