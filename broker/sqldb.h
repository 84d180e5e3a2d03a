/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One SQLite connection to a switch's database: settings, schema, prepared
 * statements, and the translation of store operations to SQL.  The only file
 * that speaks SQLite.  Blocking; no threads of its own; a connection is used by
 * one thread at a time.  Schema and invariants: doc/store.md.
 */
#ifndef XMSG_SQLDB_H
#define XMSG_SQLDB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "store.h"

#define SQLDB_APPLICATION_ID 0x786d7367 /* "xmsg" */
#define SQLDB_VERSION	     3
#define SQLDB_RESERVE	     65536 /* ids made durable ahead of their use */

enum sqldb_mode {
	SQLDB_WRITER, /* creates and migrates; one per database */
	SQLDB_READER, /* second connection of the same process */
	SQLDB_INSPECTOR, /* read-only, also while another process writes */
};

struct sqldb;

/* NULL with a sentence: unreadable, foreign, newer or damaged database, no
 * permission, no space.  boot_id and wall_ns are for the writer. */
struct sqldb *sqldb_open(const char *path, enum sqldb_mode mode,
    const char *boot_id, int64_t wall_ns, struct err *e);
void sqldb_close(struct sqldb *db);

/* Ids: the last one that may have been given out, and the first of this boot. */
int64_t sqldb_last_id(const struct sqldb *db);
int64_t sqldb_boot_first(const struct sqldb *db);

/* The number of the last act of removing. */
int64_t sqldb_last_act(const struct sqldb *db);
/* How much of what is removed by hand is kept; 0, the default, is nothing. */
void sqldb_set_undo(struct sqldb *db, uint64_t bytes);
/* Drop what is kept and older than before_ns, or too much, some at a time;
 * returns how many, -1 on failure. */
int sqldb_prune(struct sqldb *db, int64_t before_ns);
/* Is there something for it to do? */
bool sqldb_prune_due(const struct sqldb *db, int64_t before_ns);

/* How a batch ended, besides the rc of its ops. */
enum sqldb_end {
	SQLDB_COMMITTED,
	SQLDB_ROLLED_BACK, /* every op has its rc; nothing is on disk */
	/* a sync failed or the file is damaged: end now.  rc tells apart what is
	 * not done (STORE_IO) and what may be (STORE_UNKNOWN) */
	SQLDB_BROKEN,
};

/* What may be tried on a disk with little room. */
enum sqldb_room {
	SQLDB_ANY,
	SQLDB_REPLIES, /* what frees room, and replies: callers wait for them */
	SQLDB_DELETES, /* what frees room */
};

/* Apply write ops (a list by `link`, chains marked by STORE_LINK) in one
 * transaction and sync.  Sets every op's rc and results; what is not to be tried
 * gets STORE_FULL. */
enum sqldb_end sqldb_apply(
    struct sqldb *db, struct store_op *ops, enum sqldb_room room);

/* A read op; rows go to its row() at once, so call it where row() may run. */
enum store_rc sqldb_read(struct sqldb *db, struct store_op *op);

/* Remove messages of destroyed queues, some at a time; returns how many, 0 when
 * none are left, -1 on failure. */
int sqldb_sweep(struct sqldb *db, int most);
bool sqldb_sweep_due(const struct sqldb *db);

/* Forget some answers to requests that are gone, beyond the newest `keep`;
 * returns how many, -1 on failure.  sqldb_answers_new: noted since the last
 * call that found nothing to forget. */
int sqldb_forget_answers(struct sqldb *db, int keep);
int sqldb_answers_new(const struct sqldb *db);

/* Move the log into the database without waiting for anybody, or, when it is to
 * be emptied, for readers a tenth of a second. frames gets the
 * frames in the log, done those moved; true when it could run. truncate also
 * empties the log file. */
bool sqldb_checkpoint(struct sqldb *db, bool truncate, int *frames, int *done);

/* A write failed for good, in any of the above: nothing may be written or
 * promised any more. */
bool sqldb_broken(const struct sqldb *db);

/* Frames in the log after the last commit of this connection. */
int sqldb_wal_frames(const struct sqldb *db);

/* From now on SQLite's memory is wiped before it is given back.  Before SQLite is
 * used. */
void sqldb_wipe_freed(void);

/* What SQLite said last. */
const char *sqldb_errmsg(const struct sqldb *db);

#endif
