/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The tables of the first format of the database, as the first version made
 * them: what an upgrade begins with.  It never changes. */
#ifndef XMSG_TESTS_FORMAT1_H
#define XMSG_TESTS_FORMAT1_H

/* clang-format off */
#define FORMAT_1 \
    "PRAGMA journal_mode=WAL;" \
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1)," \
    " reserved INTEGER NOT NULL, boot_id TEXT NOT NULL," \
    " boot_first INTEGER NOT NULL) STRICT;" \
    "CREATE TABLE queue (qid INTEGER PRIMARY KEY AUTOINCREMENT," \
    " name BLOB NOT NULL UNIQUE, owner BLOB) STRICT;" \
    "CREATE TABLE message (id INTEGER PRIMARY KEY, qid INTEGER NOT NULL," \
    " at_ns INTEGER NOT NULL, held INTEGER NOT NULL, re_id INTEGER NOT NULL," \
    " origin BLOB NOT NULL, reply_to BLOB, re_queue BLOB, key BLOB," \
    " payload BLOB NOT NULL) STRICT;" \
    "CREATE TABLE answered (id INTEGER PRIMARY KEY, reply INTEGER NOT NULL)" \
    " STRICT;"
/* clang-format on */

#endif
