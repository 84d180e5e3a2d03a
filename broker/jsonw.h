/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Writing JSON objects for /v1 without building trees: keys and commas, and
 * text that is always valid UTF-8 (bytes that are not become U+FFFD), whatever
 * a message or a name holds.
 */
#ifndef XMSG_JSONW_H
#define XMSG_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

struct jsonw {
	struct buf *b;
	bool comma; /* something stands before in this object or array */
};

/* Text as it is, without quotes or escapes; what is not UTF-8 becomes U+FFFD. */
void jsonw_text(struct buf *b, struct str v);
void jsonw_open(struct jsonw *w, const char *key, char bracket);
void jsonw_close(struct jsonw *w, char bracket);
void jsonw_str(struct jsonw *w, const char *key, struct str v);
void jsonw_int(struct jsonw *w, const char *key, int64_t v);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
/* Nanoseconds as seconds with six decimals. */
void jsonw_seconds(struct jsonw *w, const char *key, int64_t ns);

#endif
