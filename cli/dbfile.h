/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The database as a file: is it sound, a copy of it, a smaller one.  The one
 * file of the command line that speaks SQLite. */
#ifndef XMSG_CLI_DBFILE_H
#define XMSG_CLI_DBFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum dbfile_rc { DBFILE_OK, DBFILE_BAD, DBFILE_TIME, DBFILE_FAILED };

/* Look through it, read-only, also while a broker writes; `deep` compares the
 * indexes, too.  Lines about what is wrong go to b. */
enum dbfile_rc dbfile_check(
    const char *path, bool deep, int limit_ms, struct buf *b, struct err *e);

/* Copy it as it is at one moment, also while a broker writes.  The copy must
 * not be there yet. */
enum dbfile_rc dbfile_backup(
    const char *path, const char *to, int limit_ms, struct err *e);

/* Write it anew without gaps.  Nobody else may have it open. */
enum dbfile_rc dbfile_compact(const char *path, struct err *e);

/* Bytes of a file; -1 when there is none. */
int64_t dbfile_size(const char *path);

#endif
