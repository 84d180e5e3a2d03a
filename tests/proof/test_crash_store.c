/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Losing the power at any point (promise R1): a script of mixed operations
 * runs over the durable store while a file layer writes down every write, sync
 * and deletion.  Then images of the disk are built as a crash between any two of
 * these calls might leave them, each is opened with the real store, and what it
 * holds must be, exactly, the state after the first k operations, where k is not
 * less than what had been acknowledged by then, and not more than what had been
 * submitted.  The states come from the memory store, which runs the same script.
 *
 * The same with synchronous=NORMAL and OFF must be found out losing what was
 * acknowledged: otherwise this test sees nothing.
 *
 * XMSG_FULL=1: the figure of R1, 10,000 images and more.
 */
#include "support/unit.h"

#include "clock.h"
#include "crashtest.h"
#include "support/crashvfs.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/storetest.h"

#define CHAINS 220
#define QUEUES 4
#define MOST   600 /* messages */

/* ---- the script ---- */

struct chain {
	struct st_op op[2];
	size_t n;
	long asked, told; /* points: submitted; acknowledged */
};

/* A message, as far as the script must know it. */
struct known {
	int64_t id;
	int queue;
	enum { THERE, GONE, KEPT } is;
	bool answered;
};

struct script {
	struct st t, ref; /* under test; memory */
	struct rnd rnd;
	struct chain v[CHAINS], w[CHAINS]; /* of t; the same of ref */
	uint64_t want[CHAINS + 1];
	int64_t top[CHAINS + 1]; /* highest id */
	struct known m[MOST];
	size_t nm;
	int64_t acts;
	size_t n; /* chains that were submitted */
};

static const char *const names[QUEUES] = {"a", "b", "c", "d"};
static char big[40000]; /* several overflow pages */

/* A message that is in this state, or NULL. */
static struct known *
pick(struct script *s, int is)
{
	for (int i = 0; i < 16 && s->nm > 0; i++) {
		struct known *k = &s->m[rnd_below(&s->rnd, s->nm)];

		if ((int)k->is == is)
			return k;
	}
	return NULL;
}

/* A send: a request, or the reply to one. */
static void
gen_send(struct script *s, struct st_op *o, const struct known *to)
{
	size_t n = rnd_below(&s->rnd, 8) ? 20 + rnd_below(&s->rnd, 400)
					 : rnd_below(&s->rnd, sizeof big);

	st_fill_send(o, str_of(names[rnd_below(&s->rnd, QUEUES - 1)]),
	    (struct str){big + n / 2, n - n / 2});
	o->op.u.send.msg.at_ns += (int64_t)s->n;
	if (to == NULL)
		return;
	o->op.u.send.msg.reply_to = (struct str){NULL, 0};
	o->op.u.send.msg.re_queue = str_of(names[to->queue]);
	o->op.u.send.msg.re_id = to->id;
	o->op.u.send.answers = true;
}

/* One of the operations on a message that is there. */
static void
gen_on(struct script *s, struct chain *c, struct known *k)
{
	struct str q = str_of(names[k->queue]);
	struct st_op *o = &c->op[0];

	switch (rnd_below(&s->rnd, 5)) {
	case 0: /* a cancellation, or a reply under /v1 */
		if (!k->answered) {
			gen_send(s, &c->op[1], k);
			c->n = 2;
		}
		st_fill_remove(o, q, k->id, ++s->acts);
		k->is = KEPT;
		break;
	case 1:
		st_fill_remove(o, q, k->id, ++s->acts);
		k->is = KEPT;
		break;
	case 2:
		memset(o, 0, sizeof *o);
		o->op.kind = STORE_MARK;
		o->op.u.mark.id = k->id;
		o->op.u.mark.held = (int)rnd_below(&s->rnd, 4) - 1;
		break;
	default:
		st_fill_ack(o, q, k->id);
		k->is = GONE;
		break;
	}
	k->answered |= c->n == 2;
}

/* Queues: made at first; one comes and goes. */
static void
gen_queue(struct script *s, struct st_op *o, size_t i)
{
	static const enum store_kind kinds[] = {
	    STORE_CREATE, STORE_DESTROY, STORE_PAUSE};
	size_t q = i < QUEUES - 1 ? i : QUEUES - 1;
	enum store_kind k = kinds[q == i ? 0 : rnd_below(&s->rnd, 3)];

	memset(o, 0, sizeof *o);
	o->op.kind = k;
	if (k == STORE_CREATE) {
		o->op.u.create.name = str_of(names[q]);
		o->op.u.create.owner =
		    q == i ? (struct str){NULL, 0} : STR("owner");
	} else if (k == STORE_DESTROY) {
		o->op.u.destroy.name = str_of(names[q]);
	} else {
		o->op.u.pause.name = str_of(names[i % (QUEUES - 1)]);
		o->op.u.pause.paused = rnd_below(&s->rnd, 2);
	}
}

/* Chain i. */
static void
generate(struct script *s, struct chain *c, size_t i)
{
	struct known *k = pick(s, THERE);
	uint32_t what = rnd_below(&s->rnd, 16);

	memset(c, 0, sizeof *c);
	c->n = 1;
	if (i < QUEUES || what == 0) {
		gen_queue(s, &c->op[0], i);
	} else if (what == 1 && (k = pick(s, KEPT)) != NULL) {
		st_fill_restore(&c->op[0], str_of(names[k->queue]), k->id);
		k->is = THERE;
	} else if (what < 9 || k == NULL) {
		k = what < 4 && k != NULL && !k->answered ? k : NULL;
		gen_send(s, &c->op[0], k);
		if (k != NULL)
			k->answered = true;
	} else {
		gen_on(s, c, k);
	}
}

/* Note what the memory store has made of it. */
static void
learn(struct script *s, const struct chain *c)
{
	for (size_t k = 0; k < c->n; k++) {
		const struct store_msg *m = &c->op[k].op.u.send.msg;
		struct known *n = &s->m[s->nm];

		if (c->op[k].op.kind != STORE_SEND)
			continue;
		assert_true(s->nm++ < MOST);
		*n = (struct known){.id = m->id,
		    .queue = m->queue.p[0] - 'a',
		    .is = THERE,
		    .answered = m->re_queue.p != NULL};
	}
}

static void
submit(struct st *t, struct chain *c)
{
	struct st_op *v[2] = {&c->op[0], &c->op[1]};

	st_submit_chain(t, v, c->n);
}

/* The next chain, in the memory store, then submitted under test. */
static void
step(struct script *s)
{
	struct chain *c = &s->v[s->n], *r = &s->w[s->n];
	int64_t last;

	generate(s, c, s->n);
	*r = *c;
	submit(&s->ref, r);
	st_wait(&s->ref, &r->op[r->n - 1].done);
	for (size_t k = 0; k < r->n; k++)
		assert_int_equal(r->op[k].op.rc, STORE_OK);
	learn(s, r);
	s->n++;
	s->want[s->n] = crashtest_digest(&s->ref, &last);
	s->top[s->n] = last > s->top[s->n - 1] ? last : s->top[s->n - 1];
	c->asked = crashvfs_points();
	submit(&s->t, c);
}

/* Wait for the group, and note when each was acknowledged. */
static void
settle(struct script *s, size_t from)
{
	for (size_t i = from; i < s->n; i++) {
		struct chain *c = &s->v[i];

		st_wait(&s->t, &c->op[c->n - 1].done);
		c->told = crashvfs_points();
		for (size_t k = 0; k < c->n; k++) {
			assert_int_equal(c->op[k].op.rc, STORE_OK);
			if (c->op[k].op.kind == STORE_SEND)
				assert_int_equal(c->op[k].op.u.send.msg.id,
				    s->w[i].op[k].op.u.send.msg.id);
		}
	}
}

/* A new script over a new folder; what happens is written down. */
static struct script *
script_new(const char *name)
{
	struct script *s = calloc(1, sizeof *s);
	int64_t last;

	assert_non_null(s);
	s->rnd = rnd_start(name);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + i % 23);
	st_init(&s->ref, &st_kinds[0]);
	st_init(&s->t, &st_kinds[2]);
	assert_true(st_open(&s->ref));
	s->want[0] = crashtest_digest(&s->ref, &last);
	return s;
}

/* Run it, in groups that share a batch, with orderly restarts between. */
static void
script_run(struct script *s)
{
	int64_t last;

	crashvfs_start(s->t.dir);
	assert_true(st_open(&s->t));
	while (s->n < CHAINS) {
		size_t from = s->n, group = 1 + rnd_below(&s->rnd, 4);

		while (s->n < CHAINS && s->n < from + group)
			step(s);
		settle(s, from);
		if (s->n % 70 < group)
			st_reopen(&s->t);
	}
	assert_true(crashtest_digest(&s->t, &last) == s->want[s->n]);
	st_close(&s->t);
	crashvfs_stop();
}

static void
script_free(struct script *s)
{
	st_fini(&s->t);
	st_fini(&s->ref);
	free(s);
}

/* ---- after the crash ---- */

struct verdicts {
	long images, lost, damaged;
};

/* Which prefix does the store hold?  -1: none. */
static long
prefix(const struct script *s, uint64_t h, size_t lo, size_t hi)
{
	for (size_t k = hi + 1; k-- > lo;)
		if (s->want[k] == h)
			return (long)k;
	return -1;
}

/* The next id is a new one. */
static bool
id_is_new(struct st *t, int64_t top)
{
	int64_t id = 0;

	if (st_create(t, "later") == STORE_OK)
		id = st_send(t, "later", "x");
	return id > top;
}

/* Open the image and judge. */
static void
judge(const struct script *s, struct st *t, long n, struct verdicts *v)
{
	size_t lo = 0, hi = 0;
	int64_t last;
	uint64_t h;

	while (hi < s->n && s->v[hi].asked <= n)
		hi++;
	while (lo < hi && s->v[lo].told <= n)
		lo++;
	v->images++;
	if (!st_open(t)) {
		v->damaged++;
		if (crashtest_setting == NULL)
			print_message("# point %ld: %s\n", n, t->err.text);
		return;
	}
	h = crashtest_digest(t, &last);
	if (prefix(s, h, lo, hi) < 0) {
		v->lost += lo > 0 && prefix(s, h, 0, lo - 1) >= 0;
		v->damaged += lo == 0 || prefix(s, h, 0, lo - 1) < 0;
		if (crashtest_setting == NULL)
			print_message("# point %ld: %ld, not %zu..%zu\n", n,
			    prefix(s, h, 0, s->n), lo, hi);
	} else if (!id_is_new(t, s->top[lo] > last ? s->top[lo] : last)) {
		v->damaged++;
		print_message("# point %ld: an id is given again\n", n);
	}
	st_close(t);
}

/* An image of point n; as in the script at point `when`. */
static void
crash_at(const struct script *s, long n, enum crash_how how, uint64_t seed,
    long when, struct verdicts *v)
{
	struct st t;

	st_init(&t, &st_kinds[2]);
	crashvfs_build(n, how, seed, t.dir);
	judge(s, &t, when, v);
	st_fini(&t);
	logtest_clear();
}

/* An image of the script. */
static void
crash(const struct script *s, long n, enum crash_how how, uint64_t seed,
    struct verdicts *v)
{
	crash_at(s, n, how, seed, n, v);
}

/* All points, or every `step`-th one, with `more` random images each besides those
 * two that are not random. */
static struct verdicts
crash_all(const struct script *s, long step, int more)
{
	struct verdicts v = {0};
	int64_t began = clock_mono_ns();
	long points = crashvfs_points();

	for (long n = 0; n <= points; n += step) {
		if (!crashvfs_same(n))
			crash(s, n, CRASH_NOTHING, 0, &v);
		if (!crashvfs_unsynced(n))
			continue;
		crash(s, n, CRASH_ALL, 0, &v);
		for (int i = 0; i < more; i++)
			crash(s, n, i % 2 ? CRASH_SOME : CRASH_TORN,
			    (uint64_t)(n * 100 + i), &v);
	}
	print_message("# %ld points, %ld images in %.1f s: %ld lost,"
		      " %ld damaged\n",
	    points, v.images, (double)(clock_mono_ns() - began) / 1e9, v.lost,
	    v.damaged);
	return v;
}

/* ---- cases ---- */

static void
nothing_acknowledged_is_lost(void **state)
{
	struct script *s = script_new("crash");
	struct verdicts v;

	(void)state;
	script_run(s);
	v = crash_all(s, 1, crashtest_full() ? 40 : 2);
	assert_int_equal(v.lost + v.damaged, 0);
	assert_true(v.images >= (crashtest_full() ? 10000 : 800));
	script_free(s);
}

/* A crash, and another one while the store opens what the first has left. */
static void
crash_while_recovering(void **state)
{
	enum { N = 12 };
	struct script *s = script_new("crash twice");
	struct verdicts v = {0};
	struct st t[N];
	long first[N];
	int64_t last;

	(void)state;
	script_run(s);
	for (int i = 0; i < N; i++) {
		st_init(&t[i], &st_kinds[2]);
		first[i] = crashvfs_points() * (i + 1) / (N + 1);
		crashvfs_build(first[i], i % 2 ? CRASH_ALL : CRASH_TORN,
		    (uint64_t)i, t[i].dir);
	}
	for (int i = 0; i < N; i++) {
		crashvfs_start(t[i].dir);
		assert_true(st_open(&t[i]));
		(void)crashtest_digest(&t[i], &last);
		st_close(&t[i]);
		crashvfs_stop();
		for (long n = 0; n <= crashvfs_points(); n++)
			for (int how = 0; how < (crashtest_full() ? 8 : 1);
			     how++)
				crash_at(s, n, CRASH_TORN, (uint64_t)(n + how),
				    first[i], &v);
		st_fini(&t[i]);
	}
	print_message("# %ld images\n", v.images);
	assert_int_equal(v.lost + v.damaged, 0);
	script_free(s);
}

/* The two settings that lose: seen losing. */
static void
control(const char *setting)
{
	struct script *s = script_new(setting);
	struct verdicts v;

	crashtest_setting = setting;
	script_run(s);
	v = crash_all(s, crashtest_full() ? 1 : 5, 2);
	crashtest_setting = NULL;
	assert_true(v.lost > 0);
	script_free(s);
}

static void
normal_is_seen_losing(void **state)
{
	(void)state;
	control("NORMAL");
}

static void
off_is_seen_losing(void **state)
{
	(void)state;
	control("OFF");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_acknowledged_is_lost),
	    cmocka_unit_test(crash_while_recovering),
	    cmocka_unit_test(normal_is_seen_losing),
	    cmocka_unit_test(off_is_seen_losing),
	};

	crashtest_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
