/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Reading many messages at once: whether they are walked over or looked up one by
 * one, the same rows come, in order, also where some are gone, belong to others,
 * lie in a page that cannot be read, or when the reader has had enough.
 */
#include "support/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "sqldb.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/tempdir.h"

#define BOOT "aaaaaaaa-0000-0000-0000-000000000000"
#define WALL (1700000000LL * NS_PER_SEC)
#define N    300

struct fix {
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16];
	struct sqldb *db;
	int64_t ids[N];
	bool there[N];
	struct store_op op;
	int64_t got[N];
	size_t ngot, stop, ndamaged;
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

static void
apply(struct fix *f, struct store_op *op)
{
	assert_int_equal(sqldb_apply(f->db, op, SQLDB_ANY), SQLDB_COMMITTED);
	assert_int_equal(op->rc, STORE_OK);
}

/* N messages in one queue. */
static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	static char text[700];

	assert_non_null(f);
	memset(text, 'x', sizeof text);
	tempdir_make(f->dir);
	snprintf(f->path, sizeof f->path, "%s/switch.db", f->dir);
	logtest_clear();
	f->db = must_open(f, SQLDB_WRITER);
	f->op = (struct store_op){.kind = STORE_CREATE};
	f->op.u.create.name = STR("q");
	apply(f, &f->op);
	for (size_t i = 0; i < N; i++) {
		f->op = (struct store_op){.kind = STORE_SEND};
		f->op.u.send.msg.queue = STR("q");
		f->op.u.send.msg.origin = STR("me");
		f->op.u.send.msg.payload = (struct str){text, sizeof text};
		apply(f, &f->op);
		f->ids[i] = f->op.u.send.msg.id;
		f->there[i] = true;
	}
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	sqldb_close(f->db);
	tempdir_remove(f->dir);
	free(f);
	return logtest_left() == 0 ? 0 : -1;
}

static int
on_row(struct store_op *op, const struct store_msg *m)
{
	struct fix *f = (struct fix *)((char *)op - offsetof(struct fix, op));

	assert_true(f->ngot < N);
	f->got[f->ngot++] = m->id;
	f->ndamaged += m->damaged;
	return f->ngot == f->stop;
}

/* Read these. */
static enum store_rc
get(struct fix *f, struct sqldb *db, const int64_t *ids, size_t n)
{
	f->ngot = f->ndamaged = 0;
	f->op = (struct store_op){.kind = STORE_GET};
	f->op.u.get.ids = ids;
	f->op.u.get.n = (uint32_t)n;
	f->op.u.get.row = on_row;
	return sqldb_read(db, &f->op);
}

/* Any choice of ids, dense or not, with gaps, to the end or not. */
static void
the_same_rows_come(void **state)
{
	struct fix *f = *state;
	struct sqldb *reader = must_open(f, SQLDB_READER);
	struct rnd r = rnd_start("get");
	int64_t ids[N], want[N];

	for (int step = 0; step < 300; step++) {
		size_t from = rnd_below(&r, N), n = 0, nwant = 0;
		uint32_t every = 1 + rnd_below(&r, 4);

		if (f->there[from] && rnd_below(&r, 2) == 0) {
			struct store_op op = {.kind = STORE_ACK};

			op.u.ack.queue = STR("q");
			op.u.ack.id = f->ids[from];
			apply(f, &op);
			f->there[from] = false;
		}
		f->stop = rnd_below(&r, 3) ? 0 : 1 + rnd_below(&r, 20);
		for (size_t i = from; i < N && n < 100; i++)
			if (rnd_below(&r, every) == 0)
				ids[n++] = f->ids[i];
		for (size_t i = from, k = 0; i < N && k < n; i++) {
			if (ids[k] != f->ids[i])
				continue;
			k++;
			if (f->there[i] && (f->stop == 0 || nwant < f->stop))
				want[nwant++] = f->ids[i];
		}
		assert_int_equal(get(f, reader, ids, n), STORE_OK);
		assert_int_equal(f->ngot, nwant);
		assert_memory_equal(f->got, want, nwant * sizeof *want);
		assert_int_equal(f->ndamaged, 0);
	}
	sqldb_close(reader);
}

/* A page that cannot be read costs its own messages only. */
static void
damaged_page(void **state)
{
	struct fix *f = *state;
	char garbage[4096];
	size_t whole = 0;
	int fd;

	sqldb_close(f->db); /* all is in the file */
	fd = open(f->path, O_RDWR | O_CLOEXEC);
	assert_true(fd != -1);
	memset(garbage, 0xa5, sizeof garbage);
	assert_int_equal(
	    pwrite(fd, garbage, sizeof garbage, 30 * 4096), sizeof garbage);
	close(fd);
	f->db = must_open(f, SQLDB_READER);
	assert_int_equal(get(f, f->db, f->ids, N), STORE_OK);
	assert_int_equal(f->ngot, N);
	assert_memory_equal(f->got, f->ids, sizeof f->ids);
	whole = f->ngot - f->ndamaged;
	assert_in_range(f->ndamaged, 1, 20);
	assert_in_range(whole, N - 20, N - 1);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(the_same_rows_come),
	    T(damaged_page),
	};

	faultvfs_install(); /* nothing is synced, which is quicker */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
