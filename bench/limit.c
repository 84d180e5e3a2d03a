/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The ceiling: how fast the disk under a folder takes what a durable broker
 * must give it, without any broker.  SQLite in WAL mode with synchronous=FULL
 * inserts rows, or inserts and deletes them, with 1, 16, 64 and 256 to a
 * commit; and a plain file takes blocks of 4 KiB with fdatasync, once growing
 * and once overwritten in place.  One thread, statements prepared once.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "hist.h"
#include "proc.h"
#include "report.h"
#include "xalloc.h"

#define BLOCK	    4096
#define FILE_BLOCKS 4096 /* of the file that is overwritten: 16 MiB */
#define KEEP	    1024 /* rows there are when insert+delete begins */

struct limit {
	const char *dir;
	char *path; /* of the file in use */
	double seconds;
	int payload, autocheckpoint;
	bool json;
	struct report out;
};

static const char usage[] =
    "usage: limit [--dir DIR] [--seconds S] [--payload N]\n"
    "             [--autocheckpoint PAGES] [--json]\n"
    "How fast DIR (default: .) takes durable writes.  S seconds (default 1)\n"
    "for each line of the table; rows of N bytes (default 512); SQLite\n"
    "checkpoints every PAGES pages of log (default 1000, its own).\n";

static const int batches[] = {1, 16, 64, 256};

/* A row of the table and its members of the JSON line. */
static void
put_row(struct limit *l, const char *name, const char *key, int batch,
    const struct hist *h, int64_t took_ns, int64_t cpu_us)
{
	double commits = (double)h->n * 1e9 / (double)took_ns;
	char k[64];
	static const struct {
		const char *key;
		double share;
	} lat[] = {{"p50_us", 0.5}, {"p99_us", 0.99}};
	unsigned i;

	snprintf(k, sizeof k, "%s_%d_commits", key, batch);
	report_num(&l->out, k, commits, NULL);
	snprintf(k, sizeof k, "%s_%d_rows", key, batch);
	report_num(&l->out, k, commits * batch, NULL);
	for (i = 0; i < sizeof lat / sizeof lat[0]; i++) {
		snprintf(k, sizeof k, "%s_%d_%s", key, batch, lat[i].key);
		report_num(
		    &l->out, k, (double)hist_at(h, lat[i].share) / 1e3, NULL);
	}
	snprintf(k, sizeof k, "%s_%d_cpu_us", key, batch);
	report_num(&l->out, k, (double)cpu_us / (double)h->n, NULL);
	report_line(&l->out, "%-26s %5d %10.0f %9.0f %7.0f %7.0f %7.0f", name,
	    batch, commits, commits * batch, (double)hist_at(h, 0.5) / 1e3,
	    (double)hist_at(h, 0.99) / 1e3, (double)cpu_us / (double)h->n);
}

/* A fresh file name in the folder; ours to remove. */
static void
new_path(struct limit *l, const char *name)
{
	free(l->path);
	l->path = xasprintf("%s/limit-%ld.%s", l->dir, (long)getpid(), name);
}

/* Remove the file and what SQLite puts beside it. */
static void
remove_files(struct limit *l)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	unsigned i;

	for (i = 0; l->path != NULL && i < 3; i++) {
		char *p = xasprintf("%s%s", l->path, suffix[i]);

		unlink(p);
		free(p);
	}
}

/* ---- SQLite ---- */

struct table {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *insert, *delete;
	char *payload;
	int payload_n;
	sqlite3_int64 next, oldest; /* ids */
};

/* Open a database of ours and prepare everything. */
static int
table_open(struct table *t, struct limit *l, struct err *e)
{
	static const char schema[] =
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE m(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT";
	const struct {
		sqlite3_stmt **to;
		const char *sql;
	} row[] = {{&t->begin, "BEGIN IMMEDIATE"}, {&t->commit, "COMMIT"},
	    {&t->insert, "INSERT INTO m(id, body) VALUES(?, ?)"},
	    {&t->delete, "DELETE FROM m WHERE id=?"}};
	unsigned i;

	new_path(l, "db");
	if (sqlite3_open(l->path, &t->db) != SQLITE_OK ||
	    sqlite3_exec(t->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return err_set(
		    e, EIO, "%s: %s", l->path, sqlite3_errmsg(t->db));
	sqlite3_wal_autocheckpoint(t->db, l->autocheckpoint);
	for (i = 0; i < sizeof row / sizeof row[0]; i++)
		if (sqlite3_prepare_v2(
			t->db, row[i].sql, -1, row[i].to, NULL) != SQLITE_OK)
			return err_set(e, EIO, "%s: %s", row[i].sql,
			    sqlite3_errmsg(t->db));
	t->payload_n = l->payload;
	t->payload = xmalloc((size_t)l->payload);
	memset(t->payload, 'x', (size_t)l->payload);
	return 0;
}

/* Close it; also after a table_open that failed. */
static void
table_close(struct table *t)
{
	sqlite3_finalize(t->begin);
	sqlite3_finalize(t->commit);
	sqlite3_finalize(t->insert);
	sqlite3_finalize(t->delete);
	sqlite3_close(t->db);
	free(t->payload);
}

/* Run a prepared statement that gives no rows. */
static int
step(struct table *t, sqlite3_stmt *s, struct err *e)
{
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	if (rc != SQLITE_DONE)
		return err_set(e, EIO, "SQLite: %s", sqlite3_errmsg(t->db));
	return 0;
}

/* One commit of n rows in and, with `del`, the n oldest out. */
static int
table_commit(struct table *t, int n, bool del, struct err *e)
{
	int i;

	if (step(t, t->begin, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		sqlite3_bind_int64(t->insert, 1, t->next++);
		sqlite3_bind_blob(
		    t->insert, 2, t->payload, t->payload_n, SQLITE_STATIC);
		if (step(t, t->insert, e) < 0)
			return -1;
		if (!del)
			continue;
		sqlite3_bind_int64(t->delete, 1, t->oldest++);
		if (step(t, t->delete, e) < 0)
			return -1;
	}
	return step(t, t->commit, e);
}

/* One line of the table: commits for some seconds in a new database. */
static int
measure_sqlite(struct limit *l, int batch, bool del, struct err *e)
{
	struct table t = {.next = 1, .oldest = 1};
	int64_t begin, end, now, cpu;
	struct hist h;
	int rc;

	hist_init(&h);
	rc = table_open(&t, l, e);
	if (rc == 0 && del)
		rc = table_commit(&t, KEEP, false, e);
	cpu = proc_own_cpu_us();
	begin = now = clock_mono_ns();
	end = begin + (int64_t)(l->seconds * 1e9);
	while (rc == 0 && now < end) {
		int64_t before = now;

		rc = table_commit(&t, batch, del, e);
		now = clock_mono_ns();
		hist_add(&h, now - before);
	}
	cpu = proc_own_cpu_us() - cpu;
	table_close(&t);
	remove_files(l);
	if (rc == 0)
		put_row(l, del ? "sqlite insert+delete" : "sqlite insert",
		    del ? "insdel" : "insert", batch, &h, now - begin, cpu);
	return rc;
}

/* ---- a plain file ---- */

/* Write block number i and wait until the disk has it. */
static int
put_block(int fd, const char *block, int64_t i, struct err *e)
{
	if (pwrite(fd, block, BLOCK, i * BLOCK) != BLOCK)
		return err_errno(e, "pwrite");
	if (fdatasync(fd) < 0)
		return err_errno(e, "fdatasync");
	return 0;
}

/* Fill the file so that its blocks are there to be overwritten. */
static int
prepare_file(int fd, const char *block, struct err *e)
{
	int i;

	for (i = 0; i < FILE_BLOCKS; i++)
		if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			return err_errno(e, "pwrite");
	if (fsync(fd) < 0)
		return err_errno(e, "fsync");
	return 0;
}

/* One line of the table: blocks for some seconds. */
static int
measure_file(struct limit *l, bool growing, struct err *e)
{
	static const char block[BLOCK] = "x";
	int64_t begin, end, now, cpu, i = 0;
	struct hist h;
	int fd, rc = 0;

	hist_init(&h);
	new_path(l, "dat");
	fd = open(l->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "%s", l->path);
	if (!growing)
		rc = prepare_file(fd, block, e);
	cpu = proc_own_cpu_us();
	begin = now = clock_mono_ns();
	end = begin + (int64_t)(l->seconds * 1e9);
	for (; rc == 0 && now < end; i++) {
		int64_t before = now;

		rc = put_block(fd, block, growing ? i : i % FILE_BLOCKS, e);
		now = clock_mono_ns();
		hist_add(&h, now - before);
	}
	cpu = proc_own_cpu_us() - cpu;
	close(fd);
	remove_files(l);
	if (rc == 0)
		put_row(l,
		    growing ? "4 KiB fdatasync, growing"
			    : "4 KiB fdatasync, in place",
		    growing ? "grow" : "overwrite", 1, &h, now - begin, cpu);
	return rc;
}

/* Every line of the table. */
static int
measure(struct limit *l, struct err *e)
{
	int64_t began = clock_mono_ns(), others;
	unsigned i, del;

	others = proc_all_cpu_us() - proc_own_cpu_us();
	report_text(&l->out, "mode", "limit", NULL);
	report_text(&l->out, "dir", l->dir, NULL);
	report_int(&l->out, "payload", l->payload, NULL);
	report_line(&l->out, "%-26s %5s %10s %9s %7s %7s %7s", "ceiling",
	    "batch", "commits/s", "rows/s", "p50 us", "p99 us", "CPU us");
	for (del = 0; del < 2; del++)
		for (i = 0; i < sizeof batches / sizeof batches[0]; i++)
			if (measure_sqlite(l, batches[i], del != 0, e) < 0)
				return -1;
	if (measure_file(l, true, e) < 0 || measure_file(l, false, e) < 0)
		return -1;
	others = proc_all_cpu_us() - proc_own_cpu_us() - others;
	report_num(&l->out, "other_cores",
	    (double)others * 1e3 / (double)(clock_mono_ns() - began),
	    "everything else: cores used");
	return 0;
}

/* Options into l; the exit status when it ends here, else -1. */
static int
read_options(struct limit *l, int argc, char **argv)
{
	static const struct option opts[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"seconds", required_argument, NULL, 's'},
	    {"payload", required_argument, NULL, 'p'},
	    {"autocheckpoint", required_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 'd': l->dir = optarg; break;
		case 's': l->seconds = atof(optarg); break;
		case 'p': l->payload = atoi(optarg); break;
		case 'a': l->autocheckpoint = atoi(optarg); break;
		case 'j': l->json = true; break;
		case 'h': fputs(usage, stdout); return EX_OK;
		default: fputs(usage, stderr); return EX_USAGE;
		}
	if (optind == argc && l->seconds > 0 && l->payload > 0)
		return -1;
	fputs(usage, stderr);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	struct limit l = {
	    .dir = ".", .seconds = 1, .payload = 512, .autocheckpoint = 1000};
	struct err e = {0};
	int rc = read_options(&l, argc, argv);

	if (rc >= 0)
		return rc;
	report_init(&l.out);
	rc = measure(&l, &e);
	if (rc < 0) {
		fprintf(stderr, "limit: %s\n", e.text);
		remove_files(&l);
	} else {
		rc = report_print(&l.out, l.json);
	}
	report_fini(&l.out);
	free(l.path);
	return rc == 0 ? EX_OK : EX_IOERR;
}
