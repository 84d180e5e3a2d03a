/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Tables, JSON lines, and the bytes on their way to standard output. */
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "json.h"
#include "pick.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define PAGE_FIRST 100 /* rows that wait until widths are known */
#define PAGE	   1000 /* later */
#define CHUNK	   (64 * 1024)

/* ---- bytes ---- */

/* Whole lines that the quota allows. */
static void
cut(struct out *o)
{
	size_t n = o->b.n;

	if (!o->bounded)
		return;
	if (n > o->quota) {
		for (n = o->quota; n > 0 && o->b.p[n - 1] != '\n';)
			n--;
		o->b.n = n;
		o->cut = true;
		o->quota = 0;
		return;
	}
	o->quota -= n;
}

/* Send what there is. */
int
out_flush(struct out *o)
{
	size_t at = 0;
	ssize_t n;

	o->failed |= !buf_ok(&o->b);
	cut(o);
	while (at < o->b.n && !o->failed) {
		n = write(STDOUT_FILENO, o->b.p + at, o->b.n - at);
		if (n > 0)
			at += (size_t)n;
		else if (n == -1 && errno != EINTR)
			o->failed = true;
	}
	buf_reset(&o->b);
	return o->failed ? -1 : 0;
}

/* Where a line of one's own is written. */
struct buf *
out_buf(struct out *o)
{
	return &o->b;
}

/* The line is complete. */
void
out_line(struct out *o, bool now)
{
	buf_addc(&o->b, '\n');
	if (now || o->b.n >= CHUNK)
		(void)out_flush(o); /* remembered in o->failed */
}

/* Where to break a line: the last blank within the room, or 0. */
static size_t
break_at(const struct out *o, const char *p, size_t n)
{
	size_t at = 0;

	for (size_t i = 1; i < n; i++) {
		if (text_width((struct str){p, i}) > o->room)
			break;
		if (p[i] == ' ')
			at = i;
	}
	return at;
}

/* Break a long line at blanks. */
void
out_fold(struct out *o, size_t from, size_t indent)
{
	struct buf rest = BUF_INIT;
	size_t at = 0, n;

	if (o->room == 0 || from >= o->b.n ||
	    text_width((struct str){o->b.p + from, o->b.n - from}) <= o->room)
		return;
	buf_add(&rest, o->b.p + from, o->b.n - from);
	o->b.n = from;
	while (text_width((struct str){rest.p + at, rest.n - at}) > o->room &&
	    (n = break_at(o, rest.p + at, rest.n - at)) > indent) {
		buf_add(&o->b, rest.p + at, n);
		buf_addc(&o->b, '\n');
		at += n + 1;
		/* room for the indentation is made in what is left */
		if (at < indent)
			break;
		at -= indent;
		memset(rest.p + at, ' ', indent);
	}
	buf_add(&o->b, rest.p + at, rest.n - at);
	buf_fini(&rest);
}

/* ---- cells ---- */

static void
clear(struct cell *c)
{
	free(c->text);
	memset(c, 0, sizeof *c);
}

/* Fill a cell with text. */
void
out_text(struct out *o, size_t col, struct str s)
{
	clear(&o->row[col]);
	if (s.p == NULL)
		return;
	o->row[col].is = CELL_TEXT;
	o->row[col].text = text_copy(s);
	o->row[col].n = s.n;
}

/* With a whole number. */
void
out_int(struct out *o, size_t col, int64_t v)
{
	clear(&o->row[col]);
	o->row[col].is = CELL_INT;
	o->row[col].i = v;
	o->row[col].r = (double)v;
}

/* With a number. */
void
out_real(struct out *o, size_t col, double v)
{
	clear(&o->row[col]);
	o->row[col].is = CELL_REAL;
	o->row[col].r = v;
}

/* Color it. */
void
out_paint(struct out *o, size_t col, enum paint p)
{
	o->row[col].paint = p;
}

/* A number for people. */
static void
put_number(struct buf *b, const struct out *o, const struct cell *c,
    enum col_type type)
{
	char tmp[UNITS_MAX] = "";

	switch (type) {
	case COL_SIZE: units_size(tmp, c->i); break;
	case COL_AGE: units_age(tmp, c->r); break;
	case COL_TOOK: units_took(tmp, c->r); break;
	case COL_RATE: units_rate(tmp, c->r); break;
	case COL_TIME: units_time(tmp, c->r, o->now, o->utc); break;
	case COL_BOOL: strcpy(tmp, c->i ? "yes" : "no"); break;
	case COL_TEXT:
	case COL_INT: buf_addi(b, c->i); return;
	}
	buf_adds(b, tmp);
}

/* A cell for people. */
static void
put_cell(struct buf *b, const struct out *o, const struct cell *c,
    enum col_type type)
{
	if (c->is == CELL_NULL)
		buf_addc(b, '-');
	else if (c->is == CELL_TEXT && c->n == 0)
		buf_addc(b, '-');
	else if (c->is == CELL_TEXT)
		text_put(b, (struct str){c->text, c->n});
	else
		put_number(b, o, c, type);
}

/* A cell for programs. */
static void
put_json(struct buf *b, const struct cell *c, enum col_type type)
{
	if (c->is == CELL_NULL)
		buf_adds(b, "null");
	else if (c->is == CELL_TEXT)
		text_json(b, (struct str){c->text, c->n});
	else if (type == COL_BOOL)
		buf_adds(b, c->i ? "true" : "false");
	else if (c->is == CELL_INT)
		buf_addi(b, c->i);
	else
		json_put_float(b, c->r);
}

/* ---- which columns ---- */

/* Index of a column by its key or title; -1 with a sentence. */
static int
column(const struct out *o, const char *name, size_t n, struct err *e)
{
	const char *keys[OUT_COLUMNS], *near;
	char word[64];

	for (size_t i = 0; i < o->ncols; i++) {
		keys[i] = o->cols[i].key;
		if (strncasecmp(keys[i], name, n) == 0 && keys[i][n] == '\0')
			return (int)i;
		if (strncasecmp(o->cols[i].title, name, n) == 0 &&
		    o->cols[i].title[n] == '\0')
			return (int)i;
	}
	snprintf(word, sizeof word, "%.*s", (int)n, name);
	near = pick_nearest(keys, o->ncols, word);
	return err_set(e, 1, "there is no column '%s'%s%s%s", word,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* The columns of --columns, or those of the table. */
static int
choose(struct out *o, struct err *e)
{
	const char *p = o->columns;
	int c;

	o->nshown = 0;
	for (size_t i = 0; p == NULL && i < o->ncols; i++)
		if (o->json || !o->cols[i].extra)
			o->shown[o->nshown++] = i;
	while (p != NULL && o->nshown < OUT_COLUMNS) {
		size_t n = strcspn(p, ",");

		c = column(o, p, n, e);
		if (c == -1)
			return -1;
		o->shown[o->nshown++] = (size_t)c;
		p = p[n] == ',' ? p + n + 1 : NULL;
	}
	return 0;
}

/* Begin a table. */
int
out_table(struct out *o, const char *object, const struct col *cols, size_t n,
    struct err *e)
{
	const char *sort = o->sort;

	o->object = object;
	o->cols = cols;
	o->ncols = n;
	o->sort_by = -1;
	o->total = 0;
	o->nspare = 0;
	o->header_done = o->json || o->no_header;
	memset(o->width, 0, sizeof o->width);
	if (choose(o, e) == -1)
		return -1;
	if (sort != NULL) {
		o->descending = *sort == '-';
		sort += o->descending;
		o->sort_by = column(o, sort, strlen(sort), e);
		if (o->sort_by == -1)
			return -1;
	}
	for (size_t i = 0; i < o->nshown && !o->header_done; i++)
		o->width[i] = strlen(cols[o->shown[i]].title);
	return 0;
}

/* What may be left out. */
void
out_spare(struct out *o, const unsigned char *cols, size_t n)
{
	o->spare = cols;
	o->nspare = n;
}

/* ---- rows ---- */

/* One JSON object out of the row. */
void
out_object(struct out *o)
{
	buf_addf(
	    &o->b, "{\"schema\":%d,\"object\":\"%s\"", OUT_SCHEMA, o->object);
	for (size_t i = 0; i < o->nshown; i++) {
		const struct col *c = &o->cols[o->shown[i]];

		buf_addf(&o->b, ",\"%s\":", c->key);
		put_json(&o->b, &o->row[o->shown[i]], c->type);
	}
	buf_addc(&o->b, '}');
	for (size_t i = 0; i < o->ncols; i++)
		clear(&o->row[i]);
	out_line(o, false);
}

/* Spaces, or none behind the last column. */
static void
pad(struct out *o, size_t i, size_t used)
{
	for (; used < o->width[i]; used++)
		buf_addc(&o->b, ' ');
}

/* One cell in its column, numbers to the right, a blank line's end cut. */
static void
put_column(
    struct out *o, size_t i, struct str text, bool right, enum paint paint)
{
	static const char *const on[] = {
	    "", "\033[32m", "\033[33m", "\033[31m"};
	size_t used = text_width(text);

	if (i > 0)
		buf_adds(&o->b, "  ");
	if (right)
		pad(o, i, used);
	if (o->color && paint != PAINT_NONE)
		buf_adds(&o->b, on[paint]);
	buf_add(&o->b, text.p, text.n);
	if (o->color && paint != PAINT_NONE)
		buf_adds(&o->b, "\033[0m");
	if (!right && i + 1 < o->nshown)
		pad(o, i, used);
}

static bool
is_right(const struct col *c)
{
	return c->type != COL_TEXT && c->type != COL_TIME &&
	    c->type != COL_BOOL;
}

static void
header(struct out *o)
{
	if (o->header_done)
		return;
	o->header_done = true;
	if (o->color)
		buf_adds(&o->b, "\033[1m");
	for (size_t i = 0; i < o->nshown; i++) {
		const struct col *c = &o->cols[o->shown[i]];

		put_column(o, i, str_of(c->title), is_right(c), PAINT_NONE);
	}
	if (o->color)
		buf_adds(&o->b, "\033[0m");
	out_line(o, false);
}

/* Widths of the rows that wait. */
static void
measure(struct out *o)
{
	struct buf tmp = BUF_INIT;
	size_t w;

	for (size_t r = 0; r < o->nrows; r++) {
		for (size_t i = 0; i < o->nshown; i++) {
			size_t c = o->shown[i];

			buf_reset(&tmp);
			put_cell(&tmp, o, &o->rows[r * o->ncols + c],
			    o->cols[c].type);
			w = text_width((struct str){tmp.p, tmp.n});
			if (w > o->width[i])
				o->width[i] = w;
		}
	}
	buf_fini(&tmp);
}

/* Columns that the line takes. */
static size_t
line_width(const struct out *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->nshown; i++)
		n += o->width[i] + 2;
	return n > 2 ? n - 2 : 0;
}

/* Take a column out. */
static void
leave_out(struct out *o, size_t col)
{
	for (size_t i = 0; i < o->nshown; i++) {
		if (o->shown[i] != col)
			continue;
		o->nshown--;
		for (size_t k = i; k < o->nshown; k++) {
			o->shown[k] = o->shown[k + 1];
			o->width[k] = o->width[k + 1];
		}
		return;
	}
}

/* Before the first line: what the terminal has room for. */
static void
fit(struct out *o)
{
	if (o->header_done || o->room == 0 || o->columns != NULL)
		return;
	for (size_t i = 0; i < o->nspare && line_width(o) > o->room; i++)
		leave_out(o, o->spare[i]);
}

static void
print_row(struct out *o, const struct cell *row, struct buf *tmp)
{
	for (size_t i = 0; i < o->nshown; i++) {
		const struct col *c = &o->cols[o->shown[i]];

		buf_reset(tmp);
		put_cell(tmp, o, &row[o->shown[i]], c->type);
		put_column(o, i, (struct str){tmp->p, tmp->n}, is_right(c),
		    row[o->shown[i]].paint);
	}
	out_line(o, false);
}

/* Print the rows that wait. */
static void
print_rows(struct out *o)
{
	struct buf tmp = BUF_INIT;

	if (o->nrows == 0)
		return;
	if (!o->json) {
		measure(o);
		fit(o);
	}
	header(o);
	for (size_t r = 0; r < o->nrows; r++) {
		struct cell *row = &o->rows[r * o->ncols];

		if (o->json) {
			memcpy(o->row, row, o->ncols * sizeof *row);
			out_object(o);
			continue;
		}
		print_row(o, row, &tmp);
		for (size_t i = 0; i < o->ncols; i++)
			clear(&row[i]);
	}
	o->nrows = 0;
	buf_fini(&tmp);
}

/* The row is complete. */
void
out_row(struct out *o)
{
	o->total++;
	if (o->json && o->sort_by == -1) {
		out_object(o);
		if (o->total == PAGE_FIRST)
			(void)out_flush(o); /* remembered in o->failed */
		return;
	}
	if (o->nrows == o->caprows) {
		o->caprows = o->caprows ? o->caprows * 2 : 64;
		o->rows = xreallocarray(
		    o->rows, o->caprows, OUT_COLUMNS * sizeof *o->rows);
	}
	memcpy(
	    &o->rows[o->nrows++ * o->ncols], o->row, o->ncols * sizeof *o->row);
	memset(o->row, 0, o->ncols * sizeof *o->row);
	if (o->nrows == (o->total > PAGE_FIRST ? PAGE : PAGE_FIRST) &&
	    o->sort_by == -1) {
		print_rows(o);
		(void)out_flush(o); /* remembered in o->failed */
	}
}

/* Order of two cells; null comes last whatever the direction. */
static int
compare(const void *va, const void *vb, void *arg)
{
	const struct out *o = arg;
	const struct cell *a = (const struct cell *)va + o->sort_by;
	const struct cell *b = (const struct cell *)vb + o->sort_by;
	int c;

	if (a->is == CELL_NULL || b->is == CELL_NULL)
		return (a->is == CELL_NULL) - (b->is == CELL_NULL);
	if (a->is == CELL_TEXT && b->is == CELL_TEXT)
		c = str_cmp(
		    (struct str){a->text, a->n}, (struct str){b->text, b->n});
	else
		c = (a->r > b->r) - (a->r < b->r);
	return o->descending ? -c : c;
}

/* The rest of the table. */
void
out_end(struct out *o)
{
	if (o->sort_by != -1 && o->nrows > 1)
		qsort_r(
		    o->rows, o->nrows, o->ncols * sizeof *o->rows, compare, o);
	print_rows(o);
	o->ncols = 0;
}

/* Free it. */
void
out_fini(struct out *o)
{
	for (size_t i = 0; i < o->nrows * o->ncols; i++)
		free(o->rows[i].text);
	for (size_t i = 0; i < OUT_COLUMNS; i++)
		clear(&o->row[i]);
	free(o->rows);
	buf_fini(&o->b);
	memset(o, 0, sizeof *o);
}
