/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* why: what is known of a message, gathered, and said in one sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "select.h"
#include "text.h"
#include "why.h"
#include "xalloc.h"

#define INDENT	      4 /* of what goes on in the next line */
#define ADAPTER_LIMIT (4 * NS_PER_SEC) /* half of it for one question */
#define NO_ROOM	      (256 * 1024) /* bytes left: that is full */
#define EVENTS	      1000
#define MOST_EVENTS   100000

enum { W_REF, W_QUEUE, W_ID, W_WHAT, W_CAUSE, W_TEXT, W_PID };

static const struct col cols[] = {
    [W_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [W_QUEUE] = {"queue", "QUEUE", COL_TEXT, false, "queue it is in"},
    [W_ID] = {"id", "NUMBER", COL_INT, false, "number of the message"},
    [W_WHAT] = {"what", "WHAT", COL_TEXT, false, "method of a call"},
    [W_CAUSE] = {"cause", "CAUSE", COL_TEXT, false, "in a word or two"},
    [W_TEXT] = {"text", "TEXT", COL_TEXT, false, "the sentence"},
    [W_PID] = {"pid", "PID", COL_INT, false, "process that it is about"},
};

static const struct opt opts[] = {
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* What is gathered; answers that facts point into are kept until the end. */
struct gather {
	struct cli *c;
	struct why_facts f;
	struct look_msg m;
	struct look_queue q;
	json_t *queue, *clients, *scripts, *plugin, *status;
	struct events events;
	char *texts[8], *full;
	size_t ntexts;
	char what[128];
};

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

static void
find_consumer(struct gather *g)
{
	struct str none = {NULL, 0};
	bool taken = g->m.consumer.n > 0;
	const json_t *cl = client(g, g->m.consumer, taken ? none : g->m.queue);

	if (cl == NULL)
		return;
	g->f.consumer_here = true;
	if (!proc_look(&g->f.consumer, ask_int(cl, "pid", 0))) {
		struct str comm = ask_str(cl, "comm");

		g->f.consumer.pid = ask_int(cl, "pid", 0);
		snprintf(g->f.consumer.comm, sizeof g->f.consumer.comm, "%.*s",
		    (int)comm.n, comm.p ? comm.p : "");
	}
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
gather_broker(struct gather *g)
{
	struct buf t = BUF_INIT;

	g->queue = get_queue(g->c, g->m.queue);
	if (g->queue != NULL) {
		g->q = (struct look_queue){
		    .consumers = ask_int(g->queue, "consumers", 0),
		    .parked = ask_int(g->queue, "parked", 0),
		    .delivered = ask_int(g->queue, "delivered", 0),
		    .last_poll_age_s =
			ask_real(g->queue, "last_poll_age_s", -1),
		    .paused = ask_int(g->queue, "paused", 0),
		};
		g->f.q = &g->q;
	}
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
report(struct gather *g, enum why_cause cause, struct str text)
{
	struct out *o = &g->c->out;
	size_t from = out_buf(o)->n;
	struct buf ref = BUF_INIT;
	int64_t pid =
	    g->f.script_pid > 0 ? g->f.process.pid : g->f.consumer.pid;

	if (!g->c->json) {
		msgid_put(out_buf(o), g->m.queue, g->m.id);
		if (g->what[0] != '\0') {
			buf_addc(out_buf(o), ' ');
			text_put(out_buf(o), str_of(g->what));
		}
		buf_adds(out_buf(o), ": ");
		buf_add(out_buf(o), text.p, text.n);
		out_fold(o, from, INDENT);
		out_line(o, false);
		return;
	}
	buf_add(&ref, g->m.queue.p, g->m.queue.n);
	buf_addf(&ref, ":%lld", (long long)g->m.id);
	out_text(o, W_REF, (struct str){ref.p, ref.n});
	out_text(o, W_QUEUE, g->m.queue);
	out_int(o, W_ID, g->m.id);
	if (g->what[0] != '\0')
		out_text(o, W_WHAT, str_of(g->what));
	out_text(o, W_CAUSE, str_of(why_name(cause)));
	out_text(o, W_TEXT, text);
	if (pid > 0)
		out_int(o, W_PID, pid);
	out_row(o);
	buf_fini(&ref);
}

static void
gather_fini(struct gather *g)
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

static int
one(struct cli *c, const char *word)
{
	struct gather g = {.c = c, .f = {.delivered_s = -1, .held_s = -1}};
	struct buf text = BUF_INIT;
	enum why_cause cause;
	char queue[256];
	int64_t id;
	int rc = msgs_id(c, word, queue, &id);

	if (rc != 0)
		return rc;
	rc = look_message(c, queue, id, false, keep_message, &g);
	if (rc == 0) {
		g.f.m = &g.m;
		g.f.what = g.what;
		g.f.offline = c->offline;
		find_events(&g);
		if (!c->offline)
			gather_broker(&g);
		cause = why_judge(&text, &g.f);
		report(&g, cause, (struct str){text.p, text.n});
	} else if (c->why.text[0] != '\0') {
		(void)err_prefix(&c->why, "%s:%lld", queue, (long long)id);
	}
	buf_fini(&text);
	gather_fini(&g);
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (out_table(&c->out, "why", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, one);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_why = {
    .name = "why",
    .args = "QUEUE:ID... | -",
    .help = "Say in a sentence why a message is still there",
    .flags = CMD_READS,
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
