/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Gathering what explains a message: from the broker, its recorder, the storage
 * adapter and the processes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "msgs.h"
#include "select.h"
#include "text.h"
#include "why_look.h"
#include "xalloc.h"

#define ADAPTER_LIMIT (4 * NS_PER_SEC) /* half of it for one question */
#define NO_ROOM	      (256 * 1024) /* bytes left: that is full */
#define EVENTS	      1000
#define MOST_EVENTS   100000

/* A copy that lives as long as the rest. */
static struct str
keep(struct gather *g, struct str s)
{
	if (s.p == NULL || g->ntexts == sizeof g->texts / sizeof *g->texts)
		return (struct str){NULL, 0};
	g->texts[g->ntexts] = text_copy(s);
	return (struct str){g->texts[g->ntexts++], s.n};
}

static int
keep_message(void *arg, const struct look_msg *m)
{
	struct gather *g = arg;

	g->m = *m;
	select_method(g->what, sizeof g->what, m);
	g->m.queue = keep(g, m->queue);
	g->m.state = keep(g, m->state);
	g->m.reason = keep(g, m->reason);
	g->m.consumer = keep(g, m->consumer);
	g->m.reply_to = keep(g, m->reply_to);
	g->m.re_queue = keep(g, m->re_queue);
	g->m.origin = keep(g, m->origin);
	g->m.payload = g->m.method = (struct str){NULL, 0};
	return 0;
}

/* ---- the broker ---- */

static json_t *
get(struct cli *c, struct buf *target)
{
	struct err why = c->why;
	json_t *j = NULL;

	if (ask(c, "GET", target, STR(""), &j) != 0)
		j = NULL;
	c->why = why; /* what is not known is left out */
	buf_fini(target);
	return j;
}

static json_t *
get_queue(struct cli *c, struct str name)
{
	char *copy = xstrndup(name.p, name.n);
	struct buf t = BUF_INIT;

	ask_path(&t, "queues", copy);
	free(copy);
	return get(c, &t);
}

/* A client: by its token, or the first that polls a queue. */
static const json_t *
client(const struct gather *g, struct str token, struct str queue)
{
	const json_t *cl;

	for (size_t i = 0; (cl = ask_item(g->clients, "clients", i)); i++) {
		const json_t *q;

		if (token.n > 0 && str_eq(ask_str(cl, "token"), token))
			return cl;
		for (size_t k = 0; queue.n > 0; k++) {
			q = json_array_get(json_object_get(cl, "queues"), k);
			if (q == NULL)
				break;
			if (str_eq((struct str){json_string_value(q),
				       json_string_length(q)},
				queue))
				return cl;
		}
	}
	return NULL;
}

/* The process of a client. */
static void
process_of(struct proc *p, const json_t *cl)
{
	struct str comm = ask_str(cl, "comm");

	if (proc_look(p, ask_int(cl, "pid", 0)))
		return;
	p->pid = ask_int(cl, "pid", 0);
	snprintf(
	    p->comm, sizeof p->comm, "%.*s", (int)comm.n, comm.p ? comm.p : "");
}

static void
find_consumer(struct gather *g)
{
	struct str none = {NULL, 0};
	bool taken = g->m.consumer.n > 0;
	const json_t *cl = client(g, g->m.consumer, taken ? none : g->m.queue);

	if (cl == NULL)
		return;
	g->f.consumer_here = true;
	process_of(&g->f.consumer, cl);
}

/* Who waits for the answer: the owner of the reply queue, or who polls it. */
static void
find_caller(struct gather *g)
{
	struct str none = {NULL, 0}, owner;
	json_t *back;

	if (g->m.reply || g->m.reply_to.n == 0)
		return;
	g->f.caller_name = g->m.reply_to;
	back = get_queue(g->c, g->m.reply_to);
	owner = ask_str(back, "owner");
	g->f.caller = CALLER_GONE;
	if (back != NULL &&
	    (client(g, owner.n > 0 ? owner : none, g->m.reply_to) ||
		(owner.n == 0 && ask_int(back, "consumers", 0) > 0)))
		g->f.caller = CALLER_HERE;
	else if (back != NULL && owner.n == 0)
		g->f.caller = CALLER_UNKNOWN; /* it may come back for it */
	json_decref(back);
}

/* Is there room where the broker writes?  It may see other file systems than we
 * do, so its own view is asked for first. */
static bool
no_room(const char *root, const char *path)
{
	char *whole = xasprintf("%s%s", root, path);
	struct statvfs v;
	int rc = statvfs(whole, &v);

	free(whole);
	return rc == 0 && v.f_blocks > 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize < NO_ROOM;
}

static void
find_room(struct gather *g)
{
	struct str path = ask_str(json_object_get(g->status, "store"), "path");
	char root[64], *slash;

	if (path.p == NULL || path.p[0] != '/')
		return;
	g->full = xstrndup(path.p, path.n);
	slash = strrchr(g->full, '/');
	if (slash != g->full)
		*slash = '\0';
	snprintf(root, sizeof root, "/proc/%lld/root",
	    (long long)ask_int(g->status, "pid", 0));
	if (no_room(root, g->full) ||
	    (access(root, X_OK) == -1 && no_room("", g->full)))
		g->f.full = g->full;
}

/* ---- the recorder ---- */

static void
find_events(struct gather *g)
{
	struct cli *c = g->c;
	double now = (double)clock_wall_ns() / 1e9;
	struct err why = c->why;

	c->event_id = g->m.id;
	if (look_events(c, LOOK_LAST, c->offline ? MOST_EVENTS : EVENTS, 0,
		&g->events) != 0)
		c->why = why;
	c->event_id = 0;
	for (size_t i = 0; i < g->events.n; i++) {
		const struct event *e = &g->events.v[i];

		if (e->id != g->m.id)
			continue;
		if (e->type == RING_DELIVER)
			g->f.delivered_s = now - e->time;
		if (e->type == RING_HOLD) {
			g->f.held_s = now - e->time;
			g->f.held_pid = e->pid;
			g->f.held_text = e->text;
		}
	}
}

/* ---- the adapter ---- */

/* A question that may stay without an answer. */
static json_t *
ask_adapter(struct cli *c, const char *method, json_t *params)
{
	struct err why = c->why;
	int64_t limit = c->limit_ns;
	json_t *j = NULL;

	if (c->limit_ns > ADAPTER_LIMIT)
		c->limit_ns = ADAPTER_LIMIT;
	if (adapter_ask(c, method, params, &j) != 0)
		j = NULL;
	c->limit_ns = limit;
	c->why = why;
	return j;
}

/* The last part of its path; else the method of the call. */
static const char *
script_name(const json_t *s)
{
	const char *path = ask_str(s, "script").p;
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *method = ask_str(s, "method").p;

	return slash ? slash + 1 : path ? path : method ? method : "";
}

static void
find_script(struct gather *g)
{
	const json_t *s;
	size_t i;

	g->scripts = ask_adapter(g->c, "adapter.scripts", NULL);
	json_array_foreach(g->scripts, i, s)
	{
		struct str state = ask_str(s, "state");

		if (str_eq(state, STR("running")))
			g->f.running++;
		if (ask_int(s, "id", -1) != g->m.id ||
		    !str_eq(ask_str(s, "queue"), g->m.queue))
			continue;
		g->f.script_state = state.p;
		g->f.script = script_name(s);
		g->f.script_pid = ask_int(s, "pid", 0);
		g->f.script_s = ask_real(s, "elapsed", 0);
		(void)proc_session(&g->f.process, g->f.script_pid);
	}
}

/* A queue of a plugin that is not served: the adapter knows why. */
static void
find_plugin(struct gather *g)
{
	static const char prefix[] = "org.xen.xapi.storage.";
	const json_t *p;
	char *name;

	if (!str_starts(g->m.queue, str_of(prefix)) || g->q.consumers > 0)
		return;
	name = xstrndup(g->m.queue.p, g->m.queue.n);
	g->plugin =
	    ask_adapter(g->c, "adapter.why", json_pack("{ss}", "name", name));
	p = json_array_get(g->plugin, 0);
	if (p != NULL && !ask_int(p, "served", 0))
		g->f.plugin_why = ask_str(p, "why").p;
	free(name);
}

/* ---- all of it ---- */

static void
find_queue(struct gather *g)
{
	g->queue = get_queue(g->c, g->m.queue);
	if (g->queue == NULL)
		return;
	g->q = (struct look_queue){
	    .consumers = ask_int(g->queue, "consumers", 0),
	    .parked = ask_int(g->queue, "parked", 0),
	    .delivered = ask_int(g->queue, "delivered", 0),
	    .last_poll_age_s = ask_real(g->queue, "last_poll_age_s", -1),
	    .paused = ask_int(g->queue, "paused", 0),
	};
	g->f.q = &g->q;
}

/* What the broker and the adapter know. */
static void
gather_broker(struct gather *g)
{
	struct buf t = BUF_INIT;

	if (g->f.q == NULL)
		find_queue(g);
	ask_path(&t, "clients");
	g->clients = get(g->c, &t);
	ask_path(&t, "status");
	g->status = get(g->c, &t);
	find_consumer(g);
	find_caller(g);
	find_room(g);
	if (g->m.reply || str_eq(g->m.state, STR("held")))
		return;
	find_script(g);
	find_plugin(g);
}

static void
begin(struct gather *g, struct cli *c)
{
	*g = (struct gather){.c = c,
	    .oldest = -1,
	    .f = {.delivered_s = -1, .held_s = -1, .what = g->what}};
}

/* A message, and all that explains it. */
static int
look(struct gather *g, const char *queue, int64_t id)
{
	int rc = look_message(g->c, queue, id, false, keep_message, g);

	if (rc != 0)
		return rc;
	g->f.m = &g->m;
	g->f.offline = g->c->offline;
	find_events(g);
	if (!g->c->offline)
		gather_broker(g);
	return 0;
}

/* Of a message. */
int
why_look(struct gather *g, struct cli *c, const char *queue, int64_t id)
{
	begin(g, c);
	return look(g, queue, id);
}

/* ---- a queue ---- */

/* Names that begin like this one come behind it. */
static int
keep_queue(void *arg, const struct look_queue *q)
{
	struct gather *g = arg;

	if (!str_eq(q->name, g->m.queue))
		return 1;
	g->q = *q;
	g->q.name = g->m.queue;
	g->q.owner = keep(g, q->owner);
	g->f.q = &g->q;
	return 1;
}

/* The first of its state. */
static int
keep_first(void *arg, const struct look_msg *m)
{
	struct gather *g = arg;
	const char *state = g->c->filter->state;

	if (state != NULL && !str_eq(m->state, str_of(state)))
		return 0;
	if (g->oldest < 0 || m->id < g->oldest)
		g->oldest = m->id;
	return 1;
}

/* The oldest message that is not held, or else the oldest. */
static int
find_oldest(struct gather *g, const char *name)
{
	static const char *const states[] = {"ready", "delivered", NULL};
	struct look_filter f = LOOK_FILTER;
	int rc = 0;

	g->c->filter = &f;
	for (int i = 0; i < 3 && rc == 0; i++) {
		f.state = states[i];
		if (i == 0 || g->oldest < 0 || (i == 1 && !g->c->offline))
			rc = look_messages(
			    g->c, name, -1, INT64_MAX, false, keep_first, g);
	}
	g->c->filter = NULL;
	return rc;
}

/* Who polls it; what else is to be known when it is empty. */
static void
find_server(struct gather *g, struct why_queue *w)
{
	struct str none = {NULL, 0};
	struct buf t = BUF_INIT;
	const json_t *cl;

	if (g->c->offline)
		return;
	if (g->clients == NULL) {
		ask_path(&t, "clients");
		g->clients = get(g->c, &t);
	}
	cl = client(g, none, g->q.name);
	if (cl != NULL) {
		w->server = ask_str(cl, "token");
		process_of(&w->process, cl);
	}
	if (w->oldest != NULL)
		return;
	find_plugin(g);
	if (g->status == NULL) {
		ask_path(&t, "status");
		g->status = get(g->c, &t);
	}
	find_room(g);
	w->plugin_why = g->f.plugin_why;
	w->full = g->f.full;
}

/* Of a queue. */
int
why_look_queue(
    struct gather *g, struct cli *c, const char *name, struct why_queue *w)
{
	int rc;

	begin(g, c);
	g->m.queue = keep(g, str_of(name));
	rc = look_queues(c, name, keep_queue, g);
	if (rc == 0 && g->f.q == NULL) {
		(void)err_set(&c->why, 1, "there is no such queue");
		rc = CLI_NONE;
	}
	if (rc == 0 && g->q.messages != 0)
		rc = find_oldest(g, name);
	if (rc == 0 && g->oldest >= 0)
		rc = look(g, name, g->oldest);
	if (rc == CLI_NONE && g->f.q != NULL) {
		c->why.text[0] = '\0'; /* it has left meanwhile */
		rc = 0;
	}
	*w = (struct why_queue){.q = &g->q,
	    .offline = c->offline,
	    .oldest = g->f.m != NULL ? &g->f : NULL};
	if (rc == 0)
		find_server(g, w);
	return rc;
}

/* Free it. */
void
why_forget(struct gather *g)
{
	json_decref(g->queue);
	json_decref(g->clients);
	json_decref(g->scripts);
	json_decref(g->plugin);
	json_decref(g->status);
	events_fini(&g->events);
	for (size_t i = 0; i < g->ntexts; i++)
		free(g->texts[i]);
	free(g->full);
}
