/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Problems as text, and the edit distance behind "did you mean".
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "diag.h"

#define WORD_MAX_LEN 40 /* longer words get no suggestion */

/* Forget everything. */
void
diag_fini(struct diag *d)
{
	buf_fini(&d->text);
	d->n = 0;
}

/* Nothing more will be kept. */
bool
diag_full(const struct diag *d)
{
	return d->n >= DIAG_MAX;
}

/* One line. */
void
diag_add(struct diag *d, struct pos at, const char *where, const char *fmt, ...)
{
	va_list ap;

	d->n++;
	if (d->n > DIAG_MAX)
		return;
	if (at.file != NULL && at.line > 0)
		buf_addf(&d->text, "%s:%d:%d: ", at.file, at.line, at.col);
	else if (at.file != NULL)
		buf_addf(&d->text, "%s: ", at.file);
	if (where[0] != '\0')
		buf_addf(&d->text, "%s: ", where);
	va_start(ap, fmt);
	buf_vaddf(&d->text, fmt, ap);
	va_end(ap);
	buf_addc(&d->text, '\n');
	if (d->n == DIAG_MAX)
		buf_adds(
		    &d->text, "too many problems, the rest is not shown\n");
}

/* The smallest of three. */
static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Same letter, whatever its case. */
static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* How many edits turn a into b, case ignored: a letter more, less or other,
 * or two neighbours exchanged. */
static size_t
edits(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX_LEN + 1];
	size_t *row = rows[0], *last = rows[1], *older = rows[2], *spare;
	size_t na = strlen(a), nb = strlen(b), i, j;

	if (na > WORD_MAX_LEN || nb > WORD_MAX_LEN)
		return WORD_MAX_LEN;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		spare = older;
		older = last;
		last = row;
		row = spare;
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
			    last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) &&
			    older[j - 2] + 1 < row[j])
				row[j] = older[j - 2] + 1;
		}
	}
	return row[nb];
}

/* Begin with the word that was not understood. */
void
suggest_init(struct suggest *s, const char *word)
{
	size_t n = strlen(word);

	s->word = word;
	s->best[0] = '\0';
	s->distance = 1 + (n < 3 ? 1 : n / 3);
	s->text[0] = '\0';
}

/* A name that would have been right; the nearest, first one wins. */
void
suggest_offer(struct suggest *s, const char *name)
{
	size_t n = edits(s->word, name);

	if (n < s->distance) {
		s->distance = n;
		snprintf(s->best, sizeof(s->best), "%s", name);
	}
}

/* What to append to the message. */
const char *
suggest_text(struct suggest *s)
{
	if (s->best[0] != '\0')
		snprintf(s->text, sizeof(s->text), " (did you mean \"%s\"?)",
		    s->best);
	return s->text;
}
