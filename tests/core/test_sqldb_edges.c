/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One connection to the database at its edges: batches that make and end the
 * same queue and fail, little room, a connection that is broken, readers that
 * have had enough, more kept than one look finds, and the log's layer called as
 * SQLite calls it, with a file that fails.
 */
#include "support/unit.h"

#include <sqlite3.h>

#include "clock.h"
#include "sqldb_int.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define BOOT "aaaaaaaa-0000-0000-0000-000000000000"
#define WALL (1700000000LL * NS_PER_SEC)

/* Without memory to gather in, frames are written as they come. */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static bool no_gathering;

void *
__wrap_malloc(size_t n)
{
	return no_gathering && n == 128 * 1024 ? NULL : __real_malloc(n);
}

struct fix {
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16];
	struct sqldb *db;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	struct err e;

	assert_non_null(f);
	tempdir_make(f->dir);
	snprintf(f->path, sizeof f->path, "%s/switch.db", f->dir);
	faultvfs_plan(0, false, false);
	logtest_clear();
	f->db = sqldb_open(f->path, SQLDB_WRITER, BOOT, WALL, &e);
	if (f->db == NULL)
		fail_msg("cannot open: %s", e.text);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	faultvfs_plan(0, false, false);
	sqldb_close(f->db);
	tempdir_remove(f->dir);
	free(f);
	return logtest_left() == 0 ? 0 : -1;
}

static struct store_op
create(const char *queue)
{
	struct store_op op = {.kind = STORE_CREATE};

	op.u.create.name = str_of(queue);
	return op;
}

static struct store_op
destroy(const char *queue)
{
	struct store_op op = {.kind = STORE_DESTROY};

	op.u.destroy.name = str_of(queue);
	return op;
}

static struct store_op
send_to(const char *queue, const char *re_queue)
{
	struct store_op op = {.kind = STORE_SEND};

	op.u.send.msg.queue = str_of(queue);
	op.u.send.msg.re_queue =
	    re_queue ? str_of(re_queue) : (struct str){NULL, 0};
	op.u.send.msg.re_id = re_queue ? 1 : 0;
	op.u.send.msg.payload = STR("hello");
	return op;
}

static enum sqldb_end
apply(struct fix *f, struct store_op *v, size_t n, enum sqldb_room room)
{
	for (size_t i = 0; i < n; i++)
		v[i].link = i + 1 < n ? &v[i + 1] : NULL;
	return sqldb_apply(f->db, v, room);
}

static void
must(struct fix *f, struct store_op op)
{
	assert_int_equal(apply(f, &op, 1, SQLDB_ANY), SQLDB_COMMITTED);
	assert_int_equal(op.rc, STORE_OK);
}

/* ---- batches ---- */

/* Whatever a batch does to queues, it is undone with it: made, ended, made and
 * ended, ended and made. */
static void
failed_batches_leave_the_queues(void **state)
{
	struct fix *f = *state;
	struct store_op v[5];

	must(f, create("old"));
	must(f, create("twice"));
	for (int full = 1; full >= 0; full--) {
		v[0] = create("new");
		v[1] = destroy("new");
		v[2] = destroy("old");
		v[3] = destroy("twice");
		v[4] = create("twice");
		faultvfs_plan(1, full, false);
		assert_int_equal(apply(f, v, 5, SQLDB_ANY),
		    full ? SQLDB_ROLLED_BACK : SQLDB_BROKEN);
		faultvfs_plan(0, false, false);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(
			    v[i].rc, full ? STORE_FULL : STORE_UNKNOWN);
		if (!full)
			break;
		v[0] = send_to("old", NULL);
		v[1] = send_to("twice", NULL);
		assert_int_equal(apply(f, v, 2, SQLDB_ANY), SQLDB_COMMITTED);
		v[0] = send_to("new", NULL);
		(void)apply(f, v, 1, SQLDB_ANY);
		assert_int_equal(v[0].rc, STORE_NO_QUEUE);
	}
	/* it is broken: nothing is tried, and it says what broke it first */
	v[0] = send_to("old", NULL);
	assert_int_equal(apply(f, v, 1, SQLDB_ANY), SQLDB_BROKEN);
	assert_int_equal(v[0].rc, STORE_IO);
	assert_true(sqldb_broken(f->db));
	assert_non_null(strstr(sqldb_errmsg(f->db), "I/O"));
}

/* What is tried with little room; the last op of a list may say that there is
 * one more. */
static void
little_room(void **state)
{
	static const struct {
		enum sqldb_room room;
		enum store_rc made, sent, replied;
	} cases[] = {
	    {SQLDB_DELETES, STORE_FULL, STORE_FULL, STORE_FULL},
	    {SQLDB_REPLIES, STORE_FULL, STORE_FULL, STORE_OK},
	    {SQLDB_ANY, STORE_OK, STORE_OK, STORE_OK},
	};
	struct fix *f = *state;
	struct store_op v[5];

	must(f, create("q"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		v[0] = create("another");
		v[1] = send_to("q", NULL);
		v[2] = send_to("q", "asked");
		v[3] = (struct store_op){.kind = STORE_BARRIER};
		v[4] = (struct store_op){.kind = STORE_REMOVE};
		v[4].u.remove.queue = STR("q"); /* by nobody, of nothing */
		v[4].flags = STORE_LINK;
		assert_int_equal(
		    apply(f, v, 5, cases[i].room), SQLDB_COMMITTED);
		assert_int_equal(v[0].rc, cases[i].made);
		assert_int_equal(v[1].rc, cases[i].sent);
		assert_int_equal(v[2].rc, cases[i].replied);
		assert_int_equal(v[3].rc, STORE_OK);
		assert_int_equal(v[4].rc, STORE_OK);
		sqldb_set_undo(f->db, 1 << 20);
	}
}

/* ---- reads ---- */

static size_t rows, enough;

static int
row_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	(void)op, (void)re_id, (void)id;
	return ++rows == enough;
}

static int
row_gone(struct store_op *op, const struct store_gone *g)
{
	(void)op, (void)g;
	return ++rows == enough;
}

static int
row_msg(struct store_op *op, const struct store_msg *m)
{
	(void)op;
	assert_false(m->damaged);
	return ++rows == enough;
}

static size_t
count(struct fix *f, struct store_op op)
{
	rows = 0;
	assert_int_equal(sqldb_read(f->db, &op), STORE_OK);
	return rows;
}

/* A reader that has had enough gets no more; what is no read is refused. */
static void
readers_may_stop(void **state)
{
	struct fix *f = *state;
	struct store_op op;
	int64_t ids[12];

	must(f, create("q"));
	sqldb_set_undo(f->db, 1 << 20);
	for (int i = 0; i < 10; i++) {
		op = send_to("q", NULL);
		op.u.send.answers = true;
		op.u.send.msg.re_id = i + 1;
		assert_int_equal(apply(f, &op, 1, SQLDB_ANY), SQLDB_COMMITTED);
		ids[i] = op.u.send.msg.id;
	}
	ids[10] = ids[9] + 1; /* not there yet */
	ids[11] = ids[9] + 2;
	for (enough = 0; enough <= 3; enough += 3) {
		op = (struct store_op){.kind = STORE_ANSWERS};
		op.u.answers.row = row_answer;
		assert_int_equal(count(f, op), enough ? enough : 10);
		op = (struct store_op){.kind = STORE_GET};
		op.u.get.ids = ids;
		op.u.get.n = 12;
		op.u.get.row = row_msg;
		assert_int_equal(count(f, op), enough ? enough : 10);
	}
	for (int i = 0; i < 10; i++) {
		op = (struct store_op){.kind = STORE_REMOVE};
		op.u.remove.queue = STR("q");
		op.u.remove.id = ids[i];
		must(f, op);
	}
	for (enough = 0; enough <= 3; enough += 3) {
		op = (struct store_op){.kind = STORE_REMOVED};
		op.u.removed.row = row_gone;
		assert_int_equal(count(f, op), enough ? enough : 10);
	}
	op = create("x");
	assert_int_equal(sqldb_read(f->db, &op), STORE_IO);
}

/* More is kept than one look finds: it is pruned in several. */
static void
much_is_pruned_in_several(void **state)
{
	enum { MANY = 1300 };
	struct store_op *v = calloc(MANY, sizeof *v), op;
	struct fix *f = *state;
	int n, looks = 0;

	assert_non_null(v);
	must(f, create("q"));
	sqldb_set_undo(f->db, 1 << 30);
	for (size_t i = 0; i < MANY; i++)
		v[i] = send_to("q", NULL);
	assert_int_equal(apply(f, v, MANY, SQLDB_ANY), SQLDB_COMMITTED);
	for (size_t i = 0; i < MANY; i++) {
		int64_t id = v[i].u.send.msg.id;

		v[i] = (struct store_op){.kind = STORE_REMOVE};
		v[i].u.remove.queue = STR("q");
		v[i].u.remove.id = id;
		v[i].u.remove.gone_ns = 1;
	}
	assert_int_equal(apply(f, v, MANY, SQLDB_ANY), SQLDB_COMMITTED);
	free(v);
	sqldb_set_undo(f->db, 300); /* one message */
	while ((n = sqldb_prune(f->db, 0)) > 0)
		looks++;
	assert_int_equal(n, 0);
	assert_true(looks > 1);
	enough = 0;
	op = (struct store_op){.kind = STORE_REMOVED};
	op.u.removed.row = row_gone;
	assert_int_equal(count(f, op), 1);
}

/* ---- the log's layer ---- */

#define HEAD 24
#define PAGE 4096

struct log {
	sqlite3_vfs *vfs;
	sqlite3_file *file;
};

static struct log
log_open(const struct fix *f)
{
	static char path[TEMPDIR_MAX + 32];
	struct log l = {.vfs = sqlite3_vfs_find(sqldb_log_layer())};
	int out;

	snprintf(path, sizeof path, "%s/a", f->dir); /* has its permissions */
	tempdir_write(path, "", 0);
	snprintf(path, sizeof path, "%s/a-wal", f->dir);
	assert_non_null(l.vfs);
	l.file = calloc(1, (size_t)l.vfs->szOsFile);
	assert_non_null(l.file);
	assert_int_equal(
	    l.vfs->xOpen(l.vfs, path, l.file,
		SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		&out),
	    SQLITE_OK);
	return l;
}

/* A frame that does not end a commit, at its place. */
static int
put_frame(struct log l, sqlite3_int64 at, char c)
{
	char page[PAGE], head[HEAD] = {0};
	int rc;

	memset(page, c, sizeof page);
	rc = l.file->pMethods->xWrite(l.file, head, HEAD, at);
	return rc == SQLITE_OK
	    ? l.file->pMethods->xWrite(l.file, page, PAGE, at + HEAD)
	    : rc;
}

/* The page of a frame is all of this byte. */
static void
check_frame(struct log l, sqlite3_int64 at, char c)
{
	char page[PAGE];

	assert_int_equal(
	    l.file->pMethods->xRead(l.file, page, PAGE, at + HEAD), SQLITE_OK);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(page[i], c);
}

/* What gathers is in the file for everybody who looks: further away, or too
 * much. */
static void
frames_gather_and_are_written(void **state)
{
	struct log l = log_open(*state);
	sqlite3_int64 size, step = HEAD + PAGE;

	for (int i = 0; i < 40; i++) /* more than gathers */
		assert_int_equal(put_frame(l, i * step, (char)i), SQLITE_OK);
	assert_int_equal(put_frame(l, 100 * step, 'x'), SQLITE_OK);
	assert_int_equal(put_frame(l, 50 * step, 'y'), SQLITE_OK); /* back */
	for (int i = 0; i < 40; i++)
		check_frame(l, i * step, (char)i);
	check_frame(l, 100 * step, 'x');
	check_frame(l, 50 * step, 'y');
	assert_int_equal(l.file->pMethods->xFileSize(l.file, &size), SQLITE_OK);
	assert_true(size >= 101 * step);
	assert_int_equal(l.file->pMethods->xClose(l.file), SQLITE_OK);
	free(l.file);
}

static void
frames_that_cannot_gather(void **state)
{
	struct log l = log_open(*state);

	no_gathering = true;
	faultvfs_plan(0, false, false);
	assert_int_equal(put_frame(l, 0, 'x'), SQLITE_OK);
	assert_int_equal(faultvfs_calls(), 2); /* written, head and page */
	no_gathering = false;
	check_frame(l, 0, 'x');
	assert_int_equal(l.file->pMethods->xClose(l.file), SQLITE_OK);
	free(l.file);
}

/* A write that fails is told by whoever makes it happen. */
static void
failed_writes_are_told(void **state)
{
	struct log l = log_open(*state);
	sqlite3_int64 size;
	char byte;
	int rc = SQLITE_OK;

	for (int i = 0; i < 6; i++) {
		assert_int_equal(put_frame(l, 0, 'x'), SQLITE_OK);
		faultvfs_plan(1, false, false);
		switch (i) {
		case 0:
			rc = l.file->pMethods->xRead(l.file, &byte, 1, 0);
			break;
		case 1: rc = l.file->pMethods->xFileSize(l.file, &size); break;
		case 2: rc = l.file->pMethods->xTruncate(l.file, 0); break;
		case 3: rc = l.file->pMethods->xSync(l.file, 0); break;
		case 4: rc = put_frame(l, 100000, 'y'); break;
		case 5: rc = l.file->pMethods->xClose(l.file); break;
		}
		assert_int_equal(faultvfs_failed(), FAULT_WRITE);
		assert_int_equal(rc, SQLITE_IOERR_WRITE);
		faultvfs_plan(0, false, false);
	}
	free(l.file);
}

/* All else is the system's. */
static void
other_calls_pass(void **state)
{
	struct log l = log_open(*state);
	const sqlite3_io_methods *m = l.file->pMethods;
	int out = -1;

	assert_int_equal(m->xLock(l.file, SQLITE_LOCK_SHARED), SQLITE_OK);
	assert_int_equal(m->xCheckReservedLock(l.file, &out), SQLITE_OK);
	assert_int_equal(out, 0);
	assert_int_equal(m->xUnlock(l.file, SQLITE_LOCK_NONE), SQLITE_OK);
	assert_int_equal(
	    m->xFileControl(l.file, 12345678, &out), SQLITE_NOTFOUND);
	assert_true(m->xSectorSize(l.file) >= 512);
	assert_true(m->xDeviceCharacteristics(l.file) >= 0);
	assert_int_equal(m->xClose(l.file), SQLITE_OK);
	free(l.file);
}

/* Another layer below: ours moves over it. */
static void
another_default(void **state)
{
	static sqlite3_vfs other;
	sqlite3_vfs *was = sqlite3_vfs_find(NULL);
	struct log l;

	other = *was;
	other.pNext = NULL;
	other.zName = "other";
	assert_int_equal(sqlite3_vfs_register(&other, 1), SQLITE_OK);
	l = log_open(*state);
	assert_int_equal(put_frame(l, 0, 'x'), SQLITE_OK);
	check_frame(l, 0, 'x');
	assert_int_equal(l.file->pMethods->xClose(l.file), SQLITE_OK);
	free(l.file);
	assert_int_equal(sqlite3_vfs_unregister(&other), SQLITE_OK);
	assert_int_equal(sqlite3_vfs_register(was, 1), SQLITE_OK);
	assert_string_equal(sqldb_log_layer(), "xmsg");
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(failed_batches_leave_the_queues),
	    T(little_room),
	    T(readers_may_stop),
	    T(much_is_pruned_in_several),
	    T(frames_gather_and_are_written),
	    T(frames_that_cannot_gather),
	    T(failed_writes_are_told),
	    T(other_calls_pass),
	    T(another_default),
	};

	tempdir_in_memory();
	faultvfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
