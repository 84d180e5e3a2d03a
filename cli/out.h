/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The one way to standard output.  The same calls give a table for people or
 * one JSON object a line for programs.  Only whole lines are written, at once
 * when somebody may be waiting for them.  All text is made safe here.
 */
#ifndef XMSG_CLI_OUT_H
#define XMSG_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "str.h"

#define OUT_SCHEMA  1 /* of the JSON; grows when a field changes its meaning */
#define OUT_COLUMNS 32

enum col_type {
	COL_TEXT,
	COL_INT,
	COL_SIZE, /* bytes */
	COL_AGE, /* seconds ago */
	COL_TOOK, /* seconds */
	COL_RATE, /* a second */
	COL_TIME, /* seconds since 1970 */
	COL_BOOL,
};

struct col {
	const char *key; /* in JSON, and in --columns */
	const char *title; /* above the table */
	enum col_type type;
	bool extra; /* shown to people only when --columns names it */
	const char *help; /* for the manual's check and --columns=help */
};

enum paint { PAINT_NONE, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

struct cell {
	enum { CELL_NULL, CELL_TEXT, CELL_INT, CELL_REAL } is;
	char *text; /* owned */
	size_t n;
	int64_t i;
	double r;
	enum paint paint;
};

struct out {
	/* what was asked for */
	bool json, utc, no_header, color;
	const char *columns, *sort;
	double now; /* for times of day */
	size_t room; /* columns of the terminal; 0: no matter */
	/* the table under way */
	const char *object; /* "queue": names the kind of JSON object */
	const struct col *cols;
	size_t ncols, shown[OUT_COLUMNS], nshown, width[OUT_COLUMNS];
	const unsigned char *spare; /* what is left out first */
	size_t nspare;
	struct cell row[OUT_COLUMNS];
	struct cell *rows; /* of rows that wait, ncols each */
	size_t nrows, caprows;
	size_t total; /* rows so far */
	int sort_by; /* column, -1 none */
	bool descending, header_done;
	/* bytes on their way */
	struct buf b;
	bool failed; /* could not be written: said so at the end */
	bool bounded; /* only `quota` bytes more, in whole lines */
	bool cut; /* something was left out for that */
	size_t quota;
};

/* Begin a table.  -1 with a sentence when --columns or --sort name what it does
 * not have. */
int out_table(struct out *o, const char *object, const struct col *cols,
    size_t n, struct err *e);

/* The columns to leave out, one after the other, while a terminal has no room
 * for all; nothing is left out when --columns was given. */
void out_spare(struct out *o, const unsigned char *cols, size_t n);

/* Fill cells of the row, then add it.  A cell that is not filled is null. */
void out_text(struct out *o, size_t col, struct str s);
void out_int(struct out *o, size_t col, int64_t v);
void out_real(struct out *o, size_t col, double v);
void out_paint(struct out *o, size_t col, enum paint p);
void out_row(struct out *o);

/* The rest of the table. */
void out_end(struct out *o);

/* A line of one's own: write to the buffer, then end it with out_line, which
 * adds the newline and, when `now`, sends it off. */
struct buf *out_buf(struct out *o);
void out_line(struct out *o, bool now);

/* One JSON object as a line, out of the cells of the row. */
void out_object(struct out *o);

/* The line begun in the buffer at `from` ends: on a terminal that is too narrow
 * for it, it is broken at blanks, and goes on with so many blanks. */
void out_fold(struct out *o, size_t from, size_t indent);

/* Send what there is; -1 when something could not be written (errno). */
int out_flush(struct out *o);

void out_fini(struct out *o);

#endif
