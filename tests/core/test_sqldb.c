/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One connection to the database: which files it takes and what it says about
 * the others, that its settings are in force, what a boot changes, the log, and
 * looking at it while somebody writes.
 */
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "sqldb.h"
#include "support/faultvfs.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/tempdir.h"
#include "support/format1.h"

#define BOOT_A "aaaaaaaa-0000-0000-0000-000000000000"
#define BOOT_B "bbbbbbbb-0000-0000-0000-000000000000"
#define WALL   (1700000000LL * NS_PER_SEC)

struct fix {
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16];
	struct err e;
};

/* The handle of the connection that was opened last. */
static sqlite3 *last_handle;

static int
on_new(sqlite3 *h, const char **err, const struct sqlite3_api_routines *api)
{
	(void)err, (void)api;
	last_handle = h;
	return SQLITE_OK;
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	tempdir_make(f->dir);
	snprintf(f->path, sizeof f->path, "%s/switch.db", f->dir);
	*state = f;
	logtest_clear();
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	tempdir_remove(f->dir);
	free(f);
	return logtest_left() == 0 ? 0 : -1;
}

/* A writer; the test ends when there is none. */
static struct sqldb *
must_open(struct fix *f, enum sqldb_mode mode, const char *boot)
{
	struct sqldb *db = sqldb_open(f->path, mode, boot, WALL, &f->e);

	if (db == NULL)
		fail_msg("cannot open: %s", f->e.text);
	return db;
}

/* Apply one op. */
static enum sqldb_end
apply(struct sqldb *db, struct store_op *op)
{
	op->link = NULL;
	op->flags = 0;
	return sqldb_apply(db, op, false);
}

static void
add_queue(struct sqldb *db, const char *name, const char *owner)
{
	struct store_op op = {.kind = STORE_CREATE};

	op.u.create.name = str_of(name);
	op.u.create.owner = str_of(owner);
	assert_int_equal(apply(db, &op), SQLDB_COMMITTED);
}

/* Send; the id. */
static int64_t
send_one(struct sqldb *db, const char *queue, int64_t answers)
{
	struct store_op op = {.kind = STORE_SEND};

	op.u.send.msg.queue = str_of(queue);
	op.u.send.msg.origin = STR("me");
	op.u.send.msg.payload = STR("hello");
	op.u.send.msg.re_id = answers;
	op.u.send.answers = answers != 0;
	assert_int_equal(apply(db, &op), SQLDB_COMMITTED);
	assert_int_equal(op.rc, STORE_OK);
	return op.u.send.msg.id;
}

static size_t nrows;

static int
count_msg(struct store_op *op, const struct store_msg *m)
{
	(void)op, (void)m;
	nrows++;
	return 0;
}

static int
count_queue(struct store_op *op, struct str name, struct str owner)
{
	(void)op, (void)name, (void)owner;
	nrows++;
	return 0;
}

static int
count_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	(void)op, (void)re_id, (void)id;
	nrows++;
	return 0;
}

/* How many there are; (size_t)-1 when they cannot be read. */
static size_t
count(struct sqldb *db, enum store_kind k)
{
	struct store_op op = {.kind = k};

	nrows = 0;
	if (k == STORE_SCAN) {
		op.u.scan.after = -1;
		op.u.scan.row = count_msg;
	} else if (k == STORE_LIST) {
		op.u.list.row = count_queue;
	} else {
		op.u.answers.row = count_answer;
	}
	return sqldb_read(db, &op) == STORE_OK ? nrows : (size_t)-1;
}

/* One value out of a connection, as text; "" when there is no row. */
static const char *
value(sqlite3 *h, const char *sql)
{
	static char text[100];
	sqlite3_stmt *s = NULL;

	text[0] = '\0';
	assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &s, NULL), SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
		snprintf(text, sizeof text, "%s",
		    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return text;
}

/* Change a file with plain SQLite. */
static void
alter(const char *path, const char *sql)
{
	sqlite3 *h = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(h);
}

/* ---- settings ---- */

/* What promises D5 lists is what the connection says about itself. */
static void
settings_are_in_force(void **state)
{
	static const struct {
		const char *sql, *writer, *reader, *inspector;
	} want[] = {
	    {"PRAGMA journal_mode", "wal", "wal", "wal"},
	    {"PRAGMA synchronous", "2", NULL, NULL},
	    {"PRAGMA locking_mode", "normal", "normal", "normal"},
	    {"PRAGMA foreign_keys", "1", "1", "1"},
	    {"PRAGMA cell_size_check", "1", "1", "1"},
	    {"PRAGMA mmap_size", "0", "0", "0"},
	    {"PRAGMA trusted_schema", "0", "0", "0"},
	    {"PRAGMA temp_store", "2", "2", "2"},
	    {"PRAGMA wal_autocheckpoint", "0", NULL, NULL},
	    {"PRAGMA busy_timeout", "5000", "5000", "5000"},
	    {"PRAGMA query_only", "0", "1", "1"},
	    {"PRAGMA writable_schema", "0", "0", "0"},
	    {"PRAGMA secure_delete", "1", "1", "1"},
	};
	static const struct {
		int op, value;
	} config[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
	};
	static const struct {
		int id, most;
	} limits[] = {
	    {SQLITE_LIMIT_ATTACHED, 0},
	    {SQLITE_LIMIT_SQL_LENGTH, 16384},
	    {SQLITE_LIMIT_COLUMN, 40},
	    {SQLITE_LIMIT_EXPR_DEPTH, 20},
	    {SQLITE_LIMIT_COMPOUND_SELECT, 2},
	    {SQLITE_LIMIT_FUNCTION_ARG, 16},
	    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	    {SQLITE_LIMIT_VARIABLE_NUMBER, 32},
	    {SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	struct fix *f = *state;
	struct sqldb *db[3];
	sqlite3 *h[3];

	for (int i = 0; i < 3; i++) {
		db[i] = must_open(f, (enum sqldb_mode)i, BOOT_A);
		h[i] = last_handle;
	}
	for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
		const char *w[] = {
		    want[k].writer, want[k].reader, want[k].inspector};
		for (int i = 0; i < 3; i++)
			if (w[i] != NULL)
				assert_string_equal(
				    value(h[i], want[k].sql), w[i]);
	}
	for (int i = 0; i < 3; i++) {
		for (size_t k = 0; k < sizeof config / sizeof *config; k++) {
			int v = -1;
			assert_int_equal(
			    sqlite3_db_config(h[i], config[k].op, -1, &v),
			    SQLITE_OK);
			assert_int_equal(v, config[k].value);
		}
		for (size_t k = 0; k < sizeof limits / sizeof *limits; k++)
			assert_in_range(sqlite3_limit(h[i], limits[k].id, -1),
			    0, limits[k].most);
		assert_int_equal(sqlite3_db_readonly(h[i], "main"), i == 2);
	}
	/* extended codes: which constraint */
	assert_int_equal(
	    sqlite3_exec(h[0], "INSERT INTO meta VALUES (1, 1, '', 1, 0, NULL)",
		NULL, NULL, NULL),
	    SQLITE_CONSTRAINT_PRIMARYKEY);
	for (int i = 3; i-- > 0;)
		sqldb_close(db[i]);
}

/* Every table is strict, every column has the type that it is meant to have
 * (blobs for bytes: "007" is no number), and keys are not used again. */
static void
tables_are_strict(void **state)
{
	static const char *const want =
	    "answered.guard INTEGER,answered.id INTEGER,"
	    "answered.reply INTEGER,message.at_ns INTEGER,message.comm BLOB,"
	    "message.held INTEGER,"
	    "message.id INTEGER,message.key BLOB,message.origin BLOB,"
	    "message.payload BLOB,message.pid INTEGER,message.qid INTEGER,"
	    "message.re_id INTEGER,"
	    "message.re_queue BLOB,message.reply_to BLOB,"
	    "message.sum INTEGER,message.uid INTEGER,"
	    "meta.acts INTEGER,"
	    "meta.boot_first INTEGER,meta.boot_id TEXT,"
	    "meta.guard INTEGER,meta.one INTEGER,"
	    "meta.reserved INTEGER,queue.name BLOB,queue.owner BLOB,"
	    "queue.paused INTEGER,queue.qid INTEGER,"
	    "removed.act INTEGER,removed.at_ns INTEGER,removed.by BLOB,"
	    "removed.comm BLOB,removed.gone_ns INTEGER,removed.held INTEGER,"
	    "removed.id INTEGER,removed.key BLOB,removed.origin BLOB,"
	    "removed.payload BLOB,removed.pid INTEGER,removed.queue BLOB,"
	    "removed.re_id INTEGER,removed.re_queue BLOB,"
	    "removed.reply_to BLOB,removed.sum INTEGER,"
	    "removed.uid INTEGER,removed.why INTEGER";
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	sqlite3_stmt *s = NULL;

	assert_string_equal(value(last_handle,
				"SELECT group_concat(name) FROM"
				" pragma_table_list WHERE type = 'table' AND"
				" NOT strict AND name NOT LIKE 'sqlite_%'"),
	    "");
	assert_int_equal(
	    sqlite3_prepare_v2(last_handle,
		"SELECT group_concat(x) FROM (SELECT t.name || '.' || c.name"
		" || ' ' || c.type AS x FROM pragma_table_list t,"
		" pragma_table_info(t.name) c WHERE t.type = 'table' AND"
		" t.name NOT LIKE 'sqlite_%' ORDER BY x)",
		-1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(s, 0), want);
	sqlite3_finalize(s);
	assert_string_equal(value(last_handle,
				"SELECT count(*) FROM sqlite_schema WHERE name"
				" = 'queue' AND sql LIKE '%AUTOINCREMENT%'"),
	    "1");
	sqldb_close(db);
}

/* ---- files ---- */

/* Files that are not ours, and what is said about them; they are left as they
 * were, byte for byte. */
static void
other_files_are_refused(void **state)
{
	static const char ours[] = "PRAGMA application_id=0x786d7367;";
	static const struct {
		const char *name, *sql, *bytes, *says;
	} cases[] = {
	    {"text", NULL,
		"This is no database at all, and it is longer than"
		"a header of one hundred bytes, so that it is looked at.....",
		"move it away"},
	    {"a few bytes", NULL, "hello", "move it away"},
	    {"another program's", "CREATE TABLE t (x)", NULL,
		"database of another program"},
	    {"another program's by id",
		"PRAGMA application_id=1; CREATE TABLE"
		" meta (reserved)",
		NULL, "database of another program"},
	    {"empty with a foreign id", "PRAGMA application_id=1;", NULL,
		"database of another program"},
	    {"newer", "PRAGMA user_version=4; CREATE TABLE meta (reserved)",
		NULL, "has format 4, this program knows up to 3"},
	    {"older than the first", "CREATE TABLE meta (reserved)", NULL,
		"has format 0"},
	    {"negative format", "PRAGMA user_version=-1; CREATE TABLE m (x)",
		NULL, "has format -1"},
	    {"without a row",
		"PRAGMA user_version=3; CREATE TABLE meta"
		" (reserved); CREATE TABLE queue (name, qid)",
		NULL, "meta is empty"},
	    {"without tables", "PRAGMA user_version=3; CREATE TABLE t (x)",
		NULL, ""},
	    {"second format, without tables",
		"PRAGMA user_version=2; CREATE TABLE t (x)", NULL,
		"cannot change the tables to the new format"},
	    {"first format, without tables",
		"PRAGMA user_version=1; CREATE TABLE t (x)", NULL,
		"cannot change the tables to the new format"},
	};
	struct fix *f = *state;
	char copy[TEMPDIR_MAX + 16];

	snprintf(copy, sizeof copy, "%s/copy", f->dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("# %s\n", cases[i].name);
		remove(f->path);
		if (cases[i].bytes != NULL)
			tempdir_write(
			    f->path, cases[i].bytes, strlen(cases[i].bytes));
		else if (strncmp(cases[i].name, "a", 1) == 0 ||
		    strncmp(cases[i].name, "e", 1) == 0)
			alter(f->path, cases[i].sql);
		else {
			alter(f->path, ours);
			alter(f->path, cases[i].sql);
		}
		assert_true(tempdir_copy(f->path, copy) > 0);
		f->e.text[0] = '\0';
		assert_null(
		    sqldb_open(f->path, SQLDB_WRITER, BOOT_A, WALL, &f->e));
		if (strstr(f->e.text, cases[i].says) == NULL ||
		    f->e.text[0] == '\0')
			fail_msg("said: %s", f->e.text);
		assert_non_null(strstr(f->e.text, "switch.db"));
		if (i >= 8)
			continue; /* of our kind: its journal mode changes */
		assert_true(tempdir_same(f->path, copy));
	}
}

/* ---- an older format ---- */

/* A database as the first version left it: three queues, one transient; a
 * request, one held, a reply with odd bytes, and an answer that is remembered. */
static const char first_format[] = FORMAT_1
    "INSERT INTO meta VALUES (1, 1000, '" BOOT_A "', 1);"
    "INSERT INTO queue (name, owner) VALUES (x'61', NULL), (x'ff00', x'6d65'),"
    " (x'30', NULL);"
    "INSERT INTO message VALUES"
    " (10, 1, 7, 0, 0, x'6d65', x'ff00', NULL, x'6b', x'68656c6c6f'),"
    " (11, 1, 8, 1, 0, x'6d65', x'', NULL, NULL, zeroblob(100000)),"
    " (12, 2, 9, 0, 5, x'796f75', NULL, x'61', NULL, x'00ff');"
    "INSERT INTO answered VALUES (5, 12);"
    "PRAGMA application_id=0x786d7367; PRAGMA user_version=1;";

/* What the messages of a database are, as text. */
static struct buf all;

static int
put_msg(struct store_op *op, const struct store_msg *m)
{
	(void)op;
	assert_false(m->damaged);
	buf_addf(&all, "%d %.*s at %d held %d re %d %.*s>%.*s %.*s key %.*s",
	    (int)m->id, (int)m->queue.n, m->queue.p, (int)m->at_ns, m->held,
	    (int)m->re_id, (int)m->origin.n, m->origin.p, (int)m->reply_to.n,
	    m->reply_to.p ? m->reply_to.p : "", (int)m->re_queue.n,
	    m->re_queue.p ? m->re_queue.p : "-", (int)m->key.n,
	    m->key.p ? m->key.p : "");
	buf_addf(&all, " pid %u uid %d comm %d bytes %d %u;", m->pid,
	    (int)m->uid, (int)m->comm.n, (int)m->payload.n,
	    m->payload.n ? (unsigned char)m->payload.p[0] : 0);
	return 0;
}

static int
put_queue(struct store_op *op, struct str name, struct str owner)
{
	buf_addf(&all, "%u %d %d;", (unsigned char)name.p[0], (int)owner.n,
	    op->u.list.paused);
	return 0;
}

static int
put_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	(void)op;
	buf_addf(&all, "%d->%d;", (int)re_id, (int)id);
	return 0;
}

/* It holds what the first version has put in. */
static void
check_first(struct sqldb *db)
{
	struct store_op op = {.kind = STORE_SCAN};

	buf_reset(&all);
	op.u.scan.row = put_msg;
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	op = (struct store_op){.kind = STORE_LIST};
	op.u.list.row = put_queue;
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	op = (struct store_op){.kind = STORE_ANSWERS};
	op.u.answers.row = put_answer;
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	op = (struct store_op){.kind = STORE_REMOVED};
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	assert_bytes(all.p, all.n,
	    "10 a at 7 held 0 re 0 me>\xff  key k pid 0 uid -1 comm 0 bytes"
	    " 5 104;"
	    "11 a at 8 held 1 re 0 me>  key  pid 0 uid -1 comm 0 bytes 100000"
	    " 0;"
	    "12 \xff at 9 held 0 re 5 you> a key  pid 0 uid -1 comm 0 bytes 2"
	    " 0;"
	    "48 0 0;97 0 0;255 2 0;5->12;");
}

/* A database of the first format is read as it is, and brought up by the
 * writer, with everything in it; then it takes what is new. */
static void
first_format_is_brought_up(void **state)
{
	struct fix *f = *state;
	struct store_op op = {.kind = STORE_PAUSE};
	struct sqldb *db;

	alter(f->path, first_format);
	db = must_open(f, SQLDB_INSPECTOR, "");
	check_first(db);
	assert_string_equal(value(last_handle, "PRAGMA user_version"), "1");
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_string_equal(value(last_handle, "PRAGMA user_version"), "3");
	check_first(db);
	assert_int_equal(sqldb_last_act(db), 0);
	assert_int_equal(send_one(db, "a", 0), 1001);
	op.u.pause.name = STR("a");
	op.u.pause.paused = true;
	assert_int_equal(apply(db, &op), SQLDB_COMMITTED);
	assert_int_equal(op.rc, STORE_OK);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_A); /* once is enough */
	sqldb_close(db);
	buf_fini(&all);
}

/* Answers that a disk has changed count for nothing, and the log says so; those
 * beside them count, and a new one takes the place of one that is damaged. */
static void
damaged_answers(void **state)
{
	struct fix *f = *state;
	struct store_op op = {.kind = STORE_ANSWERS};
	struct sqldb *db;

	alter(f->path, first_format);
	sqldb_close(must_open(f, SQLDB_WRITER, BOOT_A));
	alter(f->path,
	    "INSERT INTO answered (id, reply, guard) VALUES"
	    " (6, 13, ~(3 * 6 + 5 * 13)), (7, 14, ~(3 * 7 + 5 * 14)),"
	    " (8, 15, ~(3 * 8 + 5 * 15)), (9, -16, ~(3 * 9 - 5 * 16)),"
	    " (20, 17, ~(3 * 20 + 5 * 17));"
	    "UPDATE answered SET reply = -13 WHERE id = 6;"
	    "UPDATE answered SET id = id + 1073741824 WHERE id = 7;"
	    "UPDATE answered SET guard = guard + 1 WHERE id = 8;"
	    "UPDATE answered SET guard = 0 WHERE id = 20;");
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	buf_reset(&all);
	op.u.answers.row = put_answer;
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	assert_bytes(all.p, all.n, "5->12;9->-16;");
	assert_true(logtest_take("4 rows of `answered` are damaged"));
	assert_int_equal(send_one(db, "a", 20), 1001);
	assert_int_equal(send_one(db, "a", 5), 1002); /* the first counts */
	buf_reset(&all);
	assert_int_equal(sqldb_read(db, &op), STORE_OK);
	assert_bytes(all.p, all.n, "5->12;9->-16;20->1001;");
	assert_true(logtest_take("3 rows of `answered` are damaged"));
	sqldb_close(db);
	buf_fini(&all);
}

/* A database of the second format, which had no guards, is read as it is, and
 * brought up with the answers that it has. */
static void
second_format_is_brought_up(void **state)
{
	struct fix *f = *state;
	struct sqldb *db;

	alter(f->path, first_format);
	sqldb_close(must_open(f, SQLDB_WRITER, BOOT_A));
	alter(f->path,
	    "ALTER TABLE answered DROP COLUMN guard; PRAGMA user_version=2;");
	db = must_open(f, SQLDB_INSPECTOR, "");
	check_first(db);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_string_equal(value(last_handle, "PRAGMA user_version"), "3");
	check_first(db);
	sqldb_close(db);
	buf_fini(&all);
}

/* The change of format is whole or not at all, whichever call fails. */
static void
first_format_when_the_disk_fails(void **state)
{
	struct fix *f = *state;
	struct sqldb *db;
	long n = 1;
	bool hit;

	do {
		remove(f->path);
		alter(f->path, first_format);
		faultvfs_plan(n++, false, false);
		db = sqldb_open(f->path, SQLDB_WRITER, BOOT_A, WALL, &f->e);
		hit = faultvfs_failed() != 0;
		assert_true(db != NULL || hit);
		faultvfs_plan(0, false, false);
		sqldb_close(db);
		db = must_open(f, SQLDB_WRITER, BOOT_A);
		check_first(db);
		sqldb_close(db);
	} while (hit);
	print_message("# %ld calls failed one after the other\n", n - 2);
	assert_true(n > 5);
	buf_fini(&all);
}

/* No file, an empty one, a folder, no folder, a link. */
static void
odd_paths(void **state)
{
	struct fix *f = *state;
	char other[TEMPDIR_MAX + 32];
	struct sqldb *db;

	assert_null(sqldb_open(f->path, SQLDB_READER, NULL, 0, &f->e));
	assert_null(sqldb_open(f->path, SQLDB_INSPECTOR, NULL, 0, &f->e));
	assert_int_equal(access(f->path, F_OK), -1); /* and made none */
	tempdir_write(f->path, "", 0);
	assert_null(sqldb_open(f->path, SQLDB_READER, NULL, 0, &f->e));
	assert_non_null(strstr(f->e.text, "is empty"));
	assert_null(sqldb_open(f->path, SQLDB_INSPECTOR, NULL, 0, &f->e));
	db = must_open(f, SQLDB_WRITER, BOOT_A); /* an empty one will do */
	sqldb_close(db);
	assert_null(sqldb_open(f->dir, SQLDB_WRITER, BOOT_A, WALL, &f->e));
	snprintf(other, sizeof other, "%s/none/switch.db", f->dir);
	assert_null(sqldb_open(other, SQLDB_WRITER, BOOT_A, WALL, &f->e));
	assert_non_null(strstr(f->e.text, other));
	snprintf(other, sizeof other, "%s/link.db", f->dir);
	assert_int_equal(symlink(f->path, other), 0);
	assert_null(sqldb_open(other, SQLDB_WRITER, BOOT_A, WALL, &f->e));
}

/* A medium that cannot be written. */
static void
read_only_medium(void **state)
{
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);

	add_queue(db, "q", NULL);
	sqldb_close(db);
	faultvfs_readonly(true);
	db = sqldb_open(f->path, SQLDB_WRITER, BOOT_B, WALL, &f->e);
	faultvfs_readonly(false);
	assert_null(db);
	assert_non_null(strstr(f->e.text, "readonly"));
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_int_equal(count(db, STORE_LIST), 1);
	sqldb_close(db);
}

/* A file of some 20 pages to do harm to. */
static void
make_sample(struct fix *f)
{
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	int frames, done;

	for (int i = 0; i < 10; i++) {
		char name[8];
		snprintf(name, sizeof name, "q%d", i);
		add_queue(db, name, i % 2 ? "owner" : NULL);
		for (int k = 0; k < 40; k++)
			(void)send_one(db, name, i == 9 ? k + 1 : 0);
	}
	assert_true(sqldb_checkpoint(db, true, &frames, &done));
	sqldb_close(db);
}

/* Whatever the file holds: it opens or says why not, and it does not fall.
 * What can be read is read, what cannot is an error. */
static void
try_damaged(struct fix *f)
{
	struct sqldb *db;
	struct store_op op = {.kind = STORE_SEND};

	f->e.text[0] = '\0';
	db = sqldb_open(f->path, SQLDB_WRITER, BOOT_A, WALL, &f->e);
	if (db == NULL) {
		assert_true(f->e.text[0] != '\0');
		return;
	}
	(void)count(db, STORE_SCAN);
	(void)count(db, STORE_LIST);
	(void)count(db, STORE_ANSWERS);
	(void)logtest_take("rows of `answered` are damaged");
	op.u.send.msg.queue = STR("q1");
	op.u.send.msg.payload = STR("more");
	if (apply(db, &op) != SQLDB_COMMITTED)
		assert_int_not_equal(op.rc, STORE_OK);
	(void)sqldb_sweep(db, 100);
	sqldb_close(db);
}

/* Cut off anywhere. */
static void
truncated_files(void **state)
{
	struct fix *f = *state;
	char copy[TEMPDIR_MAX + 16];
	struct stat st;

	make_sample(f);
	snprintf(copy, sizeof copy, "%s/copy", f->dir);
	assert_true(tempdir_copy(f->path, copy) > 20000);
	assert_int_equal(stat(copy, &st), 0);
	for (off_t n = 1; n < st.st_size; n += n < 200 ? 33 : 1501) {
		assert_true(tempdir_copy(copy, f->path) > 0);
		assert_int_equal(truncate(f->path, n), 0);
		try_damaged(f);
	}
}

/* One byte wrong anywhere. */
static void
flipped_bytes(void **state)
{
	struct fix *f = *state;
	struct rnd r = rnd_start("flips");
	char copy[TEMPDIR_MAX + 16], wal[TEMPDIR_MAX + 32];
	struct stat st;
	FILE *file;

	make_sample(f);
	snprintf(copy, sizeof copy, "%s/copy", f->dir);
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	assert_true(tempdir_copy(f->path, copy) > 20000);
	assert_int_equal(stat(copy, &st), 0);
	for (int i = 0; i < 400; i++) {
		long at = i < 100 ? i : (long)rnd_below(&r, (size_t)st.st_size);
		int c;

		remove(wal);
		assert_true(tempdir_copy(copy, f->path) > 0);
		file = fopen(f->path, "r+b");
		assert_non_null(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		c = fgetc(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		fputc(c ^ (int)(1 + rnd_below(&r, 255)), file);
		assert_int_equal(fclose(file), 0);
		try_damaged(f);
	}
}

/* ---- boots ---- */

/* The same boot changes nothing; another one ends what was transient and moves
 * the first id. */
static void
another_boot(void **state)
{
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	int64_t first = sqldb_boot_first(db), id;

	assert_int_equal(first, sqldb_last_id(db) + 1);
	add_queue(db, "kept", NULL);
	add_queue(db, "mine", "tok");
	(void)send_one(db, "mine", 0);
	id = send_one(db, "kept", 0);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_int_equal(sqldb_boot_first(db), first);
	assert_int_equal(count(db, STORE_LIST), 2);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_B);
	assert_true(sqldb_boot_first(db) > id);
	assert_int_equal(sqldb_boot_first(db), sqldb_last_id(db) + 1);
	assert_int_equal(count(db, STORE_LIST), 1);
	assert_int_equal(count(db, STORE_SCAN), 1);
	assert_true(sqldb_sweep_due(db));
	assert_int_equal(sqldb_sweep(db, 100), 1);
	assert_int_equal(sqldb_sweep(db, 100), 0);
	assert_false(sqldb_sweep_due(db));
	first = sqldb_boot_first(db);
	(void)send_one(db, "kept", 0);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_B);
	assert_int_equal(sqldb_boot_first(db), first);
	sqldb_close(db);
}

/* ---- answers ---- */

/* Forgetting stops at the number to keep, leaves those whose request is there,
 * and what is left is known after a start. */
static void
answers_are_forgotten(void **state)
{
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	int64_t asked;

	add_queue(db, "q", NULL);
	asked = send_one(db, "q", 0);
	(void)send_one(db, "q", asked); /* its request is there */
	for (int i = 0; i < 50; i++)
		(void)send_one(db, "q", asked + 1000 + i);
	assert_int_equal(sqldb_answers_new(db), 51);
	assert_int_equal(sqldb_forget_answers(db, 51), 0);
	assert_int_equal(count(db, STORE_ANSWERS), 51);
	(void)send_one(db, "q", asked + 2000);
	assert_int_equal(sqldb_answers_new(db), 1);
	sqldb_close(db);
	db = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_int_equal(sqldb_answers_new(db), 52);
	while (sqldb_forget_answers(db, 20) > 0)
		continue;
	assert_int_equal(count(db, STORE_ANSWERS), 21); /* and the asked one */
	assert_int_equal(sqldb_answers_new(db), 0);
	sqldb_close(db);
}

/* ---- the log ---- */

static long
size_of(const struct fix *f, const char *suffix)
{
	char path[TEMPDIR_MAX + 32];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", f->path, suffix);
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* It grows by commits, is moved by a checkpoint, and is emptied when asked. */
static void
log_is_moved_and_emptied(void **state)
{
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	int frames = 0, done = 0, before;

	add_queue(db, "q", NULL);
	before = sqldb_wal_frames(db);
	assert_true(before > 0);
	for (int i = 0; i < 100; i++)
		(void)send_one(db, "q", 0);
	assert_true(
	    sqldb_wal_frames(db) > before + 100); /* no autocheckpoint */
	assert_true(sqldb_checkpoint(db, false, &frames, &done));
	assert_int_equal(frames, sqldb_wal_frames(db));
	assert_int_equal(frames, done);
	assert_true(size_of(f, "-wal") > 100000);
	(void)send_one(db, "q", 0); /* the log begins anew */
	assert_true(sqldb_wal_frames(db) < 10);
	assert_true(sqldb_checkpoint(db, true, &frames, &done));
	assert_int_equal(sqldb_wal_frames(db), 0);
	assert_int_equal(size_of(f, "-wal"), 0);
	assert_int_equal(count(db, STORE_SCAN), 101);
	sqldb_close(db);
	assert_int_equal(size_of(f, "-wal"), -1);
}

/* Somebody who reads keeps the log from being emptied; the writer does not
 * wait for him. */
static void
log_is_not_waited_for(void **state)
{
	struct fix *f = *state;
	struct sqldb *db = must_open(f, SQLDB_WRITER, BOOT_A);
	int frames = 0, done = 0;
	sqlite3 *h = NULL;
	int64_t t;

	add_queue(db, "q", NULL);
	assert_int_equal(sqlite3_open(f->path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "BEGIN; SELECT count(*) FROM message",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	(void)send_one(db, "q", 0);
	t = clock_mono_ns();
	assert_true(sqldb_checkpoint(db, false, &frames, &done));
	assert_true(done < frames);
	assert_false(sqldb_checkpoint(db, true, &frames, &done));
	assert_true(clock_mono_ns() - t < 3 * NS_PER_SEC);
	assert_false(sqldb_broken(db));
	(void)send_one(db, "q", 0);
	sqlite3_close(h);
	assert_true(sqldb_checkpoint(db, true, &frames, &done));
	sqldb_close(db);
}

/* ---- the inspector ---- */

/* It sees what is committed while the writer goes on, and changes nothing. */
static void
inspector_beside_a_writer(void **state)
{
	struct fix *f = *state;
	struct sqldb *w = must_open(f, SQLDB_WRITER, BOOT_A), *i;
	struct store_op op = {.kind = STORE_CREATE};

	add_queue(w, "q", NULL);
	i = must_open(f, SQLDB_INSPECTOR, NULL);
	assert_int_equal(count(i, STORE_LIST), 1);
	for (int k = 1; k < 20; k++) {
		(void)send_one(w, "q", 0);
		assert_int_equal(count(i, STORE_SCAN), k);
	}
	op.u.create.name = STR("no");
	assert_int_not_equal(apply(i, &op), SQLDB_COMMITTED);
	assert_int_not_equal(op.rc, STORE_OK);
	assert_int_equal(count(w, STORE_LIST), 1);
	sqldb_close(w); /* leaves the log to the one who reads */
	assert_int_equal(count(i, STORE_SCAN), 19);
	sqldb_close(i);
	i = must_open(f, SQLDB_INSPECTOR, NULL); /* when nobody writes */
	assert_int_equal(count(i, STORE_SCAN), 19);
	sqldb_close(i);
	w = must_open(f, SQLDB_WRITER, BOOT_A);
	assert_int_equal(count(w, STORE_SCAN), 19);
	sqldb_close(w);
}

/* Also over what a crash left: file and log, without the shared index. */
static void
inspector_after_a_crash(void **state)
{
	struct fix *f = *state;
	struct sqldb *w = must_open(f, SQLDB_WRITER, BOOT_A), *i;
	char a[TEMPDIR_MAX + 32], b[TEMPDIR_MAX + 32];

	add_queue(w, "q", NULL);
	(void)send_one(w, "q", 0);
	snprintf(a, sizeof a, "%s/crash.db", f->dir);
	assert_true(tempdir_copy(f->path, a) > 0);
	snprintf(a, sizeof a, "%s-wal", f->path);
	snprintf(b, sizeof b, "%s/crash.db-wal", f->dir);
	assert_true(tempdir_copy(a, b) > 0);
	sqldb_close(w);
	snprintf(f->path, sizeof f->path, "%s/crash.db", f->dir);
	i = must_open(f, SQLDB_INSPECTOR, NULL);
	assert_int_equal(count(i, STORE_SCAN), 1);
	sqldb_close(i);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(settings_are_in_force),
	    T(tables_are_strict),
	    T(other_files_are_refused),
	    T(first_format_is_brought_up),
	    T(second_format_is_brought_up),
	    T(damaged_answers),
	    T(first_format_when_the_disk_fails),
	    T(odd_paths),
	    T(read_only_medium),
	    T(truncated_files),
	    T(flipped_bytes),
	    T(another_boot),
	    T(answers_are_forgotten),
	    T(log_is_moved_and_emptied),
	    T(log_is_not_waited_for),
	    T(inspector_beside_a_writer),
	    T(inspector_after_a_crash),
	};

	faultvfs_install(); /* nothing is synced, which is quicker */
	sqlite3_auto_extension((void (*)(void))on_new);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
