/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Questions of operators, and what the adapter knows. */
#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "call.h"
#include "clock.h"
#include "ctx.h"
#include "idlval.h"
#include "job.h"
#include "log.h"
#include "observer.h"
#include "plugin.h"
#include "record.h"
#include "redact.h"
#include "turns.h"
#include "service.h"
#include "state.h"
#include "task.h"
#include "version.h"
#include "xalloc.h"
#include "xmsg.h"

#define MOST_CALLS 1000 /* in one answer */

struct control {
	struct ctx *ctx;
	struct xmsg_server *server;
	int64_t start_wall_ns, start_ns;
};

/* Text that need not be UTF-8, such as the name of a folder: then bytes that
 * are no ASCII become \xHH. */
static json_t *
named(const char *text)
{
	json_t *v = json_string(text);
	struct buf b = BUF_INIT;

	if (v != NULL)
		return v;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x80)
			buf_addc(&b, *text);
		else
			buf_addf(&b, "\\x%02x", (unsigned char)*text);
	buf_addc(&b, '\0');
	v = json_string(buf_ok(&b) ? b.p : "");
	buf_fini(&b);
	return v;
}

/* The same with secrets masked, at most 2 KiB. */
static json_t *
masked(const char *text)
{
	char out[2049];
	size_t n = redact(out, sizeof out - 1, str_of(text));

	out[n] = '\0';
	return named(out);
}

static json_t *
seconds(int64_t ns)
{
	return json_real((double)ns / 1e9);
}

/* ---- adapter.status ---- */

static json_t *
status(struct control *c, json_t *params)
{
	struct ctx *ctx = c->ctx;
	struct service *sv;
	size_t queues = 0;

	(void)params;
	for (sv = ctx->services; sv != NULL; sv = sv->next)
		queues++;
	return json_pack("{ss si so so ss ss ss ss sI sb sI si sI si sI sI sI}",
	    "version", XMSG_VERSION, "pid", (int)getpid(), "started",
	    seconds(c->start_wall_ns), "uptime",
	    seconds(clock_mono_ns() - c->start_ns), "socket", ctx->set->socket,
	    "root", ctx->set->root, "state", ctx->set->state, "boot", ctx->boot,
	    "queues", (json_int_t)queues, "settled",
	    (int)plugins_settled(ctx->plugins), "running",
	    (json_int_t)turns_running(ctx->turns), "scripts",
	    jobs_running(ctx->jobs), "waiting",
	    (json_int_t)turns_waiting(ctx->turns), "observers",
	    observer_count(ctx->observer), "calls", (json_int_t)ctx->calls,
	    "failed", (json_int_t)ctx->failed, "limit",
	    (json_int_t)ctx->set->scripts);
}

/* ---- adapter.plugins, adapter.why ---- */

static const char *const kinds[] = {
    [PLUGIN_VOLUME] = "volume", [PLUGIN_DATAPATH] = "datapath"};
static const char *const states[] = {[PLUGIN_NEW] = "new",
    [PLUGIN_PROBING] = "probing",
    [PLUGIN_SERVING] = "serving",
    [PLUGIN_WAITING] = "waiting"};

/* Calls of a volume plugin's queue by state. */
static void
add_load(const struct ctx *ctx, const struct plugin *p, json_t *o)
{
	struct service *sv = service_find(ctx, p->name);
	json_int_t running = 0, waiting = 0;
	struct task *t;

	if (sv == NULL || p->kind != PLUGIN_VOLUME)
		return;
	TAILQ_FOREACH (t, &sv->tasks, entry) {
		running += t->state == TASK_RUNNING;
		waiting += t->state == TASK_WAITING;
	}
	json_object_set_new(o, "running", json_integer(running));
	json_object_set_new(o, "waiting", json_integer(waiting));
	json_object_set_new(o, "calls", json_integer((json_int_t)sv->calls));
	json_object_set_new(o, "failed", json_integer((json_int_t)sv->failed));
}

static json_t *
describe(const struct ctx *ctx, const struct plugin *p)
{
	json_t *features = json_array(), *o;

	for (size_t i = 0; p->features && p->features[i] != NULL; i++)
		json_array_append_new(features, json_string(p->features[i]));
	o = json_pack("{so ss so ss sb so so so si so so}", "name",
	    named(p->name), "kind", kinds[p->kind], "dir", named(p->dir),
	    "state", states[p->state], "served", (int)plugin_served(p),
	    "version", p->version ? json_string(p->version) : json_null(),
	    "features", features, "since", seconds(p->since_wall_ns),
	    "failures", (int)p->failures, "query",
	    p->query ? json_incref(p->query) : json_null(), "why",
	    named(p->why));
	add_load(ctx, p, o);
	return o;
}

struct listing {
	const struct ctx *ctx;
	json_t *list;
	const char *name; /* only this one; NULL: all */
};

static void
list_one(struct plugin *p, void *arg)
{
	struct listing *l = arg;

	if (l->name == NULL || strcmp(l->name, p->name) == 0)
		json_array_append_new(l->list, describe(l->ctx, p));
}

static json_t *
plugins(struct control *c, json_t *params)
{
	struct listing l = {c->ctx, json_array(), NULL};

	(void)params;
	plugins_each(c->ctx->plugins, list_one, &l);
	return l.list;
}

/* Why is it served, or not?  Names may be short: the end behind a dot. */
static json_t *
why(struct control *c, json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	struct listing l = {c->ctx, json_array(), name};
	char *whole, text[512];

	if (name == NULL) {
		json_decref(l.list);
		return NULL;
	}
	whole = xasprintf("org.xen.xapi.storage.%s", name);
	plugins_each(c->ctx->plugins, list_one, &l);
	l.name = whole;
	if (json_array_size(l.list) == 0)
		plugins_each(c->ctx->plugins, list_one, &l);
	for (int k = PLUGIN_VOLUME;
	     k <= PLUGIN_DATAPATH && json_array_size(l.list) == 0; k++) {
		plugins_why_not(c->ctx->plugins, (enum plugin_kind)k, name,
		    text, sizeof text);
		if (*text != '\0')
			json_array_append_new(l.list,
			    json_pack("{ss ss sn sb so}", "name", name, "kind",
				kinds[k], "state", "served", 0, "why",
				named(text)));
	}
	free(whole);
	return l.list;
}

/* ---- adapter.scripts ---- */

static json_t *
scripts(struct control *c, json_t *params)
{
	json_t *list = json_array();
	int64_t now = clock_mono_ns();
	struct service *sv;
	struct task *t;

	(void)params;
	for (sv = c->ctx->services; sv != NULL; sv = sv->next)
		TAILQ_FOREACH (t, &sv->tasks, entry)
			json_array_append_new(list,
			    json_pack("{so sI ss ss so si so ss so sb sb}",
				"queue", named(sv->queue), "id",
				(json_int_t)t->id, "method",
				call_method(t->call), "sr", call_sr(t->call),
				"script",
				t->job ? named(t->script) : json_null(), "pid",
				t->job ? (int)job_pid(t->job) : 0, "elapsed",
				seconds(now - t->came_ns), "state",
				t->state == TASK_WAITING       ? "waiting"
				    : t->state == TASK_RUNNING ? "running"
							       : "replying",
				"dbg", masked(call_dbg(t->call)), "repeated",
				t->repeated, "cancelled", t->cancelled));
	return list;
}

/* ---- adapter.calls, adapter.srs ---- */

static json_t *
calls(struct control *c, json_t *params)
{
	json_t *since = json_object_get(params, "since"),
	       *limit = json_object_get(params, "limit");
	json_int_t n = json_is_integer(limit) ? json_integer_value(limit) : 50;

	if (n < 0 || n > MOST_CALLS)
		n = MOST_CALLS;
	return record_list(c->ctx->record,
	    json_is_number(since) ? record_since(json_number_value(since))
				  : INT64_MIN,
	    json_is_true(json_object_get(params, "failed")),
	    json_object_get(params, "methods"), (size_t)n);
}

static void
add_sr(const struct state_sr *sr, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{ss ss so so so}", "queue", sr->queue, "sr", sr->sr,
		"handle", masked(sr->handle), "config", masked(sr->config),
		"since", seconds(sr->at_ns)));
}

static json_t *
srs(struct control *c, json_t *params)
{
	json_t *list = json_array();
	struct err e;

	(void)params;
	if (state_sr_each(c->ctx->state, NULL, add_sr, list, &e) == -1)
		log_error("state", "%s", e.text);
	return list;
}

/* ---- the queue ---- */

static const struct {
	const char *name;
	json_t *(*fn)(struct control *, json_t *params);
	const char *wants; /* said when fn gives NULL */
} methods[] = {
    {"adapter.status", status, ""},
    {"adapter.plugins", plugins, ""},
    {"adapter.why", why, "`name`: the name of a plugin"},
    {"adapter.scripts", scripts, ""},
    {"adapter.calls", calls, ""},
    {"adapter.srs", srs, ""},
};

/* {"result":..,"error":..,"id":..}; takes result and error. */
static char *
reply(json_t *result, json_t *error, json_t *id)
{
	json_t *v =
	    json_pack("{so so sO}", "result", result ? result : json_null(),
		"error", error ? error : json_null(), "id", id);
	char *text = json_dumps(v, JSON_COMPACT);

	json_decref(v);
	return text;
}

static json_t *
failure(const char *tag, const char *text)
{
	return json_pack("[ss]", tag, text);
}

char *
control_answer(struct control *c, struct str request)
{
	json_t *req = json_loadb(request.p, request.n, 0, NULL),
	       *id = json_object_get(req, "id"),
	       *params = json_object_get(req, "params"),
	       *zero = json_integer(0), *result = NULL, *error = NULL;
	const char *method = json_string_value(json_object_get(req, "method"));
	size_t i, n = sizeof methods / sizeof *methods;
	char *text;

	if (json_is_array(params))
		params = json_array_get(params, 0);
	for (i = 0; method != NULL && i < n; i++)
		if (strcmp(methods[i].name, method) == 0)
			break;
	if (method == NULL)
		error = failure("Internal_error", "not a JSON-RPC request");
	else if (i == n)
		error = failure("Unimplemented", method);
	else if ((result = methods[i].fn(c, params)) == NULL)
		error = failure("Internal_error", methods[i].wants);
	text = reply(result, error, id ? id : zero);
	json_decref(zero);
	json_decref(req);
	return text;
}

static void
on_request(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	char *text =
	    control_answer(arg, (struct str){m->payload.p, m->payload.n});

	if (xmsg_reply(r, (struct xmsg_bytes){text, strlen(text)}, NULL,
		NULL) != XMSG_OK)
		xmsg_leave(r);
	free(text);
}

struct control *
control_new(struct ctx *ctx, struct err *e)
{
	struct control *c = xcalloc(1, sizeof *c);

	c->ctx = ctx;
	c->start_wall_ns = clock_wall_ns();
	c->start_ns = clock_mono_ns();
	if (*ctx->set->control == '\0')
		return c;
	c->server = xmsg_serve_start(
	    ctx->x, ctx->set->control, XMSG_CREATE, 64, on_request, c);
	if (c->server != NULL)
		return c;
	err_set(e, 1, "%s: %s", ctx->set->control, xmsg_error(ctx->x));
	free(c);
	return NULL;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	if (c->server != NULL)
		xmsg_serve_stop(c->server);
	free(c);
}
