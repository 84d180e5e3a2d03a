/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One SQLite connection: its SQL, schema, opening and housekeeping.
 *
 * Invariants of the database:
 *  1. A message's qid names a queue, or the queue was destroyed and the message
 *     waits to be swept; such a message is never seen by a read.
 *  2. No id is given twice: ids are taken from a range that meta.reserved made
 *     durable before the first of them was used, and a start goes on above it.
 *  3. A qid is never used again (AUTOINCREMENT), so a message cannot land in a
 *     later queue of the same name.
 *  4. answered holds the request ids whose one reply has been enqueued.
 */
#include "sqldb_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define COLUMNS                                                                \
	"m.id, q.name, m.at_ns, m.held, m.re_id, m.origin, m.reply_to,"        \
	" m.re_queue, m.key, "
#define PEER	", m.pid, m.uid, m.comm, m.sum"
#define NO_PEER ", 0, -1, NULL, NULL"
#define SCAN_TAIL                                                              \
	" FROM message m JOIN queue q USING (qid)"                             \
	" WHERE m.id > ?1 ORDER BY m.id LIMIT ?2"

#define GET_TAIL " FROM message m JOIN queue q USING (qid) WHERE m.id = ?1"
#define WALK_TAIL                                                              \
	" FROM message m JOIN queue q USING (qid)"                             \
	" WHERE m.id BETWEEN ?1 AND ?2 ORDER BY m.id"
#define LIST_TAIL " FROM queue WHERE name >= ?1 AND name > ?2 ORDER BY name"
#define KEPT                                                                   \
	"at_ns, held, re_id, origin, reply_to, re_queue, key, pid, uid, comm," \
	" sum, payload"
/* Of the other numbers in meta, so that a wrong one is not believed. */
#define GUARD(reserved, first, acts)                                           \
	"guard = ~(" reserved " + 3 * " first " + 5 * " acts ")"
/* The same, of an answer. */
#define ANSWER_GUARD(id, reply) "~(3 * " id " + 5 * " reply ")"
/* The sum of a message carries `held` in its upper byte. */
#define SUM_HELD "(sum & 0xffffffffffffff) | (?2 << 56)"

static const char *const sql[S_N] = {
    [S_BEGIN] = "BEGIN IMMEDIATE",
    [S_BEGIN_READ] = "BEGIN",
    [S_COMMIT] = "COMMIT",
    [S_ROLLBACK] = "ROLLBACK",
    [S_RESERVE] =
	"UPDATE meta SET reserved = ?1, " GUARD("?1", "boot_first", "acts"),
    [S_QUEUE_ADD] = "INSERT INTO queue (name, owner) VALUES (?1, ?2)",
    [S_QUEUE_DEL] = "DELETE FROM queue WHERE qid = ?1",
    [S_MSG_ADD] =
	"INSERT INTO message (id, qid, at_ns, held, re_id, origin, reply_to,"
	" re_queue, key, payload, pid, uid, comm, sum) VALUES (?1, ?2, ?3, ?4,"
	" ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [S_MSG_DEL] = "DELETE FROM message WHERE id = ?1 AND qid = ?2",
    [S_MSG_MARK] =
	"UPDATE message SET held = ?2, sum = " SUM_HELD " WHERE id = ?1",
    [S_ANSWER] = /* the first counts, unless it is damaged */
    "INSERT INTO answered (id, reply, guard) VALUES (?1, ?2, " ANSWER_GUARD(
	"?1", "?2") ") ON CONFLICT (id) DO UPDATE"
		    " SET reply = excluded.reply, guard = excluded.guard"
		    " WHERE guard <> " ANSWER_GUARD("id", "reply"),
    [S_GET] = "SELECT " COLUMNS "m.payload" PEER GET_TAIL,
    [S_GET_WALK] = "SELECT " COLUMNS "m.payload" PEER WALK_TAIL,
    [S_SCAN] = "SELECT " COLUMNS "m.payload" PEER SCAN_TAIL,
    [S_SCAN_HEADS] = "SELECT " COLUMNS "length(m.payload)" NO_PEER SCAN_TAIL,
    [S_LIST] = "SELECT name, owner, paused" LIST_TAIL,
    [S_STAT] = "SELECT count(*), coalesce(sum(length(payload)), 0),"
	       " coalesce(min(id), 0), coalesce(max(id), 0) FROM message"
	       " WHERE qid = (SELECT qid FROM queue WHERE name = ?1)",
    [S_ANSWERS] = "SELECT id, reply, guard = " ANSWER_GUARD(
	"id", "reply") " FROM answered WHERE id > ?1 ORDER BY id",
    [S_SWEEP] = "DELETE FROM message WHERE id IN (SELECT id FROM message"
		" WHERE qid NOT IN (SELECT qid FROM queue) LIMIT ?1)",
    [S_FORGET] =
	"DELETE FROM answered WHERE id IN (SELECT id FROM answered"
	" WHERE id <= (SELECT id FROM answered ORDER BY id DESC LIMIT 1"
	" OFFSET ?1) AND id NOT IN (SELECT id FROM message)"
	" ORDER BY id LIMIT 1000)",
    [S_ACTS] =
	"UPDATE meta SET acts = ?1, " GUARD("reserved", "boot_first", "?1"),
    [S_PAUSE] = "UPDATE queue SET paused = ?2 WHERE qid = ?1",
    [S_KEEP] = "INSERT OR REPLACE INTO removed (id, queue, act, why, gone_ns,"
	       " by, " KEPT ") SELECT id, ?3, ?4, ?5, ?6, ?7, " KEPT
	       " FROM message WHERE id = ?1 AND qid = ?2"
	       " AND length(payload) <= ?8",
    [S_KEPT] = "SELECT at_ns, held, length(payload), re_queue IS NOT NULL"
	       " FROM removed WHERE id = ?1 AND queue = ?2",
    [S_RESTORE] = "INSERT INTO message (id, qid, " KEPT ") SELECT id, ?2, " KEPT
		  " FROM removed WHERE id = ?1",
    [S_BACK] = "UPDATE answered SET reply = -abs(reply), guard = " ANSWER_GUARD(
	"id", "-abs(reply)") " WHERE id = ?1 AND guard = " ANSWER_GUARD("id",
	"reply"),
    [S_KEPT_DEL] = "DELETE FROM removed WHERE id = ?1",
    [S_REMOVED] = "SELECT id, queue, at_ns, held, re_id, origin, reply_to,"
		  " re_queue, key, substr(payload, 1, ?5), pid, uid, comm,"
		  " length(payload), act, gone_ns, why, by FROM removed"
		  " WHERE id > ?1 AND (?2 IS NULL OR queue = ?2)"
		  " AND (?3 = 0 OR act = ?3) ORDER BY id LIMIT ?4",
    [S_PRUNE_SUM] = "SELECT coalesce(min(gone_ns), 0),"
		    " coalesce(sum(length(payload) + 256), 0) FROM removed",
    [S_PRUNE_OLD] = "DELETE FROM removed WHERE id IN (SELECT id FROM removed"
		    " WHERE gone_ns < ?1 ORDER BY gone_ns LIMIT 1000)",
    [S_PRUNE_WALK] = "SELECT gone_ns, id, length(payload) + 256 FROM removed"
		     " ORDER BY gone_ns, id LIMIT 1000",
    [S_PRUNE_UPTO] = "DELETE FROM removed WHERE (gone_ns, id) <= (?1, ?2)",
};

/* What one of the second or first version is asked instead, ... */
static const char *const sql_2[S_N] = {
    [S_ANSWERS] = "SELECT id, reply, 1 FROM answered WHERE id > ?1 ORDER BY id",
};

/* ... and what one of the first. */
static const char *const sql_1[S_N] = {
    /* NOLINTBEGIN(bugprone-suspicious-missing-comma): one text each */
    [S_GET] = "SELECT " COLUMNS "m.payload" NO_PEER GET_TAIL,
    [S_GET_WALK] = "SELECT " COLUMNS "m.payload" NO_PEER WALK_TAIL,
    [S_SCAN] = "SELECT " COLUMNS "m.payload" NO_PEER SCAN_TAIL,
    [S_LIST] = "SELECT name, owner, 0" LIST_TAIL,
    [S_REMOVED] = "SELECT NULL WHERE 0 AND ?5",
    /* NOLINTEND(bugprone-suspicious-missing-comma) */
};

/* The first version; what came later is in upgrades. */
static const char schema[] =
    "CREATE TABLE meta ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " reserved INTEGER NOT NULL," /* ids up to here may be in use */
    " boot_id TEXT NOT NULL," /* the kernel's, of the last start */
    " boot_first INTEGER NOT NULL" /* first id given since that boot */
    ") STRICT;"
    "CREATE TABLE queue ("
    " qid INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name BLOB NOT NULL UNIQUE,"
    " owner BLOB" /* token; NULL: persistent */
    ") STRICT;"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " qid INTEGER NOT NULL,"
    " at_ns INTEGER NOT NULL,"
    " held INTEGER NOT NULL,"
    " re_id INTEGER NOT NULL," /* 0: a request */
    " origin BLOB NOT NULL,"
    " reply_to BLOB,"
    " re_queue BLOB,"
    " key BLOB,"
    " payload BLOB NOT NULL" /* last: the others need no overflow page */
    ") STRICT;"
    "CREATE TABLE answered ("
    " id INTEGER PRIMARY KEY,"
    " reply INTEGER NOT NULL" /* id of the reply; < 0: the request is back */
    ") STRICT;";

/* From version i + 1 to the next.  Columns of messages come behind the payload,
 * so they are read with whole messages only: the heads are read without them. */
static const char *const upgrades[SQLDB_VERSION - 1] = {
    "ALTER TABLE meta ADD COLUMN acts INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE meta ADD COLUMN guard INTEGER;" /* NULL: set by hand */
    "ALTER TABLE queue ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN uid INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE message ADD COLUMN comm BLOB;"
    "ALTER TABLE message ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;"
    "UPDATE message SET sum = message_sum(id, (SELECT name FROM queue"
    " WHERE qid = message.qid), at_ns, held, re_id, origin, reply_to,"
    " re_queue, key, payload, pid, uid, comm);"
    "CREATE TABLE removed (" /* by hand; kept for a while */
    " id INTEGER PRIMARY KEY,"
    " queue BLOB NOT NULL," /* its name */
    " act INTEGER NOT NULL," /* what was removed together has the same */
    " why INTEGER NOT NULL,"
    " gone_ns INTEGER NOT NULL,"
    " by BLOB NOT NULL,"
    " at_ns INTEGER NOT NULL," /* from here on as in message */
    " held INTEGER NOT NULL,"
    " re_id INTEGER NOT NULL,"
    " origin BLOB NOT NULL,"
    " reply_to BLOB,"
    " re_queue BLOB,"
    " key BLOB,"
    " pid INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " comm BLOB,"
    " sum INTEGER NOT NULL,"
    " payload BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX removed_gone ON removed (gone_ns, id);",
    "ALTER TABLE answered ADD COLUMN guard INTEGER NOT NULL DEFAULT 0;"
    "UPDATE answered SET guard = ~(3 * id + 5 * reply);",
};

/* ---- small helpers around statements ---- */

sqlite3_stmt *
sqldb_stmt(struct sqldb *db, int which)
{
	const char *text = sql[which];

	if (db->version <= 2 && sql_2[which] != NULL)
		text = sql_2[which];
	if (db->version <= 1 && sql_1[which] != NULL)
		text = sql_1[which];
	if (db->st[which] == NULL &&
	    sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT,
		&db->st[which], NULL) != SQLITE_OK)
		return NULL;
	return db->st[which];
}

/* Bind borrowed bytes; NULL when p is NULL. */
void
sqldb_bind(sqlite3_stmt *s, int i, struct str v)
{
	if (v.p == NULL)
		sqlite3_bind_null(s, i);
	else
		sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_STATIC);
}

/* A column as borrowed bytes. */
struct str
sqldb_column(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s, i);
	struct str v = {p, (size_t)sqlite3_column_bytes(s, i)};

	if (p == NULL && sqlite3_column_type(s, i) != SQLITE_NULL)
		v.p = ""; /* empty is not absent */
	return v;
}

/* Run a statement that gives no rows; a SQLite result code. */
int
sqldb_run(struct sqldb *db, int which)
{
	sqlite3_stmt *s = sqldb_stmt(db, which);
	int rc;

	if (s == NULL)
		return sqlite3_extended_errcode(db->db);
	rc = sqlite3_step(s);
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Run a text of statements, with a sentence on failure. */
static int
exec(struct sqldb *db, const char *text, struct err *e)
{
	if (sqlite3_exec(db->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(
	    e, sqlite3_extended_errcode(db->db), "%s", sqlite3_errmsg(db->db));
}

/* The sentence for a file that SQLite cannot read: to move it away is for one
 * that makes no sense, not for a want of memory. */
static int
cannot_read(struct sqldb *db, const char *path, struct err *e)
{
	int code = sqlite3_extended_errcode(db->db);
	bool bad =
	    (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT;

	return err_set(e, code, "%s: %s%s", path, sqlite3_errmsg(db->db),
	    bad ? "; it is no database of ours or damaged: move it away and"
		  " start again"
		: "; start again");
}

/* One integer out of a query; -1 when there is none.  0, or -1 with the
 * sentence when it could not be asked. */
static int
query_int(struct sqldb *db, const char *path, const char *text, int64_t *v,
    struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->db, text, -1, &s, NULL);

	*v = -1;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*v = sqlite3_column_int64(s, 0);
	rc = sqlite3_finalize(s);
	return rc == SQLITE_OK ? 0 : cannot_read(db, path, e);
}

/* What went wrong. */
const char *
sqldb_errmsg(const struct sqldb *db)
{
	return db->broken ? sqlite3_errstr(db->why) : sqlite3_errmsg(db->db);
}

/* Last id that may be in use. */
int64_t
sqldb_last_id(const struct sqldb *db)
{
	return db->next_id - 1;
}

/* First id of this boot. */
int64_t
sqldb_boot_first(const struct sqldb *db)
{
	return db->boot_first;
}

/* ---- opening ---- */

/* Called by SQLite after each commit to the log. */
static int
on_commit(void *arg, sqlite3 *handle, const char *name, int frames)
{
	struct sqldb *db = arg;

	(void)handle, (void)name;
	db->wal_frames = frames;
	return SQLITE_OK;
}

/* What every connection gets (promises D5). */
static int
configure(struct sqldb *db, struct err *e)
{
	sqlite3 *h = db->db;
	static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA,
	    SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL,
	    SQLITE_DBCONFIG_WRITABLE_SCHEMA,
	    SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
	    SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER};
	/* our own statements need less; one of somebody else's is stopped */
	static const struct {
		int id, most;
	} limits[] = {{SQLITE_LIMIT_ATTACHED, 0},
	    {SQLITE_LIMIT_SQL_LENGTH, 16384}, {SQLITE_LIMIT_COLUMN, 40},
	    {SQLITE_LIMIT_EXPR_DEPTH, 20}, {SQLITE_LIMIT_COMPOUND_SELECT, 2},
	    {SQLITE_LIMIT_FUNCTION_ARG, 16}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	    {SQLITE_LIMIT_VARIABLE_NUMBER, 32},
	    {SQLITE_LIMIT_WORKER_THREADS, 0}};

	sqlite3_extended_result_codes(h, 1);
	sqlite3_busy_timeout(h, SQLDB_BUSY_MS);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		sqlite3_db_config(h, off[i], 0, NULL);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		sqlite3_limit(h, limits[i].id, limits[i].most);
	return exec(db,
	    "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
	    "PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
	    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048;"
	    "PRAGMA secure_delete=ON;",
	    e);
}

/* Is this file ours, and of a version that we know? */
static int
identify(struct sqldb *db, const char *path, int64_t *version, struct err *e)
{
	int64_t app, tables;

	if (query_int(db, path, "SELECT count(*) FROM sqlite_schema", &tables,
		e) == -1 ||
	    query_int(db, path, "PRAGMA application_id", &app, e) == -1 ||
	    query_int(db, path, "PRAGMA user_version", version, e) == -1)
		return -1;
	if (tables == 0 && app == 0)
		return *version = 0;
	if (app != SQLDB_APPLICATION_ID)
		return err_set(e, 1,
		    "%s is a database of another program;"
		    " choose another state folder",
		    path);
	if (*version > SQLDB_VERSION || *version < 1)
		return err_set(e, 1,
		    "%s has format %lld, this program knows"
		    " up to %d; use the newer xmsgd that wrote it",
		    path, (long long)*version, SQLDB_VERSION);
	return 0;
}

/* Make the tables of a new database, or bring those of an older version up to
 * ours: in one transaction, so that there is no state between. */
static int
create(struct sqldb *db, int64_t from, int64_t wall_ns, struct err *e)
{
	struct buf b = BUF_INIT;
	char *text;
	int rc;

	buf_adds(&b, "BEGIN EXCLUSIVE;");
	if (from == 0) {
		buf_adds(&b, schema);
		buf_addf(&b,
		    "INSERT INTO meta VALUES (1, %lld, '', 0);"
		    "PRAGMA application_id=%d;",
		    (long long)store_first_id(wall_ns), SQLDB_APPLICATION_ID);
	}
	for (int64_t v = from > 0 ? from : 1; v < SQLDB_VERSION; v++)
		buf_adds(&b, upgrades[v - 1]);
	buf_addf(&b, "PRAGMA user_version=%d; COMMIT;", SQLDB_VERSION);
	text = buf_steal(&b, NULL);
	if (text == NULL)
		return err_set(e, 1, "out of memory");
	sqlite3_create_function(db->db, "message_sum", SQLDB_SUM_COLUMNS,
	    SQLITE_UTF8, NULL, sqldb_sum_row, NULL, NULL);
	rc = exec(db, text, e);
	sqlite3_create_function(db->db, "message_sum", SQLDB_SUM_COLUMNS,
	    SQLITE_UTF8, NULL, NULL, NULL, NULL);
	free(text);
	return rc;
}

/* Has the machine been started anew since the last start?  Then remember where
 * the ids of this boot begin; the owners of transient queues are all gone. */
static int
note_boot(struct sqldb *db, const char *boot_id, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc;

	if (exec(db, "BEGIN IMMEDIATE", e) == -1)
		return -1;
	sqlite3_prepare_v2(db->db,
	    "UPDATE meta SET boot_id = ?1, boot_first = ?2, " GUARD(
		"reserved", "?2", "acts") " WHERE boot_id <> ?1",
	    -1, &s, NULL);
	sqlite3_bind_text(s, 1, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, db->next_id);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return err_set(e, rc, "%s", sqlite3_errmsg(db->db));
	if (sqlite3_changes(db->db) > 0 &&
	    exec(db, "DELETE FROM queue WHERE owner IS NOT NULL", e) == -1)
		return -1;
	if (exec(db, "COMMIT", e) == -1)
		return -1;
	return 0;
}

/* Fill the map of queues. */
static int
load_queues(struct sqldb *db, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc;

	sqlite3_prepare_v2(db->db, "SELECT name, qid FROM queue", -1, &s, NULL);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		qent_add(db, sqldb_column(s, 0), sqlite3_column_int64(s, 1));
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return err_set(e, rc, "%s", sqlite3_errmsg(db->db));
	return 0;
}

/* What only the writer does at open. */
static int
open_writer(struct sqldb *db, const char *path, const char *boot_id,
    int64_t wall_ns, struct err *e)
{
	int64_t version = 0, wrong, answers;

	if (identify(db, path, &version, e) == -1)
		return -1;
	if (exec(db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA wal_autocheckpoint=0;",
		e) == -1)
		return err_prefix(e, "%s", path);
	if (version < SQLDB_VERSION && create(db, version, wall_ns, e) == -1)
		return err_prefix(e,
		    version ? "%s: cannot change the tables to the new format"
			    : "%s: cannot make the tables",
		    path);
	db->version = SQLDB_VERSION;
	sqlite3_wal_hook(db->db, on_commit, db);
	if (query_int(
		db, path, "SELECT reserved FROM meta", &db->reserved, e) == -1)
		return -1;
	if (db->reserved < 0)
		return err_set(e, 1,
		    "%s: table meta is empty: restore a"
		    " backup, or move the file away",
		    path);
	if (query_int(db, path,
		"SELECT " GUARD("reserved", "boot_first",
		    "acts") " IS NOT TRUE AND guard IS NOT NULL FROM meta",
		&wrong, e) == -1)
		return -1;
	if (wrong != 0)
		return err_set(e, 1,
		    "%s: the numbers in table meta are damaged: restore a"
		    " backup, or save what can be read, as in store.md",
		    path);
	db->next_id = db->reserved + 1;
	if (note_boot(db, boot_id, e) == -1 || load_queues(db, e) == -1)
		return err_prefix(e, "%s", path);
	db->sweep_due = true;
	if (query_int(db, path, "SELECT boot_first FROM meta", &db->boot_first,
		e) == -1 ||
	    query_int(db, path, "SELECT acts FROM meta", &db->acts, e) == -1 ||
	    query_int(db, path, "SELECT count(*) FROM answered", &answers, e) ==
		-1)
		return -1;
	db->answers_new = (int)answers;
	return 0;
}

/* What the readers do. */
static int
open_reader(struct sqldb *db, const char *path, struct err *e)
{
	int64_t version = 0;

	if (identify(db, path, &version, e) == -1)
		return -1;
	if (version == 0)
		return err_set(e, 1, "%s is empty", path);
	db->version = version;
	return exec(db, "PRAGMA query_only=ON", e);
}

/* Open a connection. */
struct sqldb *
sqldb_open(const char *path, enum sqldb_mode mode, const char *boot_id,
    int64_t wall_ns, struct err *e)
{
	struct sqldb *db = xcalloc(1, sizeof *db);
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int rc;

	flags |= mode == SQLDB_INSPECTOR ? SQLITE_OPEN_READONLY
					 : SQLITE_OPEN_READWRITE |
		(mode == SQLDB_WRITER ? SQLITE_OPEN_CREATE : 0);
	db->mode = mode;
	rc = sqlite3_open_v2(path, &db->db, flags,
	    mode == SQLDB_WRITER ? sqldb_log_layer() : NULL);
	if (rc != SQLITE_OK)
		err_set(e, rc, "%s: %s", path,
		    db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
	else if (configure(db, e) == -1)
		cannot_read(db, path, e);
	else if (mode == SQLDB_WRITER
		? open_writer(db, path, boot_id, wall_ns, e) == 0
		: open_reader(db, path, e) == 0)
		return db;
	sqldb_close(db);
	return NULL;
}

/* Close; the writer gives back the ids it reserved and did not use. */
void
sqldb_close(struct sqldb *db)
{
	struct qent *q, *next;
	sqlite3_stmt *s;

	if (db == NULL)
		return;
	if (db->mode == SQLDB_WRITER && !db->broken && db->next_id > 1 &&
	    (s = sqldb_stmt(db, S_RESERVE)) != NULL) {
		sqlite3_bind_int64(s, 1, db->next_id - 1);
		(void)sqldb_run(
		    db, S_RESERVE); /* a gap in the ids is harmless */
	}
	for (int i = 0; i < S_N; i++)
		sqlite3_finalize(db->st[i]);
	HASH_ITER (hh, db->queues, q, next)
		qent_del(db, q);
	free(db->changed);
	sqlite3_close(db->db);
	free(db);
}
