/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Trees of jansson from and to text, by the rules of the queue (contract
 * 3.3).  Pure; NULL and failed buffers mean out of memory. */
#ifndef XMSG_CALL_JSON_H
#define XMSG_CALL_JSON_H

#include <jansson.h>

#include "buf.h"
#include "str.h"

/* One whole value; NULL with the reason. */
json_t *tree_read(struct str text, char *why, size_t n);

/* Compact, members in their order. */
void tree_write(struct buf *b, const json_t *v);

/* A string of any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *tree_text(struct str bytes);

/* printf into a string; what is not UTF-8 becomes U+FFFD. */
json_t *tree_textf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Follow names, or numbers of elements, between dots: "vol.uri.0".  Borrowed,
 * or NULL. */
json_t *tree_at(const json_t *v, const char *path, size_t n);

#endif
