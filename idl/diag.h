/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What is wrong with the declarations, for the person who writes them: one
 * line per problem, `file:line:column: where: what (did you mean "x"?)`.
 * Problems are collected, so that one run shows all of them.
 */
#ifndef XMSG_IDL_DIAG_H
#define XMSG_IDL_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* A place in a file; lines and columns count from 1, 0 = no place. */
struct pos {
	const char *file;
	int line, col;
};

#define DIAG_MAX 100 /* lines kept; the rest is only counted */

struct diag {
	struct buf text;
	unsigned n;
};

#define DIAG_INIT                                                              \
	{                                                                      \
		BUF_INIT, 0                                                    \
	}

void diag_fini(struct diag *d);

/* Note a problem.  `where` is a path such as SR.attach.params.sr, or "". */
void diag_add(struct diag *d, struct pos at, const char *where, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* True when further problems would only be counted: spare the effort. */
bool diag_full(const struct diag *d);

/*
 * The nearest of several names to a mistyped word: offer each, then ask for
 * the text to append to the message, ` (did you mean "x"?)` or "".
 */
struct suggest {
	const char *word;
	char best[48]; /* "" = none */
	size_t distance;
	char text[80];
};

void suggest_init(struct suggest *s, const char *word);
void suggest_offer(struct suggest *s, const char *name);
const char *suggest_text(struct suggest *s);

#endif
