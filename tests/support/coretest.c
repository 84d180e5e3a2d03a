/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Driving the core in a test. */
#include "support/coretest.h"

#include "clock.h"
#include "support/logtest.h"
#include "support/unit.h"

/* ---- life ---- */

static void
on_loaded(void *arg, bool ok)
{
	struct ct *t = arg;

	assert_int_equal(t->loaded, 0);
	t->loaded = ok ? 1 : -1;
}

static void
on_closed(void *arg)
{
	*(bool *)arg = true;
}

/* A core that has read its index. */
void
ct_start(struct ct *t)
{
	struct ms_config c = {&t->fs.base, t->limits, &t->deadlines, &t->trace};

	t->m = mswitch_new(&c);
	t->loaded = 0;
	mswitch_now(t->m, t->now_ns, t->wall_ns);
	mswitch_load(t->m, on_loaded, t);
	while (t->loaded == 0 && faultstore_pending(&t->fs))
		store_kick(&t->fs.base);
	assert_int_not_equal(t->loaded, 0);
	assert_true(mswitch_check(t->m));
}

/* End it; everything that was under way is finished first. */
void
ct_stop(struct ct *t)
{
	mswitch_stop(t->m);
	while (faultstore_pending(&t->fs))
		store_kick(&t->fs.base);
	assert_true(mswitch_check(t->m));
	mswitch_free(t->m);
	t->m = NULL;
	deadlines_fini(&t->deadlines); /* of sessions that are no more */
}

/* The process ends and starts again. */
void
ct_restart(struct ct *t)
{
	ct_stop(t);
	ct_start(t);
	assert_int_equal(t->loaded, 1);
}

/* An empty core. */
int
ct_setup(void **state)
{
	struct ct *t = calloc(1, sizeof *t);
	struct store_config c = {.url = "memory:",
	    .undo_ns = 365LL * 86400 * NS_PER_SEC,
	    .undo_bytes = 1 << 30};
	struct store *s;
	struct ring r;

	assert_non_null(t);
	*state = t;
	t->now_ns = 1000 * NS_PER_SEC;
	t->wall_ns = c.wall_ns = 1700000000LL * NS_PER_SEC;
	s = store_open(&c, NULL);
	assert_non_null(s);
	faultstore_init(&t->fs, s);
	t->ring_mem = calloc(1, RING_MIN_SIZE);
	assert_non_null(t->ring_mem);
	ring_format(&r, t->ring_mem, RING_MIN_SIZE, 0);
	trace_init(&t->trace, &t->deadlines, r);
	t->limits = (struct ms_limits){.queues = 100000,
	    .queue_messages = 1000000,
	    .queue_bytes = 1 << 30,
	    .total_bytes = 1 << 30,
	    .session_transient = 1000,
	    .cache_bytes = 1 << 24,
	    .transfer_bytes = 1 << 20,
	    .grace_ns = 60 * NS_PER_SEC,
	    .one_reply = true,
	    .poison = 3};
	logtest_clear();
	ct_start(t);
	return 0;
}

/* Everything is given back. */
int
ct_teardown(void **state)
{
	struct ct *t = *state;
	bool closed = false;

	if (t->m != NULL)
		ct_stop(t);
	store_close(&t->fs.base, on_closed, &closed);
	assert_true(closed);
	deadlines_fini(&t->deadlines);
	free(t->ring_mem);
	free(t);
	return logtest_left() == 0 ? 0 : -1;
}

/* ---- time and turns ---- */

/* Commit. */
void
ct_kick(struct ct *t)
{
	store_kick(&t->fs.base);
	assert_true(mswitch_check(t->m));
}

/* A whole turn. */
void
ct_turn(struct ct *t)
{
	do {
		mswitch_turn(t->m);
		ct_kick(t);
	} while (t->m->dirty != NULL || faultstore_pending(&t->fs));
}

/* Time passes. */
void
ct_pass(struct ct *t, int64_t ns)
{
	t->now_ns += ns;
	t->wall_ns += ns;
	mswitch_now(t->m, t->now_ns, t->wall_ns);
	deadlines_run(&t->deadlines, t->now_ns);
	ct_turn(t);
}

/* ---- index and store ---- */

struct same {
	struct store_op op; /* first member */
	struct ct *t;
	size_t n;
	bool done;
};

static void
same_done(struct store_op *op)
{
	((struct same *)op)->done = true;
}

/* Each message of the store is in the index. */
static int
same_msg(struct store_op *op, const struct store_msg *sm)
{
	struct same *s = (struct same *)op;
	struct queue *q = mswitch_queue(s->t->m, sm->queue);
	struct msg *msg = q ? msgq_find(&q->q, sm->id) : NULL;

	if (q == NULL)
		return 0; /* of a queue that is gone */
	assert_non_null(msg);
	assert_int_equal(msg->size, sm->payload.n);
	assert_int_equal(!!(msg->flags & MSG_REPLY), sm->re_queue.p != NULL);
	s->n++;
	return 0;
}

static int
same_queue(struct store_op *op, struct str name, struct str owner)
{
	struct same *s = (struct same *)op;
	struct queue *q = mswitch_queue(s->t->m, name);

	assert_non_null(q);
	assert_int_equal(q->owner != NULL, owner.n != 0);
	if (q->owner != NULL)
		assert_true(str_eq(q->owner->token, owner));
	s->n++;
	return 0;
}

static void
read_inner(struct ct *t, struct same *s)
{
	s->t = t;
	s->op.done = same_done;
	store_submit(t->fs.inner, &s->op);
	store_kick(t->fs.inner);
	assert_true(s->done);
}

/* Compare, when nothing is under way. */
void
ct_same(struct ct *t)
{
	struct same s = {.op.kind = STORE_SCAN}, q = {.op.kind = STORE_LIST};

	assert_false(faultstore_pending(&t->fs));
	s.op.u.scan.after = INT64_MIN;
	s.op.u.scan.row = same_msg;
	read_inner(t, &s);
	assert_int_equal(s.n, t->m->messages);
	q.op.u.list.row = same_queue;
	read_inner(t, &q);
	assert_int_equal(q.n, HASH_CNT(hh, t->m->queues));
}

/* ---- connections ---- */

/* A connection, logged in unless token is NULL. */
void
ct_open(struct ct *t, struct ct_client *c, const char *token)
{
	memset(c, 0, sizeof *c);
	c->t = t;
	client_init(&c->client, 4711, 0);
	if (token != NULL)
		client_login(t->m, &c->client, str_of(token));
}

/* The peer is gone. */
void
ct_close(struct ct *t, struct ct_client *c)
{
	client_close(t->m, &c->client);
	assert_true(mswitch_check(t->m));
}

/* ---- changes ---- */

static void
change_done(struct change *ch)
{
	struct ct_change *x = (struct ct_change *)ch;

	assert_int_equal(x->done, 0);
	x->done = 1;
	x->rc = ch->rc;
	assert_int_not_equal(x->rc, MS_PENDING);
}

/* Not started. */
struct ct_change *
ct_new(void)
{
	struct ct_change *x = calloc(1, sizeof *x);

	assert_non_null(x);
	x->ch.done = change_done;
	return x;
}

/* What it came to. */
enum ms_rc
ct_end(struct ct *t, struct ct_change *x, enum ms_rc rc)
{
	assert_true(mswitch_check(t->m));
	if (rc != MS_PENDING) {
		assert_int_equal(x->done, 0);
		return rc;
	}
	if (x->done == 0)
		ct_turn(t);
	assert_int_equal(x->done, 1);
	return x->rc;
}

/* Free. */
void
ct_free(struct ct_change *x)
{
	free(x);
}

/* End it and free it. */
static enum ms_rc
finish(struct ct *t, struct ct_change *x, enum ms_rc rc)
{
	rc = ct_end(t, x, rc);
	ct_free(x);
	return rc;
}

/* A queue. */
enum ms_rc
ct_create(struct ct *t, struct ct_client *c, const char *name, bool transient)
{
	struct ct_change *x = ct_new();

	return finish(t, x,
	    mswitch_create(
		t->m, &x->ch, c ? &c->client : NULL, str_of(name), transient));
}

/* Its end. */
enum ms_rc
ct_destroy(struct ct *t, const char *name)
{
	struct ct_change *x = ct_new();

	return finish(t, x, mswitch_destroy(t->m, &x->ch, NULL, str_of(name)));
}

/* Start a request. */
enum ms_rc
ct_begin_publish(
    struct ct *t, struct ct_change *x, const char *queue, const char *payload)
{
	struct ms_send s = {.queue = str_of(queue),
	    .payload = str_of(payload),
	    .reply_to = STR("answers")};

	return mswitch_send(t->m, &x->ch, NULL, &s);
}

/* Start a request with an idempotency key. */
enum ms_rc
ct_begin_keyed(
    struct ct *t, struct ct_change *x, const char *queue, const char *key)
{
	struct ms_send s = {.queue = str_of(queue),
	    .payload = STR("keyed"),
	    .reply_to = STR("answers"),
	    .key = str_of(key)};

	return mswitch_send(t->m, &x->ch, NULL, &s);
}

/* Start a reply. */
enum ms_rc
ct_begin_reply(struct ct *t, struct ct_change *x, const char *queue,
    const char *re_queue, int64_t re_id)
{
	struct ms_send s = {.queue = str_of(queue),
	    .payload = STR("reply"),
	    .re_queue = str_of(re_queue),
	    .re_id = re_id,
	    .is_reply = true};

	return mswitch_send(t->m, &x->ch, NULL, &s);
}

/* A request, whole way. */
int64_t
ct_publish(struct ct *t, const char *queue, const char *payload)
{
	struct ct_change *x = ct_new();
	enum ms_rc rc;
	int64_t id;

	rc = ct_end(t, x, ct_begin_publish(t, x, queue, payload));
	id = x->ch.id;
	ct_free(x);
	return rc == MS_OK ? id : -1 - (int64_t)rc;
}

/* An acknowledgement. */
enum ms_rc
ct_ack(struct ct *t, const char *queue, int64_t id)
{
	struct ct_change *x = ct_new();
	enum ms_rc rc;

	rc = ct_end(t, x, mswitch_ack(t->m, &x->ch, NULL, str_of(queue), id));
	ct_free(x);
	ct_turn(t); /* a lazy one may be under way */
	return rc;
}

/* Hold, release. */
enum ms_rc
ct_mark(struct ct *t, const char *queue, int64_t id, int held)
{
	struct ct_change *x = ct_new();

	return finish(
	    t, x, mswitch_mark(t->m, &x->ch, NULL, str_of(queue), id, held));
}

/* Pause, resume. */
enum ms_rc
ct_pause(struct ct *t, const char *queue, bool paused)
{
	struct ct_change *x = ct_new();

	return finish(
	    t, x, mswitch_pause(t->m, &x->ch, NULL, str_of(queue), paused));
}

/* ---- polls ---- */

static void
text(char to[32], struct str from)
{
	snprintf(to, 32, "%.*s", (int)from.n, from.n ? from.p : "");
}

static void
poll_message(struct poll *p, const struct store_msg *sm, const struct msg *msg)
{
	struct ct_client *c =
	    (struct ct_client *)((char *)p - offsetof(struct ct_client, poll));
	struct ct_msg *g = &c->got[c->ngot % CT_MOST];

	assert_int_equal(c->done, 0);
	assert_int_equal(sm->id, msg->id);
	assert_int_equal(sm->payload.n, msg->size);
	if (c->ngot++ > 0)
		assert_true(sm->id > c->next);
	c->next = sm->id;
	g->id = sm->id;
	g->at_ns = sm->at_ns;
	g->re_id = sm->re_id;
	g->reply = msg->flags & MSG_REPLY;
	g->held = msg->held;
	g->deliveries = msg->deliveries;
	text(g->queue, sm->queue);
	text(g->payload, sm->payload);
	text(g->reply_to, sm->reply_to);
	text(g->re_queue, sm->re_queue);
	text(g->origin, sm->origin);
}

static void
poll_done(struct poll *p, int64_t next, enum ms_rc rc)
{
	struct ct_client *c =
	    (struct ct_client *)((char *)p - offsetof(struct ct_client, poll));

	assert_int_equal(c->done, 0);
	c->done = 1;
	c->next = next;
	c->rc = rc;
}

static void
poll_start(struct ct_client *c, int64_t from)
{
	memset(&c->poll, 0, sizeof c->poll);
	c->poll.client = &c->client;
	c->poll.from = from;
	c->poll.message = poll_message;
	c->poll.done = poll_done;
	c->ngot = 0;
	c->done = 0;
	c->next = 0;
}

/* Poll some names. */
enum ms_rc
ct_poll(
    struct ct *t, struct ct_client *c, int64_t from, const char *const *names)
{
	struct str v[32];
	size_t n = 0;
	enum ms_rc rc;

	poll_start(c, from);
	for (; names[n] != NULL; n++)
		v[n] = str_of(names[n]);
	rc = mswitch_poll(t->m, &c->poll, v, n, t->now_ns + 10 * NS_PER_SEC);
	assert_true(mswitch_check(t->m));
	assert_int_equal(rc == MS_PENDING, c->done == 0);
	assert_true(waiter_check(&t->m->waiters, &c->client.waiter));
	return rc;
}

/* Poll one, without waiting for more than the store. */
size_t
ct_get(struct ct *t, struct ct_client *c, int64_t from, const char *queue)
{
	struct str v = str_of(queue);

	poll_start(c, from);
	if (mswitch_poll(t->m, &c->poll, &v, 1, 0) == MS_PENDING)
		ct_turn(t);
	assert_int_equal(c->done, 1);
	assert_true(mswitch_check(t->m));
	return c->ngot;
}

/* Look. */
enum ms_rc
ct_look(struct ct *t, struct ct_client *c, const char *queue, int64_t from,
    size_t most)
{
	enum ms_rc rc;

	poll_start(c, from);
	rc = queue ? mswitch_look(t->m, &c->poll, str_of(queue), most)
		   : mswitch_look_all(t->m, &c->poll, most);
	if (rc == MS_PENDING)
		ct_turn(t);
	return rc == MS_PENDING ? c->rc : rc;
}
