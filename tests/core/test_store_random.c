/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Thousands of mixed operations against a naive model, over every store.  The
 * model is applied when an operation is submitted, which is right only if the
 * store keeps the order of submit; what comes of each and what is left at every
 * quiet point must be what the model says, also after a restart and a crash.
 */
#include "support/unit.h"

#include <event2/event.h>

#include "support/logtest.h"
#include "support/rnd.h"
#include "support/storetest.h"

#define N      6000
#define QUEUES 6
#define PERIOD 400 /* operations between two quiet points */

/* A message of the model; it may not have its id yet. */
struct mmsg {
	const struct st_op *send;
	int queue, held;
	bool alive, kept; /* kept: removed, and to be had back */
};

struct model {
	struct st *t;
	struct rnd rnd;
	bool exists[QUEUES];
	struct mmsg m[N];
	size_t n;
	struct st_op *v; /* all operations, in order of submit */
	enum store_rc want[N];
	size_t nv;
	int64_t ids[N]; /* for destroy; each op has its own part */
	size_t nids;
	int64_t last_id;
	size_t nanswers, restored;
};

static const char *const names[QUEUES] = {"a", "b", "c", "d", "e", "f"};

/* The next operation. */
static struct st_op *
next_op(struct model *w, enum store_kind k)
{
	struct st_op *o = &w->v[w->nv];

	w->want[w->nv++] = STORE_OK;
	memset(o, 0, sizeof *o);
	o->op.kind = k;
	return o;
}

/* A message that is durable, or -1; not always one that is still there. */
static int
pick(struct model *w)
{
	for (int i = 0; i < 8 && w->n > 0; i++) {
		size_t k = w->n - 1 - rnd_below(&w->rnd, w->n < 80 ? w->n : 80);

		if (w->m[k].send->done && w->m[k].send->op.rc == STORE_OK)
			return (int)k;
	}
	return -1;
}

static int64_t
id_of(const struct model *w, int k)
{
	return k < 0 ? 12345 : w->m[k].send->op.u.send.msg.id;
}

/* ---- one operation of each kind, in the model as well ---- */

static struct st_op *
gen_create(struct model *w)
{
	struct st_op *o = next_op(w, STORE_CREATE);
	int q = (int)rnd_below(&w->rnd, QUEUES);

	o->op.u.create.name = str_of(names[q]);
	w->exists[q] = true;
	return o;
}

static struct st_op *
gen_destroy(struct model *w)
{
	struct st_op *o = next_op(w, STORE_DESTROY);
	int q = (int)rnd_below(&w->rnd, QUEUES);

	o->op.u.destroy.name = str_of(names[q]);
	o->op.u.destroy.ids = &w->ids[w->nids];
	o->op.u.destroy.more = true;
	for (size_t i = 0; i < w->n; i++) {
		struct mmsg *m = &w->m[i];
		if (!m->alive || m->queue != q)
			continue;
		m->alive = false;
		if (m->send->done && w->nids < N && o->op.u.destroy.n < 10) {
			w->ids[w->nids++] = m->send->op.u.send.msg.id;
			o->op.u.destroy.n++;
		}
	}
	w->exists[q] = false;
	return o;
}

static struct st_op *
gen_send(struct model *w)
{
	static const char payload[200] = "0123456789";
	struct st_op *o = next_op(w, STORE_SEND);
	int q = (int)rnd_below(&w->rnd, QUEUES);

	st_fill_send(o, str_of(names[q]),
	    (struct str){payload, rnd_below(&w->rnd, sizeof payload)});
	if (!w->exists[q]) {
		w->want[w->nv - 1] = STORE_NO_QUEUE;
		return o;
	}
	w->m[w->n++] = (struct mmsg){o, q, STORE_FREE, true, false};
	return o;
}

static struct st_op *
gen_ack(struct model *w)
{
	struct st_op *o = next_op(w, STORE_ACK);
	int k = pick(w), q = k < 0 ? 0 : w->m[k].queue;

	if (rnd_below(&w->rnd, 10) == 0)
		q = (q + 1) % QUEUES; /* not there */
	else if (k >= 0)
		w->m[k].alive = false;
	o->op.u.ack.queue = str_of(names[q]);
	o->op.u.ack.id = id_of(w, k);
	if (rnd_below(&w->rnd, 4) == 0)
		o->op.flags = STORE_LAZY;
	return o;
}

/* Remove, and keep. */
static struct st_op *
gen_remove(struct model *w)
{
	struct st_op *o = next_op(w, STORE_REMOVE);
	int k = pick(w), q = k < 0 ? 0 : w->m[k].queue;

	if (rnd_below(&w->rnd, 10) == 0)
		q = (q + 1) % QUEUES; /* not there */
	else if (k >= 0 && w->m[k].alive) {
		w->m[k].alive = false;
		w->m[k].kept = true;
	}
	st_fill_remove(o, str_of(names[q]), id_of(w, k), (int64_t)w->nv);
	return o;
}

/* Put back, when it is kept. */
static struct st_op *
gen_restore(struct model *w)
{
	struct st_op *o = next_op(w, STORE_RESTORE);
	int k = pick(w), q = k < 0 ? 0 : w->m[k].queue;

	for (int i = 0; i < 20 && k >= 0 && !w->m[k].kept; i++)
		k = pick(w);
	q = k < 0 ? 0 : w->m[k].queue;
	st_fill_restore(o, str_of(names[q]), id_of(w, k));
	if (!w->exists[q]) {
		w->want[w->nv - 1] = STORE_NO_QUEUE;
	} else if (k >= 0 && w->m[k].kept) {
		w->m[k].kept = false;
		w->m[k].alive = true;
		w->restored++;
	}
	return o;
}

static struct st_op *
gen_mark(struct model *w)
{
	struct st_op *o = next_op(w, STORE_MARK);
	int k = pick(w);

	o->op.u.mark.id = id_of(w, k);
	o->op.u.mark.held = (int)rnd_below(&w->rnd, 4) - 1;
	if (k >= 0 && !w->m[k].kept)
		w->m[k].held = o->op.u.mark.held;
	return o;
}

static struct st_op *
gen_barrier(struct model *w)
{
	return next_op(w, STORE_BARRIER);
}

/* A chain of two or three: when its last send has no queue all of it is void,
 * in the model as well. */
static void
submit_chain(struct model *w)
{
	struct mmsg *before = malloc(sizeof w->m);
	size_t n = w->n, from = w->nv, k = 2 + rnd_below(&w->rnd, 2);
	struct st_op *v[3];
	bool fails = false;

	assert_non_null(before);
	memcpy(before, w->m, sizeof w->m);
	for (size_t i = 0; i < k; i++) {
		v[i] = rnd_below(&w->rnd, 2) ? gen_send(w) : gen_ack(w);
		v[i]->op.flags = 0;
		fails |= w->want[from + i] != STORE_OK;
	}
	if (fails) {
		memcpy(w->m, before, sizeof w->m);
		w->n = n;
		for (size_t i = 0; i < k; i++)
			w->want[from + i] = STORE_NO_QUEUE;
	}
	free(before);
	st_submit_chain(w->t, v, k);
}

/* Reads in the middle of it all: rows come in order, that is all one knows. */
static void
submit_read(struct model *w)
{
	struct st_op *o = next_op(w, STORE_SCAN);

	st_fill_read(o, STORE_SCAN);
	o->op.u.scan.max_msgs = 50;
	o->op.u.scan.heads = rnd_below(&w->rnd, 2);
	st_submit(w->t, o);
}

static void
submit_one(struct model *w)
{
	static struct st_op *(*const gen[])(struct model *) = {gen_create,
	    gen_create, gen_destroy, gen_send, gen_send, gen_send, gen_send,
	    gen_send, gen_ack, gen_ack, gen_ack, gen_mark, gen_remove,
	    gen_remove, gen_restore, gen_restore, gen_barrier};
	uint32_t k = rnd_below(&w->rnd, sizeof gen / sizeof *gen + 2);

	if (k == 0)
		submit_read(w);
	else if (k == 1)
		submit_chain(w);
	else
		st_submit(w->t, gen[k - 2](w));
}

/* ---- comparing ---- */

/* Every op is done once, with the result foreseen, writes in order. */
static void
check_done(struct model *w, size_t from)
{
	unsigned order = 0;

	for (size_t i = from; i < w->nv; i++) {
		struct st_op *o = &w->v[i];

		st_wait(w->t, &o->done);
		assert_int_equal(o->op.rc, w->want[i]);
		if (!store_is_write(o->op.kind)) {
			for (size_t r = 1; r < o->nrows; r++)
				assert_true(
				    o->rows[r].m.id > o->rows[r - 1].m.id);
			st_free(o);
			continue;
		}
		assert_true(o->order > order);
		order = o->order;
		if (o->op.kind != STORE_SEND || o->op.rc != STORE_OK)
			continue;
		assert_true(o->op.u.send.msg.id > w->last_id);
		w->last_id = o->op.u.send.msg.id;
	}
}

/* The store holds what the model holds. */
static void
check_content(struct model *w)
{
	struct st_op o;
	size_t at = 0, queues = 0;

	st_scan(w->t, &o);
	for (size_t i = 0; i < w->n; i++) {
		const struct mmsg *m = &w->m[i];

		if (!m->alive)
			continue;
		assert_true(at < o.nrows);
		assert_int_equal(o.rows[at].m.id, m->send->op.u.send.msg.id);
		assert_true(
		    str_eq(o.rows[at].m.queue, str_of(names[m->queue])));
		assert_int_equal(o.rows[at].m.held, m->held);
		assert_int_equal(
		    o.rows[at].m.payload.n, m->send->op.u.send.msg.payload.n);
		at++;
	}
	assert_int_equal(at, o.nrows);
	st_free(&o);
	st_fill_read(&o, STORE_LIST);
	assert_int_equal(st_do(w->t, &o), STORE_OK);
	for (int i = 0; i < QUEUES; i++)
		queues += w->exists[i];
	assert_int_equal(o.nrows, queues);
	st_free(&o);
}

/* ---- the run ---- */

static void
random_run_matches_model(void **state)
{
	struct st *t = *state;
	struct model *w = calloc(1, sizeof *w);
	size_t from = 0;

	assert_non_null(w);
	w->t = t;
	w->rnd = rnd_start(t->kind->name);
	w->v = calloc(N, sizeof *w->v);
	assert_non_null(w->v);
	while (w->nv + 3 < N) {
		submit_one(w);
		if (rnd_below(&w->rnd, 3) == 0)
			store_kick(t->s);
		if (rnd_below(&w->rnd, 8) == 0)
			event_base_loop(t->base, EVLOOP_NONBLOCK);
		if (w->nv - from < PERIOD)
			continue;
		check_done(w, from);
		check_content(w);
		if (t->kind->durable && rnd_below(&w->rnd, 3) == 0) {
			(rnd_below(&w->rnd, 2) ? st_reopen : st_crash)(t);
			check_content(w);
		}
		from = w->nv;
	}
	check_done(w, from);
	check_content(w);
	assert_true(w->n > N / 10);
	print_message("# %zu put back\n", w->restored);
	assert_true(w->restored > N / 1000);
	free(w->v);
	free(w);
}

int
main(void)
{
	struct CMUnitTest tests[8];
	char name[8][64];

	for (size_t k = 0; k < st_nkinds; k++) {
		snprintf(name[k], sizeof name[k], "%s: random run",
		    st_kinds[k].name);
		tests[k] =
		    (struct CMUnitTest){name[k], random_run_matches_model,
			st_setup, st_teardown, (void *)(uintptr_t)&st_kinds[k]};
	}
	return _cmocka_run_group_tests(
	    "store_random", tests, st_nkinds, NULL, NULL);
}
