/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Driving a store in a test. */
#include "storetest.h"

#include <sched.h>

#include <event2/event.h>

#include "logtest.h"
#include "unit.h"

#define PATIENCE_S 30 /* a store that hangs for so long fails the test */

const struct st_kind st_kinds[] = {
    {"memory", "memory", false, false},
    {"sqlite", "sqlite", true, false},
    {"sqlite inline", "sqlite", true, true},
};
const size_t st_nkinds = sizeof st_kinds / sizeof *st_kinds;

/* ---- events ---- */

static void
on_wake(void *ctx)
{
	((struct st *)ctx)->wakes++;
}

static void
on_visible(void *ctx, struct str queue, int64_t upto)
{
	(void)ctx, (void)queue, (void)upto; /* a hint: nothing to hold it to */
}

static void
on_state(void *ctx, enum store_state state, const char *why)
{
	struct st *t = ctx;

	assert_non_null(why);
	t->gone += state == STORE_GONE;
	assert_true(state == STORE_GONE ||
	    t->degraded == (state == STORE_UP)); /* changes only */
	t->degraded = state != STORE_UP;
}

static void
on_closed(void *arg)
{
	((struct st *)arg)->closed++;
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail_msg("nothing happened for %d s", PATIENCE_S);
}

/* ---- life ---- */

/* Everything but the store. */
void
st_init(struct st *t, const struct st_kind *k)
{
	memset(t, 0, sizeof *t);
	t->kind = k;
	tempdir_make(t->dir);
	snprintf(t->path, sizeof t->path, "%s/switch.db", t->dir);
	t->base = event_base_new();
	t->watchdog = event_new(t->base, -1, 0, on_watchdog, t);
	assert_non_null(t->watchdog);
	t->events = (struct store_events){on_wake, on_visible, on_state};
	t->cfg.base = t->base;
	t->cfg.events = &t->events;
	t->cfg.ctx = t;
	t->cfg.wall_ns = 1700000000LL * 1000000000;
	t->cfg.inline_commit = k->inline_commit;
	t->cfg.undo_ns = 100LL * 365 * 86400 * 1000000000;
	t->cfg.undo_bytes = 1 << 20;
	strcpy(t->cfg.boot_id, "11111111-2222-3333-4444-555555555555");
}

/* Open; false with t->err. */
bool
st_open(struct st *t)
{
	snprintf(t->url, sizeof t->url, "%s:%s", t->kind->scheme, t->path);
	t->cfg.url = t->url;
	t->closed = 0;
	t->s = store_open(&t->cfg, &t->err);
	return t->s != NULL;
}

/* Close, and be told so once. */
void
st_close(struct st *t)
{
	if (t->s == NULL)
		return;
	store_close(t->s, on_closed, t);
	t->s = NULL;
	assert_int_equal(t->closed, 1);
}

/* Close and open. */
void
st_reopen(struct st *t)
{
	st_close(t);
	if (!st_open(t))
		fail_msg("cannot open again: %s", t->err.text);
}

/* Copy, switch over. */
void
st_crash(struct st *t)
{
	char to[sizeof t->path], a[200], b[200];

	snprintf(to, sizeof to, "%.*s/crash.db", (int)sizeof to - 12, t->dir);
	snprintf(a, sizeof a, "%s-wal", t->path);
	snprintf(b, sizeof b, "%s-wal", to);
	assert_true(tempdir_copy(t->path, to) > 0);
	(void)tempdir_copy(a, b); /* none after a checkpoint */
	st_close(t);
	assert_true(tempdir_copy(to, t->path) > 0);
	(void)tempdir_copy(b, a);
	remove(to);
	remove(b);
	if (!st_open(t))
		fail_msg("cannot open the copy: %s", t->err.text);
}

/* Give all back. */
void
st_fini(struct st *t)
{
	st_close(t);
	event_free(t->watchdog);
	event_base_free(t->base);
	tempdir_remove(t->dir);
}

/* A store, open. */
int
st_setup(void **state)
{
	struct st *t = malloc(sizeof *t);

	assert_non_null(t);
	st_init(t, *state);
	logtest_clear();
	*state = t;
	if (!st_open(t))
		fail_msg("cannot open: %s", t->err.text);
	return 0;
}

/* Closed; nobody complained. */
int
st_teardown(void **state)
{
	st_fini(*state);
	free(*state);
	return logtest_left() == 0 ? 0 : -1;
}

/* ---- rows ---- */

/* Copy v to *at and step on. */
static struct str
keep(char **at, struct str v)
{
	struct str kept = {*at, v.n};

	if (v.p == NULL)
		return v;
	memcpy(*at, v.p, v.n);
	*at += v.n;
	return kept;
}

/* Keep a copy of a row; non-zero when it was the last one wanted. */
static int
add_row(struct store_op *op, struct store_msg m)
{
	struct st_op *o = (struct st_op *)op;
	struct st_row *r;
	char *at;

	assert_false(o->done);
	o->rows = realloc(o->rows, (o->nrows + 1) * sizeof *o->rows);
	assert_non_null(o->rows);
	r = &o->rows[o->nrows++];
	r->mem = at =
	    malloc(1 + m.queue.n + m.origin.n + m.reply_to.n + m.re_queue.n +
		m.key.n + m.comm.n + (m.payload.p ? m.payload.n : 0));
	assert_non_null(at);
	r->m = m;
	r->m.queue = keep(&at, m.queue);
	r->m.origin = keep(&at, m.origin);
	r->m.reply_to = keep(&at, m.reply_to);
	r->m.re_queue = keep(&at, m.re_queue);
	r->m.key = keep(&at, m.key);
	r->m.comm = keep(&at, m.comm);
	r->m.payload = keep(&at, m.payload);
	return o->nrows == o->stop_at;
}

static int
row_msg(struct store_op *op, const struct store_msg *m)
{
	return add_row(op, *m);
}

static int
row_queue(struct store_op *op, struct str name, struct str owner)
{
	return add_row(op,
	    (struct store_msg){
		.queue = name, .origin = owner, .held = op->u.list.paused});
}

static int
row_gone(struct store_op *op, const struct store_gone *g)
{
	struct st_op *o = (struct st_op *)op;
	int stop = add_row(op, g->msg);
	struct st_row *r = &o->rows[o->nrows - 1];

	r->gone = *g;
	snprintf(r->by, sizeof r->by, "%.*s", (int)g->by.n, g->by.p);
	r->gone.by = str_of(r->by);
	return stop;
}

static int
row_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	return add_row(op, (struct store_msg){.re_id = re_id, .id = id});
}

/* Free what rows hold. */
void
st_free(struct st_op *o)
{
	for (size_t i = 0; i < o->nrows; i++)
		free(o->rows[i].mem);
	free(o->rows);
	o->rows = NULL;
	o->nrows = 0;
}

/* ---- operations ---- */

static void
on_done(struct store_op *op)
{
	struct st_op *o = (struct st_op *)op;

	if (o->done)
		fail_msg("done twice");
	o->done = true;
	o->order = ++o->t->ndone;
	if (o->then != NULL)
		o->then(o);
}

/* Submit one. */
void
st_submit(struct st *t, struct st_op *o)
{
	st_submit_chain(t, &o, 1);
}

/* Submit a chain; submit itself never calls done. */
void
st_submit_chain(struct st *t, struct st_op *const *v, size_t n)
{
	unsigned before = t->ndone;

	for (size_t i = 0; i < n; i++) {
		v[i]->t = t;
		v[i]->done = false;
		v[i]->op.done = on_done;
		v[i]->op.flags = (v[i]->op.flags & STORE_LAZY) |
		    (i + 1 < n ? STORE_LINK : 0);
		v[i]->op.link = i + 1 < n ? &v[i + 1]->op : NULL;
	}
	store_submit(t->s, &v[0]->op);
	assert_int_equal(t->ndone, before);
}

/* Run the loop until the flag is set. */
void
st_wait(struct st *t, const bool *flag)
{
	struct timeval tv = {PATIENCE_S, 0};

	event_add(t->watchdog, &tv);
	store_kick(t->s);
	while (!*flag) {
		event_base_loop(t->base, EVLOOP_ONCE);
		store_kick(t->s);
	}
	event_del(t->watchdog);
}

/* Until nothing is pending. */
void
st_wait_threads(struct st *t)
{
	struct store_info i;

	store_kick(t->s);
	do {
		store_info(t->s, &i);
		sched_yield();
	} while (i.pending_ops > 0);
}

/* One op, the whole way. */
enum store_rc
st_do(struct st *t, struct st_op *o)
{
	st_submit(t, o);
	st_wait(t, &o->done);
	return o->op.rc;
}

/* A send. */
void
st_fill_send(struct st_op *o, struct str queue, struct str payload)
{
	struct store_msg *m = &o->op.u.send.msg;

	memset(o, 0, sizeof *o);
	o->op.kind = STORE_SEND;
	m->queue = queue;
	m->payload = payload;
	m->at_ns = 1700000001LL * 1000000000;
	m->origin = STR("tester");
	m->reply_to = STR("answers");
}

/* An acknowledgement. */
void
st_fill_ack(struct st_op *o, struct str queue, int64_t id)
{
	memset(o, 0, sizeof *o);
	o->op.kind = STORE_ACK;
	o->op.u.ack.queue = queue;
	o->op.u.ack.id = id;
}

/* A read whose rows are kept. */
void
st_fill_read(struct st_op *o, enum store_kind k)
{
	memset(o, 0, sizeof *o);
	o->op.kind = k;
	switch (k) {
	case STORE_GET: o->op.u.get.row = row_msg; break;
	case STORE_SCAN: o->op.u.scan.row = row_msg; break;
	case STORE_LIST: o->op.u.list.row = row_queue; break;
	case STORE_ANSWERS: o->op.u.answers.row = row_answer; break;
	case STORE_REMOVED: o->op.u.removed.row = row_gone; break;
	default: break;
	}
}

/* ---- whole ways ---- */

/* A transient queue. */
enum store_rc
st_create_owned(struct st *t, const char *name, const char *owner)
{
	struct st_op o = {.op.kind = STORE_CREATE};

	o.op.u.create.name = str_of(name);
	o.op.u.create.owner = str_of(owner);
	return st_do(t, &o);
}

/* A persistent queue. */
enum store_rc
st_create(struct st *t, const char *name)
{
	return st_create_owned(t, name, NULL);
}

/* End a queue; its messages are swept. */
enum store_rc
st_destroy(struct st *t, const char *name)
{
	struct st_op o = {.op.kind = STORE_DESTROY};

	o.op.u.destroy.name = str_of(name);
	o.op.u.destroy.more = true;
	return st_do(t, &o);
}

/* Send. */
int64_t
st_send(struct st *t, const char *queue, const char *payload)
{
	struct st_op o;
	enum store_rc rc;

	st_fill_send(&o, str_of(queue), str_of(payload));
	rc = st_do(t, &o);
	return rc == STORE_OK ? o.op.u.send.msg.id : -1 - (int64_t)rc;
}

/* Acknowledge. */
enum store_rc
st_ack(struct st *t, const char *queue, int64_t id)
{
	struct st_op o;

	st_fill_ack(&o, str_of(queue), id);
	return st_do(t, &o);
}

/* Remove and keep. */
enum store_rc
st_remove(struct st *t, const char *queue, int64_t id, int64_t act)
{
	struct st_op o;

	st_fill_remove(&o, str_of(queue), id, act);
	return st_do(t, &o);
}

/* Fill one. */
void
st_fill_remove(struct st_op *o, struct str queue, int64_t id, int64_t act)
{
	memset(o, 0, sizeof *o);
	o->op.kind = STORE_REMOVE;
	o->op.u.remove.queue = queue;
	o->op.u.remove.id = id;
	o->op.u.remove.act = act;
	o->op.u.remove.gone_ns = 1700000002LL * 1000000000;
	o->op.u.remove.why = STORE_PURGED;
	o->op.u.remove.by = STR("me");
}

/* Fill one. */
void
st_fill_restore(struct st_op *o, struct str queue, int64_t id)
{
	memset(o, 0, sizeof *o);
	o->op.kind = STORE_RESTORE;
	o->op.u.restore.queue = queue;
	o->op.u.restore.id = id;
}

/* Read everything. */
void
st_scan(struct st *t, struct st_op *o)
{
	st_fill_read(o, STORE_SCAN);
	o->op.u.scan.after = -1;
	assert_int_equal(st_do(t, o), STORE_OK);
}

/* How many messages there are. */
size_t
st_count(struct st *t)
{
	struct st_op o;
	size_t n;

	st_scan(t, &o);
	n = o.nrows;
	st_free(&o);
	return n;
}
