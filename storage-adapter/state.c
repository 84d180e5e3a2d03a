/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The state in SQLite.  Reads go to the database too: a lookup is some
 * microseconds, and there is nothing to keep in step.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "sexp.h"
#include "xalloc.h"

#define BUSY_MS 5000

enum stmt {
	SR_GET,
	SR_PUT,
	SR_DEL,
	SR_ALL,
	SR_ADOPT,
	EPOCH_GET,
	EPOCH_PUT,
	EPOCH_DEL,
	N_STMT
};

static const char *const sql[N_STMT] = {
    [SR_GET] = "SELECT queue, sr, handle, config, uids, at_ns FROM attached"
	       " WHERE sr = ?2 AND queue = ?1",
    [SR_PUT] = "INSERT OR REPLACE INTO attached VALUES (?1,?2,?3,?4,?5,?6)",
    [SR_DEL] = "DELETE FROM attached WHERE queue = ?1 AND sr = ?2",
    [SR_ALL] = "SELECT queue, sr, handle, config, uids, at_ns FROM attached"
	       " WHERE ?1 IS NULL OR queue IN (?1, '') ORDER BY queue, sr",
    [SR_ADOPT] = "UPDATE attached SET queue = ?1 WHERE sr = ?2 AND queue = ''"
		 " AND NOT EXISTS (SELECT 1 FROM attached WHERE queue = ?1"
		 " AND sr = ?2)",
    [EPOCH_GET] =
	"SELECT scheme FROM epoch WHERE queue = ?1 AND sr = ?2 AND vdi = ?3",
    [EPOCH_PUT] = "INSERT OR REPLACE INTO epoch VALUES (?1, ?2, ?3, ?4)",
    [EPOCH_DEL] = "DELETE FROM epoch WHERE queue = ?1 AND sr = ?2"
		  " AND vdi = ?3",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS attached ("
    " queue TEXT NOT NULL, sr TEXT NOT NULL, handle TEXT NOT NULL,"
    " config TEXT NOT NULL, uids TEXT NOT NULL, at_ns INTEGER NOT NULL,"
    " PRIMARY KEY (queue, sr)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS epoch ("
    " queue TEXT NOT NULL, sr TEXT NOT NULL, vdi TEXT NOT NULL,"
    " scheme TEXT NOT NULL,"
    " PRIMARY KEY (queue, sr, vdi)) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

struct state {
	sqlite3 *db;
	sqlite3_stmt *s[N_STMT];
	char *lent[5]; /* what state_sr_get or state_epoch_get lent last */
};

/* ---- opening ---- */

/* Set e from the database. */
static int
fail(struct state *st, struct err *e, const char *doing)
{
	return err_set(e, EIO, "state.db: cannot %s: %s", doing,
	    st->db ? sqlite3_errmsg(st->db) : "out of memory");
}

/* Settings of one connection (promises D5). */
static int
configure(struct state *st)
{
	static const int on[] = {
	    SQLITE_DBCONFIG_DEFENSIVE,
	};
	static const int off[] = {
	    SQLITE_DBCONFIG_TRUSTED_SCHEMA,
	    SQLITE_DBCONFIG_DQS_DML,
	    SQLITE_DBCONFIG_DQS_DDL,
	};
	size_t i;

	for (i = 0; i < sizeof on / sizeof *on; i++)
		sqlite3_db_config(st->db, on[i], 1, NULL);
	for (i = 0; i < sizeof off / sizeof *off; i++)
		sqlite3_db_config(st->db, off[i], 0, NULL);
	sqlite3_extended_result_codes(st->db, 1);
	sqlite3_busy_timeout(st->db, BUSY_MS);
	return sqlite3_exec(st->db,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;"
	    "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
	    NULL, NULL, NULL);
}

/* The answer of quick_check is "ok"? */
static bool
sound(struct state *st)
{
	sqlite3_stmt *s;
	bool ok = false;

	if (sqlite3_prepare_v2(st->db, "PRAGMA quick_check(1)", -1, &s, NULL))
		return false;
	if (sqlite3_step(s) == SQLITE_ROW)
		ok = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0;
	return sqlite3_finalize(s) == SQLITE_OK && ok;
}

/* Close the connection, keep the struct. */
static void
disconnect(struct state *st)
{
	for (int i = 0; i < N_STMT; i++)
		sqlite3_finalize(st->s[i]);
	sqlite3_close(st->db);
	for (int i = 0; i < 5; i++)
		free(st->lent[i]);
	memset(st, 0, sizeof *st);
}

/* Connect, check, make the tables; the SQLite result. */
static int
connect_to(struct state *st, const char *path)
{
	int rc = sqlite3_open_v2(path, &st->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_NOMUTEX,
	    NULL);

	if (rc == SQLITE_OK)
		rc = configure(st);
	if (rc == SQLITE_OK && !sound(st))
		rc = SQLITE_CORRUPT;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(st->db, schema, NULL, NULL, NULL);
	for (int i = 0; i < N_STMT && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(st->db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &st->s[i], NULL);
	return rc;
}

/* Would a fresh file help? */
static bool
damaged(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* tables of another shape */
	case SQLITE_FORMAT: return true;
	default: return false;
	}
}

/* Give the files other names, so that nothing is lost for whoever looks. */
static int
set_aside(const char *path, struct err *e)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	int64_t now = clock_wall_ns() / NS_PER_SEC;
	char from[4200], to[4300];

	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(from, sizeof from, "%s%s", path, tails[i]);
		snprintf(to, sizeof to, "%s.bad-%lld%s", path, (long long)now,
		    tails[i]);
		if (rename(from, to) == -1 && errno != ENOENT)
			return err_errno(e, "cannot set %s aside", from);
	}
	log_error("state",
	    "%s is damaged and was set aside as %s.bad-%lld; attached SRs are"
	    " forgotten: plug their PBDs again",
	    path, path, (long long)now);
	return 0;
}

/* What was attached before the machine restarted is not any more. */
static int
drop_other_boot(struct state *st, const char *boot, struct err *e)
{
	sqlite3_stmt *s;
	int rc;

	if (sqlite3_exec(st->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(st->db,
		"INSERT INTO meta VALUES (1, ?1) ON CONFLICT (one) DO UPDATE"
		" SET boot = ?1 WHERE boot <> ?1",
		-1, &s, NULL))
		return fail(st, e, "begin");
	sqlite3_bind_text(s, 1, boot, -1, SQLITE_STATIC);
	sqlite3_step(s);
	if (sqlite3_finalize(s) != SQLITE_OK)
		return fail(st, e, "note the boot");
	rc = SQLITE_OK;
	if (sqlite3_changes(st->db) > 0)
		rc = sqlite3_exec(st->db,
		    "DELETE FROM attached; DELETE FROM epoch", NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(st->db, "COMMIT", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(st, e, "begin a new boot");
}

struct state *
state_open(const char *dir, const char *boot, struct err *e)
{
	struct state *st = xcalloc(1, sizeof *st);
	char path[4096];
	int rc;
	mode_t mask;

	if (snprintf(path, sizeof path, "%s/state.db", dir) >=
	    (int)sizeof path) {
		err_set(e, ENAMETOOLONG, "%s: the name is too long", dir);
		goto bad;
	}
	mask = umask(077);
	rc = connect_to(st, path);
	if (damaged(rc)) {
		disconnect(st);
		if (set_aside(path, e) == -1) {
			umask(mask);
			goto bad;
		}
		rc = connect_to(st, path);
	}
	umask(mask);
	if (rc != SQLITE_OK) {
		err_set(e, EIO, "cannot open %s: %s", path,
		    st->db ? sqlite3_errmsg(st->db) : sqlite3_errstr(rc));
		goto bad;
	}
	if (drop_other_boot(st, boot, e) == 0)
		return st;
bad:
	state_close(st);
	return NULL;
}

void
state_close(struct state *st)
{
	if (st == NULL)
		return;
	disconnect(st);
	free(st);
}

/* ---- statements ---- */

/* A statement with its text parameters bound, ready to step. */
static sqlite3_stmt *
bind(struct state *st, enum stmt i, const char *a, const char *b, const char *c)
{
	sqlite3_stmt *s = st->s[i];
	const char *v[] = {a, b, c};

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	for (int k = 0; k < 3; k++)
		if (v[k] != NULL)
			sqlite3_bind_text(s, k + 1, v[k], -1, SQLITE_STATIC);
	return s;
}

/* Run one that gives no rows. */
static int
run(struct state *st, sqlite3_stmt *s, struct err *e, const char *doing)
{
	int rc = sqlite3_step(s);

	if (rc != SQLITE_DONE)
		fail(st, e, doing);
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* A column as text, "" for none. */
static const char *
text(sqlite3_stmt *s, int i)
{
	const char *p = (const char *)sqlite3_column_text(s, i);

	return p ? p : "";
}

static void
row(sqlite3_stmt *s, struct state_sr *out)
{
	*out = (struct state_sr){text(s, 0), text(s, 1), text(s, 2), text(s, 3),
	    text(s, 4), sqlite3_column_int64(s, 5)};
}

/* A copy that lives until it is replaced: a statement must not stay open. */
static const char *
lend(struct state *st, int i, const char *p)
{
	free(st->lent[i]);
	return st->lent[i] = xstrdup(p);
}

static void
lend_row(struct state *st, sqlite3_stmt *s, struct state_sr *out)
{
	row(s, out);
	out->queue = lend(st, 0, out->queue);
	out->sr = lend(st, 1, out->sr);
	out->handle = lend(st, 2, out->handle);
	out->config = lend(st, 3, out->config);
	out->uids = lend(st, 4, out->uids);
}

int
state_sr_get(struct state *st, const char *queue, const char *sr,
    struct state_sr *out, struct err *e)
{
	for (int tries = 0; tries < 2; tries++) {
		sqlite3_stmt *s = bind(st, SR_GET, queue, sr, NULL);
		int rc = sqlite3_step(s);

		if (rc == SQLITE_ROW)
			lend_row(st, s, out);
		else if (rc != SQLITE_DONE)
			fail(st, e, "look up an SR");
		sqlite3_reset(s);
		if (rc != SQLITE_DONE)
			return rc == SQLITE_ROW ? 1 : -1;
		/* one taken over from the original belongs to who asks */
		if (run(st, bind(st, SR_ADOPT, queue, sr, NULL), e,
			"take over an SR") == -1)
			return -1;
		if (sqlite3_changes(st->db) == 0)
			break;
	}
	return 0;
}

int
state_sr_put(struct state *st, const struct state_sr *in, struct err *e)
{
	sqlite3_stmt *s = bind(st, SR_PUT, in->queue, in->sr, in->handle);

	sqlite3_bind_text(s, 4, in->config, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, in->uids, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 6, in->at_ns);
	return run(st, s, e, "remember an attached SR");
}

int
state_sr_del(struct state *st, const char *queue, const char *sr, struct err *e)
{
	return run(st, bind(st, SR_DEL, queue, sr, NULL), e, "forget an SR");
}

int
state_sr_each(struct state *st, const char *queue,
    void (*fn)(const struct state_sr *, void *), void *arg, struct err *e)
{
	sqlite3_stmt *s = bind(st, SR_ALL, queue, NULL, NULL);
	struct state_sr sr;
	int rc;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		row(s, &sr);
		fn(&sr, arg);
	}
	if (rc != SQLITE_DONE)
		fail(st, e, "list SRs");
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
state_epoch_get(struct state *st, const char *queue, const char *sr,
    const char *vdi, const char **scheme, struct err *e)
{
	sqlite3_stmt *s = bind(st, EPOCH_GET, queue, sr, vdi);
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		*scheme = lend(st, 0, text(s, 0));
	else if (rc != SQLITE_DONE)
		fail(st, e, "look up an epoch");
	sqlite3_reset(s);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

int
state_epoch_set(struct state *st, const char *queue, const char *sr,
    const char *vdi, const char *scheme, struct err *e)
{
	sqlite3_stmt *s =
	    bind(st, scheme ? EPOCH_PUT : EPOCH_DEL, queue, sr, vdi);

	if (scheme != NULL)
		sqlite3_bind_text(s, 4, scheme, -1, SQLITE_STATIC);
	return run(st, s, e, "remember an epoch");
}

/* ---- the file of the original ---- */

/* One entry, from sexp_attached. */
static int
import_one(void *arg, const char *sr, const char *handle, const char *uids)
{
	struct state_sr row_ = {"", sr, handle, "{}", uids, clock_wall_ns()};

	return state_sr_put(arg, &row_, NULL);
}

int
state_import(struct state *st, const char *path, struct err *e)
{
	int n;

	if (sqlite3_exec(st->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return fail(st, e, "begin");
	n = sexp_attached(path, import_one, st, e);
	if (sqlite3_exec(st->db, n < 0 ? "ROLLBACK" : "COMMIT", NULL, NULL,
		NULL) != SQLITE_OK)
		return fail(st, e, "take over SRs");
	return n;
}
