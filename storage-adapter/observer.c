/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Observers are known by uuid: one that goes does not end the others'. */
#include "observer.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "each.h"
#include "log.h"
#include "xalloc.h"
#include "xmsg.h"

#define MOST 64 /* observers; more are refused */

struct observer {
	struct xmsg_server *server;
	json_t *known; /* uuid -> enabled */
};

/* ---- the queue ---- */

/* create: `bool` may be absent.  destroy; set_enabled: `bool` counts. */
static const char *
change(struct observer *o, const char *method, json_t *params)
{
	const char *uuid = json_string_value(json_object_get(params, "uuid"));
	json_t *on = json_object_get(params, "bool");

	if (uuid == NULL)
		return "Expecting named argument 'uuid' (a string)";
	if (strcmp(method, "Observer.destroy") == 0) {
		json_object_del(o->known, uuid);
		return NULL;
	}
	if (!json_is_boolean(on))
		return "Expecting named argument 'bool' (a boolean)";
	if (json_object_size(o->known) >= MOST &&
	    json_object_get(o->known, uuid) == NULL)
		return "too many observers: destroy one first";
	json_object_set(o->known, uuid, on);
	return NULL;
}

static const char *const others[] = {"Observer.set_attributes",
    "Observer.set_endpoints", "Observer.init", "Observer.set_trace_log_dir",
    "Observer.set_host_id", "Observer.set_export_interval",
    "Observer.set_export_chunk_size", "Observer.set_max_spans",
    "Observer.set_max_traces", "Observer.set_max_depth",
    "Observer.set_max_file_size", "Observer.set_compress_tracing_files"};

/* The `error` of the reply: null, or [constructor, text]. */
static json_t *
answer(struct observer *o, json_t *req)
{
	static const char *const ours[] = {
	    "Observer.create", "Observer.destroy", "Observer.set_enabled"};
	const char *method = json_string_value(json_object_get(req, "method")),
		   *wrong;
	json_t *params = json_object_get(req, "params");

	if (method == NULL)
		return json_pack(
		    "[ss]", "Internal_error", "not a JSON-RPC request");
	if (json_is_array(params))
		params = json_array_get(params, 0);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcmp(method, ours[i]) == 0) {
			wrong = change(o, method, params);
			return wrong
			    ? json_pack("[ss]", "Internal_error", wrong)
			    : json_null();
		}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(method, others[i]) == 0)
			return json_pack("[ss]", "Unimplemented", method);
	return json_pack("[s o]", "Internal_error",
	    json_sprintf("Idl.UnknownMethod(\"%s\")", method));
}

static void
on_request(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	json_t *req = json_loadb(m->payload.p, m->payload.n, 0, NULL),
	       *error = answer(arg, req), *reply;
	char *text;

	reply = json_pack("{sn so si}", "result", "error", error, "id", 0);
	text = json_dumps(reply, JSON_COMPACT);
	if (xmsg_reply(r, (struct xmsg_bytes){text, strlen(text)}, NULL,
		NULL) != XMSG_OK)
		xmsg_leave(r);
	free(text);
	json_decref(reply);
	json_decref(req);
}

struct observer *
observer_new(struct xmsg *x, struct err *e)
{
	struct observer *o = xcalloc(1, sizeof *o);

	o->known = json_object();
	o->server =
	    xmsg_serve_start(x, OBSERVER_QUEUE, XMSG_CREATE, 16, on_request, o);
	if (o->server == NULL) {
		err_set(e, 1, "%s: %s", OBSERVER_QUEUE, xmsg_error(x));
		json_decref(o->known);
		free(o);
		return NULL;
	}
	return o;
}

void
observer_free(struct observer *o)
{
	if (o == NULL)
		return;
	xmsg_serve_stop(o->server);
	json_decref(o->known);
	free(o);
}

unsigned
observer_count(const struct observer *o)
{
	const char *uuid;
	json_t *on;
	unsigned n = 0;

	if (o != NULL)
		object_each (o->known, uuid, on)
			n += json_is_true(on);
	return n;
}

/* ---- scripts ---- */

bool
observer_trace(struct observer *o, const char *traceparent, const char *script,
    char *const *env, struct traced *tr)
{
	const char *slash = strrchr(script, '/');
	size_t n = 0;

	memset(tr, 0, sizeof *tr);
	if (traceparent == NULL || observer_count(o) == 0)
		return false;
	tr->program = "/usr/bin/python3";
	tr->argv[0] = "-m";
	tr->argv[1] = "observer";
	tr->argv[2] = script;
	tr->argv[3] = "--json";
	tr->text[0] = xasprintf("TRACEPARENT=%s", traceparent);
	tr->text[1] = xasprintf(
	    "PYTHONPATH=%.*s", slash ? (int)(slash - script) : 0, script);
	while (env != NULL && env[n] != NULL)
		n++;
	tr->env = xcalloc(n + 4, sizeof *tr->env);
	for (size_t i = 0; i < n; i++)
		tr->env[i] = env[i];
	tr->env[n] = tr->text[0];
	tr->env[n + 1] = tr->text[1];
	tr->env[n + 2] =
	    "OBSERVER_CONFIG_DIR=/etc/xensource/observer/smapi/enabled";
	return true;
}

void
observer_traced(struct traced *tr)
{
	for (size_t i = 0; i < sizeof tr->text / sizeof *tr->text; i++)
		free(tr->text[i]);
	free(tr->env);
}
