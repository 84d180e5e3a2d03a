/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* msgq: bodies, and random appends and removals against a plain list, checked
 * after each step. */
#include "support/unit.h"

#include "msgq.h"
#include "support/rnd.h"

enum { MOST = 3000 };

struct list {
	int64_t id[MOST];
	size_t n;
};

/* A body with something in it. */
static struct body *
some_body(const char *payload)
{
	struct body_from f = {.at_ns = 1,
	    .re_id = 2,
	    .uid = 3,
	    .pid = 4,
	    .origin = STR("from"),
	    .reply_to = STR("to"),
	    .key = STR("k"),
	    .comm = STR("me"),
	    .payload = str_of(payload)};

	return body_new(&f);
}

/* The queue gives what the list holds, from anywhere. */
static void
compare(const struct msgq *q, const struct list *l, struct rnd *r)
{
	int64_t after = l->n ? l->id[rnd_below(r, l->n)] - rnd_below(r, 2) : 7;
	struct msgq_cursor at = msgq_seek(q, after);
	struct msg *m;
	size_t i = 0;

	assert_true(msgq_check(q));
	assert_int_equal(q->n, l->n);
	while (i < l->n && l->id[i] <= after)
		i++;
	m = msgq_after(q, after);
	assert_true(i < l->n ? m != NULL && m->id == l->id[i] : m == NULL);
	for (; (m = msgq_next(q, &at)) != NULL; i++) {
		assert_true(i < l->n);
		assert_int_equal(m->id, l->id[i]);
	}
	assert_int_equal(i, l->n);
}

static void
append(struct msgq *q, struct list *l, int64_t id)
{
	struct msg *m = msgq_append(q, id);

	assert_non_null(m);
	assert_int_equal(m->id, id);
	assert_int_equal(m->flags, 0);
	assert_null(m->body);
	m->body = some_body("x");
	l->id[l->n++] = id;
}

static void
remove_at(struct msgq *q, struct list *l, size_t i)
{
	assert_non_null(msgq_find(q, l->id[i]));
	msgq_remove(q, l->id[i]);
	assert_null(msgq_find(q, l->id[i]));
	memmove(l->id + i, l->id + i + 1, (l->n - i - 1) * sizeof l->id[0]);
	l->n--;
}

/* Growing and shrinking, from the front mostly, or from anywhere. */
static void
random_run(struct rnd *r, bool front, int64_t start, int steps)
{
	struct list *l = calloc(1, sizeof *l);
	struct msgq q = {0};
	int64_t id = start;

	assert_non_null(l);
	for (int i = 0; i < steps; i++) {
		bool grow = rnd_below(r, 10) < (i / 700 % 2 ? 3 : 7);

		if (grow && l->n < MOST)
			append(&q, l, id += 1 + rnd_below(r, 3));
		else if (l->n > 0)
			remove_at(&q, l,
			    front && rnd_below(r, 8) ? 0 : rnd_below(r, l->n));
		msgq_remove(&q, id + 1); /* not there */
		assert_null(msgq_find(&q, id + 1));
		compare(&q, l, r);
	}
	while (l->n > 0)
		remove_at(&q, l, front ? 0 : l->n - 1);
	compare(&q, l, r);
	append(&q, l, id + 1); /* and it can be used again */
	compare(&q, l, r);
	msgq_fini(&q);
	assert_int_equal(q.n, 0);
	free(l);
}

static void
random_runs_match_a_list(void **state)
{
	struct rnd r = rnd_start("msgq");

	(void)state;
	random_run(&r, true, 1, 4000);
	random_run(&r, false, 1LL << 40, 4000);
	random_run(&r, false, -5, 1000);
}

/* A queue that fills and empties keeps its size. */
static void
steady_use_does_not_grow(void **state)
{
	struct msgq q = {0};

	(void)state;
	for (int64_t id = 1; id < 200000; id++) {
		assert_non_null(msgq_append(&q, id));
		if (id > 300)
			msgq_remove(&q, id - 300);
		assert_true(q.nchunks < 8 && q.cap < 64);
	}
	assert_true(msgq_check(&q));
	msgq_fini(&q);
}

/* The ends of what an id can be. */
static void
ids_at_the_ends(void **state)
{
	struct msgq q = {0};

	(void)state;
	assert_null(msgq_find(&q, INT64_MIN));
	msgq_remove(&q, INT64_MIN);
	assert_non_null(msgq_append(&q, 1));
	assert_non_null(msgq_append(&q, INT64_MAX));
	assert_non_null(msgq_find(&q, INT64_MAX));
	assert_null(msgq_find(&q, INT64_MIN));
	assert_null(msgq_after(&q, INT64_MAX));
	assert_int_equal(msgq_after(&q, INT64_MIN)->id, 1);
	msgq_remove(&q, INT64_MAX);
	assert_int_equal(q.n, 1);
	msgq_fini(&q);
}

/* A body gives its parts back, empty ones too. */
static void
body_holds_its_parts(void **state)
{
	struct body *b = some_body("payload");

	(void)state;
	assert_bytes(body_origin(b).p, body_origin(b).n, "from");
	assert_bytes(body_reply_to(b).p, body_reply_to(b).n, "to");
	assert_int_equal(body_re_queue(b).n, 0);
	assert_non_null(body_re_queue(b).p);
	assert_bytes(body_key(b).p, body_key(b).n, "k");
	assert_bytes(body_payload(b).p, body_payload(b).n, "payload");
	assert_int_equal(b->at_ns, 1);
	assert_int_equal(b->re_id, 2);
	assert_true(body_size(b) >= sizeof *b + 14);
	free(b);
}

/* Removing from anywhere and putting back at the same places. */
static void
put_back(void **state)
{
	struct rnd r = rnd_start("put back");
	struct list *l = calloc(1, sizeof *l);
	int64_t *gone = calloc(20000, sizeof *gone);
	struct msgq q = {0};
	size_t ngone = 0, k;
	int64_t id = 5;

	(void)state;
	assert_non_null(l);
	assert_non_null(gone);
	for (int i = 0; i < 20000; i++) {
		uint32_t what = rnd_below(&r, 8);

		if (what < 3 && l->n < 2000) {
			append(&q, l, id += 1 + rnd_below(&r, 3));
		} else if (what < 6 && l->n > 0) {
			k = rnd_below(&r, (uint32_t)l->n);
			gone[ngone++] = l->id[k];
			remove_at(&q, l, k);
		} else if (ngone > 0) {
			size_t g = rnd_below(&r, (uint32_t)ngone), at = 0;
			struct msg *m = msgq_insert(&q, gone[g]);

			assert_non_null(m);
			assert_int_equal(m->id, gone[g]);
			assert_int_equal(m->flags, 0);
			assert_null(m->body);
			m->body = some_body("back");
			while (at < l->n && l->id[at] < gone[g])
				at++;
			memmove(l->id + at + 1, l->id + at,
			    (l->n - at) * sizeof l->id[0]);
			l->id[at] = gone[g];
			l->n++;
			gone[g] = gone[--ngone];
		}
		if (i % 50 == 0)
			compare(&q, l, &r);
	}
	compare(&q, l, &r);
	assert_true(l->n > 100);
	while (l->n > 0) /* all out, all in, backwards */
		remove_at(&q, l, 0);
	for (int i = 1000; i-- > 0;)
		assert_non_null(msgq_insert(&q, 10 * i));
	assert_true(msgq_check(&q));
	assert_int_equal(q.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_non_null(msgq_find(&q, 10 * i));
	msgq_fini(&q);
	free(gone);
	free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_runs_match_a_list),
	    cmocka_unit_test(steady_use_does_not_grow),
	    cmocka_unit_test(put_back),
	    cmocka_unit_test(ids_at_the_ends),
	    cmocka_unit_test(body_holds_its_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
