/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Writing: a batch of store operations as one transaction, and the map of queues
 * that spares a send its look-up. */
#include "sqldb_int.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

/* ---- the map of queues (writer) ---- */

/* The live entry of a name; entries that are gone stay until the end of the
 * transaction, out of the hash. */
static struct qent *
qent_find(struct sqldb *db, struct str name)
{
	return map_find(db->queues, name.p, name.n);
}

struct qent *
qent_add(struct sqldb *db, struct str name, int64_t qid)
{
	struct qent *q = xcalloc(1, sizeof *q + name.n);

	memcpy(q->bytes, name.p, name.n);
	q->name = (struct str){q->bytes, name.n};
	q->qid = qid;
	db->queues = map_add(db->queues, q, q->bytes, name.n);
	return q;
}

void
qent_del(struct sqldb *db, struct qent *q)
{
	db->queues = map_del(db->queues, q);
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
		db->changed = xreallocarray(
		    db->changed, db->cap_changed, sizeof *db->changed);
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
			db->queues =
			    map_add(db->queues, q, q->bytes, q->name.n);
		q->gone = q->born = q->has_rows = q->listed = false;
	}
	db->nchanged = 0;
}

/* ---- writing ---- */

/* Make a queue; nothing to do when it is there. */
static int
do_create(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_QUEUE_ADD);
	struct qent *q;
	int rc;

	if (qent_find(db, op->u.create.name) != NULL)
		return SQLITE_OK;
	if (s == NULL)
		return SQLITE_ERROR;
	sqldb_bind(s, 1, op->u.create.name);
	sqldb_bind(s, 2,
	    op->u.create.owner.n ? op->u.create.owner : (struct str){NULL, 0});
	rc = sqldb_run(db, S_QUEUE_ADD);
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
	sqlite3_stmt *s = sqldb_stmt(db, S_MSG_DEL);

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_int64(s, 2, qid);
	return sqldb_run(db, S_MSG_DEL);
}

/* The messages that the caller names go at once, the others are swept later,
 * some at a time, so that no commit takes long. */
static int
do_destroy(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.destroy.name);
	sqlite3_stmt *s = sqldb_stmt(db, S_QUEUE_DEL);
	int rc;

	if (q == NULL)
		return SQLITE_OK;
	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, q->qid);
	rc = sqldb_run(db, S_QUEUE_DEL);
	for (uint32_t i = 0; i < op->u.destroy.n && rc == SQLITE_OK; i++)
		rc = del_message(db, op->u.destroy.ids[i], q->qid);
	db->queues = map_del(db->queues, q);
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
		s = sqldb_stmt(db, S_RESERVE);
		if (s == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(s, 1, db->next_id + SQLDB_RESERVE);
		rc = sqldb_run(db, S_RESERVE);
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
	sqlite3_stmt *s = sqldb_stmt(db, S_MSG_ADD);
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
	sqlite3_bind_blob64(
	    s, 6, m->origin.n ? m->origin.p : "", m->origin.n, SQLITE_STATIC);
	sqldb_bind(s, 7, m->reply_to);
	sqldb_bind(s, 8, m->re_queue);
	sqldb_bind(s, 9, m->key.n ? m->key : (struct str){NULL, 0});
	sqlite3_bind_blob64(s, 10, m->payload.n ? m->payload.p : "",
	    m->payload.n, SQLITE_STATIC);
	sqlite3_bind_int64(s, 11, m->pid);
	sqlite3_bind_int64(s, 12, m->uid);
	sqldb_bind(s, 13, m->comm.n ? m->comm : (struct str){NULL, 0});
	sqlite3_bind_int64(s, 14, sqldb_sum(m));
	rc = sqldb_run(db, S_MSG_ADD);
	if (rc == SQLITE_OK && op->u.send.answers) {
		s = sqldb_stmt(db, S_ANSWER);
		if (s == NULL)
			return SQLITE_ERROR;
		sqlite3_bind_int64(s, 1, m->re_id);
		sqlite3_bind_int64(s, 2, m->id);
		rc = sqldb_run(db, S_ANSWER);
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
	sqlite3_stmt *s = sqldb_stmt(db, S_MSG_MARK);

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, op->u.mark.id);
	sqlite3_bind_int(s, 2, op->u.mark.held);
	return sqldb_run(db, S_MSG_MARK);
}

static int
do_pause(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.pause.name);
	sqlite3_stmt *s = sqldb_stmt(db, S_PAUSE);

	if (q == NULL) {
		op->rc = STORE_NO_QUEUE;
		return SQLITE_OK;
	}
	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, q->qid);
	sqlite3_bind_int(s, 2, op->u.pause.paused);
	return sqldb_run(db, S_PAUSE);
}

/* Make the number of a new act durable before it is used. */
static int
note_act(struct sqldb *db, int64_t act)
{
	sqlite3_stmt *s;
	int rc;

	if (act <= db->acts)
		return SQLITE_OK;
	s = sqldb_stmt(db, S_ACTS);
	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, act);
	rc = sqldb_run(db, S_ACTS);
	if (rc == SQLITE_OK)
		db->acts = act;
	return rc;
}

/* Remove, and keep a copy when there is room for it. */
static int
do_remove(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.remove.queue);
	sqlite3_stmt *s = sqldb_stmt(db, S_KEEP);
	int rc = SQLITE_OK;

	if (q == NULL)
		return SQLITE_OK;
	if (s == NULL)
		return SQLITE_ERROR;
	if (db->undo_bytes > 0 && !db->tight) {
		sqlite3_bind_int64(s, 1, op->u.remove.id);
		sqlite3_bind_int64(s, 2, q->qid);
		sqldb_bind(s, 3, op->u.remove.queue);
		sqlite3_bind_int64(s, 4, op->u.remove.act);
		sqlite3_bind_int(s, 5, op->u.remove.why);
		sqlite3_bind_int64(s, 6, op->u.remove.gone_ns);
		sqlite3_bind_blob64(s, 7,
		    op->u.remove.by.n ? op->u.remove.by.p : "",
		    op->u.remove.by.n, SQLITE_STATIC);
		sqlite3_bind_int64(s, 8, (int64_t)db->undo_bytes);
		rc = note_act(db, op->u.remove.act);
		if (rc == SQLITE_OK)
			rc = sqldb_run(db, S_KEEP);
		db->prune = true;
	}
	return rc == SQLITE_OK ? del_message(db, op->u.remove.id, q->qid) : rc;
}

/* Is it kept?  Then what the index needs to know of it. */
static int
find_kept(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_KEPT);
	int rc;

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, op->u.restore.id);
	sqldb_bind(s, 2, op->u.restore.queue);
	rc = sqlite3_step(s);
	op->u.restore.found = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW) {
		op->u.restore.at_ns = sqlite3_column_int64(s, 0);
		op->u.restore.held = sqlite3_column_int(s, 1);
		op->u.restore.size = (uint64_t)sqlite3_column_int64(s, 2);
		op->u.restore.reply = sqlite3_column_int(s, 3) != 0;
	}
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Run a statement on the message that is put back. */
static int
run_for(struct sqldb *db, int which, const struct store_op *op, int64_t qid)
{
	sqlite3_stmt *s = sqldb_stmt(db, which);

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(s, 1, op->u.restore.id);
	if (which == S_RESTORE)
		sqlite3_bind_int64(s, 2, qid);
	return sqldb_run(db, which);
}

/* Put it back as it was.  If it has had its reply, the next start must not take
 * it for one that is over: the note of the reply says that it is back. */
static int
do_restore(struct sqldb *db, struct store_op *op)
{
	struct qent *q = qent_find(db, op->u.restore.queue);
	int rc;

	if (q == NULL) {
		op->rc = STORE_NO_QUEUE;
		return SQLITE_OK;
	}
	rc = find_kept(db, op);
	if (rc != SQLITE_OK || !op->u.restore.found)
		return rc;
	rc = run_for(db, S_RESTORE, op, q->qid);
	if (rc == SQLITE_OK)
		rc = run_for(db, S_KEPT_DEL, op, 0);
	if (rc == SQLITE_OK)
		rc = run_for(db, S_BACK, op, 0);
	op->u.restore.answered = rc == SQLITE_OK && sqlite3_changes(db->db) > 0;
	return rc;
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
    [STORE_PAUSE] = {do_pause, false},
    [STORE_REMOVE] = {do_remove, false},
    [STORE_RESTORE] = {do_restore, true},
};

/* The first op after the chain that begins at op. */
static struct store_op *
chain_end(struct store_op *op)
{
	while ((op->flags & STORE_LINK) && op->link != NULL)
		op = op->link;
	return op->link;
}

/* Is the op to be left out, with this much room? */
static bool
op_needs_more(const struct store_op *op, enum sqldb_room room)
{
	if (op->kind == STORE_BARRIER || !writes[op->kind].adds)
		return false;
	return room == SQLDB_DELETES || op->kind != STORE_SEND ||
	    op->u.send.msg.re_queue.p == NULL;
}

/* Is one op of the chain? */
static bool
chain_needs_more(
    const struct store_op *op, const struct store_op *end, enum sqldb_room room)
{
	for (; room != SQLDB_ANY && op != end; op = op->link)
		if (op_needs_more(op, room))
			return true;
	return false;
}

static void
chain_rc(struct store_op *op, const struct store_op *end, enum store_rc rc)
{
	for (; op != end; op = op->link)
		op->rc = rc;
}

/* Would an op of the chain find no queue?  That is all that can happen to one of
 * them and not to the whole batch, so when it is known before, nothing of a chain
 * has ever to be undone by itself. */
static bool
chain_lacks_queue(
    struct sqldb *db, const struct store_op *op, const struct store_op *end)
{
	for (; op != end; op = op->link)
		if (op->kind == STORE_SEND &&
		    qent_find(db, op->u.send.msg.queue) == NULL)
			return true;
	return false;
}

/* Apply one chain; an op that cannot be done takes the others with it. */
static int
apply_chain(struct sqldb *db, struct store_op *op, struct store_op *end)
{
	int rc = SQLITE_OK;

	if (op->link != end && chain_lacks_queue(db, op, end)) {
		chain_rc(op, end, STORE_NO_QUEUE);
		return SQLITE_OK;
	}
	chain_rc(op, end, STORE_OK);
	for (; op != end && rc == SQLITE_OK; op = op->link)
		if (op->kind != STORE_BARRIER)
			rc = writes[op->kind].fn(db, op);
	return rc;
}

/* Is a failure one that leaves nothing to go on with?  After a failed sync what
 * was written before may be lost whatever a later sync says. */
bool
sqldb_fatal(struct sqldb *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_TOOBIG: return false;
	default:
		if (!db->broken)
			db->why = rc;
		db->broken = true;
		return true;
	}
}

/* Sort a failure: no room, or nothing to go on with.  When it came while the
 * transaction was written to the log, it may be there, whole. */
static enum sqldb_end
failed(struct sqldb *db, struct store_op *ops, int rc, bool committing)
{
	bool fatal = sqldb_fatal(db, rc);
	enum store_rc why = (rc & 0xff) == SQLITE_FULL ? STORE_FULL
	    : fatal && committing		       ? STORE_UNKNOWN
						       : STORE_IO;

	if (!sqlite3_get_autocommit(db->db))
		(void)sqldb_run(
		    db, S_ROLLBACK); /* the batch is void either way */
	qent_settle(db, false);
	chain_rc(ops, NULL, why);
	return fatal ? SQLDB_BROKEN : SQLDB_ROLLED_BACK;
}

/* Apply a batch. */
enum sqldb_end
sqldb_apply(struct sqldb *db, struct store_op *ops, enum sqldb_room room)
{
	struct store_op *op, *end;
	int64_t reserved = db->reserved, acts = db->acts;
	int rc = db->broken ? SQLITE_IOERR : sqldb_run(db, S_BEGIN);
	bool committing = false;

	db->tight = room != SQLDB_ANY; /* then nothing is kept */
	for (op = ops; op != NULL && rc == SQLITE_OK; op = end) {
		end = chain_end(op);
		if (chain_needs_more(op, end, room))
			chain_rc(op, end, STORE_FULL);
		else
			rc = apply_chain(db, op, end);
	}
	if (rc == SQLITE_OK) {
		committing = true;
		rc = sqldb_run(db, S_COMMIT);
	}
	if (rc != SQLITE_OK) {
		db->reserved = reserved;
		db->acts = acts;
		return failed(db, ops, rc, committing);
	}
	qent_settle(db, true);
	return SQLDB_COMMITTED;
}
