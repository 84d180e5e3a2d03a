/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The contract of store.h, rule by rule, over every store there is: the same
 * cases run over each row of st_kinds; those about durability over the durable
 * ones.  A long random run against a model is in test_store_random.c, failing
 * disks are in test_store_fault.c.
 */
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/logtest.h"
#include "support/storetest.h"

/* A chain of sends, acks and marks; rc of the first. */
static enum store_rc
do_chain(struct st *t, struct st_op *const *v, size_t n)
{
	st_submit_chain(t, v, n);
	st_wait(t, &v[n - 1]->done);
	for (size_t i = 0; i < n; i++)
		assert_true(v[i]->done);
	return v[0]->op.rc;
}

/* ---- rule 1 ---- */

/* What was done is there after a close, and after the process was lost. */
static void
rule1_done_survives(void **state)
{
	struct st *t = *state;
	int64_t a, b;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	a = st_send(t, "q", "one");
	st_reopen(t);
	assert_int_equal(st_count(t), 1);
	b = st_send(t, "q", "two");
	assert_true(a > 0 && b > a);
	st_crash(t);
	assert_int_equal(st_count(t), 2);
	assert_int_equal(st_ack(t, "q", a), STORE_OK);
	st_crash(t);
	assert_int_equal(st_count(t), 1);
	assert_int_equal(st_destroy(t, "q"), STORE_OK);
	st_crash(t);
	assert_int_equal(st_count(t), 0);
	assert_true(st_send(t, "q", "three") == -1 - STORE_NO_QUEUE);
}

/* A batch that its thread has committed is told before a lone op that could be
 * committed at once. */
static void
rule1_order_of_done_over_a_finished_batch(void **state)
{
	struct st *t = *state;
	struct st_op first[4], lone;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (size_t i = 0; i < 4; i++) {
		st_fill_send(&first[i], STR("q"), STR("x"));
		st_submit(t, &first[i]);
	}
	st_wait_threads(t);
	st_fill_send(&lone, STR("q"), STR("y"));
	(void)st_do(t, &lone);
	for (size_t i = 0; i < 4; i++)
		assert_true(first[i].done && first[i].order < lone.order);
}

/* ---- rule 2 ---- */

/* Ids grow whatever happens between two sends. */
static void
rule2_ids_grow(void **state)
{
	struct st *t = *state;
	int64_t last = 0, id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 6; i++) {
		id = st_send(t, "q", "x");
		assert_true(id > last);
		last = id;
		if (i % 2 == 0) {
			assert_int_equal(st_ack(t, "q", id), STORE_OK);
			continue;
		}
		assert_int_equal(st_destroy(t, "q"), STORE_OK);
		assert_int_equal(st_create(t, "q"), STORE_OK);
	}
}

/* Also over a restart and a crash, with the newest message gone; and last_id
 * is never behind what was given. */
static void
rule2_ids_grow_over_restart(void **state)
{
	struct st *t = *state;
	struct store_info info;
	int64_t last = 0, id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 6; i++) {
		id = st_send(t, "q", "x");
		assert_true(id > last);
		last = id;
		assert_int_equal(st_ack(t, "q", id), STORE_OK);
		(i % 2 ? st_reopen : st_crash)(t);
		store_info(t->s, &info);
		assert_true(info.last_id >= last);
	}
}

/* An orderly end gives back the ids that were reserved and not used. */
static void
rule2_close_leaves_no_gap(void **state)
{
	struct st *t = *state;
	int64_t a;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	a = st_send(t, "q", "x");
	st_reopen(t);
	assert_int_equal(st_send(t, "q", "x"), a + 1);
}

/* The range of ids made durable by a chain that then failed was not. */
static void
rule2_ids_grow_after_a_failed_chain(void **state)
{
	struct st *t = *state;
	struct st_op a, b;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&a, STR("q"), STR("x"));
	st_fill_send(&b, STR("missing"), STR("x"));
	assert_int_equal(
	    do_chain(t, (struct st_op *[]){&a, &b}, 2), STORE_NO_QUEUE);
	id = st_send(t, "q", "y");
	assert_int_equal(st_ack(t, "q", id), STORE_OK);
	st_crash(t);
	assert_true(st_send(t, "q", "z") > id);
}

/* A new store starts where time is, so that a cursor from a lost life is not
 * ahead of it. */
static void
rule2_first_id_follows_the_clock(void **state)
{
	struct st *t = *state;
	int64_t first = store_first_id(t->cfg.wall_ns);

	assert_int_equal(first, (1700000000LL - 1577836800LL) * 1000);
	assert_int_equal(store_first_id(0), 1);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_true(st_send(t, "q", "x") > first);
}

/* After a scan that reported upto nothing comes below. */
static void
rule2_nothing_below_upto(void **state)
{
	struct st *t = *state;
	struct st_op o;
	int64_t upto;

	assert_int_equal(st_create(t, "a"), STORE_OK);
	assert_int_equal(st_create(t, "b"), STORE_OK);
	for (int i = 0; i < 20; i++) {
		assert_true(st_send(t, i % 3 ? "a" : "b", "x") > 0);
		st_scan(t, &o);
		upto = o.op.u.scan.upto;
		assert_int_equal(upto, o.rows[o.nrows - 1].m.id);
		for (size_t k = 1; k < o.nrows; k++)
			assert_true(o.rows[k].m.id > o.rows[k - 1].m.id);
		st_free(&o);
		assert_true(st_send(t, "b", "y") > upto);
	}
}

/* ---- rule 4 ---- */

/* Nothing happens on submit; one kick commits all that gathered. */
static void
rule4_kick_commits_the_batch(void **state)
{
	struct st *t = *state;
	struct store_info before, after;
	struct st_op v[50];

	assert_int_equal(st_create(t, "q"), STORE_OK);
	store_info(t->s, &before);
	for (size_t i = 0; i < 50; i++) {
		st_fill_send(&v[i], STR("q"), STR("x"));
		st_submit(t, &v[i]);
		assert_false(v[0].done);
	}
	st_wait(t, &v[49].done);
	store_info(t->s, &after);
	assert_int_equal(after.commits, before.commits + 1);
	assert_int_equal(after.commit_ops, before.commit_ops + 50);
	assert_int_equal(after.pending_ops, 0);
	for (size_t i = 1; i < 50; i++)
		assert_true(v[i].op.u.send.msg.id > v[i - 1].op.u.send.msg.id);
}

/* A kick with nothing to do does nothing. */
static void
rule4_kick_without_work(void **state)
{
	struct st *t = *state;
	struct store_info before, after;

	store_info(t->s, &before);
	store_kick(t->s);
	store_kick(t->s);
	store_info(t->s, &after);
	assert_int_equal(after.commits, before.commits);
}

/* A barrier is done when every write before it is. */
static void
rule4_barrier_comes_after_writes(void **state)
{
	struct st *t = *state;
	struct st_op a, b, bar = {.op.kind = STORE_BARRIER};

	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&a, STR("q"), STR("x"));
	st_fill_send(&b, STR("q"), STR("x"));
	st_submit(t, &a);
	store_kick(t->s);
	st_submit(t, &b);
	assert_int_equal(st_do(t, &bar), STORE_OK);
	assert_true(a.done && b.done && b.order < bar.order);
}

/* What nobody waits for is done all the same, by itself; and in its place among
 * others. */
static void
lazy_is_done_by_itself_and_in_order(void **state)
{
	struct st *t = *state;
	struct st_op a, s, b;
	int64_t id[2];

	assert_int_equal(st_create(t, "q"), STORE_OK);
	id[0] = st_send(t, "q", "x");
	id[1] = st_send(t, "q", "y");
	st_fill_ack(&a, STR("q"), id[0]);
	a.op.flags = STORE_LAZY;
	assert_int_equal(st_do(t, &a), STORE_OK);
	assert_int_equal(st_count(t), 1);
	st_fill_ack(&b, STR("q"), id[1]);
	b.op.flags = STORE_LAZY;
	st_submit(t, &b);
	st_fill_send(&s, STR("q"), STR("z"));
	assert_int_equal(st_do(t, &s), STORE_OK);
	assert_true(b.done && b.order < s.order);
	st_fill_ack(&b, STR("q"), s.op.u.send.msg.id);
	b.op.flags = STORE_LAZY;
	st_submit(t, &b);
	if (t->kind->durable)
		st_reopen(t); /* close does not leave it behind */
	else
		st_wait(t, &b.done);
	assert_int_equal(b.op.rc, STORE_OK);
	assert_int_equal(st_count(t), 0);
}

/* ---- rule 5 ---- */

/* The chains that there are, and where each of them fails. */
static void
rule5_chain_is_atomic(void **state)
{
	static const struct {
		const char *name, *first, *second; /* queues of two sends */
		bool ack_first;
		enum store_rc rc;
	} cases[] = {
	    {"both", "q", "r", false, STORE_OK},
	    {"both, ack first", "q", "r", true, STORE_OK},
	    {"second send fails", "q", "missing", false, STORE_NO_QUEUE},
	    {"first send fails", "missing", "q", false, STORE_NO_QUEUE},
	    {"fails after the ack", "q", "missing", true, STORE_NO_QUEUE},
	};
	struct st *t = *state;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct st_op a, b, k, m = {.op.kind = STORE_MARK}, o;
		int64_t id = st_send(t, "q", "there");
		bool ok = cases[i].rc == STORE_OK;
		size_t n = st_count(t);

		st_fill_send(&a, str_of(cases[i].first), STR("1"));
		st_fill_send(&b, str_of(cases[i].second), STR("2"));
		st_fill_ack(&k, STR("q"), id);
		m.op.u.mark.id = id - 1; /* of nothing: harmless */
		print_message("# %s\n", cases[i].name);
		assert_int_equal(cases[i].ack_first
			? do_chain(t, (struct st_op *[]){&k, &a, &m, &b}, 4)
			: do_chain(t, (struct st_op *[]){&a, &m, &b, &k}, 4),
		    cases[i].rc);
		assert_int_equal(a.op.rc, cases[i].rc);
		assert_int_equal(b.op.rc, cases[i].rc);
		assert_int_equal(k.op.rc, cases[i].rc);
		assert_int_equal(st_count(t), ok ? n + 1 : n);
		if (t->kind->durable)
			st_crash(t);
		st_scan(t, &o);
		assert_int_equal(o.nrows, ok ? n + 1 : n);
		for (size_t r = 0; r < o.nrows; r++)
			assert_false(ok && o.rows[r].m.id == id);
		st_free(&o);
	}
}

/* Chains and lone ops in one batch: a chain that fails costs nobody else. */
static void
rule5_failed_chain_costs_nobody(void **state)
{
	struct st *t = *state;
	struct st_op a, b, c, d;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&a, STR("q"), STR("1"));
	st_fill_send(&b, STR("q"), STR("2"));
	st_fill_send(&c, STR("missing"), STR("3"));
	st_fill_send(&d, STR("q"), STR("4"));
	st_submit(t, &a);
	st_submit_chain(t, (struct st_op *[]){&b, &c}, 2);
	assert_int_equal(st_do(t, &d), STORE_OK);
	assert_int_equal(a.op.rc, STORE_OK);
	assert_int_equal(b.op.rc, STORE_NO_QUEUE);
	assert_int_equal(c.op.rc, STORE_NO_QUEUE);
	assert_int_equal(st_count(t), 2);
}

/* ---- rule 7 ---- */

/* Acks of what is not there are fine, and touch nothing else. */
static void
rule7_ack_of_missing_is_ok(void **state)
{
	struct st *t = *state;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "other"), STORE_OK);
	id = st_send(t, "q", "x");
	assert_int_equal(st_ack(t, "q", id + 1), STORE_OK);
	assert_int_equal(st_ack(t, "q", 0), STORE_OK);
	assert_int_equal(st_ack(t, "q", INT64_MIN), STORE_OK);
	assert_int_equal(st_ack(t, "q", INT64_MAX), STORE_OK);
	assert_int_equal(st_ack(t, "missing", id), STORE_OK);
	assert_int_equal(st_ack(t, "other", id), STORE_OK);
	assert_int_equal(st_count(t), 1);
	assert_int_equal(st_ack(t, "q", id), STORE_OK);
	assert_int_equal(st_ack(t, "q", id), STORE_OK);
	assert_int_equal(st_count(t), 0);
}

/* A send to nowhere costs no other op of the batch its success. */
static void
rule7_no_queue_costs_nobody(void **state)
{
	struct st *t = *state;
	struct st_op v[9];

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (size_t i = 0; i < 9; i++) {
		st_fill_send(
		    &v[i], i % 2 ? STR("missing") : STR("q"), STR("x"));
		st_submit(t, &v[i]);
	}
	st_wait(t, &v[8].done);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(v[i].op.rc, i % 2 ? STORE_NO_QUEUE : STORE_OK);
	assert_int_equal(st_count(t), 5);
}

/* Create says whether it was there; kind and owner stay. Destroy of nothing is
 * fine. All in one batch, in order. */
static void
rule7_create_and_destroy_in_one_batch(void **state)
{
	struct st *t = *state;
	struct st_op c[4], d[2], s[3], list;

	memset(c, 0, sizeof c);
	memset(d, 0, sizeof d);
	for (size_t i = 0; i < 4; i++) {
		c[i].op.kind = STORE_CREATE;
		c[i].op.u.create.name = STR("q");
		st_fill_send(&s[i % 3], STR("q"), STR("x"));
	}
	c[1].op.u.create.owner = STR("tok");
	c[3].op.u.create.owner = STR("tok");
	d[0].op.kind = d[1].op.kind = STORE_DESTROY;
	d[0].op.u.destroy.name = d[1].op.u.destroy.name = STR("q");
	d[0].op.u.destroy.more = d[1].op.u.destroy.more = true;
	st_submit(t, &d[0]); /* of nothing */
	st_submit(t, &c[0]);
	st_submit(t, &c[1]); /* there already, and not transient */
	st_submit(t, &s[0]);
	st_submit(t, &d[1]);
	st_submit(t, &s[1]); /* to nowhere */
	st_submit(t, &c[2]);
	st_submit(t, &s[2]);
	assert_int_equal(st_do(t, &c[3]), STORE_OK);
	assert_int_equal(d[0].op.rc, STORE_OK);
	assert_true(c[0].op.u.create.created);
	assert_false(c[1].op.u.create.created);
	assert_int_equal(s[0].op.rc, STORE_OK);
	assert_int_equal(s[1].op.rc, STORE_NO_QUEUE);
	assert_true(c[2].op.u.create.created);
	assert_int_equal(s[2].op.rc, STORE_OK);
	assert_false(c[3].op.u.create.created);
	assert_int_equal(
	    st_count(t), 1); /* the first one went with its queue */
	st_fill_read(&list, STORE_LIST);
	assert_int_equal(st_do(t, &list), STORE_OK);
	assert_int_equal(list.nrows, 1);
	assert_int_equal(list.rows[0].m.origin.n, 0); /* persistent */
	st_free(&list);
}

/* ---- rule 8 ---- */

/* Every field comes back as it was, whatever bytes it holds. */
static void
rule8_fields_come_back(void **state)
{
	struct st *t = *state;
	static const char name[] = "q\0\xff/'\"";
	struct str q = {name, sizeof name - 1};
	struct st_op c = {.op.kind = STORE_CREATE}, s, o;
	struct store_msg *m = &s.op.u.send.msg;
	char payload[256];

	for (int i = 0; i < 256; i++)
		payload[i] = (char)i;
	c.op.u.create.name = q;
	assert_int_equal(st_do(t, &c), STORE_OK);
	st_fill_send(&s, q, (struct str){payload, sizeof payload});
	m->at_ns = 1234567890123456789;
	m->origin = STR("tok\0en");
	m->reply_to = (struct str){NULL, 0};
	m->re_queue = STR("asked\0here");
	m->re_id = INT64_MAX - 1;
	m->key = STR("k\0\xfe");
	m->held = STORE_HELD_POISON;
	assert_int_equal(st_do(t, &s), STORE_OK);
	if (t->kind->durable)
		st_crash(t);
	st_scan(t, &o);
	assert_int_equal(o.nrows, 1);
	m = &o.rows[0].m;
	assert_int_equal(m->id, s.op.u.send.msg.id);
	assert_true(str_eq(m->queue, q));
	assert_int_equal(m->at_ns, 1234567890123456789);
	assert_bytes(m->origin.p, m->origin.n, "tok\0en");
	assert_null(m->reply_to.p);
	assert_bytes(m->re_queue.p, m->re_queue.n, "asked\0here");
	assert_int_equal(m->re_id, INT64_MAX - 1);
	assert_bytes(m->key.p, m->key.n, "k\0\xfe");
	assert_int_equal(m->held, STORE_HELD_POISON);
	assert_int_equal(m->payload.n, sizeof payload);
	assert_memory_equal(m->payload.p, payload, sizeof payload);
	st_free(&o);
}

/* Absent and empty are two things; an empty payload is not absent. */
static void
rule8_empty_is_not_absent(void **state)
{
	struct st *t = *state;
	struct st_op s, o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&s, STR("q"), (struct str){NULL, 0});
	s.op.u.send.msg.origin = (struct str){NULL, 0};
	s.op.u.send.msg.reply_to = (struct str){NULL, 0};
	s.op.u.send.msg.re_queue = STR("");
	assert_int_equal(st_do(t, &s), STORE_OK);
	st_scan(t, &o);
	assert_int_equal(o.nrows, 1);
	assert_null(o.rows[0].m.reply_to.p);
	assert_non_null(o.rows[0].m.re_queue.p);
	assert_int_equal(o.rows[0].m.re_queue.n, 0);
	assert_non_null(o.rows[0].m.payload.p);
	assert_int_equal(o.rows[0].m.payload.n, 0);
	assert_int_equal(o.rows[0].m.key.n, 0);
	st_free(&o);
}

/* A large payload, from memory that goes as soon as the op is done. */
static void
free_payload(struct st_op *o)
{
	free((char *)(uintptr_t)o->op.u.send.msg.payload.p);
}

static void
rule8_buffers_may_go_at_done(void **state)
{
	struct st *t = *state;
	enum { SIZE = 3 * 1024 * 1024 };
	char *big = malloc(SIZE);
	struct st_op s, o;

	assert_non_null(big);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	memset(big, 'b', SIZE);
	st_fill_send(&s, STR("q"), (struct str){big, SIZE});
	s.then = free_payload;
	assert_int_equal(st_do(t, &s), STORE_OK);
	st_scan(t, &o);
	assert_int_equal(o.rows[0].m.payload.n, SIZE);
	assert_int_equal(o.rows[0].m.payload.p[SIZE - 1], 'b');
	st_free(&o);
}

/* Non-zero from row stops, and upto is the last one taken. */
static void
rule8_row_stops(void **state)
{
	struct st *t = *state;
	int64_t id[5], ids[4];
	struct st_op o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 5; i++)
		id[i] = st_send(t, "q", "x");
	st_fill_read(&o, STORE_SCAN);
	o.stop_at = 3;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 3);
	assert_int_equal(o.op.u.scan.upto, id[2]);
	st_free(&o);
	st_fill_read(&o, STORE_GET);
	for (int i = 0; i < 4; i++)
		ids[i] = id[i + 1];
	o.op.u.get.ids = ids;
	o.op.u.get.n = 4;
	o.stop_at = 2;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	assert_int_equal(o.rows[1].m.id, id[2]);
	st_free(&o);
	st_fill_read(&o, STORE_LIST);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	o.stop_at = 1;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 1);
	st_free(&o);
}

/* ---- rule 9 ---- */

/* Operations up to the bound and one beyond; room comes back. */
static void
rule9_ops_are_bounded(void **state)
{
	struct st *t = *state;
	struct st_op v[5];

	t->cfg.max_ops = 4;
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 5; i++) {
			st_fill_send(&v[i], STR("q"), STR("x"));
			st_submit(t, &v[i]);
		}
		for (size_t i = 0; i < 5; i++)
			st_wait(t, &v[i].done);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(
			    v[i].op.rc, i < 4 ? STORE_OK : STORE_BUSY);
	}
	assert_int_equal(st_count(t), 8);
}

/* Bytes likewise; one that is refused takes no room from those that fit. */
static void
rule9_bytes_are_bounded(void **state)
{
	static const struct {
		size_t n;
		enum store_rc rc;
	} sends[] = {
	    {600000, STORE_OK},
	    {600000, STORE_BUSY},
	    {300000, STORE_OK},
	    {9000000, STORE_BUSY},
	    {90000, STORE_OK},
	};
	struct st *t = *state;
	char *big = calloc(1, 9000000);
	struct st_op v[5];

	assert_non_null(big);
	t->cfg.max_bytes = 1000000;
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (size_t i = 0; i < 5; i++) {
		st_fill_send(&v[i], STR("q"), (struct str){big, sends[i].n});
		st_submit(t, &v[i]);
	}
	for (size_t i = 0; i < 5; i++)
		st_wait(t, &v[i].done);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(v[i].op.rc, sends[i].rc);
	assert_int_equal(st_count(t), 3);
	free(big);
}

/* A chain that does not fit is refused whole. */
static void
rule9_chain_is_refused_whole(void **state)
{
	struct st *t = *state;
	struct st_op a, b, c;

	t->cfg.max_ops = 2;
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&a, STR("q"), STR("1"));
	st_fill_send(&b, STR("q"), STR("2"));
	st_fill_send(&c, STR("q"), STR("3"));
	st_submit(t, &a);
	st_submit_chain(t, (struct st_op *[]){&b, &c}, 2);
	st_wait(t, &a.done);
	st_wait(t, &c.done);
	assert_int_equal(a.op.rc, STORE_OK);
	assert_int_equal(b.op.rc, STORE_BUSY);
	assert_int_equal(c.op.rc, STORE_BUSY);
	assert_int_equal(st_count(t), 1);
}

/* ---- rule 10 ---- */

static int late;

static void
submit_another(struct st_op *o)
{
	static struct st_op again[2];

	late++;
	if (o == &again[0] || o == &again[1])
		return;
	st_fill_send(&again[0], STR("q"), STR("late"));
	again[0].then = submit_another;
	st_submit(o->t, &again[0]);
	st_fill_read(&again[1], STORE_STAT);
	again[1].op.u.stat.queue = STR("q");
	again[1].then = submit_another;
	st_submit(o->t, &again[1]);
}

/* Close finishes what was submitted and never kicked, reads too, and what they
 * submit on being done. */
static void
rule10_close_finishes_everything(void **state)
{
	struct st *t = *state;
	struct st_op s[10], r;
	size_t i;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (i = 0; i < 10; i++) {
		st_fill_send(&s[i], STR("q"), STR("x"));
		st_submit(t, &s[i]);
	}
	late = 0;
	s[9].then = submit_another;
	st_fill_read(&r, STORE_SCAN);
	st_submit(t, &r);
	st_close(t);
	for (i = 0; i < 10; i++) {
		assert_true(s[i].done);
		assert_int_equal(s[i].op.rc, STORE_OK);
	}
	assert_true(r.done);
	assert_int_equal(late, 3);
	st_free(&r);
	if (!t->kind->durable)
		return;
	st_reopen(t);
	assert_in_range(st_count(t), 10, 11);
}

/* An empty store closes as well. */
static void
rule10_close_of_an_idle_store(void **state)
{
	struct st *t = *state;

	st_close(t);
	assert_int_equal(t->gone, 0);
}

/* ---- reads ---- */

/* Pages: by number, by bytes, one that is too large alone, heads. */
static void
scan_pages(void **state)
{
	struct st *t = *state;
	struct str two[2] = {STR("a"), STR("c")};
	int64_t id[6];
	struct st_op o;

	assert_int_equal(st_create(t, "a"), STORE_OK);
	assert_int_equal(st_create(t, "b"), STORE_OK);
	assert_int_equal(st_create(t, "c"), STORE_OK);
	for (int i = 0; i < 6; i++)
		id[i] = st_send(
		    t, (const char *[]){"a", "b", "c"}[i % 3], "0123456789");
	st_fill_read(&o, STORE_SCAN);
	o.op.u.scan.max_msgs = 4;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 4);
	assert_true(o.op.u.scan.more);
	assert_int_equal(o.op.u.scan.upto, id[3]);
	st_free(&o);
	o.op.u.scan.after = id[3];
	o.op.u.scan.max_msgs = 2;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	assert_false(o.op.u.scan.more); /* exactly the rest */
	st_free(&o);
	st_fill_read(&o, STORE_SCAN);
	o.op.u.scan.max_bytes = 20;
	o.op.u.scan.queues = two;
	o.op.u.scan.n = 2;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	assert_int_equal(o.rows[1].m.id, id[2]);
	assert_true(o.op.u.scan.more);
	st_free(&o);
	o.op.u.scan.max_bytes = 1; /* at least one comes */
	o.op.u.scan.heads = true;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 1);
	assert_null(o.rows[0].m.payload.p);
	assert_int_equal(o.rows[0].m.payload.n, 10);
	st_free(&o);
	st_fill_read(&o, STORE_SCAN);
	o.op.u.scan.after = id[5];
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 0);
	assert_int_equal(o.op.u.scan.upto, id[5]);
}

/* By id: what is there, in order; what is not is left out. */
static void
get_by_id(void **state)
{
	struct st *t = *state;
	int64_t ids[4];
	struct st_op o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 3; i++)
		ids[i] = st_send(t, "q", i == 1 ? "middle" : "x");
	ids[3] = ids[2] + 1000;
	assert_int_equal(st_ack(t, "q", ids[0]), STORE_OK);
	st_fill_read(&o, STORE_GET);
	o.op.u.get.ids = ids;
	o.op.u.get.n = 4;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	assert_int_equal(o.rows[0].m.id, ids[1]);
	assert_bytes(o.rows[0].m.payload.p, o.rows[0].m.payload.n, "middle");
	assert_int_equal(o.rows[1].m.id, ids[2]);
	st_free(&o);
}

/* Queues by prefix, by the page, in byte order, names that look like numbers
 * among them. */
static void
list_pages(void **state)
{
	static const char *const names[] = {
	    "#", "007", "1e5", "a", "a/b", "a/c", "a0", "b", "\xff"};
	struct st *t = *state;
	struct st_op o;
	size_t at = 0;

	for (size_t i = 9; i-- > 0;)
		assert_int_equal(
		    st_create_owned(t, names[i], i % 2 ? "me" : ""), STORE_OK);
	st_fill_read(&o, STORE_LIST);
	o.op.u.list.prefix = STR("a/");
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	st_free(&o);
	st_fill_read(&o, STORE_LIST);
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 9);
	for (size_t i = 0; i < o.nrows; i++) {
		assert_true(str_eq(o.rows[i].m.queue, str_of(names[i])));
		assert_int_equal(o.rows[i].m.origin.n, i % 2 ? 2 : 0);
	}
	st_free(&o);
	st_fill_read(&o, STORE_LIST);
	o.op.u.list.max = 4;
	o.op.u.list.after = STR("007");
	while (assert_int_equal(st_do(t, &o), STORE_OK), o.nrows > 0) {
		at += o.nrows;
		assert_true(o.nrows <= 4);
		o.op.u.list.after = str_of(names[at + 1]);
		st_free(&o);
	}
	assert_int_equal(at, 7);
}

/* Totals of one queue, of an empty one, of none. */
static void
stat_totals(void **state)
{
	struct st *t = *state;
	int64_t first, last;
	struct st_op o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	first = st_send(t, "q", "12345");
	assert_true(st_send(t, "r", "1") > 0);
	last = st_send(t, "q", "1234567");
	st_fill_read(&o, STORE_STAT);
	o.op.u.stat.queue = STR("q");
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.op.u.stat.count, 2);
	assert_int_equal(o.op.u.stat.bytes, 12);
	assert_int_equal(o.op.u.stat.first, first);
	assert_int_equal(o.op.u.stat.last, last);
	o.op.u.stat.queue = STR("missing");
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.op.u.stat.count, 0);
	assert_int_equal(o.op.u.stat.first, 0);
}

/* ---- marks, keys, answers ---- */

/* A mark stays with its message, over a restart; one of nothing is fine. */
static void
mark_stays(void **state)
{
	static const int held[] = {
	    STORE_HELD_OPERATOR, STORE_RELEASED, STORE_HELD_POISON, STORE_FREE};
	struct st *t = *state;
	struct st_op m = {.op.kind = STORE_MARK}, o;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	id = st_send(t, "q", "x");
	assert_true(st_send(t, "q", "y") > 0);
	for (size_t i = 0; i < 4; i++) {
		m.op.u.mark.id = id;
		m.op.u.mark.held = held[i];
		assert_int_equal(st_do(t, &m), STORE_OK);
		m.op.u.mark.id = id + 77;
		assert_int_equal(st_do(t, &m), STORE_OK);
		if (t->kind->durable)
			st_crash(t);
		st_scan(t, &o);
		assert_int_equal(o.nrows, 2);
		assert_int_equal(o.rows[0].m.held, held[i]);
		assert_int_equal(o.rows[1].m.held, STORE_FREE);
		st_free(&o);
	}
}

/* Send a reply that is remembered. */
static int64_t
answer(struct st *t, int64_t re_id)
{
	struct st_op s;

	st_fill_send(&s, STR("q"), STR("x"));
	s.op.u.send.msg.re_queue = STR("r");
	s.op.u.send.msg.re_id = re_id;
	s.op.u.send.answers = true;
	return st_do(t, &s) == STORE_OK ? s.op.u.send.msg.id : -1;
}

/* Answers are remembered beyond their messages, the first one counts, and they
 * are read by the page in order. */
static void
answers_are_remembered(void **state)
{
	static const int64_t asked[] = {50, 10, 30, 20, 40};
	struct st *t = *state;
	int64_t first = 0, after = 0;
	struct st_op o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (size_t i = 0; i < 5; i++) {
		int64_t id = answer(t, asked[i]);
		if (asked[i] == 10)
			first = id;
		assert_int_equal(st_ack(t, "q", id), STORE_OK);
	}
	assert_true(answer(t, 10) > first);
	if (t->kind->durable)
		st_crash(t);
	for (int page = 0; page < 3; page++) {
		st_fill_read(&o, STORE_ANSWERS);
		o.op.u.answers.after = after;
		o.op.u.answers.max = 2;
		assert_int_equal(st_do(t, &o), STORE_OK);
		assert_int_equal(o.nrows, page < 2 ? 2 : 1);
		assert_int_equal(o.op.u.answers.more, page < 2);
		for (size_t i = 0; i < o.nrows; i++) {
			assert_int_equal(o.rows[i].m.re_id, after + 10);
			after += 10;
			if (after == 10)
				assert_int_equal(o.rows[i].m.id, first);
		}
		st_free(&o);
	}
}

/* A reply that was refused is not remembered. */
static void
answers_not_of_what_failed(void **state)
{
	struct st *t = *state;
	struct st_op a, b, o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	st_fill_send(&a, STR("q"), STR("x"));
	a.op.u.send.msg.re_queue = STR("r");
	a.op.u.send.msg.re_id = 7;
	a.op.u.send.answers = true;
	st_fill_send(&b, STR("missing"), STR("x"));
	assert_int_equal(
	    do_chain(t, (struct st_op *[]){&a, &b}, 2), STORE_NO_QUEUE);
	st_fill_read(&o, STORE_ANSWERS);
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 0);
}

/* ---- destroyed queues ---- */

/* Messages in the file, whatever reads show. */
static int
rows_in_file(struct st *t)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int n = -1;

	assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_prepare_v2(
			     db, "SELECT count(*) FROM message", -1, &s, NULL),
	    SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

/* A large queue goes at once for every reader, and by and by from the file. */
static void
destroyed_queue_is_swept(void **state)
{
	struct st *t = *state;
	enum { N = 3500 };
	struct st_op *v = calloc(N, sizeof *v);
	struct st_op d = {.op.kind = STORE_DESTROY};
	int64_t kept;

	assert_non_null(v);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "kept"), STORE_OK);
	kept = st_send(t, "kept", "x");
	for (size_t i = 0; i < N; i++) {
		st_fill_send(&v[i], STR("q"), STR("x"));
		st_submit(t, &v[i]);
	}
	st_wait(t, &v[N - 1].done);
	d.op.u.destroy.name = STR("q");
	d.op.u.destroy.ids = &v[5].op.u.send.msg.id;
	d.op.u.destroy.n = 1;
	d.op.u.destroy.more = true;
	assert_int_equal(st_do(t, &d), STORE_OK);
	assert_int_equal(st_count(t), 1);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_count(t), 1);
	assert_int_equal(st_ack(t, "q", v[7].op.u.send.msg.id), STORE_OK);
	if (t->kind->durable) {
		st_crash(t); /* the sweep goes on after a restart */
		assert_int_equal(st_count(t), 1);
		for (int tries = 0; rows_in_file(t) != 1; tries++) {
			assert_in_range(tries, 0, 30000);
			usleep(1000);
		}
	}
	assert_int_equal(st_ack(t, "kept", kept), STORE_OK);
	free(v);
}

/* ---- the facade ---- */

/* A URL that no store takes. */
static void
unknown_url_is_refused(void **state)
{
	static const char *const urls[] = {
	    "", "sqlite", "postgres:x", "memory", ":", "sqlit:x", "/var/lib/x"};
	struct store_config c = {.url = NULL};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		c.url = urls[i];
		assert_null(store_open(&c, &e));
		assert_non_null(strstr(e.text, "sqlite:PATH or memory:"));
	}
}

/* Every result has a text. */
static void
every_result_has_a_text(void **state)
{
	(void)state;
	for (int i = 0; i <= STORE_IO; i++)
		assert_true(strlen(store_rc_text((enum store_rc)i)) > 3);
	assert_string_equal(store_rc_text((enum store_rc)99), "unknown");
}

/* Facts about itself. */
static void
info_tells_what_it_is(void **state)
{
	struct st *t = *state;
	struct store_info i;

	store_info(t->s, &i);
	assert_string_equal(i.scheme, t->kind->scheme);
	assert_int_equal(i.durable, t->kind->durable);
	assert_string_equal(i.path, t->kind->durable ? t->path : "");
	assert_int_equal(i.boot_first, i.last_id + 1);
}

/* Whatever the process's mask is, nobody else may read the files. */
static void
files_are_private(void **state)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".reserve"};
	struct st *t = *state;
	mode_t old = umask(0);
	struct stat st;
	char path[300];

	st_close(t);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s%s", t->path, suffix[i]);
		remove(path);
	}
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(umask(old), 0); /* and it is as it was */
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s%s", t->path, suffix[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

/* The log is moved in idle time; one can look at the numbers meanwhile. */
static void
info_while_the_log_is_moved(void **state)
{
	static char payload[3000];
	struct st *t = *state;
	struct store_info i;
	struct st_op o;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int n = 0; n < 600; n++) {
		st_fill_send(
		    &o, STR("q"), (struct str){payload, sizeof payload});
		st_submit(t, &o);
		st_wait(t, &o.done);
	}
	do
		store_info(t->s, &i);
	while (i.checkpoints == 0);
	assert_int_equal(st_count(t), 600);
	st_crash(t); /* also from a file that is part moved */
	assert_int_equal(st_count(t), 600);
}

/* ---- all of it, over all of them ---- */

static const struct {
	const char *name;
	void (*fn)(void **);
	bool durable; /* makes sense for durable stores only */
} cases[] = {
#define C(fn)                                                                  \
	{                                                                      \
#fn, fn, false                                                 \
	}
#define D(fn)                                                                  \
	{                                                                      \
#fn, fn, true                                                  \
	}
    D(rule1_done_survives),
    C(rule1_order_of_done_over_a_finished_batch),
    C(rule2_ids_grow),
    D(rule2_ids_grow_over_restart),
    D(rule2_close_leaves_no_gap),
    D(rule2_ids_grow_after_a_failed_chain),
    C(rule2_first_id_follows_the_clock),
    C(rule2_nothing_below_upto),
    C(rule4_kick_commits_the_batch),
    C(rule4_kick_without_work),
    C(rule4_barrier_comes_after_writes),
    C(lazy_is_done_by_itself_and_in_order),
    C(rule5_chain_is_atomic),
    C(rule5_failed_chain_costs_nobody),
    C(rule7_ack_of_missing_is_ok),
    C(rule7_no_queue_costs_nobody),
    C(rule7_create_and_destroy_in_one_batch),
    C(rule8_fields_come_back),
    C(rule8_empty_is_not_absent),
    C(rule8_buffers_may_go_at_done),
    C(rule8_row_stops),
    C(rule9_ops_are_bounded),
    C(rule9_bytes_are_bounded),
    C(rule9_chain_is_refused_whole),
    C(rule10_close_finishes_everything),
    C(rule10_close_of_an_idle_store),
    C(scan_pages),
    C(get_by_id),
    C(list_pages),
    C(stat_totals),
    C(mark_stays),
    C(answers_are_remembered),
    C(answers_not_of_what_failed),
    C(destroyed_queue_is_swept),
    C(info_tells_what_it_is),
    D(info_while_the_log_is_moved),
    D(files_are_private),
};
#define NCASES (sizeof cases / sizeof *cases)

static struct CMUnitTest tests[NCASES * 8 + 2];
static char names[NCASES * 8][96];

int
main(void)
{
	size_t n = 0;

	for (size_t k = 0; k < st_nkinds; k++)
		for (size_t i = 0; i < NCASES; i++) {
			if (cases[i].durable && !st_kinds[k].durable)
				continue;
			snprintf(names[n], sizeof names[n], "%s: %s",
			    st_kinds[k].name, cases[i].name);
			tests[n] =
			    (struct CMUnitTest){names[n], cases[i].fn, st_setup,
				st_teardown, (void *)(uintptr_t)&st_kinds[k]};
			n++;
		}
	tests[n++] =
	    (struct CMUnitTest)cmocka_unit_test(unknown_url_is_refused);
	tests[n++] =
	    (struct CMUnitTest)cmocka_unit_test(every_result_has_a_text);
	return _cmocka_run_group_tests("store", tests, n, NULL, NULL);
}
