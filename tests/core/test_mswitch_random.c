/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core over a store that fails, and the core against a naive model.
 *
 * A script of some 240 operations runs again and again, each time with the next
 * chain of operations refused, alone, with its batch, or with all that follow:
 * the invariants hold after each step, every change is done exactly once, and
 * in the end index and store hold the same.
 *
 * The model is a list of messages; 100,000 random steps are made in both.
 */
#include "support/unit.h"

#include "clock.h"
#include "support/coretest.h"
#include "support/logtest.h"
#include "support/rnd.h"

/* ---- a failing store ---- */

enum { STEPS = 240 };

struct script {
	struct ct *t;
	struct ct_client c[3];
	bool open[3];
	struct ct_change *x[STEPS * 2];
	enum ms_rc rc[STEPS * 2];
	size_t nx;
	int64_t id[STEPS];
	size_t nid;
	struct rnd rnd;
};

static const char *const qnames[] = {"p0", "p1", "t0", "t1"};
static const char *const tokens[] = {"one", "two", "three"};

/* One change more; the caller starts it and gives what it returned. */
static struct ct_change *
begin(struct script *s)
{
	return s->x[s->nx] = ct_new();
}

static void
began(struct script *s, enum ms_rc rc)
{
	s->rc[s->nx++] = rc;
}

/* An id that was given, or one that was not. */
static int64_t
some_id(struct script *s)
{
	return s->nid ? s->id[rnd_below(&s->rnd, s->nid)] : 99;
}

static void
step_create(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_create(
		s->t->m, &x->ch, &c->client, str_of(qnames[q]), q >= 2));
}

static void
step_destroy(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(
	    s, mswitch_destroy(s->t->m, &x->ch, &c->client, str_of(qnames[q])));
}

static void
step_send(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);
	bool reply = rnd_below(&s->rnd, 3) == 0;
	struct ms_send m = {.queue = str_of(qnames[q]),
	    .payload = STR("body"),
	    .reply_to = STR("t0"),
	    .is_reply = reply};

	if (reply) {
		m.re_queue = STR("p0");
		m.re_id = some_id(s);
	}
	if (rnd_below(&s->rnd, 3) == 0)
		m.key = rnd_below(&s->rnd, 2) ? STR("k1") : STR("k2");
	began(s, mswitch_send(s->t->m, &x->ch, &c->client, &m));
}

static void
step_ack(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_ack(
		s->t->m, &x->ch, &c->client, str_of(qnames[q]), some_id(s)));
}

static void
step_answer(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_answer(s->t->m, &x->ch, &c->client, str_of(qnames[q]),
		some_id(s), STR("p1"), STR("answer")));
}

static void
step_cancel(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);
	struct ms_cancel k = {.queue = str_of(qnames[q]),
	    .id = some_id(s),
	    .reply_to = rnd_below(&s->rnd, 4) ? STR("p1") : STR("none"),
	    .failure = STR("failure"),
	    .note = STR("note")};

	began(s, mswitch_cancel(s->t->m, &x->ch, &c->client, &k));
}

static void
step_mark(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_mark(s->t->m, &x->ch, &c->client, str_of(qnames[q]),
		some_id(s), rnd_below(&s->rnd, 2) ? 1 : -1));
}

/* Polls of a client come one after the other, as over a connection. */
static void
step_delete(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_delete(s->t->m, &x->ch, &c->client, str_of(qnames[q]),
		some_id(s), STR("note")));
}

static void
step_restore(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_restore(
		s->t->m, &x->ch, &c->client, str_of(qnames[q]), some_id(s)));
}

static void
step_pause(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_pause(s->t->m, &x->ch, &c->client, str_of(qnames[q]),
		rnd_below(&s->rnd, 2)));
}

static void
step_requeue(struct script *s, struct ct_client *c, int q)
{
	struct ct_change *x = begin(s);

	began(s,
	    mswitch_requeue(
		s->t->m, &x->ch, &c->client, str_of(qnames[q]), some_id(s)));
}

static void
step_poll(struct script *s, struct ct_client *c, int q)
{
	static const char *const sets[][3] = {{"p0", "p1", NULL},
	    {"p1", NULL, NULL}, {"t0", "p0", NULL}, {"t1", "none", NULL}};

	if (c->client.poll == NULL)
		(void)ct_poll(
		    s->t, c, rnd_below(&s->rnd, 2) ? -1 : some_id(s), sets[q]);
}

/* A client leaves and comes back. */
static void
step_leave(struct script *s, struct ct_client *c, int q)
{
	size_t i = (size_t)(c - s->c);

	(void)q;
	if (c->client.poll != NULL && c->poll.fetching)
		ct_kick(s->t); /* its memory is used until then */
	ct_close(s->t, c);
	ct_open(s->t, c, tokens[i]);
}

static void (*const steps[])(struct script *, struct ct_client *, int) = {
    step_create, step_create, step_destroy, step_send, step_send, step_send,
    step_send, step_ack, step_ack, step_answer, step_cancel, step_mark,
    step_requeue, step_delete, step_restore, step_pause, step_poll, step_poll,
    step_leave};

/* Commit, then see that what was under way has been told. */
static void
commit(struct script *s)
{
	ct_turn(s->t);
	for (size_t i = 0; i < s->nx; i++) {
		struct ct_change *x = s->x[i];

		assert_int_equal(x->done, s->rc[i] == MS_PENDING);
		if (x->ch.id > 0 && s->nid < STEPS)
			s->id[s->nid++] = x->ch.id;
		ct_free(x);
	}
	s->nx = 0;
}

/* The script, the same each time as long as nothing fails. */
static void
run_script(struct script *s)
{
	struct rnd pace = rnd_seed(99);

	for (size_t i = 0; i < 3; i++)
		ct_open(s->t, &s->c[i], tokens[i]);
	for (int q = 0; q < 4; q++)
		step_create(s, &s->c[0], q);
	commit(s);
	for (int i = 0; i < STEPS; i++) {
		steps[rnd_below(&s->rnd, sizeof steps / sizeof *steps)](s,
		    &s->c[rnd_below(&s->rnd, 3)], (int)rnd_below(&s->rnd, 4));
		assert_true(mswitch_check(s->t->m));
		if (rnd_below(&pace, 3) == 0)
			commit(s);
	}
	commit(s);
}

/* Nothing is left behind: what is in a queue, is not held and has no reply is
 * handed out. */
static void
check_offered(struct ct *t, const char *name)
{
	struct queue *q = mswitch_queue(t->m, str_of(name));
	struct msgq_cursor at;
	struct ct_client c;
	struct msg *msg;
	size_t n = 0;

	if (q == NULL)
		return;
	assert_int_equal(ct_pause(t, name, false), MS_OK);
	at = msgq_seek(&q->q, INT64_MIN);
	while ((msg = msgq_next(&q->q, &at)) != NULL)
		n += msg->held <= 0 && !(msg->flags & MSG_ANSWERED);
	ct_open(t, &c, "last");
	assert_true(ct_get(t, &c, -1, name) >= n);
	ct_close(t, &c);
}

/* Everybody leaves; the failure is over; time passes. */
static void
end_script(struct script *s)
{
	struct ct *t = s->t;

	faultstore_plan(&t->fs, 0, false, false, STORE_OK);
	for (size_t i = 0; i < 3; i++)
		ct_close(t, &s->c[i]);
	ct_turn(t);
	ct_pass(t, 5 * NS_PER_SEC);
	ct_same(t);
	assert_null(mswitch_queue(t->m, STR("t0")));
	assert_null(mswitch_queue(t->m, STR("t1")));
	assert_int_equal(t->m->sessions.n, 0);
	assert_int_equal(t->m->waiters.nparked, 0);
	check_offered(t, "p0");
	check_offered(t, "p1");
	ct_restart(t);
	ct_turn(t);
	ct_same(t);
}

/* With every chain failing in turn; how many there were. */
static long
fail_all(
    struct rnd seed, bool batch, bool lasting, enum store_rc rc, int64_t cache)
{
	struct script *s;
	long n, failed;
	void *state;

	for (n = 1;; n++) {
		s = calloc(1, sizeof *s);
		assert_non_null(s);
		assert_int_equal(ct_setup(&state), 0);
		s->t = state;
		s->rnd = seed;
		s->t->m->limits.cache_bytes = cache;
		faultstore_plan(&s->t->fs, n, batch, lasting, rc);
		run_script(s);
		failed = s->t->fs.failed;
		end_script(s);
		assert_int_equal(ct_teardown(&state), 0);
		free(s);
		if (failed == 0)
			return n - 1;
	}
}

static void
every_failure(int64_t cache)
{
	static const struct {
		bool batch, lasting;
		enum store_rc rc;
	} how[] = {
	    {false, false, STORE_BUSY},
	    {true, false, STORE_IO},
	    {false, true, STORE_FULL},
	    {true, true, STORE_DOWN},
	};
	struct rnd r = rnd_start("script");
	long all = 0;

	for (size_t i = 0; i < sizeof how / sizeof *how; i++)
		for (int k = 0; k < 3; k++) {
			r = rnd_seed(rnd_next(&r));
			all += fail_all(
			    r, how[i].batch, how[i].lasting, how[i].rc, cache);
		}
	print_message("# %ld chains failed one after the other\n", all);
	assert_true(all > 12 * STEPS / 4);
}

static void
every_failure_with_a_cache(void **state)
{
	(void)state;
	every_failure(1 << 20);
}

static void
every_failure_without_a_cache(void **state)
{
	(void)state;
	every_failure(0);
}

/* ---- against a model ---- */

enum { QUEUES = 6, CLIENTS = 4, MOST = 4000, RANDOM_STEPS = 100000 };

static const char *const mnames[QUEUES] = {"p0", "p1", "p2", "t0", "t1", "t2"};

/* One message of the model; one that is gone stays for its id. */
struct mmsg {
	int64_t id, re_id, answer; /* answer: id of its reply, 0 none */
	int queue, held;
	bool gone, again;
	bool kept; /* removed by hand */
	bool back; /* put back, although it has had its reply */
	char payload[12];
};

struct model {
	struct ct *t;
	struct rnd rnd;
	struct ct_client c[CLIENTS];
	bool exists[QUEUES];
	int owner[QUEUES]; /* client, -1: persistent */
	struct mmsg m[MOST];
	size_t n;
	uint64_t published, polls, restored;
};

/* Queues 3.. are transient, of client (q - 3). */
static struct ct_client *
owner_of(struct model *w, int q)
{
	return q < 3 ? NULL : &w->c[q - 3];
}

static void
model_end_queue(struct model *w, int q)
{
	w->exists[q] = false;
	for (size_t i = 0; i < w->n; i++)
		if (w->m[i].queue == q)
			w->m[i].gone = true;
}

/* A message, mostly a late one. */
static struct mmsg *
any(struct model *w)
{
	if (w->n == 0)
		return NULL;
	return &w->m[w->n - 1 - rnd_below(&w->rnd, w->n < 60 ? w->n : 60)];
}

/* Drop the oldest half, gone or not. */
static void
model_shrink(struct model *w)
{
	size_t half = w->n / 2, kept = 0;

	for (size_t i = 0; i < w->n; i++)
		if (i >= half || !w->m[i].gone)
			w->m[kept++] = w->m[i];
	w->n = kept;
}

static void
do_create(struct model *w, int q)
{
	assert_int_equal(
	    ct_create(w->t, owner_of(w, q), mnames[q], q >= 3), MS_OK);
	w->exists[q] = true;
}

static void
do_destroy(struct model *w, int q)
{
	if (rnd_below(&w->rnd, 8) != 0)
		return;
	assert_int_equal(ct_destroy(w->t, mnames[q]), MS_OK);
	model_end_queue(w, q);
}

static struct mmsg *
model_add(
    struct model *w, int q, int64_t id, int64_t re_id, const char *payload)
{
	struct mmsg *m;

	if (w->n == MOST)
		model_shrink(w);
	assert_true(w->n < MOST);
	m = &w->m[w->n++];
	*m = (struct mmsg){.id = id, .re_id = re_id, .queue = q};
	snprintf(m->payload, sizeof m->payload, "%s", payload);
	return m;
}

static void
do_publish(struct model *w, int q)
{
	char text[12];
	int64_t id;

	snprintf(text, sizeof text, "%u", rnd_below(&w->rnd, 100000));
	id = ct_publish(w->t, mnames[q], text);
	if (!w->exists[q]) {
		assert_int_equal(id, -1 - MS_NO_QUEUE);
		return;
	}
	assert_true(w->n == 0 || id > w->m[w->n - 1].id);
	(void)model_add(w, q, id, 0, text);
	w->published++;
}

/* A plain reply to some request, perhaps one that has its reply. */
static void
do_reply(struct model *w, int q)
{
	struct mmsg *r = any(w);
	struct ct_change *x;
	int64_t re_id;
	enum ms_rc rc;

	if (r == NULL || r->re_id != 0)
		return;
	re_id = r->id;
	x = ct_new();
	rc = ct_end(w->t, x,
	    ct_begin_reply(w->t, x, mnames[q], mnames[r->queue], re_id));
	if (!w->exists[q]) {
		assert_int_equal(rc, MS_NO_QUEUE);
	} else {
		assert_int_equal(rc, MS_OK);
		assert_int_equal(x->ch.duplicate, r->answer != 0);
		if (r->answer != 0) {
			assert_int_equal(x->ch.id, r->answer);
		} else {
			r->answer = x->ch.id;
			(void)model_add(w, q, x->ch.id, re_id, "reply");
		}
	}
	ct_free(x);
}

/* Reply and acknowledge at once. */
static void
do_answer(struct model *w, int q)
{
	struct mmsg *r = any(w);
	struct ct_change *x;
	enum ms_rc rc;
	bool adds;

	if (r == NULL || r->gone || r->re_id != 0)
		return;
	adds = w->exists[q] && r->answer == 0;
	x = ct_new();
	rc = mswitch_answer(w->t->m, &x->ch, NULL, str_of(mnames[r->queue]),
	    r->id, str_of(mnames[q]), STR("answer"));
	if (!adds && r->answer == 0) { /* nobody waits: it stays */
		assert_int_equal(rc, MS_NO_REPLY_QUEUE);
		ct_free(x);
		return;
	}
	assert_int_equal(ct_end(w->t, x, rc), MS_OK);
	ct_turn(w->t);
	r->gone = true;
	if (adds) {
		r->answer = x->ch.id;
		(void)model_add(w, q, x->ch.id, r->id, "answer");
	}
	ct_free(x);
}

/* Remove, with a failure for the caller when it waits. */
static void
do_cancel(struct model *w, int q)
{
	struct mmsg *r = any(w);
	struct ct_change *x;
	struct ms_cancel k = {.failure = STR("failure"), .note = STR("note")};
	bool adds;

	if (r == NULL || r->gone)
		return;
	adds = w->exists[q] && r->answer == 0 && r->re_id == 0;
	k.queue = str_of(mnames[r->queue]);
	k.id = r->id;
	k.reply_to = str_of(mnames[q]);
	x = ct_new();
	assert_int_equal(
	    ct_end(w->t, x, mswitch_cancel(w->t->m, &x->ch, NULL, &k)), MS_OK);
	r->gone = r->kept = true;
	assert_int_equal(x->ch.id != 0, adds);
	if (adds) {
		r->answer = x->ch.id;
		(void)model_add(w, q, x->ch.id, r->id, "failure");
	}
	ct_free(x);
}

/* Remove without a word. */
static void
do_delete(struct model *w, int q)
{
	struct mmsg *r = any(w);
	struct ct_change *x;

	(void)q;
	if (r == NULL || r->gone)
		return;
	x = ct_new();
	assert_int_equal(ct_end(w->t, x,
			     mswitch_delete(w->t->m, &x->ch, NULL,
				 str_of(mnames[r->queue]), r->id, STR("me"))),
	    MS_OK);
	ct_turn(w->t);
	r->gone = true;
	r->kept = r->answer == 0 || r->back; /* the others were over */
	ct_free(x);
}

/* Put something back. */
static void
do_restore(struct model *w, int q)
{
	struct mmsg *r = any(w);
	struct ct_change *x;
	enum ms_rc rc;

	(void)q;
	for (int i = 0; i < 30 && r != NULL && !r->kept; i++)
		r = any(w);
	if (r == NULL)
		return;
	x = ct_new();
	rc = ct_end(w->t, x,
	    mswitch_restore(
		w->t->m, &x->ch, NULL, str_of(mnames[r->queue]), r->id));
	assert_int_equal(rc, w->exists[r->queue] ? MS_OK : MS_NO_QUEUE);
	if (rc == MS_OK) {
		assert_int_equal(x->ch.found, r->kept);
		w->restored += r->kept;
	}
	if (rc == MS_OK && r->kept) {
		r->gone = r->kept = false;
		r->back = r->answer != 0;
		r->again = r->held <= 0;
	}
	ct_free(x);
}

static void
do_ack(struct model *w, int q)
{
	struct mmsg *m = any(w);

	if (m == NULL)
		return;
	if (rnd_below(&w->rnd, 8) != 0)
		q = m->queue;
	assert_int_equal(ct_ack(w->t, mnames[q], m->id), MS_OK);
	if (m->queue == q)
		m->gone = true;
}

static void
do_mark(struct model *w, int q)
{
	struct mmsg *m = any(w);
	int held = rnd_below(&w->rnd, 3) ? STORE_RELEASED : STORE_HELD_OPERATOR;
	enum ms_rc rc;

	(void)q;
	if (m == NULL)
		return;
	rc = ct_mark(w->t, mnames[m->queue], m->id, held);
	assert_int_equal(rc,
	    !w->exists[m->queue] ? MS_NO_QUEUE
		: m->gone	 ? MS_NO_MESSAGE
				 : MS_OK);
	if (m->gone)
		return;
	if (m->held > 0 && held < 0)
		m->again = true; /* whatever the cursor of the next poll */
	if (held > 0)
		m->again = false;
	if (m->held > 0 || held > 0)
		m->held = held;
}

/* Offer it again. */
static void
do_requeue(struct model *w, int q)
{
	struct mmsg *m = any(w);
	struct ct_change *x;
	enum ms_rc rc;

	(void)q;
	if (m == NULL)
		return;
	x = ct_new();
	rc = ct_end(w->t, x,
	    mswitch_requeue(
		w->t->m, &x->ch, NULL, str_of(mnames[m->queue]), m->id));
	assert_int_equal(rc,
	    !w->exists[m->queue]	     ? MS_NO_QUEUE
		: m->gone		     ? MS_NO_MESSAGE
		: m->answer != 0 && !m->back ? MS_HELD
					     : MS_OK);
	if (rc == MS_OK) {
		m->held = STORE_RELEASED;
		m->again = true;
	}
	ct_free(x);
}

/* Take over what the core thinks of what is to be offered again: the recorder,
 * from which it knows that after a restart, does not reach back for ever. */
static void
see_again(struct model *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct mmsg *m = &w->m[i];
		struct queue *q =
		    mswitch_queue(w->t->m, str_of(mnames[m->queue]));
		struct msg *msg = q ? msgq_find(&q->q, m->id) : NULL;

		m->again = msg != NULL && (msg->flags & MSG_AGAIN);
	}
}

/* What a poll must give. */
static void
do_poll(struct model *w, int q)
{
	struct ct_client *c = &w->c[CLIENTS - 1];
	const char *names[3] = {
	    mnames[q], mnames[rnd_below(&w->rnd, QUEUES)], NULL};
	struct mmsg *m = any(w);
	int64_t from = m && rnd_below(&w->rnd, 4) ? m->id - 20 : -1;
	size_t n = 0;

	w->polls++;
	if (ct_poll(w->t, c, from, names) == MS_PENDING) {
		ct_turn(w->t);
		if (c->done == 0)
			poll_cancel(w->t->m, &c->poll);
	}
	for (size_t i = 0; i < w->n && n < CT_MOST; i++) {
		m = &w->m[i];
		if (m->gone || m->held > 0 || (m->id <= from && !m->again) ||
		    (strcmp(mnames[m->queue], names[0]) != 0 &&
			strcmp(mnames[m->queue], names[1]) != 0))
			continue;
		assert_true(n < c->ngot);
		if (c->ngot <= CT_MOST) {
			assert_int_equal(c->got[n].id, m->id);
			assert_int_equal(c->got[n].re_id, m->re_id);
			assert_string_equal(c->got[n].payload, m->payload);
		}
		m->again = false;
		n++;
	}
	if (n < CT_MOST)
		assert_int_equal(n, c->ngot);
	else
		see_again(w); /* more came than was compared */
}

/* The owner of transient queues leaves and comes back. */
static void
do_leave(struct model *w, int q)
{
	struct ct_client *c = owner_of(w, q);

	if (c == NULL || rnd_below(&w->rnd, 6) != 0)
		return;
	ct_close(w->t, c);
	ct_turn(w->t);
	ct_open(w->t, c, mnames[q]);
	model_end_queue(w, q);
}

/* The process ends and starts; clients come back within the grace. */
static void
do_restart(struct model *w, int q)
{
	(void)q;
	if (rnd_below(&w->rnd, 100) != 0)
		return;
	mswitch_stop(w->t->m);
	for (int i = 0; i < CLIENTS; i++)
		ct_close(w->t, &w->c[i]);
	ct_restart(w->t);
	for (int i = 0; i < CLIENTS; i++)
		ct_open(w->t, &w->c[i], i < 3 ? mnames[3 + i] : "reader");
	ct_turn(w->t);
	/* a request with its reply is over */
	for (size_t i = 0; i < w->n; i++)
		if (w->m[i].answer != 0 && !w->m[i].back)
			w->m[i].gone = true;
	see_again(w);
}

static void (*const acts[])(struct model *, int) = {do_create, do_create,
    do_destroy, do_publish, do_publish, do_publish, do_publish, do_reply,
    do_reply, do_answer, do_answer, do_cancel, do_delete, do_restore,
    do_restore, do_ack, do_ack, do_ack, do_mark, do_requeue, do_poll, do_poll,
    do_leave, do_restart};

/* The index holds what the model holds. */
static void
compare(struct model *w)
{
	size_t alive = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct mmsg *m = &w->m[i];
		struct queue *q =
		    mswitch_queue(w->t->m, str_of(mnames[m->queue]));
		struct msg *msg = q ? msgq_find(&q->q, m->id) : NULL;

		alive += !m->gone;
		assert_int_equal(msg != NULL, !m->gone);
		if (msg != NULL)
			assert_int_equal(msg->held, m->held);
	}
	assert_int_equal(alive, w->t->m->messages);
	ct_same(w->t);
}

static void
random_steps(void **state, int64_t cache, int most)
{
	struct model *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->t = *state;
	w->rnd = rnd_start("model");
	w->t->limits.cache_bytes = w->t->m->limits.cache_bytes = cache;
	for (int i = 0; i < CLIENTS; i++)
		ct_open(w->t, &w->c[i], i < 3 ? mnames[3 + i] : "reader");
	for (int i = 0; i < most; i++) {
		acts[rnd_below(&w->rnd, sizeof acts / sizeof *acts)](
		    w, (int)rnd_below(&w->rnd, QUEUES));
		if (i % 256 == 0)
			compare(w);
		if (i % 5000 == 0) /* do not grow for ever */
			for (int q = 0; q < QUEUES; q++) {
				(void)ct_destroy(w->t, mnames[q]);
				model_end_queue(w, q);
			}
	}
	compare(w);
	assert_true(w->polls > (uint64_t)most / 20);
	assert_true(w->published > (uint64_t)most / 20);
	assert_true(w->restored > (uint64_t)most / 100);
	for (int i = 0; i < CLIENTS; i++)
		ct_close(w->t, &w->c[i]);
	ct_turn(w->t);
	free(w);
}

static void
random_run_matches_model(void **state)
{
	random_steps(state, 1 << 20, RANDOM_STEPS);
}

static void
random_run_without_a_cache(void **state)
{
	random_steps(state, 300, RANDOM_STEPS / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_failure_with_a_cache),
	    cmocka_unit_test(every_failure_without_a_cache),
	    cmocka_unit_test_setup_teardown(
		random_run_matches_model, ct_setup, ct_teardown),
	    cmocka_unit_test_setup_teardown(
		random_run_without_a_cache, ct_setup, ct_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
