/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Losing the power while a database of a former format is brought up (promise
 * R25): whatever the disk holds then, the next start finds all of it. */
#include "support/unit.h"

#include <sqlite3.h>

#include "crashtest.h"
#include "support/crashvfs.h"
#include "support/format1.h"

/* A database of the first version, with a log that was not moved. */
static const char first_version[] = FORMAT_1
    "INSERT INTO meta VALUES (1, 1000,"
    " '11111111-2222-3333-4444-555555555555', 1);"
    "INSERT INTO queue (name, owner) VALUES (x'61', NULL), (x'62', x'6d65');"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 60) INSERT INTO message SELECT i, 1 + i % 2, i, i % 7 = 0, 0,"
    " x'6d65', x'62', NULL, NULL, CAST(printf('%.*c', i * i, 'p') AS BLOB)"
    " FROM n;"
    "INSERT INTO answered VALUES (5, 12);"
    "PRAGMA application_id=0x786d7367; PRAGMA user_version=1;";

/* What the second had not yet. */
static const char back_to_second[] =
    "ALTER TABLE answered DROP COLUMN guard; PRAGMA user_version=2;";

/* Change a file as somebody else. */
static void
alter(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A database as the version left it. */
static void
make_version(struct st *t, int version)
{
	alter(t->path, first_version);
	if (version == 1)
		return;
	assert_true(st_open(t));
	st_close(t);
	alter(t->path, back_to_second);
}

/* How many messages are as they were. */
static size_t
whole(struct st *t)
{
	struct st_op o;
	size_t n = 0;

	st_scan(t, &o);
	for (size_t i = 0; i < o.nrows; i++) {
		const struct store_msg *m = &o.rows[i].m;

		n += !m->damaged && m->id == (int64_t)i + 1 &&
		    m->payload.n == (i + 1) * (i + 1) &&
		    m->held == ((i + 1) % 7 == 0);
	}
	st_free(&o);
	return n;
}

/* A crash at any point while the store makes the new tables and sums up what is
 * there: the next start finds all of it. */
static void
crash_while_upgrading(int version)
{
	long points, images = 0;
	int64_t last;
	uint64_t want;
	struct st t;

	st_init(&t, &st_kinds[2]);
	make_version(&t, version);
	crashvfs_start(t.dir);
	assert_true(st_open(&t));
	assert_int_equal(whole(&t), 60);
	want = crashtest_digest(&t, &last);
	st_close(&t);
	crashvfs_stop();
	st_fini(&t);
	points = crashvfs_points();
	assert_true(points > (version == 1 ? 40 : 4));
	for (long n = 0; n <= points; n++)
		for (int i = 0; i < (crashtest_full() ? 40 : 3);
		     i++, images++) {
			st_init(&t, &st_kinds[2]);
			crashvfs_build(n,
			    i < 2 ? (enum crash_how)i : CRASH_TORN,
			    (uint64_t)(n * 100 + i), t.dir);
			if (!st_open(&t))
				fail_msg("point %ld: %s", n, t.err.text);
			assert_int_equal(whole(&t), 60);
			assert_true(crashtest_digest(&t, &last) == want);
			st_fini(&t);
		}
	print_message("# from format %d: %ld points, %ld images\n", version,
	    points, images);
}

static void
from_the_first(void **state)
{
	(void)state;
	crash_while_upgrading(1);
}

static void
from_the_second(void **state)
{
	(void)state;
	crash_while_upgrading(2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_the_first),
	    cmocka_unit_test(from_the_second),
	};

	crashtest_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
