/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * GET /metrics: what a monitoring system wants to know, as OpenMetrics text.
 * Everything is counted anyway; this only writes it down, when asked.
 *
 * Persistent queues are there one by one, the first MOST_QUEUES of them by name.
 * Transient ones come and go with every client, so they are only summed up.
 */
#include "api.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "jsonw.h"
#include "version.h"

#define TYPE	    "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define MOST_QUEUES 1000

/* ---- writing ---- */

/* What stands before the samples of a family; its unit is the end of its name. */
static void
family(struct buf *b, const char *name, const char *type, const char *unit,
    const char *help)
{
	buf_addf(b, "# TYPE xmsg_%s %s\n", name, type);
	if (unit != NULL)
		buf_addf(b, "# UNIT xmsg_%s %s\n", name, unit);
	buf_addf(b, "# HELP xmsg_%s %s\n", name, help);
}

/* Seconds. */
static void
put_seconds(struct buf *b, int64_t ns)
{
	buf_addf(b, "%lld.%09lld", (long long)(ns / NS_PER_SEC),
	    (long long)(ns % NS_PER_SEC));
}

/* A family of one sample without labels. */
static void
single(struct buf *b, const char *name, const char *type, const char *help,
    int64_t v)
{
	family(b, name, type, NULL, help);
	buf_addf(b, "xmsg_%s%s %lld\n", name, *type == 'c' ? "_total" : "",
	    (long long)v);
}

/* {queue="NAME", with the brace left open. */
static void
queue_label(struct buf *b, struct str name)
{
	struct buf text = BUF_INIT;

	jsonw_text(&text, name); /* valid UTF-8, whatever the name */
	buf_adds(b, "{queue=\"");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_addc(b, '\\');
		if (text.p[i] == '\n')
			buf_adds(b, "\\n");
		else
			buf_addc(b, text.p[i]);
	}
	buf_addc(b, '"');
	b->failed |= text.failed;
	buf_fini(&text);
}

/* The samples of one histogram, of a queue or of the broker. */
static void
put_hist(struct buf *b, const char *name, const struct str *queue,
    const struct hist *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= HIST_BOUNDS; i++) {
		n += h->n[i];
		buf_addf(b, "xmsg_%s_bucket", name);
		if (queue != NULL)
			queue_label(b, *queue);
		buf_addc(b, queue ? ',' : '{');
		buf_adds(b, "le=\"");
		if (i < HIST_BOUNDS)
			json_put_float(b, (double)hist_bounds[i] / NS_PER_SEC);
		else
			buf_adds(b, "+Inf");
		buf_addf(b, "\"} %llu\n", (unsigned long long)n);
	}
	for (int sum = 0; sum < 2; sum++) {
		buf_addf(b, "xmsg_%s_%s", name, sum ? "sum" : "count");
		if (queue != NULL) {
			queue_label(b, *queue);
			buf_addc(b, '}');
		}
		buf_addc(b, ' ');
		if (sum)
			put_seconds(b, (int64_t)h->sum_ns);
		else
			buf_addf(b, "%llu", (unsigned long long)n);
		buf_addc(b, '\n');
	}
}

/* ---- the broker ---- */

static void
put_broker(struct buf *b, const struct api *a)
{
	const struct http_counters *h = http_counters(a->http);

	family(b, "build_info", "gauge", NULL, "The program; always 1.");
	buf_addf(b, "xmsg_build_info{version=\"%s\"} 1\n", XMSG_VERSION);
	family(b, "start_time_seconds", "gauge", "seconds",
	    "When the broker started, since 1970.");
	buf_adds(b, "xmsg_start_time_seconds ");
	put_seconds(b, a->start_wall_ns);
	buf_addc(b, '\n');
	single(b, "connections", "gauge", "Connections now.",
	    (int64_t)h->connections);
	single(b, "connections_accepted", "counter", "Connections accepted.",
	    (int64_t)h->accepted);
	single(b, "connections_turned_away", "counter",
	    "Connections answered with 503.", (int64_t)h->refused);
	single(
	    b, "requests", "counter", "HTTP requests.", (int64_t)h->requests);
	single(b, "requests_bad", "counter",
	    "Malformed HTTP, and what came too slowly.", (int64_t)h->bad);
	single(b, "sessions", "gauge",
	    "Tokens with a connection or waiting for one.",
	    (int64_t)a->m->sessions.n);
	single(b, "polls_parked", "gauge", "Polls that wait now.",
	    (int64_t)a->m->waiters.nparked);
}

/* What was done to messages and queues. */
static void
put_counters(struct buf *b, const struct api *a)
{
	const struct ms_counters *n = &a->m->counters;
	const struct {
		const char *name, *help;
		uint64_t v;
	} rows[] = {
	    {"polls", "Transfers begun.", n->polls},
	    {"published", "Requests enqueued.", n->published},
	    {"replied", "Replies enqueued.", n->replied},
	    {"duplicates", "Sent again, not enqueued again.", n->duplicates},
	    {"delivered", "Messages handed out.", n->delivered},
	    {"acked", "Messages acknowledged.", n->acked},
	    {"cancelled", "Messages cancelled or purged.", n->cancelled},
	    {"refused", "Changes refused, as a limit was reached.", n->refused},
	    {"queues_created", "Queues made.", n->created},
	    {"queues_destroyed", "Queues destroyed.", n->destroyed},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		single(b, rows[i].name, "counter", rows[i].help,
		    (int64_t)rows[i].v);
}

static void
put_store(struct buf *b, const struct api *a)
{
	const struct ring *r = &a->trace->ring;
	struct store_info si;

	store_info(a->store, &si);
	single(b, "store_degraded", "gauge",
	    "1 while the store refuses new messages: the disk is full.",
	    a->degraded);
	single(b, "store_damaged", "counter",
	    "Messages found damaged on the disk.",
	    (int64_t)a->m->counters.damaged);
	single(b, "store_commits", "counter", "Transactions.",
	    (int64_t)si.commits);
	single(b, "store_changes", "counter",
	    "Changes in all transactions; many in one is group commit.",
	    (int64_t)si.commit_ops);
	single(b, "store_checkpoints", "counter",
	    "Moves of the log into the database.", (int64_t)si.checkpoints);
	single(b, "store_pending_changes", "gauge",
	    "Changes on their way to the disk.", (int64_t)si.pending_ops);
	single(b, "store_pending_bytes", "gauge", "The same, in bytes.",
	    (int64_t)si.pending_bytes);
	family(b, "store_commit_seconds", "histogram", "seconds",
	    "Time that a transaction takes, with its sync.");
	put_hist(b, "store_commit_seconds", NULL, &si.commit_time);
	single(b, "recorder_events", "counter",
	    "Events recorded, since the recorder's file was made.",
	    (int64_t)ring_next(r));
	single(b, "recorder_events_kept", "gauge",
	    "Events that have not been overwritten.",
	    (int64_t)(ring_next(r) - ring_first(r)));
	single(b, "recorder_size_bytes", "gauge", "Of its file.",
	    (int64_t)r->size);
}

/* ---- queues ---- */

/* Sums over all queues of a kind. */
struct sums {
	int64_t queues, ready, delivered, held, bytes;
};

static void
add(struct sums *s, const struct queue *q)
{
	s->queues++;
	s->delivered += q->delivered;
	s->held += q->held;
	s->ready += (int64_t)q->q.n - q->held - q->delivered;
	s->bytes += q->bytes;
}

static void
put_sums(struct buf *b, const struct api *a)
{
	static const char *const kinds[] = {"persistent", "transient"};
	struct sums s[2] = {{0}};
	struct queue *q, *next;

	HASH_ITER (hh, a->m->queues, q, next)
		add(&s[q->owner != NULL], q);
	family(b, "queues", "gauge", NULL, "Queues.");
	for (int k = 0; k < 2; k++)
		buf_addf(b, "xmsg_queues{kind=\"%s\"} %lld\n", kinds[k],
		    (long long)s[k].queues);
	family(b, "messages", "gauge", NULL, "Messages in all queues.");
	for (int k = 0; k < 2; k++) {
		const struct {
			const char *name;
			int64_t v;
		} states[] = {{"ready", s[k].ready},
		    {"delivered", s[k].delivered}, {"held", s[k].held}};

		for (size_t i = 0; i < 3; i++)
			buf_addf(b,
			    "xmsg_messages{kind=\"%s\",state=\"%s\"} %lld\n",
			    kinds[k], states[i].name, (long long)states[i].v);
	}
	family(b, "messages_bytes", "gauge", "bytes", "Their payloads.");
	for (int k = 0; k < 2; k++)
		buf_addf(b, "xmsg_messages_bytes{kind=\"%s\"} %lld\n", kinds[k],
		    (long long)s[k].bytes);
}

/* What there is of each queue, one sample each. */
enum value { READY, DELIVERED, HELD, BYTES, CONSUMERS, PAUSED, IN, OUT };

static int64_t
value_of(const struct api *a, const struct queue *q, enum value v)
{
	const struct waitname *wn;

	switch (v) {
	case READY: return (int64_t)q->q.n - q->held - q->delivered;
	case DELIVERED: return q->delivered;
	case HELD: return q->held;
	case BYTES: return q->bytes;
	case CONSUMERS:
		wn = waiters_find(&a->m->waiters, q->name);
		return wn ? wn->nlinks : 0;
	case PAUSED: return q->paused;
	case IN: return (int64_t)q->in;
	default: return (int64_t)q->out;
	}
}

static const struct {
	const char *name, *type, *unit, *help;
	struct {
		enum value v;
		const char *more; /* further label */
	} samples[3];
	int n;
} families[] = {
    {"queue_messages", "gauge", NULL, "Messages of a persistent queue.",
	{{READY, ",state=\"ready\""}, {DELIVERED, ",state=\"delivered\""},
	    {HELD, ",state=\"held\""}},
	3},
    {"queue_bytes", "gauge", "bytes", "Their payloads.", {{BYTES, ""}}, 1},
    {"queue_consumers", "gauge", NULL,
	"Connections whose last poll named the queue.", {{CONSUMERS, ""}}, 1},
    {"queue_paused", "gauge", NULL, "1 while the queue is paused.",
	{{PAUSED, ""}}, 1},
    {"queue_in", "counter", NULL, "Messages that came.", {{IN, ""}}, 1},
    {"queue_out", "counter", NULL, "Messages that left.", {{OUT, ""}}, 1},
};

static void
put_family(struct buf *b, const struct api *a, struct queue *const *v, size_t n,
    size_t f)
{
	const char *name = families[f].name;

	family(b, name, families[f].type, families[f].unit, families[f].help);
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < families[f].n; k++) {
			buf_addf(b, "xmsg_%s%s", name,
			    *families[f].type == 'c' ? "_total" : "");
			queue_label(b, v[i]->name);
			buf_addf(b, "%s} %lld\n", families[f].samples[k].more,
			    (long long)value_of(
				a, v[i], families[f].samples[k].v));
		}
}

/* Age of the oldest message, and how long replies take. */
static void
put_times(struct buf *b, const struct api *a, struct queue *const *v, size_t n)
{
	family(b, "queue_oldest_age_seconds", "gauge", "seconds",
	    "Age of the message with the lowest id, 0 when there is none.");
	for (size_t i = 0; i < n; i++) {
		const struct msg *m = msgq_after(&v[i]->q, INT64_MIN);
		int64_t at = m == NULL ? a->m->wall_ns
		    : m->body	       ? m->body->at_ns
				       : (int64_t)m->at_s * NS_PER_SEC;
		int64_t age = a->m->wall_ns - at;

		buf_adds(b, "xmsg_queue_oldest_age_seconds");
		queue_label(b, v[i]->name);
		buf_adds(b, "} ");
		put_seconds(b, age > 0 ? age : 0);
		buf_addc(b, '\n');
	}
	family(b, "queue_reply_seconds", "histogram", "seconds",
	    "From a request to its reply, of requests kept in memory.");
	for (size_t i = 0; i < n; i++)
		if (v[i]->replied != NULL)
			put_hist(b, "queue_reply_seconds", &v[i]->name,
			    v[i]->replied);
}

static void
put_queues(struct buf *b, const struct api *a)
{
	size_t n, kept = 0, left = 0;
	struct queue **v = mswitch_sorted(a->m, (struct str){NULL, 0}, &n);

	if (v == NULL) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i]->owner != NULL)
			continue;
		if (kept < MOST_QUEUES)
			v[kept++] = v[i];
		else
			left++;
	}
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		put_family(b, a, v, kept, f);
	put_times(b, a, v, kept);
	single(b, "queues_left_out", "gauge",
	    "Persistent queues that are too many for this page.",
	    (int64_t)left);
	free(v);
}

/* GET /metrics */
bool
api_metrics(struct peer *p, const struct http_request *r)
{
	const struct api *a = p->api;
	struct buf *b;

	if (!str_starts(r->target, STR("/metrics")) ||
	    (r->target.n > 8 && r->target.p[8] != '?'))
		return false;
	if (!str_eq(r->method, STR("GET"))) {
		api_error(p, 405, "method", "not with this method",
		    "see doc/protocol.md");
		return true;
	}
	b = api_out(p->api);
	put_broker(b, a);
	put_counters(b, a);
	put_store(b, a);
	put_sums(b, a);
	put_queues(b, a);
	buf_adds(b, "# EOF\n");
	if (buf_ok(b))
		api_reply(p, 200, TYPE, (struct str){b->p, b->n});
	else
		api_ms_error(p, MS_NO_MEMORY, NULL);
	return true;
}
