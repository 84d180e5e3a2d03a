/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Text that others wrote, on its way to a terminal or into JSON.  Control
 * characters (C0, DEL, C1), marks that change the direction of writing, and
 * bytes that are no UTF-8 are made visible, so that a message can neither move
 * the cursor nor hide a part of itself.  Pure.
 */
#ifndef XMSG_TEXT_H
#define XMSG_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

/* For a terminal: \n \t \r \e, \xNN for bytes, \u{NN} for characters. */
void text_put(struct buf *b, struct str s);

/* As a JSON string with quotes; bytes that are no UTF-8 become U+FFFD. */
void text_json(struct buf *b, struct str s);

/* A copy with a NUL behind it, for free(3); s may hold NULs itself. */
char *text_copy(struct str s);

/* Columns that text which went through text_put takes: characters. */
size_t text_width(struct str s);

/* At most `width` columns of such text: the front or the back is cut off, and
 * ".." stands there. */
void text_fit(struct buf *b, struct str s, size_t width, bool keep_end);

/* QUEUE:ID, as it is accepted and printed. */
struct msgid {
	struct str queue; /* points into what was parsed */
	int64_t id;
};
bool msgid_parse(struct msgid *m, struct str s);
void msgid_put(struct buf *b, struct str queue, int64_t id);

/* What a payload is in a word or two: its method; "OK" or "FAILURE" for the
 * answer to a call; "" when it is neither.  Looks at what there is of it, so
 * the front of a payload is enough.  out is NUL-terminated. */
void text_summary(char *out, size_t max, struct str payload);

#endif
