/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The writer's log: how many calls a commit is, what lies behind its end, that
 * others see what is committed, and what happens when there is no room.
 */
#include "support/unit.h"

#include <sys/stat.h>

#include <sqlite3.h>

#include "clock.h"
#include "sqldb.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define BOOT "aaaaaaaa-0000-0000-0000-000000000000"
#define WALL (1700000000LL * NS_PER_SEC)
#define MANY 20

struct fix {
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16], wal[TEMPDIR_MAX + 32];
	struct sqldb *db;
	char big[20000];
};

static struct sqldb *
must_open(struct fix *f, enum sqldb_mode mode)
{
	struct err e;
	struct sqldb *db = sqldb_open(f->path, mode, BOOT, WALL, &e);

	if (db == NULL)
		fail_msg("cannot open: %s", e.text);
	return db;
}

/* A writer with one queue. */
static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	struct store_op op = {.kind = STORE_CREATE};

	assert_non_null(f);
	memset(f->big, 'x', sizeof f->big);
	tempdir_make(f->dir);
	snprintf(f->path, sizeof f->path, "%s/switch.db", f->dir);
	snprintf(f->wal, sizeof f->wal, "%s-wal", f->path);
	logtest_clear();
	faultvfs_plan(0, false, false);
	f->db = must_open(f, SQLDB_WRITER);
	op.u.create.name = STR("q");
	assert_int_equal(sqldb_apply(f->db, &op, SQLDB_ANY), SQLDB_COMMITTED);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	faultvfs_quota("", -1);
	faultvfs_plan(0, false, false);
	sqldb_close(f->db);
	tempdir_remove(f->dir);
	free(f);
	return logtest_left() == 0 ? 0 : -1;
}

/* One commit of n messages. */
static enum sqldb_end
commit(struct fix *f, size_t n, size_t bytes)
{
	struct store_op v[MANY];

	assert_true(n <= MANY && bytes <= sizeof f->big);
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct store_op){.kind = STORE_SEND};
		v[i].u.send.msg.queue = STR("q");
		v[i].u.send.msg.origin = STR("me");
		v[i].u.send.msg.payload = (struct str){f->big, bytes};
		v[i].link = i + 1 < n ? &v[i + 1] : NULL;
	}
	return sqldb_apply(f->db, v, SQLDB_ANY);
}

static long
wal_size(const struct fix *f)
{
	struct stat st;

	return stat(f->wal, &st) == 0 ? (long)st.st_size : -1;
}

static size_t nrows;

static int
count_row(struct store_op *op, const struct store_msg *m)
{
	(void)op;
	nrows += !m->damaged && m->payload.n > 0;
	return 0;
}

/* How many messages a connection sees. */
static size_t
count(struct sqldb *db)
{
	struct store_op op = {.kind = STORE_SCAN};

	op.u.scan.after = -1;
	op.u.scan.row = count_row;
	nrows = 0;
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	return nrows;
}

/* However many frames there are. */
static void
commit_is_a_write_and_a_sync(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 8; i++)
		assert_int_equal(commit(f, MANY, 400), SQLDB_COMMITTED);
	while (wal_size(f) - 32 - sqldb_wal_frames(f->db) * 4120L < 60000)
		assert_int_equal(commit(f, 1, 1), SQLDB_COMMITTED);
	for (int i = 0; i < 3; i++) {
		int before = sqldb_wal_frames(f->db);

		faultvfs_plan(0, false, false);
		assert_int_equal(commit(f, i * 8 + 1, 400), SQLDB_COMMITTED);
		assert_int_equal(faultvfs_calls(), 2);
		assert_true(sqldb_wal_frames(f->db) - before >= i + 1);
	}
}

/* More than gathers at once. */
static void
long_commits_are_whole(void **state)
{
	struct fix *f = *state;
	struct sqldb *reader = must_open(f, SQLDB_READER);

	assert_int_equal(commit(f, MANY, sizeof f->big), SQLDB_COMMITTED);
	assert_int_equal(count(reader), MANY);
	assert_int_equal(count(f->db), MANY);
	sqldb_close(reader);
}

/* The log does not grow with each commit. */
static void
zeros_lie_behind_the_end(void **state)
{
	struct fix *f = *state;
	long size = wal_size(f), sizes = 0;
	int frames = sqldb_wal_frames(f->db), done;

	assert_true(size >= 64 * 1024);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(commit(f, 1, 400), SQLDB_COMMITTED);
		sizes += wal_size(f) != size;
		size = wal_size(f);
	}
	assert_in_range(sizes, 1, 20);
	assert_true(size >= sqldb_wal_frames(f->db) * 4120L);
	assert_true(sqldb_checkpoint(f->db, true, &frames, &done));
	assert_int_equal(wal_size(f), 0);
	assert_int_equal(commit(f, 1, 400), SQLDB_COMMITTED);
	assert_true(wal_size(f) >= 64 * 1024);
}

/* They are the end of the log for those who recover it, too. */
static void
zeros_are_the_end(void **state)
{
	struct fix *f = *state;
	struct fix copy = {.db = NULL};

	assert_int_equal(commit(f, 7, 400), SQLDB_COMMITTED);
	snprintf(copy.path, sizeof copy.path, "%s/copy.db", f->dir);
	snprintf(copy.wal, sizeof copy.wal, "%s-wal", copy.path);
	assert_true(tempdir_copy(f->path, copy.path) > 0);
	assert_true(tempdir_copy(f->wal, copy.wal) > 64 * 1024);
	copy.db = must_open(&copy, SQLDB_WRITER);
	assert_int_equal(count(copy.db), 7);
	sqldb_close(copy.db);
}

/* They are not worth a failure. */
static void
no_room_for_zeros(void **state)
{
	struct fix *f = *state;
	int frames, done, n = 0;

	assert_true(sqldb_checkpoint(f->db, true, &frames, &done));
	faultvfs_quota(f->dir, -1);
	faultvfs_quota(f->dir, faultvfs_used() + 50000);
	while (commit(f, 1, 400) == SQLDB_COMMITTED && n < 100)
		n++;
	assert_in_range(n, 3, 20);
	assert_in_range(wal_size(f), 30000, 50000);
	faultvfs_quota("", -1);
	assert_int_equal(count(f->db), n);
	assert_true(sqldb_checkpoint(f->db, true, &frames, &done));
	assert_int_equal(commit(f, 1, 400), SQLDB_COMMITTED);
	assert_true(wal_size(f) >= 64 * 1024); /* there is room again */
}

/* A write that fails is the commit's failure, the zeros' too. */
static void
failed_writes_are_told(void **state)
{
	struct fix *f = *state;
	int frames, done, n;

	assert_true(sqldb_checkpoint(f->db, true, &frames, &done));
	for (n = 1; n < 10; n++) {
		faultvfs_plan(n, true, true);
		if (commit(f, 2, 400) == SQLDB_COMMITTED)
			break;
		faultvfs_plan(0, false, false);
		assert_int_equal(count(f->db), 0);
	}
	faultvfs_plan(0, false, false);
	assert_in_range(n, 2, 9);
	assert_int_equal(count(f->db), 2);
	assert_true(sqldb_checkpoint(f->db, true, &frames, &done));
	faultvfs_plan(2, false, false); /* head of the log, zeros */
	assert_int_equal(commit(f, 2, 400), SQLDB_BROKEN);
	assert_int_equal(faultvfs_failed(), FAULT_WRITE);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(commit_is_a_write_and_a_sync),
	    T(long_commits_are_whole),
	    T(zeros_lie_behind_the_end),
	    T(zeros_are_the_end),
	    T(no_room_for_zeros),
	    T(failed_writes_are_told),
	};

	faultvfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
