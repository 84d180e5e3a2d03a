/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * wire: the first byte says what the rest is.  A request that the broker takes
 * must come out of our client as the same request; an answer that our client
 * takes must be the same once the broker's side has written it again.
 */
#include "fuzz.h"

#include "http1.h"
#include "json.h"
#include "wire.h"

#define MAX_SEEN 64

static const struct http1_limits limits = {8192, 16384, 64, 1 << 20};

/* An allowed name, as wire.h has it. */
static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n >= 1 && s.n <= WIRE_MAX_NAME;
}

/* What every decoded request keeps to. */
static void
check_bounds(const struct wire_req *r)
{
	size_t i;

	promise((unsigned)r->op < WIRE_NOPS);
	promise(r->timeout_s >= 0 && r->timeout_s <= WIRE_MAX_TIMEOUT);
	for (i = 0; i < r->nqueues; i++)
		promise(is_name(r->queues[i]));
	if (r->op != WIRE_LIST && r->op != WIRE_LIST_ALIVE)
		promise(r->name.n == 0 || is_name(r->name));
	promise(r->reply_to.n == 0 || is_name(r->reply_to));
}

/* The same in every field. */
static void
check_same(const struct wire_req *a, const struct wire_req *b)
{
	size_t i;

	promise(a->op == b->op && a->id == b->id && a->from == b->from);
	promise(a->timeout_s == b->timeout_s && a->nqueues == b->nqueues);
	promise(str_eq(a->name, b->name) && str_eq(a->reply_to, b->reply_to));
	promise(str_eq(a->payload, b->payload));
	for (i = 0; i < a->nqueues; i++)
		promise(str_eq(a->queues[i], b->queues[i]));
}

/* Out of the client and in again. */
static void
check_round_trip(const struct wire_req *r)
{
	struct str queues[WIRE_MAX_QUEUES];
	struct wire_req again = {.queues = queues, .nqueues = WIRE_MAX_QUEUES};
	const char *reason = NULL;
	struct buf b = BUF_INIT;
	struct http1 h;

	if (!wire_put_request(&b, r)) {
		promise(r->name.n > WIRE_MAX_NAME);
		buf_fini(&b);
		return;
	}
	http1_init(&h, HTTP1_REQUEST, &limits);
	promise(http1_feed(&h, b.p, b.n) == HTTP1_DONE && h.used == b.n);
	promise(wire_get_request(&again, h.method, h.target, h.body, &reason) ==
	    WIRE_OK);
	check_same(r, &again);
	buf_fini(&b);
}

/* The bytes as an HTTP request. */
static void
as_request(char *p, size_t n)
{
	struct str queues[WIRE_MAX_QUEUES];
	struct wire_req r = {.queues = queues, .nqueues = WIRE_MAX_QUEUES};
	const char *reason = NULL;
	struct http1 h;
	enum wire_rc rc;

	http1_init(&h, HTTP1_REQUEST, &limits);
	if (http1_feed(&h, p, n) != HTTP1_DONE)
		return;
	rc = wire_get_request(&r, h.method, h.target, h.body, &reason);
	promise((rc == WIRE_BAD) == (reason != NULL));
	if (rc != WIRE_OK)
		return;
	check_bounds(&r);
	check_round_trip(&r);
}

/* The bytes as the body of a transfer. */
static void
as_poll(char *p, size_t n)
{
	struct str queues[3];
	struct wire_req r = {.queues = queues, .nqueues = 3};
	const char *reason = NULL;
	enum wire_rc rc;

	rc = wire_get_request(
	    &r, STR("POST"), STR("/transfer"), (struct str){p, n}, &reason);
	promise((rc == WIRE_BAD) == (reason != NULL));
	promise(rc != WIRE_NOT_FOUND);
	if (rc == WIRE_OK) {
		check_bounds(&r);
		check_round_trip(&r);
	}
}

struct seen {
	int n;
	struct wire_message m[MAX_SEEN];
	struct wire_event e[MAX_SEEN];
	struct buf names;
};

/* Keep a message. */
static int
see_message(void *arg, const struct wire_message *m)
{
	struct seen *s = arg;

	if (s->n == MAX_SEEN)
		return 1;
	s->m[s->n++] = *m;
	return 0;
}

/* Keep an event. */
static int
see_event(void *arg, const struct wire_event *e)
{
	struct seen *s = arg;

	if (s->n == MAX_SEEN)
		return 1;
	s->e[s->n++] = *e;
	return 0;
}

/* Keep a name, written. */
static int
see_name(void *arg, struct str name)
{
	struct seen *s = arg;

	wire_put_name(&s->names, name, s->n++ == 0);
	return 0;
}

/* The same message. */
static void
check_message(const struct wire_message *a, const struct wire_message *b)
{
	promise(a->id == b->id && a->kind == b->kind && a->re_id == b->re_id);
	promise(str_eq(a->queue, b->queue) && str_eq(a->payload, b->payload));
	promise(str_eq(a->reply_to, b->reply_to));
}

/* The bytes as the answer of a transfer. */
static void
as_messages(char *p, size_t n)
{
	static struct seen a, b;
	struct buf out = BUF_INIT;
	int64_t next = 0, again = 0;
	int i;

	a.n = b.n = 0;
	if (wire_get_transfer((struct str){p, n}, see_message, &a, &next) < 0)
		return;
	wire_put_transfer_begin(&out);
	for (i = 0; i < a.n; i++)
		wire_put_transfer_message(&out, &a.m[i], i == 0);
	wire_put_transfer_end(&out, next);
	promise(wire_get_transfer((struct str){out.p, out.n}, see_message, &b,
		    &again) == a.n);
	promise(next == again);
	for (i = 0; i < a.n; i++)
		check_message(&a.m[i], &b.m[i]);
	buf_fini(&out);
}

/* The bytes as the answer of a trace. */
static void
as_events(char *p, size_t n)
{
	static struct seen a, b;
	struct buf out = BUF_INIT;
	int i;

	a.n = b.n = 0;
	if (wire_get_trace((struct str){p, n}, see_event, &a) < 0)
		return;
	buf_adds(&out, "{\"events\":[");
	for (i = 0; i < a.n; i++)
		wire_put_event(&out, &a.e[i], i == 0);
	buf_adds(&out, "]}");
	promise(
	    wire_get_trace((struct str){out.p, out.n}, see_event, &b) == a.n);
	for (i = 0; i < a.n; i++) {
		promise(a.e[i].seq == b.e[i].seq);
		promise(a.e[i].is_ack == b.e[i].is_ack);
		promise(a.e[i].wall_ns == b.e[i].wall_ns);
		promise(str_eq(a.e[i].input, b.e[i].input));
		promise(str_eq(a.e[i].output, b.e[i].output));
		promise(a.e[i].processing_ns < 0 ||
		    a.e[i].processing_ns == b.e[i].processing_ns);
		if (!a.e[i].is_ack)
			check_message(&a.e[i].m, &b.e[i].m);
	}
	buf_fini(&out);
}

/* The bytes as the answers of list and of send, and as a number. */
static void
as_small(char *p, size_t n)
{
	struct seen a = {.n = 0};
	struct buf b = BUF_INIT;
	char *q = fuzz_copy(p, n);
	struct str s = {q, n};
	int64_t v, again;

	if (wire_get_sent((struct str){p, n}, &v) == 1) {
		wire_put_sent(&b, STR("q"), v);
		promise(wire_get_sent((struct str){b.p, b.n}, &again) == 1);
		promise(v == again);
	}
	if (wire_int64(s, &v)) {
		buf_reset(&b);
		buf_addi(&b, v);
		promise(wire_int64((struct str){b.p, b.n}, &again));
		promise(v == again);
	}
	wire_get_names(s, see_name, &a);
	buf_fini(&a.names);
	buf_fini(&b);
	free(q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const kinds[])(char *p, size_t n) = {
	    as_request, as_poll, as_messages, as_events, as_small};
	char *p;

	if (n == 0)
		return 0;
	p = fuzz_copy(data + 1, n - 1);
	kinds[data[0] % 5](p, n - 1);
	free(p);
	return 0;
}
