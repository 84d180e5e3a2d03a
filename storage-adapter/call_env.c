/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The envelope (contract 3.1, 3.2): from the payload to a row and its checked
 * parameters, and from the end of the call to the bytes of the reply.  Nothing
 * that arrives can do more than get a failure as its answer.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "call_int.h"
#include "call_json.h"
#include "call_text.h"
#include "v2.h"

#define PASS "smapiv3."

/* ---- dbg and tracing (2.4) ---- */

/* 00-<32 hex>-<16 hex>-<2 hex>: nothing else gets into an environment. */
static bool
is_traceparent(const char *s)
{
	static const char form[] =
	    "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
	size_t i;

	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] == 'x' ? !isxdigit((unsigned char)s[i])
				   : s[i] != form[i])
			return false;
	}
	return s[i] == '\0';
}

/* What follows the newline in dbg: JSON, or bare. */
static void
read_trace(struct call *c, const char *s)
{
	char why[200];
	json_t *v;

	if (strchr(s, '\n') != NULL)
		return;
	v = tree_read(str_of(s), why, sizeof(why));
	if (v != NULL)
		s = json_string_value(json_object_get(v, "traceparent"));
	if (s != NULL && is_traceparent(s))
		snprintf(c->traceparent, sizeof(c->traceparent), "%s", s);
	json_decref(v);
}

/* The line, and the tracing data. */
static void
read_dbg(struct call *c)
{
	const char *line = strchr(c->dbg, '\n');
	size_t n = line != NULL ? (size_t)(line - c->dbg) : strlen(c->dbg);

	n = text_head((struct str){c->dbg, n}, sizeof(c->dbg_line) - 1).n;
	memcpy(c->dbg_line, c->dbg, n);
	c->dbg_line[n] = '\0';
	if (line != NULL)
		read_trace(c, line + 1);
}

/* ---- parameters ---- */

/* A parameter by its wire name, and the one misspelt name by its right one. */
static json_t *
param(json_t *params, const char *name)
{
	json_t *v = json_object_get(params, name);

	if (v == NULL && strcmp(name, "vdi_tp") == 0)
		v = json_object_get(params, "vdi_to");
	return v;
}

/* Each declared one, decoded, in their order. */
static void
decode_params(struct call *c, const struct idl_field *f, json_t *params)
{
	json_t *out = json_object(), *v;
	struct idl_fault fault;
	char text[300];

	for (; c->error == NULL && f->name != NULL; f++) {
		v = param(params, f->name);
		if (v == NULL) {
			call_internal(
			    c, "Expecting named argument '%s'", f->name);
			break;
		}
		v = v2_decode(f->type, v, &fault);
		idl_fault_text(&fault, text, sizeof(text));
		if (v == NULL)
			call_internal(c, "argument '%s': %s", f->name, text);
		else if (json_object_set_new(out, f->name, v) < 0)
			call_error_set(c, NULL);
	}
	call_let(c, "p", out);
}

/* Does any step need the name of the attached SR? */
static bool
needs_sr(const struct step *s)
{
	const struct idl_field *f;

	for (; s != NULL && s->method != END_OF_STEPS; s++) {
		if (s->method == NO_SCRIPT ||
		    (s->args != NULL && strncmp(s->args, "sr=", 3) == 0))
			continue;
		for (f = smapi_methods[s->method].params; f->name != NULL; f++)
			if (strcmp(f->name, "sr") == 0)
				return true;
	}
	return false;
}

/* The SR, for rows that need it attached. */
static void
find_sr(struct call *c)
{
	const char *handle;

	if (c->error != NULL || !needs_sr(c->row->steps))
		return;
	handle = c->w.sr_handle(c->w.arg, c->sr);
	if (handle == NULL)
		call_error_set(c, v2_error("Sr_not_attached", c->sr));
	else
		call_let(c, "sr", json_string(handle));
}

/* One of the methods of SMAPIv2. */
static void
read_v2(struct call *c, json_t *params)
{
	c->row = call_row_find(c->method);
	if (c->row == NULL) {
		call_internal(c, "unknown method %s", c->method);
	} else if (c->row->params == NULL) {
		call_error_set(c, v2_error("Unimplemented", c->method));
	} else {
		decode_params(c, c->row->params, params);
		find_sr(c);
	}
}

/* A method of SMAPIv3, for its script without any translation. */
static void
read_pass(struct call *c, json_t *params)
{
	const struct idl_method *m = idl_method_find(
	    smapi_methods, SMAPI_N_METHODS, c->method + sizeof(PASS) - 1);
	struct idl_fault f;
	char text[300];

	if (m == NULL || strcmp(m->name, c->method + sizeof(PASS) - 1) != 0) {
		call_internal(c, "unknown method %s", c->method);
		return;
	}
	if (idl_check_params(m, params, &f) < 0) {
		idl_fault_text(&f, text, sizeof(text));
		call_internal(c, "%s: %s", c->method, text);
		return;
	}
	c->pass = true;
	c->pass_steps[0] =
	    (struct step){.method = NO_SCRIPT, .then = do_pick_scheme};
	c->pass_steps[1] =
	    (struct step){.method = (int)(m - smapi_methods), .to = "out"};
	c->pass_steps[2] = (struct step){.method = END_OF_STEPS};
	c->pass_row.steps = strncmp(m->name, "Data", 4) == 0
	    ? c->pass_steps
	    : c->pass_steps + 1;
	c->pass_row.result = "out";
	c->row = &c->pass_row;
	call_let(c, "p", json_incref(params));
}

/* ---- the envelope ---- */

/* A string, or "". */
static const char *
text_of(json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

/* The object that holds the parameters; NULL with the error. */
static json_t *
read_params(struct call *c)
{
	json_t *params = json_object_get(c->request, "params");
	const char *version = text_of(c->request, "jsonrpc");
	json_t *id = json_object_get(c->request, "id");

	c->echo = strcmp(version, "2.0") == 0;
	if (json_is_array(params))
		params = json_array_get(params, 0);
	else if (!c->echo)
		params = NULL;
	if (!json_is_string(json_object_get(c->request, "method")))
		call_internal(c, "malformed request: no method");
	else if (!json_is_integer(id) && !json_is_string(id))
		call_internal(c, "malformed request: no id");
	else if (!json_is_object(params))
		call_internal(c, "malformed request: params is not [{...}]");
	return json_is_object(params) ? params : NULL;
}

/* Whatever it is. */
void
call_env_read(struct call *c, struct str payload)
{
	char why[200];
	json_t *params;

	c->request = tree_read(payload, why, sizeof(why));
	if (c->request == NULL) {
		call_internal(c, "malformed request: %s", why);
		return;
	}
	params = read_params(c);
	c->method = text_of(c->request, "method");
	c->sr = text_of(params, "sr");
	c->dbg = text_of(params, "dbg");
	read_dbg(c);
	if (c->error != NULL)
		return;
	if (strncmp(c->method, PASS, sizeof(PASS) - 1) != 0) {
		read_v2(c, params);
		return;
	}
	c->echo = true;
	read_pass(c, params);
}

/* {"result":...,"error":...,"id":...} */
void
call_env_write(struct call *c)
{
	json_t *id = json_object_get(c->request, "id");
	struct buf *b = &c->reply;

	if (c->error != NULL) {
		json_decref(c->error_text);
		c->error_text = v2_error_text(c->error);
	}
	buf_reset(b);
	buf_adds(b, "{\"result\":");
	if (c->error == NULL)
		tree_write(b, c->result);
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"error\":");
	if (c->error != NULL)
		tree_write(b, c->error);
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"id\":");
	if (c->echo && (json_is_integer(id) || json_is_string(id)))
		tree_write(b, id);
	else
		buf_addc(b, '0');
	buf_addc(b, '}');
}
