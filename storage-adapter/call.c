/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The engine: walks the steps of a call's row, and after a failure those that
 * undo it.
 *
 *	step -> next step ... -> result -> done
 *	  \-> error -> undoing: step ... -> done
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_int.h"
#include "call_json.h"
#include "outcome.h"
#include "v2.h"
#include "xalloc.h"

#define MAX_NOTES 20 /* of one call */

/* ---- making and freeing ---- */

/* From the bytes of a message. */
struct call *
call_new(const struct call_world *w, struct str payload)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->w = *w;
	c->method = c->sr = c->dbg = "";
	c->vars = json_object();
	call_env_read(c, payload);
	if (c->error == NULL)
		c->step = c->row->steps;
	return c;
}

/* And all that it holds. */
void
call_free(struct call *c)
{
	if (c == NULL)
		return;
	json_decref(c->request);
	json_decref(c->vars);
	json_decref(c->params);
	json_decref(c->result);
	json_decref(c->error);
	json_decref(c->error_text);
	buf_fini(&c->reply);
	free(c);
}

/* ---- errors and notes ---- */

/* printf to the world; a plugin that has very much wrong is told of in part. */
void
call_note(struct call *c, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	if (c->notes++ >= MAX_NOTES) {
		if (c->notes == MAX_NOTES + 1)
			c->w.note(c->w.arg, "no more is told of this call");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->w.note(c->w.arg, text);
}

/* A note of an outcome. */
static void
note(void *arg, const char *text)
{
	call_note(arg, "%s", text);
}

/* The first error counts; those of undoing are told to people only. */
enum next
call_error_set(struct call *c, json_t *error)
{
	json_t *text;

	if (error == NULL)
		error = v2_error("Internal_error", "out of memory");
	if (c->error == NULL) {
		c->error = error;
		return FAILED;
	}
	text = v2_error_text(error);
	call_note(c, "%s: cannot be undone: %s", c->method,
	    text != NULL ? json_string_value(text) : "out of memory");
	json_decref(text);
	json_decref(error);
	return FAILED;
}

/* printf. */
enum next
call_internal(struct call *c, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return call_error_set(c, v2_error("Internal_error", text));
}

/* ---- the walk ---- */

/* It is over. */
static enum call_state
finish(struct call *c)
{
	const struct row *r = c->row;

	if (c->error == NULL) {
		if (r->make != NULL)
			c->result = r->make(c);
		else if (r->result != NULL)
			c->result = json_incref(call_var(c, r->result));
		else
			c->result = json_null();
	}
	if (c->error == NULL && c->result == NULL)
		call_error_set(c, NULL);
	c->done = true;
	c->step = NULL;
	call_env_write(c);
	return CALL_DONE;
}

/* From now on, undo; or go on undoing, whatever that step did. */
static void
turn_back(struct call *c)
{
	if (c->undoing) {
		c->step++;
	} else {
		c->undoing = true;
		c->step = c->row != NULL ? c->row->undo : NULL;
	}
	c->item = 0;
}

/* To the next element, or the next step. */
static void
advance(struct call *c)
{
	c->item++;
	if (c->step->each == NULL ||
	    c->item >= json_array_size(call_var(c, c->step->each))) {
		c->item = 0;
		c->step++;
	}
}

/* Is there anything to do for this step? */
static bool
wanted(struct call *c)
{
	const struct step *s = c->step;

	if (s->when != NULL && !call_has(c, s->when))
		return false;
	return s->each == NULL || json_array_size(call_var(c, s->each)) > 0;
}

/* Ask for the step's script. */
static enum next
ask(struct call *c)
{
	const struct step *s = c->step;
	const struct idl_method *m = &smapi_methods[s->method];
	bool datapath = strncmp(m->name, "Data", 4) == 0;
	json_t *item;

	if (s->each != NULL) {
		item = json_array_get(call_var(c, s->each), c->item);
		if (call_let(c, "item", json_incref(item)) != GO_ON)
			return FAILED;
	}
	json_decref(c->params);
	c->params = call_args(c, s);
	if (c->params == NULL)
		return FAILED;
	c->script.datapath = datapath ? call_text(c, "dp") : NULL;
	c->script.method = m;
	c->script.params = c->params;
	c->asked = true;
	return GO_ON;
}

/* A step without a script, or what follows its script. */
static enum next
follow(struct call *c)
{
	enum next next = c->step->then != NULL ? c->step->then(c) : GO_ON;

	if (next == GO_ON)
		advance(c);
	else if (next == FAILED)
		turn_back(c);
	return next;
}

/* On, until something is needed. */
enum call_state
call_go(struct call *c)
{
	c->wait_ns = 0;
	if (c->done)
		return CALL_DONE;
	if (c->asked)
		return CALL_RUN;
	if (c->error != NULL && !c->undoing)
		turn_back(c);
	while (c->step != NULL && c->step->method != END_OF_STEPS) {
		if (!wanted(c)) {
			c->item = 0;
			c->step++;
		} else if (c->step->method == NO_SCRIPT) {
			(void)follow(c); /* only scripts are waited for */
		} else if (ask(c) == GO_ON) {
			return CALL_RUN;
		} else {
			turn_back(c);
		}
	}
	return finish(c);
}

/* A script has ended: its value, or NULL with the error set. */
static json_t *
outcome(struct call *c, const struct call_ran *r)
{
	const char *version = c->w.version(c->w.arg);
	struct outcome_of o = {
	    .method = c->script.method,
	    .params = c->params,
	    .v30 = version != NULL && strcmp(version, "3.0") == 0,
	    .plain = c->pass,
	    .note = note,
	    .arg = c,
	};
	json_t *error, *v = outcome_read(&o, r, &error);

	if (v != NULL)
		return v;
	if (c->step->gone_ok && outcome_gone(error)) {
		json_decref(error);
		return json_null();
	}
	call_error_set(c, error);
	return NULL;
}

/* Keep a value; steps without a result have it true. */
static enum next
keep(struct call *c, json_t *v)
{
	if (c->step->to == NULL) {
		json_decref(v);
		return GO_ON;
	}
	if (json_is_null(v) && !c->pass)
		v = json_true();
	return call_let(c, c->step->to, v);
}

/* The script that was asked for has ended. */
enum call_state
call_resume(struct call *c, const struct call_ran *r)
{
	json_t *v;

	if (!c->asked)
		return call_go(c);
	c->asked = false;
	v = outcome(c, r);
	if (v == NULL || keep(c, v) != GO_ON)
		turn_back(c);
	else if (follow(c) == AGAIN)
		return CALL_WAIT;
	return call_go(c);
}

/* End it now. */
void
call_fail(struct call *c, const char *error, const char *text)
{
	c->asked = false;
	json_decref(c->error);
	json_decref(c->result);
	c->result = NULL;
	c->error = v2_error(error, text);
	finish(c);
}

/* ---- what others ask about it ---- */

/* While it is CALL_RUN. */
const struct call_script *
call_script(const struct call *c)
{
	return &c->script;
}

/* While it is CALL_WAIT. */
int64_t
call_wait_ns(const struct call *c)
{
	return c->wait_ns;
}

/* Bytes for the wire. */
struct str
call_reply(const struct call *c)
{
	if (!buf_ok(&c->reply) || c->reply.n == 0)
		return STR("{\"result\":null,\"error\":[\"Internal_error\","
			   "\"out of memory\"],\"id\":0}");
	return (struct str){c->reply.p, c->reply.n};
}

/* As requested. */
const char *
call_method(const struct call *c)
{
	return c->method;
}

/* As requested. */
const char *
call_sr(const struct call *c)
{
	return c->sr;
}

/* Its first line. */
const char *
call_dbg(const struct call *c)
{
	return c->dbg_line;
}

/* Checked in call_env.c. */
const char *
call_traceparent(const struct call *c)
{
	return c->traceparent[0] != '\0' ? c->traceparent : NULL;
}

/* After the end. */
const char *
call_error(const struct call *c, const char **text)
{
	if (text != NULL)
		*text = c->error_text != NULL ? json_string_value(c->error_text)
					      : "";
	return c->error != NULL ? v2_error_code(c->error) : NULL;
}
