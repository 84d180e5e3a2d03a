/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Housekeeping in the database: messages of destroyed queues, old answers, the
 * log, and what was removed by hand and is kept for a while. */
#include "sqldb_int.h"

#define READER_MS 100 /* for readers, before emptying the log */

/* Delete some messages of destroyed queues. */
int
sqldb_sweep(struct sqldb *db, int most)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_SWEEP);
	int n, rc;

	if (s == NULL)
		return -1;
	sqlite3_bind_int(s, 1, most);
	rc = sqldb_run(db, S_SWEEP);
	if (rc != SQLITE_OK)
		return sqldb_fatal(db, rc), -1;
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
	sqlite3_stmt *s = sqldb_stmt(db, S_FORGET);
	int n, rc;

	if (s == NULL)
		return -1;
	sqlite3_bind_int(s, 1, keep);
	rc = sqldb_run(db, S_FORGET);
	if (rc != SQLITE_OK)
		return sqldb_fatal(db, rc), -1;
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
	int mode =
	    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int rc;

	sqlite3_busy_timeout(db->db, READER_MS);
	rc = sqlite3_wal_checkpoint_v2(db->db, NULL, mode, frames, done);
	sqlite3_busy_timeout(db->db, SQLDB_BUSY_MS);
	if (rc == SQLITE_OK && truncate)
		db->wal_frames = 0;
	return !sqldb_fatal(db, rc) && rc == SQLITE_OK;
}

/* Sum up what is kept; what is above the limit, or -1. */
static int64_t
kept_too_much(struct sqldb *db)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_PRUNE_SUM);
	int64_t over = -1;

	if (s == NULL)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW) {
		db->oldest_ns = sqlite3_column_int64(s, 0);
		over = sqlite3_column_int64(s, 1) - (int64_t)db->undo_bytes;
		over = over > 0 ? over : 0;
	}
	sqlite3_reset(s);
	return over;
}

/* Bind the place up to which `over` bytes are found, from the oldest on; false
 * when it could not be read. */
static bool
find_upto(struct sqldb *db, int64_t over, sqlite3_stmt *upto)
{
	sqlite3_stmt *s = sqldb_stmt(db, S_PRUNE_WALK);
	int rc = SQLITE_DONE;

	if (s == NULL)
		return false;
	while (over > 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		sqlite3_bind_int64(upto, 1, sqlite3_column_int64(s, 0));
		sqlite3_bind_int64(upto, 2, sqlite3_column_int64(s, 1));
		over -= sqlite3_column_int64(s, 2);
	}
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* Drop some of what is kept. */
int
sqldb_prune(struct sqldb *db, int64_t before_ns)
{
	int64_t over = kept_too_much(db);
	int which = over > 0 ? S_PRUNE_UPTO : S_PRUNE_OLD, rc;
	sqlite3_stmt *s = sqldb_stmt(db, which);

	if (over < 0 || s == NULL || (over > 0 && !find_upto(db, over, s)))
		return -1;
	if (over == 0)
		sqlite3_bind_int64(s, 1, before_ns);
	rc = sqldb_run(db, which);
	if (rc != SQLITE_OK)
		return sqldb_fatal(db, rc), -1;
	rc = sqlite3_changes(db->db);
	db->prune = rc > 0;
	return rc;
}

/* Has something been kept since, or become too old? */
bool
sqldb_prune_due(const struct sqldb *db, int64_t before_ns)
{
	return db->prune || (db->oldest_ns != 0 && db->oldest_ns < before_ns);
}

/* The limit. */
void
sqldb_set_undo(struct sqldb *db, uint64_t bytes)
{
	db->undo_bytes = bytes < INT64_MAX ? bytes : INT64_MAX;
	db->prune = true;
}

/* The last act. */
int64_t
sqldb_last_act(const struct sqldb *db)
{
	return db->acts;
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
