/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core without memory: a script runs in one process after the other, and in
 * each another allocation fails.  The process may end as one without memory does,
 * with status 71; else the invariants hold after every step, what was refused was
 * not done, and index and store hold the same in the end.  And the checks of the
 * invariants themselves: each of them notices when it is broken.
 */
#include "support/unit.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sqldb.h"
#include "store_job.h"
#include "support/coretest.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- allocations, counted ---- */

static long count, fail_at; /* 0: none */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool
fails(void)
{
	return ++count == fail_at;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

/* The test's own, of coretest, does not count. */
void *
__wrap_calloc(size_t n, size_t size)
{
	bool own = n == 1 && size == sizeof(struct ct_change);

	return !own && fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

/* ---- a script of the core ---- */

/* Removed by hand and put back; both may fail. */
static void
remove_and_restore(struct ct *t, int64_t id)
{
	struct ct_change *x = ct_new();

	(void)ct_end(t, x,
	    mswitch_delete(t->m, &x->ch, NULL, STR("a"), id, STR("me: why")));
	ct_free(x);
	x = ct_new();
	(void)ct_end(t, x, mswitch_restore(t->m, &x->ch, NULL, STR("a"), id));
	ct_free(x);
}

/* What the core does, with and without bodies in memory. */
static void
script(struct ct *t)
{
	static const char *const names[] = {
	    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", NULL};
	struct ct_client c, parked;
	struct ct_change *x;
	int64_t id[40];

	ct_open(t, &c, "tok");
	ct_open(t, &parked, "other");
	for (size_t i = 0; names[i] != NULL; i++)
		(void)ct_create(t, NULL, names[i], false);
	(void)ct_create(t, &c, "mine", true);
	(void)ct_poll(t, &parked, -1, NAMES("k", "j", "none"));
	for (size_t i = 0; i < 40; i++) {
		t->m->limits.cache_bytes = i % 2 ? 1 << 20 : 0;
		id[i] = ct_publish(t, i == 39 ? "k" : "a", "x");
	}
	(void)ct_poll(t, &c, -1, names);
	ct_turn(t);
	(void)ct_look(t, &c, "a", -1, 20);
	ct_turn(t);
	x = ct_new();
	(void)ct_end(t, x, ct_begin_keyed(t, x, "b", "key"));
	ct_free(x);
	x = ct_new();
	(void)ct_end(t, x, ct_begin_reply(t, x, "b", "a", id[3]));
	ct_free(x);
	(void)ct_ack(t, "a", id[3]);
	(void)ct_mark(t, "a", id[4], STORE_HELD_OPERATOR);
	remove_and_restore(t, id[5]);
	ct_close(t, &c);
	ct_close(t, &parked);
	ct_turn(t);
	(void)ct_destroy(t, "b");
}

/* One run in a process of its own: its exit status; how many there were when
 * nothing fails. */
static int
run(long n, long *total)
{
	void *state;
	int status, p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)ct_setup(&state);
		count = 0;
		fail_at = n;
		script(state);
		fail_at = 0;
		if (write(p[1], &count, sizeof count) != sizeof count)
			exit(1);
		ct_same(state);
		(void)ct_teardown(&state);
		exit(0);
	}
	close(p[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (total != NULL)
		assert_int_equal(
		    read(p[0], total, sizeof *total), (int)sizeof *total);
	close(p[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
each_allocation_fails(void **state)
{
	long total, step, ended = 0, runs = 0;
	int status;

	(void)state;
	assert_int_equal(run(0, &total), 0);
	assert_true(total > 200);
	step = getenv("XMSG_FULL") != NULL ? 1 : total / 300 + 1;
	for (long n = 1; n <= total; n += step, runs++) {
		status = run(n, NULL);
		if (status != 0 && status != EX_OSERR)
			fail_msg("allocation %ld: status %d", n, status);
		ended += status != 0;
	}
	print_message("# %ld of %ld, %ld ended\n", runs, total, ended);
	assert_true(ended < runs); /* some are borne */
}

/* ---- the messages of a queue ---- */

/* Bodies of chunks are made larger and split: without memory a message is not
 * put in, and nothing else changes. */
static void
inserts_without_memory(void **state)
{
	struct msgq q = {0};
	int64_t refused = 0;

	(void)state;
	for (int64_t i = 0; i < 600; i++) {
		fail_at = 0;
		assert_non_null(msgq_append(&q, i * 10000));
	}
	for (int64_t i = 0; i < 2000; i++) {
		size_t before = q.n;

		count = 0;
		fail_at = 1 + i % 2; /* a split needs two */
		if (msgq_insert(&q, i * 7 % 599 * 10000 + 1 + i) == NULL) {
			refused++;
			assert_int_equal(q.n, before);
			fail_at = 0;
			assert_non_null(
			    msgq_insert(&q, i * 7 % 599 * 10000 + 1 + i));
		}
		fail_at = 0;
		assert_int_equal(q.n, before + 1);
		if (i % 50 == 0)
			assert_true(msgq_check(&q));
	}
	assert_true(msgq_check(&q));
	assert_true(refused > 10);
	msgq_fini(&q);
}

/* ---- rows from thread to thread ---- */

static size_t given;

static int
take_row(struct store_op *op, const struct store_msg *m)
{
	(void)op;
	assert_true(str_eq(m->queue, STR("q")));
	assert_true(str_eq(m->origin, STR("somebody")));
	assert_int_equal(m->payload.n, 3000);
	assert_int_equal(m->payload.p[2999], 'p');
	given++;
	return 0;
}

static void
no_done(struct store_op *op)
{
	(void)op;
}

/* A read whose rows do not find room has none, and is no success. */
static void
rows_without_memory(void **state)
{
	static char payload[3000];
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16];
	struct store_op op = {.kind = STORE_CREATE}, read;
	struct sqldb *db;
	struct job *j;
	bool failed;
	long n = 0;
	struct err e;

	(void)state;
	tempdir_make(dir);
	snprintf(path, sizeof path, "%s/switch.db", dir);
	db = sqldb_open(path, SQLDB_WRITER, "boot", 1, &e);
	assert_non_null(db);
	op.u.create.name = STR("q");
	assert_int_equal(sqldb_apply(db, &op, SQLDB_ANY), SQLDB_COMMITTED);
	memset(payload, 'p', sizeof payload);
	for (int i = 0; i < 5; i++) {
		op = (struct store_op){.kind = STORE_SEND};
		op.u.send.msg.queue = STR("q");
		op.u.send.msg.origin = STR("somebody");
		op.u.send.msg.payload = (struct str){payload, sizeof payload};
		assert_int_equal(
		    sqldb_apply(db, &op, SQLDB_ANY), SQLDB_COMMITTED);
	}
	do {
		read = (struct store_op){.kind = STORE_SCAN, .done = no_done};
		read.u.scan.after = -1;
		read.u.scan.row = take_row;
		j = job_new(&read);
		given = 0;
		count = 0;
		fail_at = ++n;
		(void)job_run(j, db);
		failed = count >= n;
		fail_at = 0;
		job_finish(j);
		assert_int_equal(read.rc, failed ? STORE_IO : STORE_OK);
		assert_int_equal(given, failed ? 0 : 5);
	} while (failed);
	assert_true(n > 3);
	sqldb_close(db);
	tempdir_remove(dir);
}

/* ---- the checks ---- */

/* A number off by one is noticed, and no longer when it is right again. */
#define NOTICES(check, field)                                                  \
	do {                                                                   \
		(field)++;                                                     \
		assert_false(check);                                           \
		(field)--;                                                     \
		assert_true(check);                                            \
	} while (0)

static void
checks_notice(void **state)
{
	struct ct *t;
	struct ct_client c;
	struct queue *q;
	struct msg *msg;
	int64_t id;

	(void)ct_setup(state);
	t = *state;
	ct_open(t, &c, "tok");
	assert_int_equal(ct_create(t, NULL, "q", false), MS_OK);
	id = ct_publish(t, "q", "1");
	assert_true(ct_publish(t, "q", "2") > id);
	q = mswitch_queue(t->m, STR("q"));
	NOTICES(mswitch_check(t->m), q->bytes);
	NOTICES(mswitch_check(t->m), q->held);
	NOTICES(mswitch_check(t->m), q->letters);
	NOTICES(mswitch_check(t->m), q->delivered);
	NOTICES(mswitch_check(t->m), q->again);
	NOTICES(mswitch_check(t->m), q->q.n);
	NOTICES(mswitch_check(t->m), t->m->bytes);
	NOTICES(mswitch_check(t->m), t->m->messages);
	NOTICES(mswitch_check(t->m), t->m->cached);
	q->dead = true;
	assert_false(mswitch_check(t->m));
	q->dead = false;
	msg = msgq_find(&q->q, id);
	msg->id += 1000000; /* out of order */
	assert_false(msgq_check(&q->q));
	msg->id -= 1000000;
	assert_true(msgq_check(&q->q));
	assert_int_equal(
	    ct_poll(t, &c, id + 1, NAMES("q", "none")), MS_PENDING);
	c.client.waiter.parked = false;
	assert_false(waiter_check(&t->m->waiters, &c.client.waiter));
	c.client.waiter.parked = true;
	assert_true(waiter_check(&t->m->waiters, &c.client.waiter));
	ct_close(t, &c);
	(void)ct_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_allocation_fails),
	    cmocka_unit_test(inserts_without_memory),
	    cmocka_unit_test(rows_without_memory),
	    cmocka_unit_test(checks_notice),
	};

	tempdir_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
