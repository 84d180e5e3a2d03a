/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What Redis answers (RESP 2): values one after the other, as flat tokens.  An
 * array is its token with the count and then the tokens of its members.
 */
#ifndef BENCH_RESP_H
#define BENCH_RESP_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

struct resp {
	char type; /* + - : $ * */
	int64_t n; /* of * and :; -1 for nothing */
	struct str text; /* of $ + and - */
};

/* How long the first value is; 0 when it is not whole. */
size_t resp_whole(const char *p, size_t n);

/* Take the next token off the front of `in`.  false: there is none. */
bool resp_next(struct str *in, struct resp *t);

/* A stream entry with one field: its id and the value. */
bool resp_entry(struct str *in, struct str *id, struct str *value);

/* The head of an answer to XREAD or XREADGROUP of one stream: how many entries
 * follow; -1 when it is something else. */
int64_t resp_entries(struct str *in);

#endif
