/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the files of sqldb share: the connection, its statements, and the
 * writer's map of queues.
 */
#ifndef XMSG_SQLDB_INT_H
#define XMSG_SQLDB_INT_H

#include <sqlite3.h>

#include "map.h"
#include "sqldb.h"

#define SQLDB_BUSY_MS 5000 /* how long to wait for another process */

/* The writer's map from name to queue, so that a send costs no look-up. */
struct qent {
	UT_hash_handle hh;
	int64_t qid;
	struct str name;
	bool gone; /* destroyed in the transaction that is open */
	bool born; /* created in it */
	bool has_rows; /* destroyed with messages left to sweep */
	bool listed; /* in sqldb.changed */
	char bytes[];
};

/* Statements, prepared once. */
enum {
	S_BEGIN,
	S_BEGIN_READ,
	S_COMMIT,
	S_ROLLBACK,
	S_RESERVE,
	S_QUEUE_ADD,
	S_QUEUE_DEL,
	S_MSG_ADD,
	S_MSG_DEL,
	S_MSG_MARK,
	S_ANSWER,
	S_GET,
	S_GET_WALK,
	S_SCAN,
	S_SCAN_HEADS,
	S_LIST,
	S_STAT,
	S_ANSWERS,
	S_SWEEP,
	S_FORGET,
	S_ACTS,
	S_PAUSE,
	S_KEEP,
	S_KEPT,
	S_RESTORE,
	S_BACK,
	S_KEPT_DEL,
	S_REMOVED,
	S_PRUNE_SUM,
	S_PRUNE_OLD,
	S_PRUNE_WALK,
	S_PRUNE_UPTO,
	S_N
};

struct sqldb {
	sqlite3 *db;
	enum sqldb_mode mode;
	sqlite3_stmt *st[S_N];
	struct qent *queues; /* by name; the writer's */
	struct qent **changed; /* born or gone in the open transaction */
	size_t nchanged, cap_changed;
	int64_t next_id, reserved, boot_first;
	int64_t version; /* of the schema in the file */
	int64_t acts; /* number of the last act */
	uint64_t undo_bytes; /* limit on what is kept */
	int64_t oldest_ns; /* of what is kept; 0: nothing, or not known */
	bool prune; /* something was kept since the last look */
	int wal_frames, answers_new;
	bool sweep_due; /* messages of destroyed queues may be left */
	bool tight; /* the batch at hand must not need room */
	bool broken; /* a write failed for good: no more writes */
	int why; /* code of what broke it */
};

/* sqldb.c: a prepared statement (NULL: the error is in the connection); run one
 * that gives no rows (a SQLite result code); borrowed bytes in and out. */
sqlite3_stmt *sqldb_stmt(struct sqldb *db, int which);
int sqldb_run(struct sqldb *db, int which);
void sqldb_bind(sqlite3_stmt *s, int i, struct str v);
struct str sqldb_column(sqlite3_stmt *s, int i);

/* sqldb_log.c: the layer that the writer's files are opened with. */
const char *sqldb_log_layer(void);

/* sqldb_read.c: what message.sum must be; the same as a function of SQL, of the
 * columns of a whole row. */
#define SQLDB_SUM_COLUMNS 13
int64_t sqldb_sum(const struct store_msg *m);
void sqldb_sum_row(sqlite3_context *c, int n, sqlite3_value **v);

/* sqldb_write.c: after this result nothing must be written any more; the map. */
bool sqldb_fatal(struct sqldb *db, int rc);
struct qent *qent_add(struct sqldb *db, struct str name, int64_t qid);
void qent_del(struct sqldb *db, struct qent *q);

#endif
