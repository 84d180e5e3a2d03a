/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * JSON text below the trees of jansson: what the calls read and write must
 * follow rules that jansson does not (contract 3.3): the first of two members
 * counts, comments are passed over, 0x7f is escaped, floats keep their ".0".
 * So the text is read and written with lib/json.h, whose names jansson's
 * header forbids; hence this file between them.  Pure.
 */
#ifndef XMSG_CALL_TEXT_H
#define XMSG_CALL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

/* How values are made while a text is read; all give a value, or NULL (out of
 * memory, or what they refuse). */
struct text_maker {
	void *(*null)(void);
	void *(*boolean)(bool v);
	void *(*integer)(int64_t v);
	void *(*number)(double v);
	void *(*string)(struct str s);
	void *(*array)(void);
	void *(*object)(void);
	/* takes v, also when it fails: -1 */
	int (*append)(void *array, void *v);
	int (*set)(void *object, const char *key, void *v);
	void (*drop)(void *v);
};

/* One whole value.  NULL with the reason. */
void *text_read(
    struct str text, const struct text_maker *m, char *why, size_t n);

void text_put_str(struct buf *b, struct str s);
void text_put_float(struct buf *b, double v);

/* A number in a string (contract 3.3): whole, decimal or 0x, 0o, 0b. */
bool text_int(const char *s, int64_t *v);
bool text_float(const char *s, double *v);

/* Any bytes as UTF-8 without NUL: what is not becomes U+FFFD. */
void text_put_valid(struct buf *b, struct str s);

/* The first or last `max` bytes, no character cut in half. */
struct str text_head(struct str s, size_t max);
struct str text_tail(struct str s, size_t max);

#endif
