/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * /v1: the operators' interface, JSON.  One row per route; a route is a method
 * and a pattern of path segments, where * stands for a name or an id.  What
 * changes something is never GET.
 */
#include "api_v1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "jsonw.h"
#include "log.h"
#include "version.h"
#include "xalloc.h"

/* ---- taking apart ---- */

/* The value of a query parameter, decoded; n == 0 and p == NULL: not there. */
struct str
v1_param(const struct v1 *v, const char *name)
{
	for (size_t i = 0; i < v->nparams; i++)
		if (str_eq(v->params[i].name, str_of(name)))
			return v->params[i].value;
	return (struct str){NULL, 0};
}

/* A number from the query; def when absent; false when malformed. */
bool
v1_param_int(const struct v1 *v, const char *name, int64_t def, int64_t min,
    int64_t max, int64_t *out)
{
	struct str s = v1_param(v, name);

	*out = def;
	if (s.p == NULL)
		return true;
	if (wire_int64(s, out) && *out >= min && *out <= max)
		return true;
	api_error(v->p, 400, "bad_parameter", name,
	    "the parameter is no number, or out of its range");
	return false;
}

/* ---- small shared things ---- */

struct jsonw
v1_start(const struct v1 *v)
{
	struct jsonw w = {.b = api_out(v->a)};

	jsonw_open(&w, NULL, '{');
	return w;
}

static void
finish_as(const struct v1 *v, struct jsonw *w, int status)
{
	jsonw_close(w, '}');
	buf_addc(w->b, '\n');
	if (buf_ok(w->b))
		api_reply(
		    v->p, status, V1_JSON, (struct str){w->b->p, w->b->n});
	else
		api_drop(v->p);
}

void
v1_finish(const struct v1 *v, struct jsonw *w)
{
	finish_as(v, w, 200);
}

struct queue *
v1_queue(const struct v1 *v)
{
	struct queue *q = mswitch_queue(v->a->m, v->seg[1]);

	if (q == NULL)
		api_ms_error(v->p, MS_NO_QUEUE, NULL);
	return q;
}

/* May this peer see what is not redacted? */
bool
v1_privileged(const struct peer *p)
{
	return p->client.uid == 0 || p->client.uid == p->api->uid;
}

static int64_t
oldest_age_ns(const struct api *a, const struct queue *q)
{
	struct msg *m = msgq_after(&q->q, INT64_MIN);
	int64_t at;

	if (m == NULL)
		return -1;
	at = m->body ? m->body->at_ns : (int64_t)m->at_s * NS_PER_SEC;
	return a->m->wall_ns > at ? a->m->wall_ns - at : 0;
}

/* ---- status and health ---- */

static void
put_limit(struct jsonw *w, const char *name, int64_t value, int64_t used)
{
	jsonw_open(w, NULL, '{');
	jsonw_str(w, "name", str_of(name));
	jsonw_int(w, "value", value);
	if (used >= 0)
		jsonw_int(w, "used", used);
	else
		jsonw_null(w, "used");
	jsonw_close(w, '}');
}

static void
put_limits(struct jsonw *w, const struct api *a)
{
	const struct ms_limits *l = &a->m->limits;
	const struct http_config *h = a->http_config;

	jsonw_open(w, "limits", '[');
	put_limit(w, "connections", h->max_connections,
	    (int64_t)http_counters(a->http)->connections);
	put_limit(w, "connections_per_uid", h->max_connections_per_uid, -1);
	put_limit(w, "queues", l->queues, HASH_CNT(hh, a->m->queues));
	put_limit(w, "queue_messages", l->queue_messages, -1);
	put_limit(w, "queue_bytes", l->queue_bytes, -1);
	put_limit(w, "total_bytes", l->total_bytes, a->m->bytes);
	put_limit(w, "session_transient", l->session_transient, -1);
	put_limit(w, "cache", l->cache_bytes, a->m->cached);
	put_limit(w, "body", (int64_t)h->parse.max_body, -1);
	put_limit(w, "head", (int64_t)h->parse.max_head, -1);
	put_limit(w, "poll_queues", a->max_queues_per_poll, -1);
	jsonw_close(w, ']');
}

static void
put_counters(struct jsonw *w, const struct api *a, const struct store_info *si)
{
	const struct ms_counters *n = &a->m->counters;
	const struct http_counters *h = http_counters(a->http);

	jsonw_open(w, "counters", '{');
	jsonw_int(w, "requests", (int64_t)h->requests);
	jsonw_int(w, "bad_requests", (int64_t)h->bad);
	jsonw_int(w, "slow_requests", (int64_t)h->slow);
	jsonw_int(w, "accepted", (int64_t)h->accepted);
	jsonw_int(w, "turned_away", (int64_t)h->refused);
	jsonw_int(w, "polls", (int64_t)n->polls);
	jsonw_int(w, "published", (int64_t)n->published);
	jsonw_int(w, "replied", (int64_t)n->replied);
	jsonw_int(w, "duplicates", (int64_t)n->duplicates);
	jsonw_int(w, "delivered", (int64_t)n->delivered);
	jsonw_int(w, "acked", (int64_t)n->acked);
	jsonw_int(w, "cancelled", (int64_t)n->cancelled);
	jsonw_int(w, "refused", (int64_t)n->refused);
	jsonw_int(w, "created", (int64_t)n->created);
	jsonw_int(w, "destroyed", (int64_t)n->destroyed);
	jsonw_int(w, "commits", (int64_t)si->commits);
	jsonw_int(w, "commit_ops", (int64_t)si->commit_ops);
	jsonw_int(w, "inline_commits", (int64_t)si->inline_commits);
	jsonw_int(w, "checkpoints", (int64_t)si->checkpoints);
	jsonw_seconds(w, "commit_time_s", (int64_t)si->commit_ns);
	jsonw_close(w, '}');
}

static void
get_status(const struct v1 *v)
{
	struct api *a = v->a;
	struct jsonw w = v1_start(v);
	struct store_info si;

	store_info(a->store, &si);
	jsonw_int(&w, "schema", 1);
	jsonw_str(&w, "version", str_of(XMSG_VERSION));
	jsonw_int(&w, "pid", a->pid);
	jsonw_seconds(&w, "uptime_s", a->m->now_ns - a->start_ns);
	jsonw_str(&w, "state", str_of(a->degraded ? "degraded" : "up"));
	jsonw_str(&w, "boot_id", str_of(a->boot_id));
	jsonw_str(&w, "socket", str_of(a->socket));
	jsonw_open(&w, "store", '{');
	jsonw_str(&w, "scheme", str_of(si.scheme));
	jsonw_str(&w, "path", str_of(si.path));
	jsonw_bool(&w, "durable", si.durable);
	jsonw_int(&w, "last_id", a->m->last_id);
	jsonw_int(&w, "pending_ops", (int64_t)si.pending_ops);
	jsonw_close(&w, '}');
	jsonw_int(&w, "queues", HASH_CNT(hh, a->m->queues));
	jsonw_int(&w, "messages", a->m->messages);
	jsonw_int(&w, "bytes", a->m->bytes);
	jsonw_int(
	    &w, "connections", (int64_t)http_counters(a->http)->connections);
	jsonw_int(&w, "sessions", (int64_t)a->m->sessions.n);
	jsonw_int(&w, "parked", (int64_t)a->m->waiters.nparked);
	put_counters(&w, a, &si);
	put_limits(&w, a);
	v1_finish(v, &w);
}

/* The oldest message that waits although its queue is not held. */
static int64_t
oldest_of_all(const struct api *a, const struct queue **which)
{
	struct queue *q, *next;
	int64_t worst = -1, age;

	HASH_ITER (hh, a->m->queues, q, next) {
		age = oldest_age_ns(a, q);
		if (age > worst) {
			worst = age;
			*which = q;
		}
	}
	return worst;
}

static void
get_health(const struct v1 *v)
{
	const struct queue *q = NULL;
	int64_t age = oldest_of_all(v->a, &q);
	struct jsonw w = v1_start(v);
	uint64_t damaged = v->a->m->counters.damaged;
	int code = v->a->degraded || damaged > 0 ? 2
	    : age > 60 * NS_PER_SEC		 ? 1
						 : 0;
	static const char *const word[] = {"ok", "warning", "critical"};
	char text[400];

	if (v->a->degraded)
		snprintf(text, sizeof text,
		    "the store refuses new messages: is the disk full?");
	else if (damaged > 0)
		snprintf(text, sizeof text,
		    "messages found damaged on the disk, and held: %llu;"
		    " check the disk",
		    (unsigned long long)damaged);
	else if (q != NULL)
		snprintf(text, sizeof text,
		    "%u queues, %lld messages, oldest %.1f s in %.*s",
		    HASH_CNT(hh, v->a->m->queues), (long long)v->a->m->messages,
		    (double)age / NS_PER_SEC, (int)q->name.n, q->name.p);
	else
		snprintf(text, sizeof text, "%u queues, no message",
		    HASH_CNT(hh, v->a->m->queues));
	jsonw_str(&w, "status", str_of(word[code]));
	jsonw_int(&w, "code", code);
	jsonw_str(&w, "text", str_of(text));
	finish_as(v, &w, code == 2 ? 503 : 200);
}

/* ---- queues ---- */

/* Events a second. */
static void
put_rate(struct jsonw *w, const char *key, struct rate r, int64_t now)
{
	jsonw_seconds(w, key, (int64_t)(rate_get(&r, now) * NS_PER_SEC));
}

static void
put_queue(struct jsonw *w, const struct api *a, const struct queue *q)
{
	const struct waitname *wn = waiters_find(&a->m->waiters, q->name);
	const struct msg *first = msgq_after(&q->q, INT64_MIN);
	int64_t n = (int64_t)q->q.n;

	jsonw_open(w, NULL, '{');
	jsonw_str(w, "name", q->name);
	jsonw_str(w, "kind", str_of(q->owner ? "transient" : "persistent"));
	jsonw_str(
	    w, "owner", q->owner ? q->owner->token : (struct str){NULL, 0});
	jsonw_bool(w, "paused", q->paused);
	jsonw_int(w, "messages", n);
	jsonw_int(w, "bytes", q->bytes);
	jsonw_int(w, "ready", n - q->held - q->delivered);
	jsonw_int(w, "delivered", q->delivered);
	jsonw_int(w, "held", q->held);
	jsonw_int(w, "dead", q->letters);
	if (first != NULL) {
		jsonw_seconds(w, "oldest_age_s", oldest_age_ns(a, q));
		jsonw_int(w, "oldest_id", first->id);
	} else {
		jsonw_null(w, "oldest_age_s");
		jsonw_null(w, "oldest_id");
	}
	jsonw_int(w, "consumers", wn ? wn->nlinks : 0);
	jsonw_int(w, "parked", wn ? wn->nparked : 0);
	if (q->last_poll_ns != 0)
		jsonw_seconds(w, "last_poll_age_s",
		    wn && wn->nparked ? 0 : a->m->now_ns - q->last_poll_ns);
	else
		jsonw_null(w, "last_poll_age_s");
	jsonw_int(w, "in", (int64_t)q->in);
	jsonw_int(w, "out", (int64_t)q->out);
	put_rate(w, "in_s", q->in_rate, a->m->now_ns);
	put_rate(w, "out_s", q->out_rate, a->m->now_ns);
	jsonw_close(w, '}');
}

static void
get_queues(const struct v1 *v)
{
	struct str after, prefix;
	struct queue **q;
	struct jsonw w;
	int64_t limit;
	size_t n, i = 0;

	if (!v1_param_int(v, "limit", 1000, 1, 10000, &limit))
		return;
	prefix = v1_param(v, "prefix");
	after = v1_param(v, "after");
	q = mswitch_sorted(v->a->m, prefix, &n);
	if (q == NULL) {
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
		return;
	}
	w = v1_start(v);
	jsonw_open(&w, "queues", '[');
	while (i < n && after.n != 0 && str_cmp(q[i]->name, after) <= 0)
		i++;
	for (; i < n && limit > 0; i++, limit--)
		put_queue(&w, v->a, q[i]);
	jsonw_close(&w, ']');
	jsonw_str(&w, "next",
	    i < n && i > 0 ? q[i - 1]->name : (struct str){NULL, 0});
	free(q);
	v1_finish(v, &w);
}

static void
get_queue(const struct v1 *v)
{
	struct queue *q = v1_queue(v);
	struct jsonw w;

	if (q == NULL)
		return;
	w = (struct jsonw){.b = api_out(v->a)};
	put_queue(&w, v->a, q);
	buf_addc(w.b, '\n');
	api_reply(v->p, 200, V1_JSON, (struct str){w.b->p, w.b->n});
}

/* ---- routes ---- */

static const struct route {
	const char *method;
	const char *pattern; /* segments behind /v1/, * = any */
	void (*fn)(const struct v1 *);
	const char *act; /* what an operator does with it; NULL: looks */
} routes[] = {
    {"GET", "status", get_status, NULL},
    {"GET", "health", get_health, NULL},
    {"GET", "queues", get_queues, NULL},
    {"GET", "queues/*", get_queue, NULL},
    {"PUT", "queues/*", v1_put_queue, "create"},
    {"DELETE", "queues/*", v1_delete_queue, "destroy"},
    {"POST", "queues/*/pause", v1_post_pause, "pause"},
    {"POST", "queues/*/resume", v1_post_resume, "resume"},
    {"POST", "queues/*/purge", v1_post_purge, "purge"},
    {"GET", "queues/*/messages", v1_get_messages, NULL},
    {"POST", "queues/*/messages", v1_post_message, NULL},
    {"GET", "queues/*/messages/*", v1_get_message, NULL},
    {"DELETE", "queues/*/messages/*", v1_delete_message, "ack"},
    {"POST", "queues/*/messages/*/reply", v1_post_reply, "reply"},
    {"POST", "queues/*/messages/*/cancel", v1_post_cancel, "cancel"},
    {"POST", "queues/*/messages/*/hold", v1_post_hold, "hold"},
    {"POST", "queues/*/messages/*/release", v1_post_release, "release"},
    {"POST", "queues/*/messages/*/requeue", v1_post_requeue, "requeue"},
    {"GET", "removed", v1_get_removed, NULL},
    {"POST", "removed/*/restore", v1_post_restore, "undo"},
    {"POST", "removed/restore", v1_post_restore_all, "undo"},
    {"GET", "events", v1_get_events, NULL},
    {"GET", "chart", v1_get_chart, NULL},
    {"GET", "acts", v1_get_acts, NULL},
    {"GET", "clients", v1_get_clients, NULL},
};

/* Does the path fit the pattern? */
static bool
fits(const struct v1 *v, const char *pattern)
{
	size_t i = 0;

	for (;; i++) {
		size_t n = strcspn(pattern, "/");

		if (i == v->nseg)
			return false;
		if (*pattern != '*' &&
		    !str_eq(v->seg[i], (struct str){pattern, n}))
			return false;
		pattern += n;
		if (*pattern == '\0')
			break;
		pattern++;
	}
	return i + 1 == v->nseg;
}

/* Take a query apart, before anything of it is decoded: what is decoded may
 * hold the marks between parameters. */
static void
split_query(struct v1 *v, char *p, const char *end)
{
	char *stop, *is;

	for (; p < end && v->nparams < V1_MOST_PARAMS; p = stop + 1) {
		stop = memchr(p, '&', (size_t)(end - p));
		if (stop == NULL)
			stop = p + (end - p);
		is = memchr(p, '=', (size_t)(stop - p));
		if (is == NULL)
			continue;
		v->params[v->nparams++] =
		    (struct v1_param){{p, (size_t)(is - p)},
			wire_get_segment(
			    (struct str){is + 1, (size_t)(stop - is) - 1})};
	}
}

/* Split the target behind "/v1/"; false when it has too many segments. */
static bool
split(struct v1 *v, struct str target)
{
	char *p = (char *)(uintptr_t)target.p, *end = p + target.n, *q;

	q = memchr(p, '?', target.n);
	if (q != NULL) {
		split_query(v, q + 1, end);
		end = q;
	}
	while (p <= end) {
		q = memchr(p, '/', (size_t)(end - p));
		if (q == NULL)
			q = end;
		if (v->nseg == V1_MOST_SEGMENTS)
			return false;
		v->seg[v->nseg++] =
		    wire_get_segment((struct str){p, (size_t)(q - p)});
		p = q + 1;
	}
	return true;
}

/* Who asked for what, for the log: a change by an operator.  Messages are the
 * daily work of programs. */
static void
audit(const struct v1 *v, const struct route *r)
{
	const struct client *c = &v->p->client;
	struct buf path = BUF_INIT;

	if (r->act == NULL)
		return;
	acts_asked(v, r->act);
	if (r->fn == v1_post_reply)
		return;
	for (size_t i = 0; i < v->nseg; i++) {
		buf_addc(&path, '/');
		buf_add(&path, v->seg[i].p, v->seg[i].n);
	}
	if (buf_ok(&path))
		log_info("api", "pid %d (%s) uid %d asks: %s %.*s", (int)c->pid,
		    c->comm, (int)c->uid, r->method, (int)path.n, path.p);
	buf_fini(&path);
}

/* A request that may be one of ours. */
bool
api_v1(struct peer *p, struct http_request *r)
{
	struct v1 v = {.p = p, .a = p->api, .body = r->body, .key = r->key};
	bool path = false;

	if (!str_starts(r->target, STR("/v1/")))
		return false;
	r->target.p += 4;
	r->target.n -= 4;
	if (split(&v, r->target)) {
		for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
			if (!fits(&v, routes[i].pattern))
				continue;
			path = true;
			if (str_eq(r->method, str_of(routes[i].method))) {
				audit(&v, &routes[i]);
				routes[i].fn(&v);
				return true;
			}
		}
	}
	if (path)
		api_error(p, 405, "method", "not with this method",
		    "see doc/protocol.md");
	else
		api_error(p, 404, "no_route", "there is nothing here",
		    "see doc/protocol.md");
	return true;
}
