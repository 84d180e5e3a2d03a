/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Settings: one table of rows describes every setting (name, type, default,
 * range, the sentence that explains it), and the file, the command line, the
 * listing and the test that compares with the manual all come from it.
 *
 * The file is INI (read with inih): [section], name = value, '#' and ';' start
 * comments.  Sizes take K, M, G (powers of 1024); times take ms, s, m, h and
 * are seconds without a unit.
 */
#ifndef XMSG_CONF_H
#define XMSG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum conf_type {
	CONF_INT, /* int64_t */
	CONF_SIZE, /* int64_t, bytes */
	CONF_TIME, /* int64_t, nanoseconds */
	CONF_BOOL, /* int64_t 0 or 1: yes/no, true/false, on/off, 1/0 */
	CONF_STR, /* char *, owned by the settings */
};

#define CONF_RELOAD 1u /* a reload (SIGHUP) may change it */

struct conf_row {
	const char *section, *name;
	enum conf_type type;
	size_t offset; /* in the struct the settings live in */
	const char *def; /* default, in the text form */
	int64_t min, max; /* INT, SIZE (bytes), TIME (ns); both 0 = no limit */
	unsigned flags;
	const char *help; /* one sentence */
};

/* Set every field to its default; the defaults must be valid. */
void conf_defaults(const struct conf_row *rows, size_t n, void *to);

/* Set one by "section.name"; -1 with a sentence when unknown or not valid. */
int conf_set(const struct conf_row *rows, size_t n, void *to, const char *key,
    const char *value, struct err *e);

/* Read a file; the first mistake ends it, with file and line in the text.
 * `to` may then be changed in part, so read into a copy with defaults. */
int conf_read(const struct conf_row *rows, size_t n, void *to, const char *path,
    struct err *e);

/* All settings as a file that conf_read would take, with their help. */
void conf_print(
    const struct conf_row *rows, size_t n, const void *from, struct buf *out);

/* Copy fields marked CONF_RELOAD from `from`; `from` keeps what it owns. For
 * every other field that differs, changed(arg, row) is called. */
void conf_reload(const struct conf_row *rows, size_t n, void *to,
    const void *from, void (*fixed)(void *arg, const struct conf_row *row),
    void *arg);

/* Free the strings. */
void conf_fini(const struct conf_row *rows, size_t n, void *of);

#endif
