/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Byte-transparent JSON.  Payloads on the wire need not be UTF-8 (wire-contract
 * 2), so a general JSON library cannot carry them: strings here are bytes, and
 * bytes >= 0x80 pass unchanged both ways.  Everything that is not a payload's
 * envelope uses jansson; no file can include both headers, as some constants
 * have the same names.
 *
 * Reading is by a pull parser over one contiguous buffer.  Strings are decoded
 * in place, hence the mutable buffer.  Pure, no allocation.
 */
#ifndef XMSG_JSON_H
#define XMSG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

#define JSON_MAX_DEPTH 128 /* nesting; deeper input is an error */

/* ---- writing ---- */

/* A quoted string: only '"', '\\', bytes < 0x20 (\b \t \n \f \r short, others
 * \u00xx in lower case) and 0x7f (\u007f) are escaped; all else is copied.
 * Runs are copied at once: this is the hot path of /transfer. */
void json_put_str(struct buf *b, struct str s);

/* As Yojson prints a float: shortest of %.16g and %.17g that reads back, with
 * ".0" when it would look like an integer ("30.0", "0.1"). Not for inf/nan. */
void json_put_float(struct buf *b, double v);

/* A decimal number as strtod takes it ("30", "30.", ".5", "1e3"), the whole of
 * s, whatever the locale; false for anything else and for what is not finite. */
bool json_float(struct str s, double *v);

/* ---- reading ---- */

enum json_type {
	JSON_END, /* nothing more: end of input, or of this array/object */
	JSON_NULL,
	JSON_BOOL,
	JSON_INT, /* fits int64 */
	JSON_FLOAT, /* any other number */
	JSON_STR,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_BAD, /* malformed: json_in.reason and .pos say what and where */
};

struct json_in {
	char *p;
	size_t n, pos;
	unsigned depth;
	const char *reason; /* NULL, or why it is malformed; static */
	/* the value read last */
	bool boolean;
	int64_t integer;
	double number; /* set for JSON_INT too */
	struct str str;
	/* private */
	bool first;
};

/* White space and C comments between tokens are allowed, as in the original. */
void json_in_init(struct json_in *j, char *p, size_t n);

/* The next value.  JSON_ARRAY and JSON_OBJECT mean "entered": go on with
 * json_item / json_key until they say end, or json_skip_rest. At top level use
 * it once, then json_finish. */
enum json_type json_value(struct json_in *j);

/* In an array: the next element as json_value, JSON_END after the last one
 * (the bracket is then consumed). */
enum json_type json_item(struct json_in *j);

/* In an object: the next key, false after the last one (brace consumed) or on
 * malformed input (reason set). Read its value with json_value. */
bool json_key(struct json_in *j, struct str *key);

/* Skip the value that json_value/json_item just returned `t` for: nothing for
 * scalars, the rest of it for arrays and objects. false when malformed. */
bool json_skip(struct json_in *j, enum json_type t);

/* Only blanks and comments are left; false sets reason. */
bool json_finish(struct json_in *j);

#endif
