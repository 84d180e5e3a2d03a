/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Looking at the switch with the stock protocol: diagnostics and trace.  What is
 * shown of a payload is redacted, for everybody.
 */
#include "api.h"

#include <stdlib.h>

#include "clock.h"
#include "idmap.h"
#include "json.h"
#include "redact.h"
#include "xalloc.h"

#define DIAG_PER_QUEUE 100 /* newest messages of each queue in diagnostics */

/* ---- diagnostics ---- */

/* One message, rendered. */
struct diag_item {
	struct str queue; /* in text */
	int64_t id;
	char *text; /* owned: queue name, then the JSON */
	size_t n;
};

static int
by_queue_newest(const void *a, const void *b)
{
	const struct diag_item *x = a, *y = b;
	int c = str_cmp(x->queue, y->queue);

	return c ? c : (x->id < y->id) - (x->id > y->id);
}

/* [["q",id],{"origin":["Name","tok"],"time":NS,"message":{..}}] */
static void
put_entry(struct api *a, struct buf *b, const struct store_msg *sm)
{
	struct wire_message w = {.queue = sm->queue, .id = sm->id};
	char text[RING_MAX_PAYLOAD];

	w.payload = (struct str){text, redact(text, sizeof text, sm->payload)};
	w.kind = sm->re_queue.p ? WIRE_KIND_RESPONSE : WIRE_KIND_REQUEST;
	w.reply_to = sm->re_queue.p ? sm->re_queue : sm->reply_to;
	w.re_id = sm->re_id;
	buf_adds(b, "[[");
	json_put_str(b, sm->queue);
	buf_addc(b, ',');
	buf_addi(b, sm->id);
	buf_adds(b, "],{\"origin\":[\"Name\",");
	json_put_str(b, sm->origin);
	buf_adds(b, "],\"time\":");
	buf_addi(b, sm->at_ns - a->start_wall_ns);
	buf_adds(b, ",\"message\":");
	wire_put_message_body(b, &w);
	buf_adds(b, "}]");
}

static void
diag_message(
    struct poll *poll, const struct store_msg *sm, const struct msg *msg)
{
	struct call *c = call_of(poll);
	struct diag_item *it;
	struct buf b = BUF_INIT;

	(void)msg;
	if (c->count % 64 == 0)
		c->items =
		    xreallocarray(c->items, c->count + 64, sizeof *c->items);
	buf_add(&b, sm->queue.p, sm->queue.n);
	put_entry(c->api, &b, sm);
	it = &c->items[c->count];
	it->id = sm->id;
	it->queue.n = sm->queue.n;
	it->text = buf_steal(&b, &it->n);
	it->queue.p = it->text;
	c->count += it->text != NULL;
}

/* One queue and its items; returns the first item of the next queue. */
static size_t
put_queue(struct api *a, struct buf *b, const struct queue *q,
    const struct diag_item *it, size_t n, size_t i)
{
	bool first = true;

	json_put_str(b, q->name);
	buf_adds(b, ":{");
	if (q->last_poll_ns != 0) {
		buf_adds(b, "\"next_transfer_expected\":");
		buf_addi(b, q->last_poll_ns - a->start_ns + 30 * NS_PER_SEC);
		buf_addc(b, ',');
	}
	buf_adds(b, "\"queue_contents\":[");
	while (i < n && str_cmp(it[i].queue, q->name) < 0)
		i++;
	for (; i < n && str_eq(it[i].queue, q->name); i++) {
		if (!first)
			buf_addc(b, ',');
		first = false;
		buf_add(b, it[i].text + it[i].queue.n, it[i].n - it[i].queue.n);
	}
	buf_adds(b, "]}");
	return i;
}

/* The queues of one kind. */
static void
put_queues(struct api *a, struct buf *b, const struct call *c, bool transient)
{
	size_t n, at = 0;
	struct queue **v = mswitch_sorted(a->m, (struct str){NULL, 0}, &n);
	bool first = true;

	if (v == NULL) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if ((v[i]->owner != NULL) != transient)
			continue;
		if (!first)
			buf_addc(b, ',');
		first = false;
		at = put_queue(a, b, v[i], c->items, c->count, at);
	}
	free(v);
}

static void
free_items(struct call *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].text);
	free(c->items);
	c->items = NULL;
	c->count = 0;
}

static void
diag_done(struct poll *poll, int64_t next, enum ms_rc rc)
{
	struct call *c = call_of(poll);
	struct api *a = c->api;
	struct buf *b;

	(void)next, (void)rc; /* what could not be read is left out */
	if (c->peer == NULL) {
		free_items(c);
		call_free(c);
		return;
	}
	if (c->count > 0)
		qsort(c->items, c->count, sizeof *c->items, by_queue_newest);
	b = api_out(a);
	buf_adds(b, "{\"start_time\":0,\"current_time\":");
	buf_addi(b, a->m->wall_ns - a->start_wall_ns);
	buf_adds(b, ",\"permanent_queues\":{");
	put_queues(a, b, c, false);
	buf_adds(b, "},\"transient_queues\":{");
	put_queues(a, b, c, true);
	buf_adds(b, "}}");
	free_items(c);
	if (buf_ok(b))
		call_reply(c, 200, NULL, (struct str){b->p, b->n});
	else
		api_ms_error(c->peer, MS_NO_MEMORY, NULL);
}

/* GET / */
void
api_diagnostics(struct peer *p)
{
	struct call *c = call_new(p, CALL_POLL);

	c->u.poll.client = &p->client;
	c->u.poll.from = INT64_MIN;
	c->u.poll.message = diag_message;
	c->u.poll.done = diag_done;
	(void)mswitch_look_all(p->api->m, &c->u.poll, DIAG_PER_QUEUE);
}

/* ---- trace ---- */

/* Is it one of the events that the original records? */
static bool
is_stock(const struct ring_event *e)
{
	return e->type == RING_PUBLISH || e->type == RING_REPLY ||
	    e->type == RING_DELIVER || e->type == RING_ACK;
}

/* Where the last `most` stock events with number >= from begin; *where gets the
 * publish of each message id, as its number + 1. */
static uint64_t
trace_start(
    const struct ring *r, uint64_t from, size_t most, struct idmap *where)
{
	struct ring_cursor at = ring_seek(r, ring_first(r));
	uint64_t *last = xcalloc(most, sizeof *last), start;
	struct ring_event e;
	size_t n = 0;

	while (ring_read(r, &at, &e)) {
		if (e.type == RING_PUBLISH || e.type == RING_REPLY)
			(void)!idmap_put(where, e.id, (int64_t)e.seq + 1);
		if (is_stock(&e) && e.seq >= from)
			last[n++ % most] = e.seq;
	}
	start = n == 0 ? ring_next(r) : n <= most ? last[0] : last[n % most];
	free(last);
	return start;
}

/* What the message of a delivery was. */
static void
join(const struct ring *r, const struct idmap *where, int64_t id,
    struct wire_event *w)
{
	int64_t seq = idmap_get(where, id);
	struct ring_cursor at;
	struct ring_event e;

	w->m.kind = WIRE_KIND_REQUEST;
	if (seq == 0)
		return;
	at = ring_seek(r, (uint64_t)seq - 1);
	if (!ring_read(r, &at, &e) || e.id != id)
		return;
	w->m.payload = e.text;
	w->m.reply_to = e.peer;
	w->m.re_id = e.re_id;
	if (e.type == RING_REPLY) {
		w->m.kind = WIRE_KIND_RESPONSE;
		w->processing_ns = e.dur_ns;
	}
}

static void
put_event(struct buf *b, const struct ring *r, const struct idmap *where,
    const struct ring_event *e, bool first)
{
	struct wire_event w = {
	    .seq = (int64_t)e->seq, .wall_ns = e->wall_ns, .processing_ns = -1};

	w.m.queue = e->queue;
	w.m.id = e->id;
	w.is_ack = e->type == RING_ACK;
	if (e->type == RING_DELIVER)
		w.output = e->client;
	else
		w.input = e->client;
	if (!w.is_ack)
		join(r, where, e->id, &w);
	if (e->type != RING_DELIVER)
		w.processing_ns = -1;
	wire_put_event(b, &w, first);
}

/* Answer with the events from `from` on. */
static void
trace_reply(struct peer *p, int64_t from)
{
	struct api *a = p->api;
	const struct ring *r = &a->trace->ring;
	struct idmap where = {0};
	struct buf *b = api_out(a);
	struct ring_cursor at;
	struct ring_event e;
	bool first = true;

	at = ring_seek(r,
	    trace_start(r, from < 0 ? 0 : (uint64_t)from,
		(size_t)a->trace_entries, &where));
	buf_adds(b, "{\"events\":[");
	while (ring_read(r, &at, &e)) {
		if (!is_stock(&e))
			continue;
		put_event(b, r, &where, &e, first);
		first = false;
	}
	buf_adds(b, "]}");
	idmap_fini(&where);
	if (buf_ok(b))
		api_reply(p, 200, NULL, (struct str){b->p, b->n});
	else
		api_ms_error(p, MS_NO_MEMORY, NULL);
}

/* Are there stock events with this number or a later one? */
static bool
has_event(const struct ring *r, uint64_t from)
{
	struct ring_cursor at = ring_seek(r, from);
	struct ring_event e;

	while (ring_read(r, &at, &e))
		if (is_stock(&e))
			return true;
	return false;
}

static void
trace_woken(struct trace_wait *w)
{
	struct call *c = call_of(w);
	struct api *a = c->api;

	if (!has_event(&a->trace->ring, (uint64_t)c->arg) &&
	    a->m->now_ns < c->until_ns) {
		trace_wait(a->trace, w, c->until_ns);
		return;
	}
	trace_reply(c->peer, c->arg);
}

static void
trace_expired(struct deadline *d, int64_t now)
{
	struct call *c = call_of(d);

	(void)now;
	trace_unwait(c->api->trace, &c->u.wait);
	trace_reply(c->peer, c->arg);
}

/* GET /trace/FROM/TIMEOUT */
void
api_trace(struct peer *p, const struct wire_req *r)
{
	struct api *a = p->api;
	int64_t wait = (int64_t)(r->timeout_s * NS_PER_SEC);
	struct call *c;

	if (wait > a->poll_max_ns)
		wait = a->poll_max_ns;
	if (r->from < 0 || wait <= 0 ||
	    has_event(&a->trace->ring, (uint64_t)r->from)) {
		trace_reply(p, r->from);
		return;
	}
	c = call_new(p, CALL_WAIT);
	c->arg = r->from;
	c->until_ns = a->m->now_ns + wait;
	c->u.wait.fn = trace_woken;
	c->u.wait.deadline.fn = trace_expired;
	trace_wait(a->trace, &c->u.wait, c->until_ns);
	http_park(p->conn);
}
