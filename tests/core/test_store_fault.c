/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The durable store on a failing disk (promises R9, R10): a script of 60
 * operations runs again and again, each time the next write or sync fails, once
 * or from there on.  After each: what was acknowledged is there when the file
 * is opened again, what was refused is not, and after a failure other than a
 * full disk the store has said that it is gone and acknowledges nothing more.
 */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/storetest.h"

#define OPS 60

/* ---- the reserve's file ---- */

int __real_posix_fallocate(int fd, off_t off, off_t n);
int __wrap_posix_fallocate(int fd, off_t off, off_t n);

static bool no_reserve;

/* As large as asked for, without the cost, when there is room. */
int
__wrap_posix_fallocate(int fd, off_t off, off_t n)
{
	if (no_reserve || !faultvfs_fits(off + n))
		return ENOSPC;
	return ftruncate(fd, off + n) == 0 ? 0 : errno;
}

/* ---- the script ---- */

enum fate { NOT_RUN, DONE, REFUSED, UNSURE };

struct run {
	struct st t;
	struct st_op v[OPS], after;
	enum fate fate[OPS];
	bool acked[OPS], unsure_ack[OPS]; /* of the message of a send */
	bool bad; /* something was refused for good */
	int unsure; /* ops that may be done */
};

/* Operation i: queues first, then sends, acks of every third message, marks, and
 * linked pairs. */
static void
make_op(struct run *r, int i)
{
	struct st_op *o = &r->v[i];

	if (i < 2) {
		memset(o, 0, sizeof *o);
		o->op.kind = STORE_CREATE;
		o->op.u.create.name = i ? STR("b") : STR("a");
	} else if (i % 6 == 2) {
		st_fill_remove(o, (i - 1) % 2 ? STR("b") : STR("a"),
		    r->v[i - 1].op.u.send.msg.id, i);
	} else if (i % 6 == 5) {
		st_fill_ack(o, (i - 1) % 2 ? STR("b") : STR("a"),
		    r->v[i - 1].op.u.send.msg.id);
	} else {
		st_fill_send(o, i % 2 ? STR("b") : STR("a"),
		    STR("some payload, so that a page fills up in time: 0123456"
			"789012345678901234567890123456789012345678901234567"));
		o->op.u.send.msg.re_id = i;
		o->op.u.send.answers = i % 4 == 0;
	}
}

/* What came of operation i. */
static void
note(struct run *r, int i)
{
	enum store_rc rc = r->v[i].op.rc;
	bool ack =
	    r->v[i].op.kind == STORE_ACK || r->v[i].op.kind == STORE_REMOVE;

	assert_true(r->v[i].done);
	if (r->bad && rc == STORE_OK)
		fail_msg("op %d is acknowledged after the end", i);
	r->fate[i] = rc == STORE_OK ? DONE : REFUSED;
	r->bad |= rc == STORE_IO || rc == STORE_UNKNOWN;
	if (rc == STORE_UNKNOWN)
		r->fate[i] = UNSURE; /* it may have been written */
	r->unsure += rc == STORE_UNKNOWN;
	if (ack && r->fate[i] == DONE)
		r->acked[i - 1] = true;
	if (ack && r->fate[i] == UNSURE)
		r->unsure_ack[i - 1] = true;
}

/* Wait for operation i, or for the end of the store. */
static void
settle(struct run *r, int i)
{
	store_kick(r->t.s);
	while (!r->v[i].done && r->t.gone == 0)
		event_base_loop(r->t.base, EVLOOP_ONCE);
}

/* Run the script as far as the store goes; groups of 1 .. 4 share a batch. */
static void
run_script(struct run *r)
{
	int group;

	for (int i = 0; i < OPS && r->t.gone == 0; i += group) {
		group = i % 3 == 0 && i + 2 < OPS && i > 2 ? 2 : 1;
		for (int k = i; k < i + group; k++) {
			make_op(r, k);
			st_submit(&r->t, &r->v[k]);
		}
		settle(r, i + group - 1);
	}
	if (r->t.gone > 0) { /* one more after the end */
		st_fill_send(&r->after, STR("a"), STR("late"));
		st_submit(&r->t, &r->after);
		store_kick(r->t.s);
	}
}

/* Close, and look at what became of each. */
static void
end_script(struct run *r)
{
	st_close(&r->t);
	if (r->after.t != NULL)
		assert_true(r->after.done && r->after.op.rc != STORE_OK);
	for (int i = 0; i < OPS; i++)
		if (r->v[i].t != NULL)
			note(r, i);
}

/* Index of the send whose message this is, or -1. */
static int
find(const struct run *r, int64_t id)
{
	for (int i = 0; i < OPS; i++)
		if (r->v[i].t != NULL && r->v[i].op.kind == STORE_SEND &&
		    r->v[i].op.u.send.msg.id == id)
			return i;
	return -1;
}

/* Open what is on the disk and compare. */
static void
check_disk(struct run *r, long n)
{
	struct st_op o;
	bool there[OPS] = {false};

	if (!st_open(&r->t))
		fail_msg("call %ld: cannot open again: %s", n, r->t.err.text);
	st_scan(&r->t, &o);
	for (size_t k = 0; k < o.nrows; k++) {
		int i = find(r, o.rows[k].m.id);

		assert_true(i >= 0);
		there[i] = true;
		if (r->fate[i] == REFUSED)
			fail_msg("call %ld: refused op %d is there", n, i);
		if (r->acked[i])
			fail_msg("call %ld: op %d came back", n, i);
	}
	for (int i = 0; i < OPS; i++)
		if (r->fate[i] == DONE && r->v[i].op.kind == STORE_SEND &&
		    !r->acked[i] && !r->unsure_ack[i] && !there[i])
			fail_msg("call %ld: op %d is lost", n, i);
	st_free(&o);
}

/* What was removed is kept, what was not is not; nothing is in both places.  On
 * a full disk nothing needs to be kept. */
static void
check_kept(struct run *r, long n, bool full)
{
	bool kept[OPS] = {false};
	struct st_op o, all;

	st_scan(&r->t, &all);
	st_fill_read(&o, STORE_REMOVED);
	assert_int_equal(st_do(&r->t, &o), STORE_OK);
	for (size_t k = 0; k < o.nrows; k++) {
		int i = find(r, o.rows[k].m.id) + 1;

		assert_true(i > 0 && r->v[i].op.kind == STORE_REMOVE);
		kept[i] = true;
		if (r->fate[i] == REFUSED)
			fail_msg("call %ld: refused op %d removed", n, i);
		for (size_t j = 0; j < all.nrows; j++)
			assert_true(all.rows[j].m.id != o.rows[k].m.id);
	}
	for (int i = 0; i < OPS; i++)
		if (r->v[i].op.kind == STORE_REMOVE && r->fate[i] == DONE &&
		    r->v[i - 1].op.kind == STORE_SEND &&
		    r->fate[i - 1] == DONE && !full && !kept[i])
			fail_msg("call %ld: op %d is not kept", n, i);
	st_free(&o);
	st_free(&all);
}

/* Ids are not given again. */
static void
check_ids(struct run *r, long n)
{
	int64_t id, last = 0;

	for (int i = 0; i < OPS; i++)
		if (r->fate[i] == DONE && r->v[i].op.kind == STORE_SEND)
			last = r->v[i].op.u.send.msg.id;
	assert_int_equal(st_create(&r->t, "a"), STORE_OK);
	id = st_send(&r->t, "a", "again");
	if (id <= last)
		fail_msg("call %ld: id %lld is given again", n, (long long)id);
}

/* One run with the n-th call failing; false when the plan was not reached. */
static bool
run_with(const struct st_kind *k, long n, bool full, bool lasting)
{
	struct run *r = calloc(1, sizeof *r);
	enum fault_call how;
	bool hit, opened;

	assert_non_null(r);
	st_init(&r->t, k);
	faultvfs_plan(n, full, lasting);
	opened = st_open(&r->t);
	if (opened)
		run_script(r);
	how = faultvfs_failed();
	hit = how != 0;
	event_base_loop(r->t.base, EVLOOP_NONBLOCK);
	if (opened) {
		if (hit && how == FAULT_SYNC && !full)
			assert_true(r->t.gone > 0);
		end_script(r);
		if (full) /* nothing was done: it is said so */
			assert_int_equal(r->unsure, 0);
		assert_true(r->unsure <= 2); /* one batch, the last */
	} else {
		assert_true(hit && r->t.err.text[0] != '\0');
	}
	faultvfs_plan(0, false, false);
	check_disk(r, n);
	check_kept(r, n, full);
	check_ids(r, n);
	st_fini(&r->t);
	logtest_clear(); /* the store may well complain */
	free(r);
	return hit;
}

/* Every n until the script passes untouched. */
static void
fail_all(void **state, bool full, bool lasting)
{
	long n = 1;

	while (run_with(*state, n, full, lasting))
		n++;
	print_message("# %ld calls failed one after the other\n", n - 1);
	assert_true(n > OPS); /* at least a write and a sync each */
}

static void
eio_once(void **state)
{
	fail_all(state, false, false);
}

static void
eio_lasting(void **state)
{
	fail_all(state, false, true);
}

static void
enospc_once(void **state)
{
	fail_all(state, true, false);
}

static void
enospc_lasting(void **state)
{
	fail_all(state, true, true);
}

/* Wait until the store says that it is gone. */
static void
wait_gone(struct st *t)
{
	while (t->gone == 0)
		event_base_loop(t->base, EVLOOP_ONCE);
}

/* A failure while nobody waits, moving the log or sweeping, is the end too. */
static void
failing_in_idle_time(struct st *t, bool sweep)
{
	static char payload[3000];
	struct st_op o;
	int n;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (n = 0; n < (sweep ? 50 : 700); n++) {
		st_fill_send(
		    &o, STR("q"), (struct str){payload, sizeof payload});
		assert_int_equal(st_do(t, &o), STORE_OK);
	}
	if (sweep)
		assert_int_equal(st_destroy(t, "q"), STORE_OK);
	faultvfs_plan(1, false, true);
	wait_gone(t);
	faultvfs_plan(0, false, false);
	st_fill_send(&o, STR("q"), STR("late"));
	st_submit(t, &o);
	st_close(t);
	assert_true(o.done && o.op.rc != STORE_OK);
	logtest_clear();
	st_reopen(t);
	assert_int_equal(st_count(t), sweep ? 0 : 700);
}

static void
failed_checkpoint_is_the_end(void **state)
{
	failing_in_idle_time(*state, false);
}

static void
failed_sweep_is_the_end(void **state)
{
	failing_in_idle_time(*state, true);
}

/* ---- a small disk ---- */

/* Fill the disk with messages; their ids.  Afterwards there is 1 MiB for what
 * deletes. */
static int64_t *
fill_up(struct st *t, size_t *n)
{
	static char payload[3000];
	int64_t *ids = NULL;
	struct st_op o;

	memset(payload, 'p', sizeof payload);
	for (*n = 0;; ++*n) {
		st_fill_send(
		    &o, STR("q"), (struct str){payload, sizeof payload});
		if (st_do(t, &o) != STORE_OK)
			break;
		ids = realloc(ids, (*n + 1) * sizeof *ids);
		assert_non_null(ids);
		ids[*n] = o.op.u.send.msg.id;
	}
	assert_int_equal(o.op.rc, STORE_FULL);
	assert_true(logtest_take("the disk is full"));
	/* what the store gave up is not for sends: others take the rest */
	faultvfs_quota(t->dir, faultvfs_used() + 1024 * 1024);
	return ids;
}

/* It is told that the disk is full, or no longer, without anything being asked. */
static void
tell(struct st *t, bool degraded)
{
	struct timeval tv = {30, 0};

	event_add(t->watchdog, &tv);
	while (t->degraded != degraded)
		event_base_loop(t->base, EVLOOP_ONCE);
	event_del(t->watchdog);
}

/* On a full disk sends are refused, and everything that makes room works; when
 * there is room again sends go on by themselves. */
static void
full_disk_refuses_sends_and_takes_acks(void **state)
{
	struct st *t = *state;
	struct st_op m = {.op.kind = STORE_MARK};
	int64_t *ids, id;
	size_t n;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	assert_int_equal(st_create(t, "gone"), STORE_OK);
	faultvfs_quota(t->dir, (8 + 12) * 1024 * 1024);
	ids = fill_up(t, &n);
	assert_true(n > 100);
	tell(t, true);
	assert_int_equal(st_count(t), n);
	assert_int_equal(st_create(t, "new"), STORE_FULL);
	assert_int_equal(st_destroy(t, "gone"), STORE_OK);
	m.op.u.mark.id = ids[n - 1];
	m.op.u.mark.held = STORE_HELD_OPERATOR;
	assert_int_equal(st_do(t, &m), STORE_OK);
	for (size_t i = 0; i + 1 < n; i++)
		assert_int_equal(st_ack(t, "q", ids[i]), STORE_OK);
	assert_int_equal(st_count(t), 1);
	t->degraded = false; /* another life */
	st_crash(t);
	assert_int_equal(st_count(t), 1);
	faultvfs_quota(t->dir, -1);
	while ((id = st_send(t, "q", "again")) == -1 - STORE_FULL)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
	tell(t, false);
	assert_true(id > ids[n - 1]);
	free(ids);
	logtest_clear();
}

/* A mixed batch that does not fit: its acks are done, its sends are not. */
static void
full_disk_splits_a_batch(void **state)
{
	static char big[200000];
	struct st *t = *state;
	struct st_op s[3], a;
	int64_t *ids;
	size_t n;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	faultvfs_quota(t->dir, (8 + 4) * 1024 * 1024);
	ids = fill_up(t, &n);
	for (size_t i = 0; i < 3; i++) {
		st_fill_send(&s[i], STR("q"), (struct str){big, sizeof big});
		st_submit(t, &s[i]);
	}
	st_fill_ack(&a, STR("q"), ids[0]);
	assert_int_equal(st_do(t, &a), STORE_OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s[i].op.rc, STORE_FULL);
	assert_int_equal(st_count(t), n - 1);
	assert_int_equal(t->gone, 0);
	faultvfs_quota(t->dir, -1);
	free(ids);
}

/* No room for the reserve at open: the store is there, sends are refused,
 * deleting works, and it goes on when there is room. */
static void
no_reserve_at_open(void **state)
{
	struct st *t = *state;
	int64_t id;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	id = st_send(t, "q", "x");
	no_reserve = true;
	st_reopen(t);
	assert_true(logtest_take("no room for the reserve of 8 MiB"));
	tell(t, true);
	assert_int_equal(st_send(t, "q", "y"), -1 - STORE_FULL);
	assert_int_equal(st_ack(t, "q", id), STORE_OK);
	assert_int_equal(st_count(t), 0);
	no_reserve = false;
	while ((id = st_send(t, "q", "z")) == -1 - STORE_FULL)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
	tell(t, false);
	assert_true(id > 0);
}

/* An open store on a disk that does not fail yet. */
static int
setup(void **state)
{
	faultvfs_quota("", -1);
	faultvfs_plan(0, false, false);
	no_reserve = false;
	return st_setup(state);
}

/* ---- all of it, with and without the writer thread ---- */

/* Failures that come once are met by the writer thread, lasting ones in place:
 * both ways do both alike, and time is short. */
static const struct {
	const char *name;
	void (*fn)(void **);
	bool open; /* wants an open store */
	bool skip[2]; /* by the thread, in place */
} cases[] = {
    {"eio_once", eio_once, false, {false, true}},
    {"eio_lasting", eio_lasting, false, {true, false}},
    {"enospc_once", enospc_once, false, {false, true}},
    {"enospc_lasting", enospc_lasting, false, {true, false}},
    {"failed_checkpoint_is_the_end", failed_checkpoint_is_the_end, true, {0}},
    {"failed_sweep_is_the_end", failed_sweep_is_the_end, true, {0}},
    {"full_disk_refuses_sends_and_takes_acks",
	full_disk_refuses_sends_and_takes_acks, true, {0}},
    {"full_disk_splits_a_batch", full_disk_splits_a_batch, true, {0}},
    {"no_reserve_at_open", no_reserve_at_open, true, {0}},
};
#define NCASES (sizeof cases / sizeof *cases)

int
main(void)
{
	static struct CMUnitTest tests[NCASES * 8];
	static char names[NCASES * 8][96];
	size_t n = 0;

	faultvfs_install();
	for (size_t k = 0; k < st_nkinds; k++)
		for (size_t i = 0; i < NCASES && st_kinds[k].durable; i++) {
			if (cases[i].skip[st_kinds[k].inline_commit])
				continue;
			snprintf(names[n], sizeof names[n], "%s: %s",
			    st_kinds[k].name, cases[i].name);
			tests[n] = (struct CMUnitTest){names[n], cases[i].fn,
			    cases[i].open ? setup : NULL,
			    cases[i].open ? st_teardown : NULL,
			    (void *)(uintptr_t)&st_kinds[k]};
			n++;
		}
	return _cmocka_run_group_tests("store_fault", tests, n, NULL, NULL);
}
