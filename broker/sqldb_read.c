/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Reading: one function for each read of the store interface.
 *
 * Every whole row is checked against its sum, which covers all that the row says,
 * the name of its queue included.  What does not fit is handed on as damaged; so
 * is what SQLite cannot read, when it was asked for by its id.
 */
#include "sqldb_int.h"

#define DENSE 8 /* ids from which on a walk pays */

#include <string.h>

#include "log.h"
#include "sum.h"

/* ---- the sum of a message ---- */

static uint64_t
sum_str(uint64_t h, struct str v, bool null)
{
	return sum_bytes(sum_word(h, null ? ~0ULL : v.n), v.p, v.n);
}

/* Of everything but `held`, in the lower 56 bits; above them `held`, so that a
 * mark needs not read the row. */
int64_t
sqldb_sum(const struct store_msg *m)
{
	uint64_t h = sum_word(sum_word(1, (uint64_t)m->id), (uint64_t)m->re_id);

	h = sum_word(sum_word(h, (uint64_t)m->at_ns), (uint64_t)m->uid);
	h = sum_str(sum_word(h, m->pid), m->queue, false);
	h = sum_str(h, m->origin, false);
	h = sum_str(h, m->reply_to, m->reply_to.p == NULL);
	h = sum_str(h, m->re_queue, m->re_queue.p == NULL);
	h = sum_str(h, m->key, false);
	h = sum_str(h, m->comm, false);
	h = sum_str(h, m->payload, false);
	return (int64_t)((h & 0xffffffffffffffULL) | (uint64_t)m->held << 56);
}

static struct str
value_str(sqlite3_value *v)
{
	const void *p = sqlite3_value_blob(v);
	struct str s = {p, (size_t)sqlite3_value_bytes(v)};

	if (p == NULL && sqlite3_value_type(v) != SQLITE_NULL)
		s.p = "";
	return s;
}

/* For the upgrade. */
void
sqldb_sum_row(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct store_msg m = {0};

	(void)n; /* SQLDB_SUM_COLUMNS */
	m.id = sqlite3_value_int64(v[0]);
	m.queue = value_str(v[1]);
	m.at_ns = sqlite3_value_int64(v[2]);
	m.held = sqlite3_value_int(v[3]);
	m.re_id = sqlite3_value_int64(v[4]);
	m.origin = value_str(v[5]);
	m.reply_to = value_str(v[6]);
	m.re_queue = value_str(v[7]);
	m.key = value_str(v[8]);
	m.payload = value_str(v[9]);
	m.pid = (uint32_t)sqlite3_value_int64(v[10]);
	m.uid = sqlite3_value_int64(v[11]);
	m.comm = value_str(v[12]);
	sqlite3_result_int64(c, sqldb_sum(&m));
}

/* ---- reading ---- */

/* A row of a message query as a struct. */
static void
row_msg(sqlite3_stmt *s, bool heads, bool checked, struct store_msg *m)
{
	memset(m, 0, sizeof *m);
	m->id = sqlite3_column_int64(s, 0);
	m->queue = sqldb_column(s, 1);
	m->at_ns = sqlite3_column_int64(s, 2);
	m->held = sqlite3_column_int(s, 3);
	m->re_id = sqlite3_column_int64(s, 4);
	m->origin = sqldb_column(s, 5);
	m->reply_to = sqldb_column(s, 6);
	m->re_queue = sqldb_column(s, 7);
	m->key = sqldb_column(s, 8);
	if (heads)
		m->payload.n = (size_t)sqlite3_column_int64(s, 9);
	else
		m->payload = sqldb_column(s, 9);
	if (!heads && m->payload.p == NULL)
		m->payload.p = "";
	m->pid = (uint32_t)sqlite3_column_int64(s, 10);
	m->uid = sqlite3_column_int64(s, 11);
	m->comm = sqldb_column(s, 12);
	/* a first version's has none; of a removed one only the beginning is
	 * read: it is checked when it is put back and read again */
	m->damaged = !heads && checked &&
	    sqlite3_column_type(s, 13) != SQLITE_NULL &&
	    sqlite3_column_int64(s, 13) != sqldb_sum(m);
}

/* Result of stepping to the end of a query. */
static enum store_rc
finish(sqlite3_stmt *s, int rc)
{
	sqlite3_reset(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? STORE_OK : STORE_IO;
}

/* A row in a damaged page. */
static struct store_msg
unreadable(int64_t id, int *rc)
{
	*rc = SQLITE_ROW;
	return (struct store_msg){.id = id, .damaged = true};
}

/* The rows of a get from the *i-th on, looked up one by one; a result of
 * SQLite. */
static int
get_each(sqlite3_stmt *s, struct store_op *op, uint32_t i)
{
	struct store_msg m;
	int rc = SQLITE_DONE;

	for (; i < op->u.get.n; i++) {
		sqlite3_bind_int64(s, 1, op->u.get.ids[i]);
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW)
			row_msg(s, false, true, &m);
		else if ((rc & 0xff) == SQLITE_CORRUPT)
			m = unreadable(op->u.get.ids[i], &rc);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			break;
		if (rc == SQLITE_ROW && op->u.get.row(op, &m) != 0)
			break;
		rc = SQLITE_DONE;
		sqlite3_reset(s);
	}
	return rc;
}

/* The same for ids that lie close together: one walk over all from the first to
 * the last.  *i is how far it came; after a damaged page the others have to be
 * looked up. */
static int
get_walk(sqlite3_stmt *s, struct store_op *op, uint32_t *i)
{
	const int64_t *ids = op->u.get.ids;
	uint32_t n = op->u.get.n;
	struct store_msg m;
	int rc;

	sqlite3_bind_int64(s, 1, ids[0]);
	sqlite3_bind_int64(s, 2, ids[n - 1]);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(s, 0);

		while (*i < n && ids[*i] < id)
			++*i; /* it has gone */
		if (*i == n || ids[*i] > id)
			continue;
		row_msg(s, false, true, &m);
		if (op->u.get.row(op, &m) != 0)
			break;
		++*i;
	}
	sqlite3_reset(s);
	return rc;
}

/* Do most ids between the first and the last belong to the get? */
static bool
is_dense(const struct store_op *op)
{
	const int64_t *ids = op->u.get.ids;
	uint32_t n = op->u.get.n;

	return n >= DENSE && ids[n - 1] - ids[0] < 2 * (int64_t)n;
}

/* The rows of a get. */
static enum store_rc
get_rows(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *each = sqldb_stmt(db, S_GET);
	sqlite3_stmt *walk = is_dense(op) ? sqldb_stmt(db, S_GET_WALK) : NULL;
	uint32_t i = 0;
	int rc;

	if (each == NULL)
		return STORE_IO;
	if (walk != NULL) {
		rc = get_walk(walk, op, &i);
		if ((rc & 0xff) != SQLITE_CORRUPT)
			return finish(walk, rc);
	}
	return finish(each, get_each(each, op, i));
}

/* Some messages, whole.  In one transaction: to begin one costs as much as to
 * read a row. */
static enum store_rc
read_get(struct sqldb *db, struct store_op *op)
{
	bool many = op->u.get.n > 1;
	enum store_rc rc;

	if (many && sqldb_run(db, S_BEGIN_READ) != SQLITE_OK)
		return STORE_IO;
	rc = get_rows(db, op);
	if (many && !sqlite3_get_autocommit(db->db))
		(void)sqldb_run(db, S_COMMIT); /* there is nothing to lose */
	return rc;
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
	sqlite3_stmt *s = sqldb_stmt(db, heads ? S_SCAN_HEADS : S_SCAN);
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
		row_msg(s, heads, true, &m);
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
	sqlite3_stmt *s = sqldb_stmt(db, S_LIST);
	uint32_t n = 0;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_blob64(s, 1,
	    op->u.list.prefix.n ? op->u.list.prefix.p : "", op->u.list.prefix.n,
	    SQLITE_STATIC);
	sqlite3_bind_blob64(s, 2, op->u.list.after.n ? op->u.list.after.p : "",
	    op->u.list.after.n, SQLITE_STATIC);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct str name = sqldb_column(s, 0);
		if (!str_starts(name, op->u.list.prefix))
			break;
		if (op->u.list.max != 0 && n++ == op->u.list.max)
			break;
		op->u.list.paused = sqlite3_column_int(s, 2) != 0;
		if (op->u.list.row(op, name, sqldb_column(s, 1)) != 0)
			break;
	}
	return finish(s, rc);
}

static enum store_rc
read_stat(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_STAT);
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqldb_bind(s, 1, op->u.stat.queue);
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
	sqlite3_stmt *s = sqldb_stmt(db, S_ANSWERS);
	uint32_t n = 0, max = op->u.answers.max, damaged = 0;
	int64_t id = 0;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_int64(s, 1, op->u.answers.after);
	op->u.answers.more = false;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (!sqlite3_column_int(s, 2)) {
			id = sqlite3_column_int64(s, 0);
			damaged++;
			continue;
		}
		if (max != 0 && n++ == max) {
			op->u.answers.more = true;
			break;
		}
		if (op->u.answers.row(op, sqlite3_column_int64(s, 0),
			sqlite3_column_int64(s, 1)) != 0)
			break;
	}
	if (damaged > 0)
		log_error("store",
		    "%u rows of `answered` are damaged and count for nothing,"
		    " the last with the id %lld: a request that has its reply"
		    " may be offered again",
		    damaged, (long long)id);
	return finish(s, rc);
}

static enum store_rc
read_removed(struct sqldb *db, struct store_op *op)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_REMOVED);
	struct str queue = op->u.removed.queue;
	uint32_t max = op->u.removed.max;
	struct store_gone g;
	int rc;

	if (s == NULL)
		return STORE_IO;
	sqlite3_bind_int64(s, 1, op->u.removed.after);
	sqldb_bind(s, 2, queue.n ? queue : (struct str){NULL, 0});
	sqlite3_bind_int64(s, 3, op->u.removed.act);
	sqlite3_bind_int64(s, 4, max ? (int64_t)max : -1);
	sqlite3_bind_int(s, 5, STORE_BEGINNING);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		row_msg(s, false, false, &g.msg);
		g.size = (uint64_t)sqlite3_column_int64(s, 13);
		g.act = sqlite3_column_int64(s, 14);
		g.gone_ns = sqlite3_column_int64(s, 15);
		g.why = sqlite3_column_int(s, 16);
		g.by = sqldb_column(s, 17);
		if (op->u.removed.row(op, &g) != 0)
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
	case STORE_REMOVED: return read_removed(db, op);
	default: return STORE_IO;
	}
}
