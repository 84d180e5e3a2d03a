/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The durable store where what is below it ends as it seldom does: a batch that
 * was too large and then fails for another reason, calls that are interrupted, a
 * log that cannot be emptied now, chores that pile up, and the end of the store
 * while more is asked of it.
 */
#include "support/unit.h"

#include <errno.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "sqldb.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/storetest.h"

/* ---- what is below ---- */

static int applied; /* how often; the first two end as planned */
static enum store_rc plan[2];
static int answers_new, forgotten, sweeps, frames;
static int checkpoints, checkpoints_fail;
static int efd_fails, efd_error, ftruncate_fails, event_fails;

enum sqldb_end __real_sqldb_apply(
    struct sqldb *db, struct store_op *ops, enum sqldb_room room);
enum sqldb_end __wrap_sqldb_apply(
    struct sqldb *db, struct store_op *ops, enum sqldb_room room);
bool __real_sqldb_checkpoint(
    struct sqldb *db, bool truncate, int *n, int *done);
bool __wrap_sqldb_checkpoint(
    struct sqldb *db, bool truncate, int *n, int *done);
int __wrap_sqldb_answers_new(const struct sqldb *db);
int __wrap_sqldb_forget_answers(struct sqldb *db, int keep);
bool __wrap_sqldb_sweep_due(const struct sqldb *db);
int __wrap_sqldb_sweep(struct sqldb *db, int most);
int __wrap_sqldb_wal_frames(const struct sqldb *db);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
int __real_ftruncate(int fd, off_t n);
int __wrap_ftruncate(int fd, off_t n);
int __wrap_posix_fallocate(int fd, off_t at, off_t n);
int __real_event_add(struct event *ev, const struct timeval *tv);
int __wrap_event_add(struct event *ev, const struct timeval *tv);

enum sqldb_end
__wrap_sqldb_apply(struct sqldb *db, struct store_op *ops, enum sqldb_room room)
{
	int i = applied++;

	if (i >= 2 || plan[i] == STORE_OK)
		return __real_sqldb_apply(db, ops, room);
	for (; ops != NULL; ops = ops->link)
		ops->rc = plan[i];
	return SQLDB_ROLLED_BACK;
}

bool
__wrap_sqldb_checkpoint(struct sqldb *db, bool truncate, int *n, int *done)
{
	int i = __atomic_fetch_add(&checkpoints, 1, __ATOMIC_SEQ_CST);

	return i >= checkpoints_fail &&
	    __real_sqldb_checkpoint(db, truncate, n, done);
}

int
__wrap_sqldb_answers_new(const struct sqldb *db)
{
	(void)db;
	return __atomic_load_n(&answers_new, __ATOMIC_SEQ_CST);
}

int
__wrap_sqldb_forget_answers(struct sqldb *db, int keep)
{
	(void)db, (void)keep;
	__atomic_store_n(&answers_new, 0, __ATOMIC_SEQ_CST);
	return __atomic_fetch_add(&forgotten, 1, __ATOMIC_SEQ_CST);
}

bool
__wrap_sqldb_sweep_due(const struct sqldb *db)
{
	(void)db;
	return __atomic_load_n(&sweeps, __ATOMIC_SEQ_CST) > 0;
}

int
__wrap_sqldb_sweep(struct sqldb *db, int most)
{
	(void)db;
	return __atomic_fetch_sub(&sweeps, 1, __ATOMIC_SEQ_CST) > 0 ? most : 0;
}

int
__wrap_sqldb_wal_frames(const struct sqldb *db)
{
	(void)db;
	return __atomic_load_n(&frames, __ATOMIC_SEQ_CST);
}

/* Eventfds are what the store itself writes to and reads. */
static bool
efd_failing(size_t n)
{
	if (n != sizeof(uint64_t) ||
	    __atomic_load_n(&efd_fails, __ATOMIC_SEQ_CST) <= 0)
		return false;
	(void)__atomic_fetch_sub(&efd_fails, 1, __ATOMIC_SEQ_CST);
	errno = __atomic_load_n(&efd_error, __ATOMIC_SEQ_CST);
	return true;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (!efd_failing(n))
		return __real_write(fd, p, n);
	if (errno == EAGAIN) { /* full, and so it wakes */
		(void)!__real_write(fd, p, n);
		errno = EAGAIN;
	}
	return -1;
}

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	return efd_failing(n) ? -1 : __real_read(fd, p, n);
}

int
__wrap_ftruncate(int fd, off_t n)
{
	errno = EIO;
	return ftruncate_fails-- > 0 ? -1 : __real_ftruncate(fd, n);
}

/* As large as asked for, without the cost. */
int
__wrap_posix_fallocate(int fd, off_t at, off_t n)
{
	return __real_ftruncate(fd, at + n) == 0 ? 0 : errno;
}

int
__wrap_event_add(struct event *ev, const struct timeval *tv)
{
	return event_fails-- > 0 ? -1 : __real_event_add(ev, tv);
}

static int
setup(void **state)
{
	applied = plan[0] = plan[1] = 0;
	answers_new = forgotten = sweeps = frames = 0;
	checkpoints = checkpoints_fail = 0;
	efd_fails = ftruncate_fails = event_fails = 0;
	return st_setup(state);
}

/* Turn the loop until a thread has done it. */
static void
until(struct st *t, const int *n, int want)
{
	struct timeval tv = {30, 0};

	event_add(t->watchdog, &tv); /* ends the test */
	while (__atomic_load_n(n, __ATOMIC_SEQ_CST) < want)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
	event_del(t->watchdog);
}

/* ---- a full disk ---- */

/* Too large, and then it fails for another reason: that is what is said, and the
 * store goes on. */
static void
full_and_then_something_else(void **state)
{
	struct st *t = *state;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	applied = 0;
	plan[0] = STORE_FULL;
	plan[1] = STORE_IO;
	assert_int_equal(st_send(t, "q", "x"), -1 - STORE_IO);
	assert_int_equal(applied, 2);
	assert_true(logtest_take("the disk is full"));
	assert_true(logtest_take("batch of 1 failed"));
	assert_int_equal(t->gone, 0);
	/* it looks for room when somebody asks, half a second later */
	while (st_send(t, "q", "x") < 0)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
	assert_int_equal(st_count(t), 1);
}

/* The reserve is given up when it is there; else that is said. */
static void
reserve_that_is_not_there(void **state)
{
	struct st *t = *state;
	char path[TEMPDIR_MAX + 32];

	snprintf(path, sizeof path, "%s.reserve", t->path);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unlink(path), 0);
		if (i == 1)
			assert_int_equal(symlink("/nowhere", path), 0);
		if (i == 2) {
			tempdir_write(path, "x", 1);
			ftruncate_fails = 1;
		}
		applied = 0;
		plan[0] = STORE_FULL;
		assert_int_equal(st_ack(t, "q", 1), STORE_OK);
		assert_true(logtest_take("the disk is full"));
		assert_int_equal(logtest_take("cannot empty"), i > 0);
		if (i == 1)
			assert_int_equal(unlink(path), 0);
		plan[0] = STORE_OK;
		while (st_send(t, "q", "x") < 0)
			event_base_loop(t->base, EVLOOP_NONBLOCK);
		assert_int_equal(access(path, F_OK), 0); /* anew */
	}
}

/* ---- calls that are interrupted ---- */

/* Whoever waits is woken all the same. */
static void
waking_is_tried_again(void **state)
{
	struct st *t = *state;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	for (int i = 1; i <= 8; i++) {
		__atomic_store_n(
		    &efd_error, i % 2 ? EINTR : EAGAIN, __ATOMIC_SEQ_CST);
		__atomic_store_n(&efd_fails, (i + 1) / 2, __ATOMIC_SEQ_CST);
		assert_true(st_send(t, "q", "x") > 0);
		assert_int_equal(st_count(t), i); /* the reader's way */
	}
	__atomic_store_n(&efd_fails, 0, __ATOMIC_SEQ_CST);
	(void)logtest_take("eventfd: cannot read");
}

/* ---- chores ---- */

static void
answers_are_forgotten(void **state)
{
	struct st *t = *state;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	__atomic_store_n(&answers_new, 70000, __ATOMIC_SEQ_CST);
	until(t, &forgotten, 1);
	assert_true(st_send(t, "q", "x") > 0);
}

/* A log that cannot be emptied now is emptied later. */
static void
emptying_is_tried_again(void **state)
{
	struct st *t = *state;

	checkpoints_fail = 3;
	t->cfg.wipe_ns = 4 * NS_PER_MS;
	st_reopen(t);
	__atomic_store_n(&checkpoints, 0, __ATOMIC_SEQ_CST);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	until(t, &checkpoints, 4);
	assert_int_equal(t->gone, 0);
	assert_true(st_send(t, "q", "x") > 0);
}

/* While chores are due the log is long: it is moved when there is time. */
static void
sweeping_goes_on(void **state)
{
	struct st *t = *state;

	assert_int_equal(st_create(t, "q"), STORE_OK);
	__atomic_store_n(&frames, 600, __ATOMIC_SEQ_CST);
	__atomic_store_n(&sweeps, 100000, __ATOMIC_SEQ_CST);
	until(t, &checkpoints, 1);
	for (int i = 0; i < 3; i++) { /* however busy it is */
		int left = __atomic_load_n(&sweeps, __ATOMIC_SEQ_CST);

		while (__atomic_load_n(&sweeps, __ATOMIC_SEQ_CST) == left)
			assert_true(st_send(t, "q", "x") > 0);
	}
	__atomic_store_n(&sweeps, 0, __ATOMIC_SEQ_CST);
	assert_true(st_send(t, "q", "x") > 0);
	__atomic_store_n(&frames, 5000, __ATOMIC_SEQ_CST);
	assert_true(st_send(t, "q", "x") > 0); /* not before it is moved */
}

/* ---- who is told ---- */

/* A store that tells nobody serves all the same. */
static void
nobody_is_told(void **state)
{
	struct st *t = *state;

	t->cfg.events = NULL;
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	applied = 0;
	plan[0] = STORE_FULL;
	assert_int_equal(st_ack(t, "q", 1), STORE_OK);
	assert_true(logtest_take("the disk is full"));
	st_reopen(t);
	assert_int_equal(st_count(t), 0);
	assert_int_equal(t->degraded, false);
}

/* ---- lazy ops ---- */

static void
fill_lazy(struct st_op *o, int64_t id)
{
	st_fill_ack(o, STR("q"), id);
	o->op.flags = STORE_LAZY;
}

/* They wait for company, unless they cannot be waited for or are many. */
static void
lazy_ops_wait_or_not(void **state)
{
	enum { MANY = 600 };
	struct st_op *o = calloc(MANY, sizeof *o), one;
	struct st *t = *state;
	int64_t id;

	assert_non_null(o);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	id = st_send(t, "q", "x");
	fill_lazy(&one, id);
	st_submit(t, &one);
	event_fails = 1; /* no timer */
	store_kick(t->s);
	st_wait(t, &one.done);
	assert_int_equal(one.op.rc, STORE_OK);
	assert_int_equal(st_count(t), 0);
	for (size_t i = 0; i < MANY; i++) {
		fill_lazy(&o[i], 1);
		st_submit(t, &o[i]);
	}
	store_kick(t->s);
	assert_false(
	    event_base_get_num_events(t->base, EVENT_BASE_COUNT_ADDED) > 2);
	st_wait(t, &o[MANY - 1].done);
	free(o);
}

/* ---- the end ---- */

static struct st_op late[3];
static size_t first_late;

/* With the last that is done come one more write, one beyond the limit, and a
 * read. */
static void
ask_more(struct st_op *o)
{
	struct st *t = o->t;

	st_fill_send(&late[0], STR("q"), STR("late"));
	st_fill_send(&late[1], STR("q"), STR("later"));
	st_fill_read(&late[2], STORE_SCAN);
	for (size_t i = first_late; i < 3; i++)
		st_submit(t, &late[i]);
}

static void
late_ones_are_refused(void **state)
{
	struct st *t = *state;
	struct st_op o;

	t->cfg.max_ops = 1;
	st_reopen(t);
	assert_int_equal(st_create(t, "q"), STORE_OK);
	first_late = 2; /* only the read */
	st_fill_send(&o, STR("q"), STR("w"));
	o.then = ask_more;
	st_submit(t, &o);
	st_close(t);
	assert_true(o.done && late[2].done);
	st_free(&late[2]);
	st_reopen(t);
	assert_int_equal(st_count(t), 1);
	first_late = 0;
	st_fill_send(&o, STR("q"), STR("x"));
	o.then = ask_more;
	st_submit(t, &o);
	st_close(t);
	assert_int_equal(o.op.rc, STORE_OK);
	for (size_t i = 0; i < 3; i++)
		assert_true(late[i].done);
	/* in place there is still time for one, and for the read */
	assert_int_equal(late[0].op.rc == STORE_OK, t->kind->inline_commit);
	assert_int_equal(late[1].op.rc, STORE_DOWN);
	assert_int_equal(
	    late[2].op.rc, t->kind->inline_commit ? STORE_OK : STORE_DOWN);
	st_free(&late[2]);
	st_reopen(t);
	assert_int_equal(st_count(t), t->kind->inline_commit ? 3 : 2);
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*fn)(void **);
	} cases[] = {
	    {"full_and_then_something_else", full_and_then_something_else},
	    {"reserve_that_is_not_there", reserve_that_is_not_there},
	    {"waking_is_tried_again", waking_is_tried_again},
	    {"answers_are_forgotten", answers_are_forgotten},
	    {"emptying_is_tried_again", emptying_is_tried_again},
	    {"sweeping_goes_on", sweeping_goes_on},
	    {"nobody_is_told", nobody_is_told},
	    {"lazy_ops_wait_or_not", lazy_ops_wait_or_not},
	    {"late_ones_are_refused", late_ones_are_refused},
	};
	enum { N = sizeof cases / sizeof *cases };
	struct CMUnitTest tests[2 * N];
	char names[2 * N][64];
	size_t n = 0;

	for (size_t k = 0; k < st_nkinds; k++)
		for (size_t i = 0; i < N && st_kinds[k].durable; i++) {
			snprintf(names[n], sizeof names[n], "%s %s",
			    st_kinds[k].name, cases[i].name);
			tests[n] =
			    (struct CMUnitTest){names[n], cases[i].fn, setup,
				st_teardown, (void *)(uintptr_t)&st_kinds[k]};
			n++;
		}
	tempdir_in_memory();
	faultvfs_install();
	return _cmocka_run_group_tests("ends", tests, n, NULL, NULL);
}
