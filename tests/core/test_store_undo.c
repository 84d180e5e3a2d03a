/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What stores do for operators, the same cases over every store: pausing a
 * queue, removing with a copy kept, putting back, and how the copies end.
 */
#include "support/unit.h"

#include "support/logtest.h"
#include "support/storetest.h"

#define FIRST_NS (1700000002LL * 1000000000) /* of st_remove */

/* What is kept of a queue or an act; free with st_free. */
static void
kept(struct st *t, struct st_op *o, const char *queue, int64_t act)
{
	st_fill_read(o, STORE_REMOVED);
	o->op.u.removed.queue = str_of(queue);
	o->op.u.removed.act = act;
	assert_int_equal(st_do(t, o), STORE_OK);
}

static size_t
nkept(struct st *t, const char *queue, int64_t act)
{
	struct st_op o;
	size_t n;

	kept(t, &o, queue, act);
	n = o.nrows;
	st_free(&o);
	return n;
}

/* Put one back; was it kept? */
static bool
restore(struct st *t, const char *queue, int64_t id)
{
	struct st_op o;

	st_fill_restore(&o, str_of(queue), id);
	assert_int_equal(st_do(t, &o), STORE_OK);
	return o.op.u.restore.found;
}

/* A message with everything in it, and bytes that are no text. */
static int64_t
send_odd(struct st *t)
{
	struct st_op o;
	struct store_msg *m = &o.op.u.send.msg;

	st_fill_send(&o, STR("q"), (struct str){"a\0\xff\"b", 5});
	m->key = STR("key");
	m->pid = 4711;
	m->uid = 1000;
	m->comm = STR("xapi");
	m->held = STORE_HELD_OPERATOR;
	assert_int_equal(st_do(t, &o), STORE_OK);
	return m->id;
}

static void
check_odd(const struct store_msg *m, int64_t id)
{
	assert_int_equal(m->id, id);
	assert_bytes(m->queue.p, m->queue.n, "q");
	assert_bytes(m->payload.p, m->payload.n, "a\0\xff\"b");
	assert_bytes(m->key.p, m->key.n, "key");
	assert_bytes(m->origin.p, m->origin.n, "tester");
	assert_bytes(m->reply_to.p, m->reply_to.n, "answers");
	assert_bytes(m->comm.p, m->comm.n, "xapi");
	assert_null(m->re_queue.p);
	assert_int_equal(m->pid, 4711);
	assert_int_equal(m->uid, 1000);
	assert_int_equal(m->held, STORE_HELD_OPERATOR);
	assert_int_equal(m->at_ns, 1700000001LL * 1000000000);
}

/* Removed, shown, put back: the same in every byte, with its id and at its
 * place. */
static void
restored_as_it_was(void **state)
{
	struct st *t = *state;
	struct st_op o;
	int64_t a, b, c;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	a = st_send(t, "q", "before");
	b = send_odd(t);
	c = st_send(t, "q", "behind");
	assert_int_equal(st_remove(t, "q", b, 7), STORE_OK);
	assert_int_equal(st_count(t), 2);
	kept(t, &o, "q", 0);
	assert_int_equal(o.nrows, 1);
	check_odd(&o.rows[0].m, b);
	assert_int_equal(o.rows[0].gone.act, 7);
	assert_int_equal(o.rows[0].gone.why, STORE_PURGED);
	assert_int_equal(o.rows[0].gone.gone_ns, FIRST_NS);
	assert_int_equal(o.rows[0].gone.size, 5);
	assert_string_equal(o.rows[0].by, "me");
	st_free(&o);
	if (t->kind->durable)
		st_crash(t);
	st_fill_restore(&o, STR("q"), b);
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_true(o.op.u.restore.found);
	assert_false(o.op.u.restore.reply);
	assert_false(o.op.u.restore.answered);
	assert_int_equal(o.op.u.restore.size, 5);
	assert_int_equal(o.op.u.restore.held, STORE_HELD_OPERATOR);
	if (t->kind->durable)
		st_crash(t);
	st_scan(t, &o);
	assert_int_equal(o.nrows, 3);
	assert_int_equal(o.rows[0].m.id, a);
	check_odd(&o.rows[1].m, b);
	assert_int_equal(o.rows[2].m.id, c);
	st_free(&o);
	assert_int_equal(nkept(t, NULL, 0), 0);
	assert_false(restore(t, "q", b));
}

/* A reply is one afterwards, too; a request that has had its reply is back, and
 * the note of it says so, also after a restart. */
static void
restored_replies_and_answered(void **state)
{
	struct st *t = *state;
	struct st_op o;
	int64_t q, r;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	q = st_send(t, "q", "ask");
	st_fill_send(&o, STR("q"), STR("reply"));
	o.op.u.send.msg.reply_to = (struct str){NULL, 0};
	o.op.u.send.msg.re_queue = STR("q");
	o.op.u.send.msg.re_id = q;
	o.op.u.send.answers = true;
	assert_int_equal(st_do(t, &o), STORE_OK);
	r = o.op.u.send.msg.id;
	assert_int_equal(st_remove(t, "q", q, 1), STORE_OK);
	assert_int_equal(st_remove(t, "q", r, 1), STORE_OK);
	st_fill_restore(&o, STR("q"), r);
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_true(o.op.u.restore.found && o.op.u.restore.reply);
	for (int i = 0; i < 2; i++) { /* twice is as once */
		st_fill_restore(&o, STR("q"), q);
		assert_int_equal(st_do(t, &o), STORE_OK);
		assert_true(o.op.u.restore.found && o.op.u.restore.answered);
		st_fill_read(&o, STORE_ANSWERS);
		assert_int_equal(st_do(t, &o), STORE_OK);
		assert_int_equal(o.nrows, 1);
		assert_int_equal(o.rows[0].m.re_id, q);
		assert_int_equal(o.rows[0].m.id, -r);
		st_free(&o);
		assert_int_equal(st_remove(t, "q", q, 2), STORE_OK);
	}
}

/* In pages, by queue, by act. */
static void
removed_is_listed(void **state)
{
	struct st *t = *state;
	int64_t id[6];
	struct st_op o;

	assert_int_equal(st_create(t, "a"), STORE_OK);
	assert_int_equal(st_create(t, "b"), STORE_OK);
	for (int i = 0; i < 6; i++)
		id[i] = st_send(t, i % 2 ? "b" : "a", "x");
	for (int i = 6; i-- > 0;)
		assert_int_equal(
		    st_remove(t, i % 2 ? "b" : "a", id[i], 1 + i / 3),
		    STORE_OK);
	assert_int_equal(nkept(t, NULL, 0), 6);
	assert_int_equal(nkept(t, "a", 0), 3);
	assert_int_equal(nkept(t, "none", 0), 0);
	assert_int_equal(nkept(t, NULL, 1), 3);
	assert_int_equal(nkept(t, "a", 1), 2);
	assert_int_equal(nkept(t, NULL, 9), 0);
	st_fill_read(&o, STORE_REMOVED);
	o.op.u.removed.after = id[1];
	o.op.u.removed.max = 2;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 2);
	assert_int_equal(o.rows[0].m.id, id[2]);
	assert_int_equal(o.rows[1].m.id, id[3]);
	st_free(&o);
	st_fill_read(&o, STORE_REMOVED);
	o.stop_at = 1;
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(o.nrows, 1);
	st_free(&o);
}

/* Of a long payload the beginning is shown; all of it comes back. */
static void
long_payloads(void **state)
{
	static char text[100000];
	struct st *t = *state;
	struct st_op o;
	int64_t id;

	memset(text, 'x', sizeof text - 1);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	id = st_send(t, "q", text);
	assert_int_equal(st_remove(t, "q", id, 1), STORE_OK);
	kept(t, &o, "q", 0);
	assert_int_equal(o.rows[0].m.payload.n, STORE_BEGINNING);
	assert_int_equal(o.rows[0].gone.size, sizeof text - 1);
	st_free(&o);
	assert_true(restore(t, "q", id));
	st_scan(t, &o);
	assert_int_equal(o.rows[0].m.payload.n, sizeof text - 1);
	st_free(&o);
}

/* What is not there; another queue; a queue that is gone, and one that has its
 * name. */
static void
odd_cases(void **state)
{
	struct st *t = *state;
	struct st_op o;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	id = st_send(t, "q", "x");
	assert_int_equal(st_remove(t, "q", id + 1, 1), STORE_OK);
	assert_int_equal(st_remove(t, "r", id, 1), STORE_OK);
	assert_int_equal(st_remove(t, "none", id, 1), STORE_OK);
	assert_int_equal(nkept(t, NULL, 0), 0);
	assert_int_equal(st_count(t), 1);
	assert_int_equal(st_remove(t, "q", id, 1), STORE_OK);
	assert_false(restore(t, "q", id + 1));
	assert_false(restore(t, "r", id));
	assert_int_equal(st_destroy(t, "q"), STORE_OK);
	st_fill_restore(&o, STR("q"), id);
	assert_int_equal(st_do(t, &o), STORE_NO_QUEUE);
	assert_int_equal(nkept(t, "q", 0), 1);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_true(restore(t, "q", id));
	assert_int_equal(st_count(t), 1);
}

/* With the send of a failure in one chain: both or none. */
static void
in_a_chain(void **state)
{
	struct st *t = *state;
	struct st_op send, gone, *v[] = {&gone, &send};
	struct store_info info;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	id = st_send(t, "q", "x");
	for (int i = 0; i < 2; i++) {
		st_fill_send(&send, i ? STR("q") : STR("none"), STR("failed"));
		st_fill_remove(&gone, STR("q"), id, 5);
		st_submit_chain(t, v, 2);
		st_wait(t, &send.done);
		assert_int_equal(gone.op.rc, i ? STORE_OK : STORE_NO_QUEUE);
		assert_int_equal(nkept(t, NULL, 0), i);
		assert_int_equal(st_count(t), 1);
	}
	if (t->kind->durable)
		st_crash(t);
	store_info(t->s, &info); /* noted by the one that was done */
	assert_int_equal(info.last_act, 5);
}

/* The number of the last act is known after a restart, also when nothing is
 * kept of it any more. */
static void
acts_are_numbered(void **state)
{
	struct st *t = *state;
	struct store_info i;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	store_info(t->s, &i);
	assert_int_equal(i.last_act, 0);
	id = st_send(t, "q", "x");
	assert_int_equal(st_remove(t, "q", id, 41), STORE_OK);
	assert_true(restore(t, "q", id));
	if (t->kind->durable)
		st_crash(t);
	else
		return;
	store_info(t->s, &i);
	assert_int_equal(i.last_act, 41);
}

/* What is too much goes, the oldest first; what is too old goes. */
static void
kept_for_a_while(void **state)
{
	static char text[1000];
	struct st *t = *state;
	int64_t id[10];
	struct st_op o;

	memset(text, 'x', sizeof text - 1);
	t->cfg.undo_bytes = 3 * (sizeof text - 1 + 256);
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 10; i++)
		id[i] = st_send(t, "q", text);
	for (int i = 0; i < 10; i++) {
		st_fill_remove(&o, STR("q"), id[i], i + 1);
		o.op.u.remove.gone_ns += i;
		assert_int_equal(st_do(t, &o), STORE_OK);
	}
	while (nkept(t, NULL, 0) > 3) /* the store is idle meanwhile */
		continue;
	assert_int_equal(nkept(t, NULL, 0), 3);
	assert_true(restore(t, "q", id[9]));
	assert_false(restore(t, "q", id[0]));
	/* one that is larger than all there may be is not kept */
	t->cfg.undo_bytes = sizeof text - 2;
	if (!t->kind->durable)
		return; /* it would begin anew */
	st_reopen(t);
	while (nkept(t, NULL, 0) > 0)
		continue;
	assert_int_equal(st_remove(t, "q", id[9], 20), STORE_OK);
	assert_int_equal(nkept(t, NULL, 0), 0);
	assert_int_equal(st_count(t), 0);
	/* and nothing when it is switched off */
	t->cfg.undo_bytes = 0;
	st_reopen(t);
	id[0] = st_send(t, "q", "x");
	assert_int_equal(st_remove(t, "q", id[0], 21), STORE_OK);
	assert_int_equal(nkept(t, NULL, 0), 0);
	/* its time is over */
	t->cfg.undo_bytes = 1 << 20;
	st_reopen(t);
	id[0] = st_send(t, "q", "x");
	assert_int_equal(st_remove(t, "q", id[0], 22), STORE_OK);
	assert_int_equal(nkept(t, NULL, 0), 1);
	t->cfg.undo_ns = 3600LL * 1000000000;
	st_reopen(t);
	while (nkept(t, NULL, 0) > 0)
		continue;
}

/* Paused stays paused; a queue of the same name made later is not. */
static void
pause_stays(void **state)
{
	struct st *t = *state;
	struct st_op o = {.op.kind = STORE_PAUSE}, list;

	o.op.u.pause.name = STR("q");
	o.op.u.pause.paused = true;
	assert_int_equal(st_do(t, &o), STORE_NO_QUEUE);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	assert_int_equal(st_do(t, &o), STORE_OK);
	if (t->kind->durable)
		st_crash(t);
	st_fill_read(&list, STORE_LIST);
	assert_int_equal(st_do(t, &list), STORE_OK);
	assert_int_equal(list.rows[0].m.held, 1);
	assert_int_equal(list.rows[1].m.held, 0);
	st_free(&list);
	o.op.u.pause.paused = false;
	assert_int_equal(st_do(t, &o), STORE_OK);
	o.op.u.pause.paused = true;
	o.op.u.pause.name = STR("r");
	assert_int_equal(st_do(t, &o), STORE_OK);
	assert_int_equal(st_destroy(t, "r"), STORE_OK);
	assert_int_equal(st_create(t, "r"), STORE_OK);
	st_fill_read(&list, STORE_LIST);
	assert_int_equal(st_do(t, &list), STORE_OK);
	assert_int_equal(list.rows[0].m.held, 0);
	assert_int_equal(list.rows[1].m.held, 0);
	st_free(&list);
}

static const struct {
	const char *name;
	void (*fn)(void **);
} cases[] = {
    {"restored_as_it_was", restored_as_it_was},
    {"restored_replies_and_answered", restored_replies_and_answered},
    {"removed_is_listed", removed_is_listed},
    {"long_payloads", long_payloads},
    {"odd_cases", odd_cases},
    {"in_a_chain", in_a_chain},
    {"acts_are_numbered", acts_are_numbered},
    {"kept_for_a_while", kept_for_a_while},
    {"pause_stays", pause_stays},
};

#define NCASES (sizeof cases / sizeof *cases)

int
main(void)
{
	struct CMUnitTest tests[NCASES * 3];
	static char names[NCASES * 3][80];
	size_t n = 0;

	assert_int_equal(st_nkinds, 3);
	for (size_t k = 0; k < st_nkinds; k++)
		for (size_t i = 0; i < NCASES; i++, n++) {
			snprintf(names[n], sizeof names[n], "%s: %s",
			    st_kinds[k].name, cases[i].name);
			tests[n] =
			    (struct CMUnitTest){names[n], cases[i].fn, st_setup,
				st_teardown, (void *)(uintptr_t)&st_kinds[k]};
		}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
