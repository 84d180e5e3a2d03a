/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One SQLite connection and the SQL of the store.
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
#include "sqldb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <uthash.h>

#include "xalloc.h"

/* The writer's map from name to queue, so that a send costs no look-up. */
struct qent {
	UT_hash_handle hh;
	int64_t qid;
	struct str name;
	bool gone;      /* destroyed in the transaction that is open */
	bool born;      /* created in it */
	bool has_rows;  /* destroyed with messages left to sweep */
	bool listed;    /* in sqldb.changed */
	char bytes[];
};

/* Statements, prepared once. */
enum {
	S_BEGIN,
	S_COMMIT,
	S_ROLLBACK,
	S_SAVE,
	S_UNDO,
	S_RELEASE,
	S_RESERVE,
	S_QUEUE_ADD,
	S_QUEUE_DEL,
	S_MSG_ADD,
	S_MSG_DEL,
	S_MSG_MARK,
	S_ANSWER,
	S_GET,
	S_SCAN,
	S_SCAN_HEADS,
	S_LIST,
	S_STAT,
	S_ANSWERS,
	S_SWEEP,
	S_FORGET,
	S_N
};

#define COLUMNS                                                                \
	"m.id, q.name, m.at_ns, m.held, m.re_id, m.origin, m.reply_to,"        \
	" m.re_queue, m.key, "
#define SCAN_TAIL                                                              \
	" FROM message m JOIN queue q USING (qid)"                             \
	" WHERE m.id > ?1 ORDER BY m.id LIMIT ?2"

static const char *const sql[S_N] = {
    [S_BEGIN] = "BEGIN IMMEDIATE",
    [S_COMMIT] = "COMMIT",
    [S_ROLLBACK] = "ROLLBACK",
    [S_SAVE] = "SAVEPOINT chain",
    [S_UNDO] = "ROLLBACK TO chain",
    [S_RELEASE] = "RELEASE chain",
    [S_RESERVE] = "UPDATE meta SET reserved = ?1",
    [S_QUEUE_ADD] = "INSERT INTO queue (name, owner) VALUES (?1, ?2)",
    [S_QUEUE_DEL] = "DELETE FROM queue WHERE qid = ?1",
    [S_MSG_ADD] =
	"INSERT INTO message (id, qid, at_ns, held, re_id, origin, reply_to,"
	" re_queue, key, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	" ?10)",
    [S_MSG_DEL] = "DELETE FROM message WHERE id = ?1 AND qid = ?2",
    [S_MSG_MARK] = "UPDATE message SET held = ?2 WHERE id = ?1",
    [S_ANSWER] = "INSERT OR IGNORE INTO answered (id, reply) VALUES (?1, ?2)",
    [S_GET] = "SELECT " COLUMNS
	      "m.payload FROM message m JOIN queue q USING (qid)"
	      " WHERE m.id = ?1",
    [S_SCAN] = "SELECT " COLUMNS "m.payload" SCAN_TAIL,
    [S_SCAN_HEADS] = "SELECT " COLUMNS "length(m.payload)" SCAN_TAIL,
    [S_LIST] = "SELECT name, owner FROM queue WHERE name >= ?1 AND name > ?2"
	       " ORDER BY name",
    [S_STAT] = "SELECT count(*), coalesce(sum(length(payload)), 0),"
	       " coalesce(min(id), 0), coalesce(max(id), 0) FROM message"
	       " WHERE qid = (SELECT qid FROM queue WHERE name = ?1)",
    [S_ANSWERS] = "SELECT id, reply FROM answered WHERE id > ?1 ORDER BY id"
		  " LIMIT ?2",
    [S_SWEEP] = "DELETE FROM message WHERE id IN (SELECT id FROM message"
		" WHERE qid NOT IN (SELECT qid FROM queue) LIMIT ?1)",
    [S_FORGET] = "DELETE FROM answered WHERE id IN (SELECT id FROM answered"
		 " WHERE id < (SELECT id FROM answered ORDER BY id DESC LIMIT 1"
		 " OFFSET ?1) AND id NOT IN (SELECT id FROM message)"
		 " ORDER BY id LIMIT 1000)",
};

static const char schema[] =
    "CREATE TABLE meta ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " reserved INTEGER NOT NULL,"   /* ids up to here may be in use */
    " boot_id TEXT NOT NULL,"       /* the kernel's, of the last start */
    " boot_first INTEGER NOT NULL"  /* first id given since that boot */
    ") STRICT;"
    "CREATE TABLE queue ("
    " qid INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name BLOB NOT NULL UNIQUE,"
    " owner BLOB"                   /* token; NULL: persistent */
    ") STRICT;"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " qid INTEGER NOT NULL,"
    " at_ns INTEGER NOT NULL,"
    " held INTEGER NOT NULL,"
    " re_id INTEGER NOT NULL,"      /* 0: a request */
    " origin BLOB NOT NULL,"
    " reply_to BLOB,"
    " re_queue BLOB,"
    " key BLOB,"
    " payload BLOB NOT NULL"        /* last: the others need no overflow page */
    ") STRICT;"
    "CREATE TABLE answered ("
    " id INTEGER PRIMARY KEY,"
    " reply INTEGER NOT NULL"
    ") STRICT;";

struct sqldb {
	sqlite3 *db;
	enum sqldb_mode mode;
	sqlite3_stmt *st[S_N];
	struct qent *queues;   /* by name; the writer's */
	struct qent **changed; /* born or gone in the open transaction */
	size_t nchanged, cap_changed;
	int64_t next_id, reserved, boot_first;
	int wal_frames, answers_new;
	bool sweep_due; /* messages of destroyed queues may be left */
	bool broken;    /* a write failed for good: no more writes */
};

/* ---- small helpers around statements ---- */

static sqlite3_stmt *
stmt(struct sqldb *db, int which)
{
	if (db->st[which] == NULL &&
	    sqlite3_prepare_v3(db->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
		&db->st[which], NULL) != SQLITE_OK)
		return NULL;
	return db->st[which];
}

/* Bind borrowed bytes; NULL when p is NULL. */
static void
bind_str(sqlite3_stmt *s, int i, struct str v)
{
	if (v.p == NULL)
		sqlite3_bind_null(s, i);
	else
		sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_STATIC);
}

/* A column as borrowed bytes. */
static struct str
column_str(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s, i);
	struct str v = {p, (size_t)sqlite3_column_bytes(s, i)};

	if (p == NULL && sqlite3_column_type(s, i) != SQLITE_NULL)
		v.p = ""; /* empty is not absent */
	return v;
}

/* Run a statement that gives no rows; a SQLite result code. */
static int
run(struct sqldb *db, int which)
{
	sqlite3_stmt *s = stmt(db, which);
	int rc;

	if (s == NULL)
		return sqlite3_extended_errcode(db->db);
	rc = sqlite3_step(s);
	sqlite3_reset(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Run a text of statements, with a sentence on failure. */
static int
exec(struct sqldb *db, const char *text, struct err *e)
{
	if (sqlite3_exec(db->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, sqlite3_extended_errcode(db->db), "%s",
	    sqlite3_errmsg(db->db));
}

/* One integer out of a query; -1 when there is none. */
static int64_t
query_int(struct sqldb *db, const char *text)
{
	sqlite3_stmt *s = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(db->db, text, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

/* ---- the map of queues (writer) ---- */

/* The live entry of a name; entries that are gone stay until the end of the
 * transaction, out of the hash. */
static struct qent *
qent_find(struct sqldb *db, struct str name)
{
	struct qent *q = NULL;

	HASH_FIND(hh, db->queues, name.p, name.n, q);
	return q;
}

static struct qent *
qent_add(struct sqldb *db, struct str name, int64_t qid)
{
	struct qent *q = xcalloc(1, sizeof *q + name.n);

	memcpy(q->bytes, name.p, name.n);
	q->name = (struct str){q->bytes, name.n};
	q->qid = qid;
	HASH_ADD_KEYPTR(hh, db->queues, q->bytes, name.n, q);
	return q;
}

static void
qent_del(struct sqldb *db, struct qent *q)
{
	HASH_DEL(db->queues, q);
	free(q);
}

/* Remember that the open transaction made or ended q. */
static void
qent_changed(struct sqldb *db, struct qent *q)
{
	if (q->listed)
		return;
	if (db->nchanged == db->cap_changed) {
		db->cap_changed = db->cap_changed ? db->cap_changed * 2 : 16;
		db->changed = xreallocarray(db->changed, db->cap_changed,
		    sizeof *db->changed);
	}
	db->changed[db->nchanged++] = q;
	q->listed = true;
}

/* After the transaction: make what it did to the map final, or undo it. */
static void
qent_settle(struct sqldb *db, bool committed)
{
	for (size_t i = 0; i < db->nchanged; i++) {
		struct qent *q = db->changed[i];

		if (q->gone && committed && q->has_rows)
			db->sweep_due = true;
		if (q->gone && (committed || q->born)) {
			free(q); /* left the hash when it was destroyed */
			continue;
		}
		if (q->born && !committed) {
			qent_del(db, q);
			continue;
		}
		if (q->gone)
			HASH_ADD_KEYPTR(hh, db->queues, q->bytes, q->name.n, q);
		q->gone = q->born = q->has_rows = q->listed = false;
	}
	db->nchanged = 0;
}

/* ---- writing ---- */

/* Make a queue; nothing to do when it is there. */
static int
do_create(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_QUEUE_ADD);
	struct qent *q;
	int rc;

	if (qent_find(db, op->u.create.name) != NULL)
		return SQLITE_OK;
	if (s == NULL)
		return SQLITE_ERROR;
	bind_str(s, 1, op->u.create.name);
	bind_str(s, 2,
	    op->u.create.owner.n ? op->u.create.owner : (struct str){NULL, 0});
	rc = run(db, S_QUEUE_ADD);
	if (rc != SQLITE_OK)
		return rc;
	op->u.create.created = true;
	q = qent_add(db, op->u.create.name, sqlite3_last_insert_rowid(db->db));
	q->born = true;
	qent_changed(db, q);
	return SQLITE_OK;
}

static int
del_message(struct sqldb *db, int64_t id, int64_t qid)
{
	sqlite3_stmt *s = stmt(db, S_MSG_DEL);

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_int64(s, 2, qid);
	return run(db, S_MSG_DEL);
}

/* The messages that the caller names go at once, the others are swept later,
 * some at a time, so that no commit takes long. */
static int
do_destroy(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.destroy.name);
	sqlite3_stmt *s = stmt(db, S_QUEUE_DEL);
	int rc;

	if (q == NULL)
		return SQLITE_OK;
	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, q->qid);
	rc = run(db, S_QUEUE_DEL);
	for (uint32_t i = 0; i < op->u.destroy.n && rc == SQLITE_OK; i++)
		rc = del_message(db, op->u.destroy.ids[i], q->qid);
	HASH_DEL(db->queues, q);
	q->gone = true;
	q->has_rows = op->u.destroy.more;
	qent_changed(db, q);
	return rc;
}

/* Take the next id; make a range of them durable first when needed. */
static int
next_id(struct sqldb *db, int64_t *id)
{
	sqlite3_stmt *s;
	int rc;

	if (db->next_id > db->reserved) {
		s = stmt(db, S_RESERVE);
		if (s == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(s, 1, db->next_id + SQLDB_RESERVE);
		rc = run(db, S_RESERVE);
		if (rc != SQLITE_OK)
			return rc;
		db->reserved = db->next_id + SQLDB_RESERVE;
	}
	*id = db->next_id++;
	return SQLITE_OK;
}

static int
do_send(struct sqldb *db, struct store_op *op)
{
	struct store_msg *m = &op->u.send.msg;
	struct qent *q = qent_find(db, m->queue);
	sqlite3_stmt *s = stmt(db, S_MSG_ADD);
	int rc;

	if (q == NULL) {
		op->rc = STORE_NO_QUEUE;
		return SQLITE_OK;
	}
	if (s == NULL)
		return SQLITE_ERROR;
	rc = next_id(db, &m->id);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s, 1, m->id);
	sqlite3_bind_int64(s, 2, q->qid);
	sqlite3_bind_int64(s, 3, m->at_ns);
	sqlite3_bind_int(s, 4, m->held);
	sqlite3_bind_int64(s, 5, m->re_id);
	sqlite3_bind_blob64(s, 6, m->origin.n ? m->origin.p : "", m->origin.n,
	    SQLITE_STATIC);
	bind_str(s, 7, m->reply_to);
	bind_str(s, 8, m->re_queue);
	bind_str(s, 9, m->key.n ? m->key : (struct str){NULL, 0});
	sqlite3_bind_blob64(s, 10, m->payload.n ? m->payload.p : "",
	    m->payload.n, SQLITE_STATIC);
	rc = run(db, S_MSG_ADD);
	if (rc == SQLITE_OK && op->u.send.answers) {
		s = stmt(db, S_ANSWER);
		if (s == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(s, 1, m->re_id);
		sqlite3_bind_int64(s, 2, m->id);
		rc = run(db, S_ANSWER);
		db->answers_new++;
	}
	return rc;
}

static int
do_ack(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.ack.queue);

	return q == NULL ? SQLITE_OK : del_message(db, op->u.ack.id, q->qid);
}

static int
do_mark(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_MSG_MARK);

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, op->u.mark.id);
	sqlite3_bind_int(s, 2, op->u.mark.held);
	return run(db, S_MSG_MARK);
}

/* What each write does, and whether it needs room on the disk. */
static const struct write_row {
	int (*fn)(struct sqldb *, struct store_op *);
	bool adds;
} writes[] = {
    [STORE_CREATE] = {do_create, true},
    [STORE_DESTROY] = {do_destroy, false},
    [STORE_SEND] = {do_send, true},
    [STORE_ACK] = {do_ack, false},
    [STORE_MARK] = {do_mark, false},
};

/* The first op after the chain that begins at op. */
static struct store_op *
chain_end(struct store_op *op)
{
	while ((op->flags & STORE_LINK) && op->link != NULL)
		op = op->link;
	return op->link;
}

/* Does the chain need room? */
static bool
chain_adds(const struct store_op *op, const struct store_op *end)
{
	for (; op != end; op = op->link)
		if (op->kind != STORE_BARRIER && writes[op->kind].adds)
			return true;
	return false;
}

static void
chain_rc(struct store_op *op, const struct store_op *end, enum store_rc rc)
{
	for (; op != end; op = op->link)
		op->rc = rc;
}

/* Apply one chain; an op that could not be done takes the others with it. */
static int
apply_chain(struct sqldb *db, struct store_op *op, struct store_op *end)
{
	struct store_op *first = op;
	bool linked = op->link != end;
	int64_t reserved = db->reserved;
	int rc = SQLITE_OK;

	chain_rc(op, end, STORE_OK);
	if (linked)
		rc = run(db, S_SAVE);
	for (; op != end && rc == SQLITE_OK; op = op->link) {
		if (op->kind == STORE_BARRIER)
			continue;
		rc = writes[op->kind].fn(db, op);
		if (rc == SQLITE_OK && op->rc != STORE_OK) {
			chain_rc(first, end, op->rc);
			if (linked) {
				rc = run(db, S_UNDO);
				db->reserved = reserved; /* undone as well */
			}
			break;
		}
	}
	if (linked && rc == SQLITE_OK)
		rc = run(db, S_RELEASE);
	return rc;
}

/* Is a failure one that leaves nothing to go on with?  After a failed sync what
 * was written before may be lost whatever a later sync says. */
static bool
is_fatal(struct sqldb *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_TOOBIG: return false;
	default: db->broken = true; return true;
	}
}

/* Sort a failure: no room, or nothing to go on with. */
static enum sqldb_end
failed(struct sqldb *db, struct store_op *ops, int rc, int64_t reserved)
{
	enum store_rc why = (rc & 0xff) == SQLITE_FULL ? STORE_FULL : STORE_IO;

	if (!sqlite3_get_autocommit(db->db))
		(void)run(db, S_ROLLBACK); /* the batch is void either way */
	qent_settle(db, false);
	db->reserved = reserved;
	chain_rc(ops, NULL, why);
	return is_fatal(db, rc) ? SQLDB_BROKEN : SQLDB_ROLLED_BACK;
}

/* Apply a batch. */
enum sqldb_end
sqldb_apply(struct sqldb *db, struct store_op *ops, bool deletes_only)
{
	struct store_op *op, *end;
	int64_t reserved = db->reserved;
	int rc = db->broken ? SQLITE_IOERR : run(db, S_BEGIN);

	for (op = ops; op != NULL && rc == SQLITE_OK; op = end) {
		end = chain_end(op);
		if (deletes_only && chain_adds(op, end))
			chain_rc(op, end, STORE_FULL);
		else
			rc = apply_chain(db, op, end);
	}
	if (rc == SQLITE_OK)
		rc = run(db, S_COMMIT);
	if (rc != SQLITE_OK)
		return failed(db, ops, rc, reserved);
	qent_settle(db, true);
	return SQLDB_COMMITTED;
}

/* ---- reading ---- */

/* A row of a message query as a struct. */
static void
row_msg(sqlite3_stmt *s, bool heads, struct store_msg *m)
{
	memset(m, 0, sizeof *m);
	m->id = sqlite3_column_int64(s, 0);
	m->queue = column_str(s, 1);
	m->at_ns = sqlite3_column_int64(s, 2);
	m->held = sqlite3_column_int(s, 3);
	m->re_id = sqlite3_column_int64(s, 4);
	m->origin = column_str(s, 5);
	m->reply_to = column_str(s, 6);
	m->re_queue = column_str(s, 7);
	m->key = column_str(s, 8);
	if (heads)
		m->payload.n = (size_t)sqlite3_column_int64(s, 9);
	else
		m->payload = column_str(s, 9);
	if (!heads && m->payload.p == NULL)
		m->payload.p = "";
}

/* Result of stepping to the end of a query. */
static enum store_rc
finish(sqlite3_stmt *s, int rc)
{
	sqlite3_reset(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? STORE_OK : STORE_IO;
}

static enum store_rc
read_get(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_GET);
	struct store_msg m;
	int rc = SQLITE_DONE;

	if (s == NULL)
		return STORE_IO;
	for (uint32_t i = 0; i < op->u.get.n; i++) {
		sqlite3_bind_int64(s, 1, op->u.get.ids[i]);
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW) {
			row_msg(s, false, &m);
			if (op->u.get.row(op, &m) != 0)
				break;
		} else if (rc != SQLITE_DONE) {
			break;
		}
		sqlite3_reset(s);
	}
	return finish(s, rc);
}

/* Is the queue one of those asked for? */
static bool
wanted(const struct store_op *op, struct str name)
{
	if (op->u.scan.n == 0)
		return true;
	for (uint32_t i = 0; i < op->u.scan.n; i++)
		if (str_eq(op->u.scan.queues[i], name))
			return true;
	return false;
}

static enum store_rc
read_scan(struct sqldb *db, struct store_op *op)
{
	bool heads = op->u.scan.heads;
	sqlite3_stmt *s = stmt(db, heads ? S_SCAN_HEADS : S_SCAN);
	uint64_t bytes = 0;
	uint32_t n = 0;
	struct store_msg m;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_int64(s, 1, op->u.scan.after);
	sqlite3_bind_int64(s, 2, -1);
	op->u.scan.upto = op->u.scan.after;
	op->u.scan.more = false;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		row_msg(s, heads, &m);
		if (!wanted(op, m.queue))
			continue;
		bytes += m.payload.n;
		if ((op->u.scan.max_msgs != 0 && n == op->u.scan.max_msgs) ||
		    (op->u.scan.max_bytes != 0 && n > 0 &&
			bytes > op->u.scan.max_bytes)) {
			op->u.scan.more = true;
			break;
		}
		n++;
		op->u.scan.upto = m.id;
		if (op->u.scan.row(op, &m) != 0) {
			op->u.scan.more = true;
			break;
		}
	}
	return finish(s, rc);
}

static enum store_rc
read_list(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_LIST);
	uint32_t n = 0;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_blob64(s, 1, op->u.list.prefix.n ? op->u.list.prefix.p : "",
	    op->u.list.prefix.n, SQLITE_STATIC);
	sqlite3_bind_blob64(s, 2, op->u.list.after.n ? op->u.list.after.p : "",
	    op->u.list.after.n, SQLITE_STATIC);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct str name = column_str(s, 0);
		if (!str_starts(name, op->u.list.prefix))
			break;
		if (op->u.list.max != 0 && n++ == op->u.list.max)
			break;
		if (op->u.list.row(op, name, column_str(s, 1)) != 0)
			break;
	}
	return finish(s, rc);
}

static enum store_rc
read_stat(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_STAT);
	int rc;

	if (s == NULL)
		return STORE_IO;
	bind_str(s, 1, op->u.stat.queue);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		op->u.stat.count = sqlite3_column_int64(s, 0);
		op->u.stat.bytes = sqlite3_column_int64(s, 1);
		op->u.stat.first = sqlite3_column_int64(s, 2);
		op->u.stat.last = sqlite3_column_int64(s, 3);
	}
	return finish(s, rc);
}

static enum store_rc
read_answers(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = stmt(db, S_ANSWERS);
	uint32_t n = 0, max = op->u.answers.max;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_int64(s, 1, op->u.answers.after);
	sqlite3_bind_int64(s, 2, max ? (int64_t)max + 1 : -1);
	op->u.answers.more = false;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (max != 0 && n++ == max) {
			op->u.answers.more = true;
			break;
		}
		if (op->u.answers.row(op, sqlite3_column_int64(s, 0),
			sqlite3_column_int64(s, 1)) != 0)
			break;
	}
	return finish(s, rc);
}

/* Run one read. */
enum store_rc
sqldb_read(struct sqldb *db, struct store_op *op)
{
	switch (op->kind) {
	case STORE_GET: return read_get(db, op);
	case STORE_SCAN: return read_scan(db, op);
	case STORE_LIST: return read_list(db, op);
	case STORE_STAT: return read_stat(db, op);
	case STORE_ANSWERS: return read_answers(db, op);
	default: return STORE_IO;
	}
}

/* ---- housekeeping ---- */

/* Delete some messages of destroyed queues. */
int
sqldb_sweep(struct sqldb *db, int most)
{
	sqlite3_stmt *s = stmt(db, S_SWEEP);
	int n, rc;

	if (s == NULL)
		return -1;
	sqlite3_bind_int(s, 1, most);
	rc = run(db, S_SWEEP);
	if (rc != SQLITE_OK)
		return is_fatal(db, rc), -1;
	n = sqlite3_changes(db->db);
	if (n < most)
		db->sweep_due = false;
	return n;
}

/* Are there messages of destroyed queues left? */
bool
sqldb_sweep_due(const struct sqldb *db)
{
	return db->sweep_due;
}

/* Drop some old answers. */
int
sqldb_forget_answers(struct sqldb *db, int keep)
{
	sqlite3_stmt *s = stmt(db, S_FORGET);
	int n, rc;

	if (s == NULL)
		return -1;
	sqlite3_bind_int(s, 1, keep);
	rc = run(db, S_FORGET);
	if (rc != SQLITE_OK)
		return is_fatal(db, rc), -1;
	n = sqlite3_changes(db->db);
	if (n == 0)
		db->answers_new = 0;
	return n;
}

/* Answers noted since there was nothing to forget. */
int
sqldb_answers_new(const struct sqldb *db)
{
	return db->answers_new;
}

/* Move the log into the database. */
bool
sqldb_checkpoint(struct sqldb *db, bool truncate, int *frames, int *done)
{
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE
			    : SQLITE_CHECKPOINT_PASSIVE;
	int rc = sqlite3_wal_checkpoint_v2(db->db, NULL, mode, frames, done);

	if (rc == SQLITE_OK && truncate)
		db->wal_frames = 0;
	return !is_fatal(db, rc) && rc == SQLITE_OK;
}

/* Did a write fail for good? */
bool
sqldb_broken(const struct sqldb *db)
{
	return db->broken;
}

/* Length of the log. */
int
sqldb_wal_frames(const struct sqldb *db)
{
	return db->wal_frames;
}

/* What went wrong. */
const char *
sqldb_errmsg(const struct sqldb *db)
{
	return sqlite3_errmsg(db->db);
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

/* The sentence for a file that SQLite cannot make sense of. */
static int
not_ours(struct sqldb *db, const char *path, struct err *e)
{
	return err_set(e, sqlite3_extended_errcode(db->db),
	    "%s: %s; it is no database of ours or damaged: move it away and"
	    " start again", path, sqlite3_errmsg(db->db));
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

	sqlite3_extended_result_codes(h, 1);
	sqlite3_busy_timeout(h, 5000);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		sqlite3_db_config(h, off[i], 0, NULL);
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	return exec(db,
	    "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
	    "PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
	    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048;",
	    e);
}

/* Is this file ours, and of a version that we know? */
static int
identify(struct sqldb *db, const char *path, int64_t *version, struct err *e)
{
	int64_t app, tables;

	tables = query_int(db, "SELECT count(*) FROM sqlite_schema");
	if (tables < 0)
		return not_ours(db, path, e);
	app = query_int(db, "PRAGMA application_id");
	*version = query_int(db, "PRAGMA user_version");
	if (tables == 0 && app == 0)
		return *version = 0;
	if (app != SQLDB_APPLICATION_ID)
		return err_set(e, 1, "%s is a database of another program;"
		    " choose another state folder", path);
	if (*version > SQLDB_VERSION || *version < 1)
		return err_set(e, 1, "%s has format %lld, this program knows"
		    " up to %d; use the newer xmsgd that wrote it", path,
		    (long long)*version, SQLDB_VERSION);
	return 0;
}

/* Make the tables of a new database. */
static int
create(struct sqldb *db, int64_t wall_ns, struct err *e)
{
	char text[sizeof schema + 512];

	snprintf(text, sizeof text,
	    "BEGIN EXCLUSIVE; %s"
	    "INSERT INTO meta VALUES (1, %lld, '', 0);"
	    "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
	    schema, (long long)store_first_id(wall_ns), SQLDB_APPLICATION_ID,
	    SQLDB_VERSION);
	return exec(db, text, e);
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
	    "UPDATE meta SET boot_id = ?1, boot_first = ?2 WHERE boot_id <> ?1",
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
	db->boot_first = query_int(db, "SELECT boot_first FROM meta");
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
		qent_add(db, column_str(s, 0), sqlite3_column_int64(s, 1));
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
	int64_t version;

	if (identify(db, path, &version, e) == -1)
		return -1;
	if (exec(db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"PRAGMA wal_autocheckpoint=0;", e) == -1)
		return err_prefix(e, "%s", path);
	if (version == 0 && create(db, wall_ns, e) == -1)
		return err_prefix(e, "%s: cannot make the tables", path);
	sqlite3_wal_hook(db->db, on_commit, db);
	db->reserved = query_int(db, "SELECT reserved FROM meta");
	if (db->reserved < 0)
		return err_set(e, 1, "%s: table meta is empty: restore a"
		    " backup, or move the file away", path);
	db->next_id = db->reserved + 1;
	if (note_boot(db, boot_id, e) == -1 || load_queues(db, e) == -1)
		return err_prefix(e, "%s", path);
	db->sweep_due = true;
	return 0;
}

/* What the readers do. */
static int
open_reader(struct sqldb *db, const char *path, struct err *e)
{
	int64_t version;

	if (identify(db, path, &version, e) == -1)
		return -1;
	if (version == 0)
		return err_set(e, 1, "%s is empty", path);
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

	flags |= mode == SQLDB_INSPECTOR
	    ? SQLITE_OPEN_READONLY
	    : SQLITE_OPEN_READWRITE |
		(mode == SQLDB_WRITER ? SQLITE_OPEN_CREATE : 0);
	db->mode = mode;
	rc = sqlite3_open_v2(path, &db->db, flags, NULL);
	if (rc != SQLITE_OK)
		err_set(e, rc, "%s: %s", path,
		    db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
	else if (configure(db, e) == -1)
		not_ours(db, path, e);
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
	    (s = stmt(db, S_RESERVE)) != NULL) {
		sqlite3_bind_int64(s, 1, db->next_id - 1);
		(void)run(db, S_RESERVE); /* a gap in the ids is harmless */
	}
	for (int i = 0; i < S_N; i++)
		sqlite3_finalize(db->st[i]);
	HASH_ITER(hh, db->queues, q, next)
		qent_del(db, q);
	free(db->changed);
	sqlite3_close(db->db);
	free(db);
}
