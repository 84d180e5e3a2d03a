/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Options from tables.  A table is an array of rows that ends with a nameless
 * one; usage, completion and the check of the manual read the same rows.
 */
#ifndef XMSG_CLI_OPTS_H
#define XMSG_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum opt_type {
	OPT_FLAG,
	OPT_TEXT,
	OPT_NUMBER, /* whole, >= 0 */
	OPT_SECONDS, /* > 0; also 500ms, 2m, 1h */
	OPT_WORD, /* one of the words in arg, separated by '|' */
	OPT_MAYBE, /* text, only as --name=TEXT, may be left out */
};

struct opt {
	const char *name;
	char letter; /* or 0 */
	enum opt_type type;
	const char *arg; /* name of the value, for the usage */
	const char *help; /* one line */
	const char *alias; /* another long name, or NULL */
};

#define OPTS_TABLES 2
#define OPTS_MOST   64

struct opts {
	const struct opt *tables[OPTS_TABLES]; /* NULL where there is none */
	struct {
		const struct opt *opt;
		const char *value; /* NULL for flags */
	} given[OPTS_MOST];
	size_t n;
};

/* Parse argv[0..argc-1]; operands are moved to the front and counted.  With
 * `stop` the first operand ends it, and what follows stays behind it. Returns
 * the number of operands (with stop: the index of the first), or -1. */
int opts_parse(struct opts *o, int argc, char **argv, bool stop, struct err *e);

/* As if it had been given; nothing when there is no room. */
void opts_add(struct opts *o, const struct opt *opt, const char *value);

/* What was given last; the option must be in a table. */
bool opts_has(const struct opts *o, const char *name);
const char *opts_text(const struct opts *o, const char *name, const char *def);
int64_t opts_number(const struct opts *o, const char *name, int64_t def);
int64_t opts_ns(const struct opts *o, const char *name, int64_t def);

/* "30", "0.5", "500ms", "2m", "1h" in nanoseconds; false when it is none. */
bool opts_seconds(const char *text, int64_t *ns);

#endif
