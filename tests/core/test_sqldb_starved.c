/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The database when SQLite gets no memory, or cannot read its file: a script of
 * every kind of batch, read and chore, in three lives, runs again and again, and
 * each time another allocation or read fails.  What fails is not done: the file
 * is as it was before.  Done again, it is done once, and the end of the script is
 * that of a run in which nothing fails.
 */
#include "support/unit.h"

#include <sqlite3.h>

#include "clock.h"
#include "sqldb.h"
#include "support/faultvfs.h"
#include "support/format1.h"
#include "support/logtest.h"
#include "support/tempdir.h"

#define BOOT_A "aaaaaaaa-0000-0000-0000-000000000000"
#define BOOT_B "bbbbbbbb-0000-0000-0000-000000000000"
#define WALL   (1700000000LL * NS_PER_SEC)
#define RUNS   300 /* of a sample */
#define MANY   12
#define STEPS  40

/* ---- SQLite's memory ---- */

static sqlite3_mem_methods own;
static long allocs, alloc_at;
static bool starved; /* one has failed */

static bool
is_starved(void)
{
	if (++allocs != alloc_at)
		return false;
	starved = true;
	return true;
}

static void *
may_malloc(int n)
{
	return is_starved() ? NULL : own.xMalloc(n);
}

static void *
may_realloc(void *p, int n)
{
	return is_starved() ? NULL : own.xRealloc(p, n);
}

/* In front of SQLite's own, and behind the broker's. */
static void
install(void)
{
	sqlite3_mem_methods m;

	assert_int_equal(
	    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &own), SQLITE_OK);
	m = own;
	m.xMalloc = may_malloc;
	m.xRealloc = may_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &m), SQLITE_OK);
	sqldb_wipe_freed();
	faultvfs_install();
}

/* Let the n-th allocation, or read of the file, fail; 0: none. */
static void
plan(bool read, long n)
{
	allocs = 0;
	alloc_at = read ? 0 : n;
	starved = false;
	faultvfs_plan(read ? n : 0, false, false);
}

static bool
has_failed(void)
{
	return starved || faultvfs_failed() != 0;
}

/* How many there were since. */
static long
counted(bool read)
{
	return read ? faultvfs_calls() : allocs;
}

/* ---- a run ---- */

struct run {
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16];
	struct sqldb *db;
	const char *boot;
	struct err e;
	int64_t ids[MANY], reply;
	struct buf rows; /* of the last read */
	char *after[STEPS]; /* the file's content after each step */
	bool learning; /* `after` is being made */
};

/* How a step ended. */
enum end { DONE, NOT_DONE, UNSURE };

/* Add one value of each row to a text. */
static int
add_value(void *arg, int n, char **v, char **names)
{
	(void)n, (void)names;
	buf_addf(arg, "%s\n", v[0] != NULL ? v[0] : "");
	return 0;
}

/* What is in the file, without ids; those that failed have left gaps.  "" when
 * there are no tables. */
static char *
content(const struct run *r)
{
	static const char *const sql[] = {
	    "SELECT 'queue ' || name || ' ' || paused || ' '"
	    " || ifnull(owner, '-') FROM queue ORDER BY name",
	    "SELECT 'message ' || ifnull((SELECT name FROM queue q WHERE"
	    " q.qid = m.qid), '-') || ' ' || substr(payload, 1, 3) || ' '"
	    " || length(payload) || ' ' || held FROM message m ORDER BY id",
	    "SELECT 'removed ' || queue || ' ' || substr(payload, 1, 3) || ' '"
	    " || act FROM removed ORDER BY id",
	    "SELECT 'answers ' || count(*) || ' ' || sum(reply < 0)"
	    " FROM answered",
	    "SELECT 'boot ' || boot_id || ' acts ' || acts FROM meta",
	};
	struct buf b = BUF_INIT;
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open_v2(r->path, &h,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
	    SQLITE_OK);
	for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
		(void)sqlite3_exec(h, sql[i], add_value, &b, NULL);
	sqlite3_close(h);
	buf_addc(&b, '\0');
	return buf_steal(&b, NULL);
}

/* ---- steps ---- */

static enum end
open_boot(struct run *r, const char *boot)
{
	r->boot = boot;
	r->db = sqldb_open(r->path, SQLDB_WRITER, boot, WALL, &r->e);
	if (r->db == NULL) {
		assert_true(r->e.text[0] != '\0');
		return UNSURE; /* the tables may be there */
	}
	sqldb_set_undo(r->db, 1 << 20);
	return DONE;
}

static enum end
open_a(struct run *r)
{
	return open_boot(r, BOOT_A);
}

static enum end
open_b(struct run *r)
{
	return open_boot(r, BOOT_B);
}

/* Closing cannot fail; it may not do all that it could. */
static enum end
close_it(struct run *r)
{
	sqldb_close(r->db);
	r->db = NULL;
	return DONE;
}

/* A batch; each op tells the same. */
static enum end
batch(struct run *r, struct store_op *v, size_t n, enum sqldb_room room)
{
	enum sqldb_end end;

	for (size_t i = 0; i < n; i++)
		v[i].link = i + 1 < n ? &v[i + 1] : NULL;
	end = sqldb_apply(r->db, v, room);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i].rc == STORE_OK, end == SQLDB_COMMITTED);
	if (end == SQLDB_COMMITTED)
		return DONE;
	assert_true(sqldb_errmsg(r->db)[0] != '\0');
	return v[0].rc == STORE_UNKNOWN ? UNSURE : NOT_DONE;
}

static enum end
make_queues(struct run *r)
{
	static const struct {
		const char *name, *owner;
	} q[] = {{"a", NULL}, {"b", NULL}, {"mine", "me"}};
	struct store_op v[3];

	for (size_t i = 0; i < 3; i++) {
		v[i] = (struct store_op){.kind = STORE_CREATE};
		v[i].u.create.name = str_of(q[i].name);
		v[i].u.create.owner = str_of(q[i].owner);
	}
	return batch(r, v, 3, SQLDB_ANY);
}

static struct store_op
send_to(const char *queue, const char *payload, size_t n)
{
	struct store_op op = {.kind = STORE_SEND};

	op.u.send.msg.queue = str_of(queue);
	op.u.send.msg.origin = STR("me");
	op.u.send.msg.key = STR("key");
	op.u.send.msg.comm = STR("test");
	op.u.send.msg.payload = (struct str){payload, n};
	return op;
}

/* One of them on pages of its own. */
static enum end
send_many(struct run *r)
{
	static char text[MANY][9000];
	struct store_op v[MANY];
	enum end end;

	for (size_t i = 0; i < MANY; i++) {
		memset(text[i], (int)('a' + i), sizeof text[i]);
		v[i] = send_to("a", text[i], i == 5 ? sizeof text[i] : 20 + i);
	}
	end = batch(r, v, MANY, SQLDB_ANY);
	for (size_t i = 0; i < MANY && end != NOT_DONE; i++)
		r->ids[i] = v[i].u.send.msg.id;
	return end;
}

/* The reply to a message, and its end, in one. */
static enum end
answer(struct run *r)
{
	struct store_op v[2] = {send_to("b", "yes", 3), {.kind = STORE_ACK}};

	v[0].flags = STORE_LINK;
	v[0].u.send.msg.re_id = r->ids[1];
	v[0].u.send.msg.re_queue = STR("a");
	v[0].u.send.answers = true;
	v[1].u.ack.queue = STR("a");
	v[1].u.ack.id = r->ids[0];
	return batch(r, v, 2, SQLDB_REPLIES);
}

static enum end
hold_and_pause(struct run *r)
{
	struct store_op v[2] = {{.kind = STORE_MARK}, {.kind = STORE_PAUSE}};

	v[0].u.mark.id = r->ids[2];
	v[0].u.mark.held = STORE_HELD_OPERATOR;
	v[1].u.pause.name = STR("b");
	v[1].u.pause.paused = true;
	return batch(r, v, 2, SQLDB_ANY);
}

static enum end
remove_some(struct run *r, size_t from, size_t n, int64_t act)
{
	struct store_op v[MANY];

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct store_op){.kind = STORE_REMOVE};
		v[i].u.remove.queue = STR("a");
		v[i].u.remove.id = r->ids[from + i];
		v[i].u.remove.act = act;
		v[i].u.remove.gone_ns = act;
		v[i].u.remove.why = STORE_PURGED;
		v[i].u.remove.by = STR("me: too many");
	}
	return batch(r, v, n, SQLDB_ANY);
}

static enum end
remove_two(struct run *r)
{
	return remove_some(r, 1, 2, 1);
}

/* One that has had its reply. */
static enum end
put_back(struct run *r)
{
	struct store_op op = {.kind = STORE_RESTORE};
	enum end end;

	op.u.restore.queue = STR("a");
	op.u.restore.id = r->ids[1];
	end = batch(r, &op, 1, SQLDB_ANY);
	if (end == DONE)
		assert_true(op.u.restore.found && op.u.restore.answered);
	return end;
}

static enum end
remove_more(struct run *r)
{
	return remove_some(r, 3, 4, 2);
}

/* Some of its messages by name; the rest is swept. */
static enum end
destroy(struct run *r)
{
	struct store_op op = {.kind = STORE_DESTROY};

	op.u.destroy.name = STR("a");
	op.u.destroy.ids = &r->ids[8];
	op.u.destroy.n = 2;
	op.u.destroy.more = true;
	return batch(r, &op, 1, SQLDB_DELETES);
}

/* A chore is done when nothing is left of it. */
static enum end
repeat(int rc)
{
	return rc < 0 ? NOT_DONE : DONE;
}

static enum end
sweep(struct run *r)
{
	return repeat(sqldb_sweep(r->db, 100));
}

static enum end
forget(struct run *r)
{
	return repeat(sqldb_forget_answers(r->db, 0));
}

/* All but about one. */
static enum end
prune_much(struct run *r)
{
	sqldb_set_undo(r->db, 400);
	return repeat(sqldb_prune(r->db, 0));
}

static enum end
prune_old(struct run *r)
{
	sqldb_set_undo(r->db, 1 << 20);
	return repeat(sqldb_prune(r->db, 2));
}

static enum end
move_log(struct run *r)
{
	int frames, done;

	return sqldb_checkpoint(r->db, false, &frames, &done) ? DONE : NOT_DONE;
}

static enum end
empty_log(struct run *r)
{
	int frames, done;

	return sqldb_checkpoint(r->db, true, &frames, &done) ? DONE : NOT_DONE;
}

/* ---- reads ---- */

static struct run *reading;

static int
row_msg(struct store_op *op, const struct store_msg *m)
{
	(void)op;
	assert_false(m->damaged);
	buf_addf(&reading->rows, "%.*s %.1s %zu %d;", (int)m->queue.n,
	    m->queue.p, m->payload.p ? m->payload.p : "-", m->payload.n,
	    m->held);
	return 0;
}

static int
row_queue(struct store_op *op, struct str name, struct str owner)
{
	buf_addf(&reading->rows, "%.*s %d %zu;", (int)name.n, name.p,
	    op->u.list.paused, owner.n);
	return 0;
}

static int
row_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	(void)op;
	buf_addf(&reading->rows, "%d;", re_id == reading->ids[1] && id != 0);
	return 0;
}

static int
row_gone(struct store_op *op, const struct store_gone *g)
{
	buf_addf(&reading->rows, "gone %d %zu;", (int)g->act, (size_t)g->size);
	return row_msg(op, &g->msg);
}

/* Read; what comes is what is there. */
static enum end
rows(struct run *r, struct store_op *op, const char *want)
{
	enum store_rc rc;

	reading = r;
	buf_reset(&r->rows);
	rc = sqldb_read(r->db, op);
	assert_true(rc == STORE_OK || rc == STORE_IO);
	buf_addc(&r->rows, '\0');
	if (rc == STORE_OK)
		assert_string_equal(r->rows.p, want);
	return rc == STORE_OK ? DONE : NOT_DONE;
}

static enum end
get(struct run *r, uint32_t n, const char *want)
{
	struct store_op op = {.kind = STORE_GET};

	op.u.get.ids = &r->ids[1];
	op.u.get.n = n;
	op.u.get.row = row_msg;
	return rows(r, &op, want);
}

static enum end
get_one(struct run *r)
{
	return get(r, 1, "a b 21 0;");
}

static enum end
get_few(struct run *r)
{
	return get(r, 2, "a b 21 0;a c 22 1;");
}

static enum end
get_many(struct run *r)
{
	return get(r, 9,
	    "a b 21 0;a c 22 1;a d 23 0;a e 24 0;a f 9000 0;a g 26 0;a h 27 0;"
	    "a i 28 0;a j 29 0;");
}

static enum end
scan(struct run *r)
{
	struct store_op op = {.kind = STORE_SCAN};
	static const struct str b = STR("b");

	op.u.scan.queues = &b;
	op.u.scan.n = 1;
	op.u.scan.row = row_msg;
	return rows(r, &op, "b y 3 0;");
}

static enum end
heads(struct run *r)
{
	struct store_op op = {.kind = STORE_SCAN};

	op.u.scan.heads = true;
	op.u.scan.max_msgs = 3;
	op.u.scan.row = row_msg;
	return rows(r, &op, "a - 21 0;a - 22 1;a - 23 0;");
}

static enum end
list(struct run *r)
{
	struct store_op op = {.kind = STORE_LIST};

	op.u.list.row = row_queue;
	return rows(r, &op, "a 0 0;b 1 0;mine 0 2;");
}

static enum end
stat_a(struct run *r)
{
	struct store_op op = {.kind = STORE_STAT};
	enum end end;

	op.u.stat.queue = STR("a");
	end = rows(r, &op, "");
	if (end == DONE)
		assert_int_equal(op.u.stat.count, MANY - 1);
	return end;
}

static enum end
answers(struct run *r)
{
	struct store_op op = {.kind = STORE_ANSWERS};

	op.u.answers.row = row_answer;
	return rows(r, &op, "1;");
}

static enum end
removed(struct run *r)
{
	struct store_op op = {.kind = STORE_REMOVED};

	op.u.removed.act = 1;
	op.u.removed.row = row_gone;
	return rows(r, &op, "gone 1 21;a b 21 0;gone 1 22;a c 22 1;");
}

/* In this order. */
static enum end (*const script[])(struct run *) = {open_a, make_queues,
    send_many, answer, close_it, open_a, hold_and_pause, move_log, get_one,
    get_few, get_many, scan, heads, list, stat_a, answers, remove_two, removed,
    put_back, close_it, open_b, remove_more, prune_much, prune_old, destroy,
    forget, sweep, empty_log, close_it};

#define N (sizeof script / sizeof *script)

/* ---- running it ---- */

/* After a failed step k: nothing of it is there, or it may be that all is. */
static bool
compare(struct run *r, size_t k, enum end end)
{
	char *now = content(r);
	bool before = strcmp(now, r->after[k - 1]) == 0;

	if (!before && (end == NOT_DONE || strcmp(now, r->after[k]) != 0))
		fail_msg("step %zu failed, and there is:\n%s", k, now);
	free(now);
	return before;
}

/* A step that fails is done again, in another life when this one is over. */
static void
step(struct run *r, size_t k)
{
	bool opening = script[k] == open_a || script[k] == open_b;
	enum end end = script[k](r);
	char *now;

	if (end == DONE)
		return;
	assert_true(has_failed());
	if (!opening && !compare(r, k, end))
		end = DONE; /* it is, although it was not sure */
	if (r->db != NULL && sqldb_broken(r->db)) {
		sqldb_close(r->db);
		assert_int_equal(open_boot(r, r->boot), DONE);
	}
	if (end != DONE)
		assert_int_equal(script[k](r), DONE);
	now = content(r);
	assert_string_equal(now, r->after[k]);
	free(now);
}

static void
run_script(struct run *r)
{
	for (size_t k = 0; k < N; k++) {
		step(r, k);
		if (r->learning)
			r->after[k] = content(r);
	}
}

static struct run *
run_new(void)
{
	struct run *r = calloc(1, sizeof *r);

	assert_non_null(r);
	assert_true(N <= STEPS);
	tempdir_make(r->dir);
	snprintf(r->path, sizeof r->path, "%s/switch.db", r->dir);
	return r;
}

static void
run_free(struct run *r)
{
	for (size_t k = 0; k < N; k++)
		free(r->after[k]);
	buf_fini(&r->rows);
	tempdir_remove(r->dir);
	free(r);
}

/* As the file was when it was made. */
static void
no_file(const struct run *r)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char path[TEMPDIR_MAX + 32];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", r->path, tails[i]);
		(void)remove(path);
	}
}

/* Each of them, or so many of them; from 1 on. */
static long
stride(long n)
{
	return getenv("XMSG_FULL") != NULL ? 1 : n / RUNS + 1;
}

static void
fail_each(bool read)
{
	struct run *r = run_new();
	long n, total;
	char *end;

	faultvfs_reads(read);
	r->learning = true;
	run_script(r); /* what comes of it */
	r->learning = false;
	no_file(r);
	plan(read, 0);
	run_script(r);
	total = counted(read);
	assert_true(total > (read ? 20 : 1000));
	for (n = 1; n <= total; n += stride(total)) {
		no_file(r);
		plan(read, n);
		run_script(r);
		assert_true(has_failed());
		plan(read, 0);
		end = content(r);
		assert_string_equal(end, r->after[N - 1]);
		free(end);
	}
	print_message("# every %ld. of %ld failed\n", stride(total), total);
	faultvfs_reads(false);
	run_free(r);
}

static void
memory(void **state)
{
	(void)state;
	fail_each(false);
}

static void
reading_the_file(void **state)
{
	(void)state;
	fail_each(true);
}

/* The change from the first format is whole or not at all, too. */
static void
upgrade(void **state)
{
	struct run *r = run_new();
	char *want = NULL, *got;
	long n = 0, total = 0;
	sqlite3 *h;

	(void)state;
	do {
		no_file(r);
		plan(false, 0);
		assert_int_equal(sqlite3_open(r->path, &h), SQLITE_OK);
		assert_int_equal(
		    sqlite3_exec(h,
			FORMAT_1
			"INSERT INTO meta VALUES (1, 9, 'x', 1);"
			"INSERT INTO queue (name, owner) VALUES (x'61', NULL);"
			"INSERT INTO message VALUES (5, 1, 7, 0, 0, x'6d65',"
			" NULL, NULL, NULL, CAST(printf('%.9000c', 'x') AS "
			"BLOB));"
			"PRAGMA application_id=0x786d7367;"
			"PRAGMA user_version=1;",
			NULL, NULL, NULL),
		    SQLITE_OK);
		sqlite3_close(h);
		plan(false, n);
		if (open_a(r) != DONE) {
			assert_true(has_failed());
			plan(false, 0);
			assert_int_equal(open_a(r), DONE);
		}
		if (n == 0)
			total = counted(false);
		plan(false, 0);
		sqldb_close(r->db);
		got = content(r);
		if (want == NULL)
			want = strdup(got);
		assert_string_equal(got, want);
		free(got);
		n += n == 0 ? 1 : stride(total);
	} while (n <= total);
	assert_non_null(strstr(want, "message a xxx 9000 0"));
	free(want);
	run_free(r);
}

/* Nothing of that is worth a line. */
static int
nothing_logged(void **state)
{
	(void)state;
	return logtest_left() == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory),
	    cmocka_unit_test(reading_the_file),
	    cmocka_unit_test(upgrade),
	};

	tempdir_in_memory();
	install();
	return cmocka_run_group_tests(tests, NULL, nothing_logged);
}
