/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* SQLite's own tools, with a time limit. */
#include "dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define STEPS 10000 /* of SQLite's machine between two looks at the clock */
#define PAGES 256 /* copied between two looks */

/* Bytes. */
int64_t
dbfile_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static sqlite3 *
open_db(const char *path, int flags, struct err *e)
{
	sqlite3 *db = NULL;

	flags |= SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, 1000);
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		return db;
	}
	(void)err_set(
	    e, 1, "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
	sqlite3_close(db);
	return NULL;
}

static int
is_late(void *end)
{
	return clock_mono_ns() > *(int64_t *)end;
}

/* Rows of the check; one row "ok" is good. */
static enum dbfile_rc
rows(sqlite3 *db, const char *sql, struct buf *b, struct err *e)
{
	enum dbfile_rc rc = DBFILE_OK;
	sqlite3_stmt *st = NULL;
	int step = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	while (step == SQLITE_OK || step == SQLITE_ROW) {
		const char *text;

		step = sqlite3_step(st);
		if (step != SQLITE_ROW)
			break;
		text = (const char *)sqlite3_column_text(st, 0);
		if (text == NULL || strcmp(text, "ok") == 0)
			continue;
		rc = DBFILE_BAD;
		buf_addf(b, "%s\n", text);
	}
	if (step == SQLITE_INTERRUPT)
		rc = DBFILE_TIME;
	else if (step == SQLITE_CORRUPT || step == SQLITE_NOTADB)
		rc = DBFILE_BAD;
	else if (step != SQLITE_DONE)
		rc = DBFILE_FAILED;
	if (step != SQLITE_DONE)
		(void)err_set(e, step, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(st);
	return rc;
}

/* Is it sound? */
enum dbfile_rc
dbfile_check(
    const char *path, bool deep, int limit_ms, struct buf *b, struct err *e)
{
	int64_t end = clock_mono_ns() + limit_ms * NS_PER_MS;
	sqlite3 *db = open_db(path, SQLITE_OPEN_READONLY, e);
	enum dbfile_rc rc;

	if (db == NULL)
		return DBFILE_FAILED;
	sqlite3_progress_handler(db, STEPS, is_late, &end);
	rc = rows(db,
	    deep ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(20)", b,
	    e);
	sqlite3_close(db);
	return rc;
}

static enum dbfile_rc
copy(sqlite3 *from, sqlite3 *to, int64_t end, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (b == NULL) {
		(void)err_set(e, 1, "%s", sqlite3_errmsg(to));
		return DBFILE_FAILED;
	}
	while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		if (is_late(&end))
			break;
		rc = sqlite3_backup_step(b, PAGES);
	}
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return DBFILE_OK;
	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		(void)err_set(e, rc, "the time limit passed");
		return DBFILE_TIME;
	}
	(void)err_set(e, rc, "%s", sqlite3_errmsg(to));
	return DBFILE_FAILED;
}

/* What was copied is on the disk. */
static int
sync_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd == -1)
		return err_errno(e, "%s", path);
	rc = fsync(fd) == -1 ? err_errno(e, "%s", path) : 0;
	close(fd);
	return rc;
}

/* Copy it.  A read transaction keeps the moment. */
enum dbfile_rc
dbfile_backup(const char *path, const char *to, int limit_ms, struct err *e)
{
	int64_t end = clock_mono_ns() + limit_ms * NS_PER_MS;
	sqlite3 *from = open_db(path, SQLITE_OPEN_READONLY, e), *db;
	enum dbfile_rc rc = DBFILE_FAILED;
	int fd;

	if (from == NULL)
		return DBFILE_FAILED;
	fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		(void)err_errno(e, "%s", to);
		sqlite3_close(from);
		return DBFILE_FAILED;
	}
	close(fd);
	db = open_db(to, SQLITE_OPEN_READWRITE, e);
	if (db != NULL &&
	    sqlite3_exec(from, "BEGIN; SELECT 1 FROM sqlite_schema", NULL, NULL,
		NULL) == SQLITE_OK)
		rc = copy(from, db, end, e);
	else if (db != NULL)
		(void)err_set(e, 1, "%s: %s", path, sqlite3_errmsg(from));
	sqlite3_close(db);
	sqlite3_close(from);
	if (rc == DBFILE_OK && sync_file(to, e) == -1)
		rc = DBFILE_FAILED;
	if (rc != DBFILE_OK)
		unlink(to);
	return rc;
}

/* Write it anew. */
enum dbfile_rc
dbfile_compact(const char *path, struct err *e)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READWRITE, e);
	int rc;

	if (db == NULL)
		return DBFILE_FAILED;
	rc = sqlite3_exec(db,
	    "PRAGMA synchronous=FULL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)",
	    NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		(void)err_set(e, rc, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	return rc == SQLITE_OK ? DBFILE_OK : DBFILE_FAILED;
}
