/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Secrets out of text, before it reaches the recorder, a log or an operator
 * (promises D6).  One pass, bounded work, bounded output, no allocation: it
 * runs for every message.
 *
 * The text is scanned as JSON by structure as far as it is JSON, also JSON
 * inside JSON strings (any depth of escaping), and as plain text otherwise.
 * The value of a key on the list becomes *** whatever its type, length hidden;
 * "user:password@" in URIs becomes "***@"; key=value, key: value and
 * --key value forms in plain text are treated likewise.  XML-ish <key>..</key>
 * too.  When in doubt it masks.
 */
#ifndef XMSG_REDACT_H
#define XMSG_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "str.h"

#define REDACT_WORDS 64 /* further key words at most ... */
#define REDACT_WORD  32 /* ... and bytes of each */

/* Key words, lower case; a key matches when, lower-cased and with '-' and '_'
 * removed, it contains one of them.  NULL-terminated. */
extern const char *const redact_keys[];

/* Further key words, with blanks between them, in the place of those given before:
 * letters and digits, at least three, the first two letters; case, '-' and '_'
 * do not count.  false when one is not such: then nothing is changed.  Not while
 * another thread redacts. */
bool redact_set_keys(struct str words);

/* Write at most max bytes of the redacted text to out; returns how many.  Looks
 * at no more input than is needed for them.  When the output is cut, it ends
 * with U+2026 inside max, never within a UTF-8 sequence. A cut never exposes
 * what a longer output would have masked. */
size_t redact(char *out, size_t max, struct str in);

#endif
