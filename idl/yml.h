/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * YAML as a tree whose every node knows where it was written.  Only what
 * declarations need: one document, mappings with scalar keys, sequences,
 * scalars.  Anchors, aliases and tags are refused (they make cycles and
 * surprises), size and depth are bounded.
 */
#ifndef XMSG_IDL_YML_H
#define XMSG_IDL_YML_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "diag.h"

#define YML_MAX_BYTES	((size_t)1 << 20)
#define YML_MAX_DEPTH	24
#define YML_MAX_NODES	50000
#define YML_MAX_ENTRIES 2000 /* of one mapping or sequence */

enum yml_kind { YML_SCALAR, YML_SEQ, YML_MAP };

struct yml {
	enum yml_kind kind;
	struct pos at;
	bool plain; /* a scalar without quotes: may mean null, true, 1 */
	bool inline1; /* a scalar on one line: columns inside it are known */
	const char *s; /* a scalar's text, terminated, never with a NUL in it */
	const struct yml *key; /* as the entry of a mapping: its key */
	struct yml *first; /* a mapping's or sequence's first entry */
	struct yml *next; /* the next entry beside this one */
};

/* The tree of the one document in `text`, NULL when a problem was noted.
 * Lives as long as the arena; `file` must too. */
const struct yml *yml_parse(struct arena *a, const char *file, const char *text,
    size_t n, struct diag *d);

/* The entry of a mapping, or NULL. */
const struct yml *yml_get(const struct yml *map, const char *key);

#endif
