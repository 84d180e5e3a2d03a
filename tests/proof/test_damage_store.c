/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Bytes that a disk has changed (promise R24): each byte of a small database is
 * changed in turn, and the store opened over it.  It says why it cannot, or it
 * serves: then every message that it hands out as whole is, to the byte, one that
 * was sent, in its queue, held if it was held; every answer that it knows of was
 * given; and no id is given again.  It never crashes and never hangs.
 *
 * In a changed byte one bit differs, or all, or it is zero.  A sample is taken,
 * with XMSG_FULL=1 all bytes; of pairs of bytes always a sample.
 */
#include "support/unit.h"

#include <errno.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/storetest.h"

#define MSGS   24
#define SAMPLE 3000

int __wrap_posix_fallocate(int fd, off_t off, off_t n);

/* The reserve, without its cost. */
int
__wrap_posix_fallocate(int fd, off_t off, off_t n)
{
	return ftruncate(fd, off + n) == 0 ? 0 : errno;
}

/* ---- the database ---- */

static struct {
	char *p;
	size_t n;
} file; /* as it was */
static struct st_op sent[MSGS]; /* rows: as read from it */
static struct st_op good;
static int64_t top;

/* Messages of all kinds in two queues, some acknowledged, held, removed. */
static void
fill(struct st *t)
{
	static char big[9000];
	struct st_op mark = {.op.kind = STORE_MARK};

	memset(big, 'B', sizeof big);
	assert_int_equal(st_create(t, "first"), STORE_OK);
	assert_int_equal(st_create_owned(t, "second", "me"), STORE_OK);
	for (int i = 0; i < MSGS; i++) {
		struct store_msg *m = &sent[i].op.u.send.msg;

		st_fill_send(&sent[i], i % 2 ? STR("second") : STR("first"),
		    (struct str){big, i == 7 ? sizeof big : 30 + (size_t)i});
		m->key = i % 5 == 0 ? STR("key") : (struct str){NULL, 0};
		m->comm = STR("tester");
		m->re_id = i % 7 == 3 ? i : 0;
		m->re_queue = i % 7 == 3 ? STR("first") : (struct str){NULL, 0};
		sent[i].op.u.send.answers = i % 7 == 3;
		assert_int_equal(st_do(t, &sent[i]), STORE_OK);
		top = m->id;
	}
	assert_int_equal(st_ack(t, "first", top - 1), STORE_OK);
	assert_int_equal(st_remove(t, "second", top - 2, 1), STORE_OK);
	mark.op.u.mark.id = top - 4;
	mark.op.u.mark.held = STORE_HELD_OPERATOR;
	assert_int_equal(st_do(t, &mark), STORE_OK);
}

/* Make it, read it back, keep the file. */
static int
make(void **state)
{
	struct st t;
	FILE *f;
	long n;

	(void)state;
	st_init(&t, &st_kinds[2]);
	assert_true(st_open(&t));
	fill(&t);
	st_scan(&t, &good);
	assert_true(good.nrows == MSGS - 2);
	st_close(&t);
	f = fopen(t.path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	file.n = (size_t)n;
	file.p = malloc(file.n);
	assert_non_null(file.p);
	assert_int_equal(fread(file.p, 1, file.n, f), file.n);
	fclose(f);
	st_fini(&t);
	return 0;
}

static int
drop(void **state)
{
	(void)state;
	free(file.p);
	st_free(&good);
	return 0;
}

/* ---- one change ---- */

struct verdicts {
	long refused, served, found, missing, gone;
	long answers; /* times that some were found damaged */
};

/* Is the row one of those that were sent? */
static bool
is_good(const struct store_msg *m)
{
	for (size_t i = 0; i < good.nrows; i++) {
		const struct store_msg *g = &good.rows[i].m;

		if (g->id == m->id)
			return str_eq(g->queue, m->queue) &&
			    str_eq(g->payload, m->payload) &&
			    str_eq(g->reply_to, m->reply_to) &&
			    str_eq(g->re_queue, m->re_queue) &&
			    str_eq(g->origin, m->origin) &&
			    str_eq(g->key, m->key) && g->re_id == m->re_id &&
			    g->at_ns == m->at_ns && g->held == m->held;
	}
	return false;
}

/* Is the row an answer that was given? */
static bool
is_answer(const struct store_msg *m)
{
	for (size_t i = 0; i < MSGS; i++) {
		const struct store_msg *g = &sent[i].op.u.send.msg;

		if (sent[i].op.u.send.answers && g->re_id == m->re_id)
			return g->id == m->id;
	}
	return false;
}

/* The answers that it knows of; false when they cannot be read. */
static bool
answers(struct st *t, size_t at, struct verdicts *v)
{
	struct st_op o;
	bool ok;

	st_fill_read(&o, STORE_ANSWERS);
	ok = st_do(t, &o) == STORE_OK;
	for (size_t i = 0; ok && i < o.nrows; i++)
		if (!is_answer(&o.rows[i].m))
			fail_msg("byte %zu: %lld is no answer to %lld", at,
			    (long long)o.rows[i].m.id,
			    (long long)o.rows[i].m.re_id);
	v->answers += logtest_take("rows of `answered` are damaged");
	st_free(&o);
	return ok;
}

/* What the broker reads at start: queues, answers, heads.  False when one of
 * them cannot be read: then it does not start. */
static bool
load(struct st *t, struct st_op *heads, size_t at, struct verdicts *v)
{
	struct st_op o;
	bool ok;

	st_fill_read(&o, STORE_LIST);
	ok = st_do(t, &o) == STORE_OK;
	st_free(&o);
	ok &= answers(t, at, v);
	st_fill_read(heads, STORE_SCAN);
	heads->op.u.scan.after = -1;
	heads->op.u.scan.heads = true;
	return st_do(t, heads) == STORE_OK && ok;
}

/* What it hands out. */
static void
deliver(struct st *t, const struct st_op *heads, size_t at, struct verdicts *v)
{
	int64_t ids[MSGS * 4];
	struct st_op o;
	size_t n = 0, whole = 0;

	for (; n < heads->nrows && n < sizeof ids / sizeof *ids; n++)
		ids[n] = heads->rows[n].m.id;
	st_fill_read(&o, STORE_GET);
	o.op.u.get.ids = ids;
	o.op.u.get.n = (uint32_t)n;
	(void)st_do(t, &o);
	for (size_t k = 0; k < o.nrows; k++) {
		v->found += o.rows[k].m.damaged;
		whole += !o.rows[k].m.damaged;
		if (!o.rows[k].m.damaged && !is_good(&o.rows[k].m))
			fail_msg("byte %zu: message %lld is wrong", at,
			    (long long)o.rows[k].m.id);
	}
	st_free(&o);
	v->missing += whole < good.nrows;
}

/* Wait for it, or for the end of the store; true when it is done well. */
static bool
done(struct st *t, struct st_op *o)
{
	if (t->gone > 0)
		return false;
	st_submit(t, o);
	store_kick(t->s);
	while (!o->done && t->gone == 0)
		event_base_loop(t->base, EVLOOP_ONCE);
	return o->done && o->op.rc == STORE_OK;
}

/* It goes on, or says that it is over. */
static void
work(struct st *t, size_t at, struct verdicts *v)
{
	static struct st_op make_, send_, ack_; /* may be done at close only */

	memset(&make_, 0, sizeof make_);
	make_.op.kind = STORE_CREATE;
	make_.op.u.create.name = STR("more");
	st_fill_send(&send_, STR("more"), STR("payload"));
	st_fill_ack(&ack_, STR("first"), good.rows[0].m.id);
	if (done(t, &make_) && done(t, &send_) && send_.op.u.send.msg.id <= top)
		fail_msg("byte %zu: an id is given again", at);
	(void)done(t, &ack_);
	v->gone += t->gone > 0;
}

/* Open a file with these bytes, changed at `at`, and look. */
static void
look(size_t at, struct verdicts *v)
{
	struct st_op heads;
	struct st t;

	st_init(&t, &st_kinds[2]);
	tempdir_write(t.path, file.p, file.n);
	if (!st_open(&t)) {
		if (strstr(t.err.text, "switch.db") == NULL)
			fail_msg("byte %zu: no clear line: %s", at, t.err.text);
		v->refused++;
	} else if (!load(&t, &heads, at, v)) {
		st_free(&heads);
		v->refused++;
	} else {
		v->served++;
		deliver(&t, &heads, at, v);
		st_free(&heads);
		work(&t, at, v);
	}
	st_fini(&t);
	logtest_clear();
}

/* Change the byte at `at`, open, look. */
static void
change(size_t at, unsigned char to, struct verdicts *v)
{
	char was = file.p[at];

	file.p[at] = (char)to;
	look(at, v);
	file.p[at] = was;
}

/* What a byte turns into: one bit differs, or all, or it is zero. */
static unsigned char
turned(struct rnd *r, size_t at)
{
	unsigned char was = (unsigned char)file.p[at];

	switch (rnd_below(r, 3)) {
	case 0: return (unsigned char)~was;
	case 1: return was != 0 ? 0 : 1;
	default: return (unsigned char)(was ^ 1u << rnd_below(r, 8));
	}
}

/* Two bytes at once: beside each other, where one could hide the other from a
 * sum, or anywhere. */
static void
two_at_once(void **state)
{
	struct rnd r = rnd_start("damage of two");
	size_t n = getenv("XMSG_FULL") != NULL ? 20 * SAMPLE : SAMPLE / 2;
	struct verdicts v = {0};

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t at = rnd_below(&r, file.n), other;
		char was = file.p[at], was_other;

		other = i % 2 ? (at + 1 + rnd_below(&r, 16)) % file.n
			      : rnd_below(&r, file.n);
		was_other = file.p[other];
		file.p[at] = (char)turned(&r, at);
		if (other != at)
			file.p[other] = (char)turned(&r, other);
		look(at, &v);
		file.p[other] = was_other;
		file.p[at] = was;
	}
	print_message("# %zu pairs: %ld refused, %ld served; %ld messages found"
		      " damaged, %ld times one was not there, %ld times it"
		      " ended itself\n",
	    n, v.refused, v.served, v.found, v.missing, v.gone);
	assert_true(v.refused > 0 && v.served > 0 && v.found > 0);
}

static void
nothing_wrong_is_delivered(void **state)
{
	struct rnd r = rnd_start("damage");
	bool full = getenv("XMSG_FULL") != NULL;
	size_t n = full ? file.n : SAMPLE;
	int64_t began = clock_mono_ns();
	struct verdicts v = {0};

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t at = full ? i : rnd_below(&r, file.n);
		unsigned char was = (unsigned char)file.p[at];
		unsigned char to =
		    (unsigned char)(was ^ 1u << rnd_below(&r, 8));

		if (i % 3 == 1)
			to = (unsigned char)~was;
		else if (i % 3 == 2 && was != 0)
			to = 0;
		change(at, to, &v);
	}
	print_message(
	    "# %zu of %zu bytes in %.1f s: %ld refused, %ld served; %ld"
	    " messages found damaged, %ld times one was not there,"
	    " %ld times answers, %ld times it ended itself\n",
	    n, file.n, (double)(clock_mono_ns() - began) / 1e9, v.refused,
	    v.served, v.found, v.missing, v.answers, v.gone);
	assert_true(v.refused > 0 && v.served > 0);
}

/* Each byte of what a message says is seen, whatever it turns into. */
static void
each_byte_of_a_payload_is_seen(void **state)
{
	struct verdicts v = {0};
	const char *at = memmem(file.p, file.n, "testeranswers", 13);
	long before;

	(void)state;
	assert_non_null(at);
	for (size_t i = 0; i < 13 + 30; i++) {
		before = v.found + v.missing;
		change((size_t)(at - file.p) + i, (unsigned char)at[i] ^ 1, &v);
		assert_true(v.found + v.missing > before);
	}
	assert_int_equal(v.found, 13 + 30);
}

/* Each byte of an answer, too: of its guard, and of the reply's id before it. */
static void
each_byte_of_an_answer_is_seen(void **state)
{
	const struct store_msg *m = &sent[10].op.u.send.msg;
	uint64_t guard = ~(3 * (uint64_t)m->re_id + 5 * (uint64_t)m->id);
	struct verdicts v = {0};
	unsigned char want[12];
	const char *at;

	(void)state;
	assert_true(sent[10].op.u.send.answers);
	for (int i = 0; i < 6; i++) {
		want[i] = (unsigned char)(m->id >> (40 - 8 * i));
		want[6 + i] = (unsigned char)(guard >> (40 - 8 * i));
	}
	at = memmem(file.p, file.n, want, sizeof want);
	assert_non_null(at);
	for (size_t i = 0; i < sizeof want; i++) {
		change((size_t)(at - file.p) + i, want[i] ^ 1, &v);
		assert_int_equal(v.answers, i + 1);
	}
	assert_int_equal(v.found + v.missing + v.refused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_byte_of_an_answer_is_seen),
	    cmocka_unit_test(each_byte_of_a_payload_is_seen),
	    cmocka_unit_test(nothing_wrong_is_delivered),
	    cmocka_unit_test(two_at_once),
	};

	tempdir_in_memory();
	faultvfs_install(); /* no need to sync */
	return cmocka_run_group_tests(tests, make, drop);
}
