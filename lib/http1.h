/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A strict, bounded, incremental HTTP/1.1 message parser, both sides, and the
 * two writers that go with it.  Pure: bytes in, offsets out; no allocation, no
 * I/O.  It refuses what request smuggling needs (promises D2): Content-Length
 * together with Transfer-Encoding, two lengths, signs or blanks in a number,
 * bare LF, folded fields, a blank before the colon, NUL, bad method or version.
 *
 * The caller keeps all bytes of the message, from its first byte on, in one
 * contiguous buffer, and calls http1_feed with all of them each time more have
 * come.  The buffer may move between calls.  Work already done is not repeated
 * (feeding byte by byte is linear), and how the bytes were cut up never changes
 * the outcome.  A chunked body is decoded in place, which is why the buffer is
 * not const.  A message never needs more than 2 * (max_head + max_body) bytes
 * and a little: chunk lines and trailers together are held to max_head plus the
 * size of what they carry.
 */
#ifndef XMSG_HTTP1_H
#define XMSG_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

enum http1_side { HTTP1_REQUEST, HTTP1_REPLY };

enum http1_rc {
	HTTP1_MORE, /* not complete yet */
	HTTP1_DONE, /* results are valid; `used` bytes belong to it */
	HTTP1_ERROR, /* `status` and `reason` say why; the stream is lost */
};

struct http1_limits {
	size_t max_line; /* start line, bytes without CRLF; beyond: 414 */
	size_t max_head; /* start line and fields, bytes; beyond: 431 */
	size_t max_fields; /* number of fields; beyond: 431 */
	size_t max_body; /* decoded body, bytes; beyond: 413, said as soon as
	                    * it is known (Content-Length, or a chunk's size) */
};

/* One parser for one message; http1_init before the first byte of each. */
struct http1 {
	enum http1_side side;
	const struct http1_limits *limits; /* borrowed */

	/* results, valid after HTTP1_DONE; slices point into the buffer of
	 * the last call.  method, target, status, minor are also valid after
	 * http1_head_done returns true. */
	struct str method, target; /* HTTP1_REQUEST */
	int status; /* HTTP1_REPLY; or 4xx/5xx after an error */
	int minor; /* of the version: 0 or 1 */
	bool close; /* the connection ends after this message (RFC 9112 9.3) */
	bool expect; /* Expect: 100-continue was asked for */
	struct str body;
	size_t used; /* bytes this message took */
	const char *reason; /* after HTTP1_ERROR: a sentence, static */

	/* private: offsets into the buffer, as it may move */
	int state;
	size_t pos; /* first byte not yet taken */
	size_t scan; /* no line end in [pos, scan) */
	size_t start; /* of the start line: 2 after a leading empty line */
	size_t fields; /* of the first field */
	size_t head; /* end of the head; 0 until it is complete */
	size_t out; /* end of the decoded body */
	uint64_t need; /* bytes to come of the body or of this chunk */
	size_t framing; /* bytes of chunk lines and trailers */
	size_t nfields;
	bool have_length, have_host, chunked;
};

void http1_init(
    struct http1 *h, enum http1_side side, const struct http1_limits *limits);

/* p[0..n): every byte since the start of this message. Once DONE or ERROR,
 * call http1_init before feeding again. For HTTP1_REPLY a message without
 * Content-Length and without chunked is an error (the protocol always has
 * one); statuses 1xx, 204 and 304 have no body. */
enum http1_rc http1_feed(struct http1 *h, char *p, size_t n);

/* The head is complete: method and target may be looked at while the body is
 * still on its way, and after an error in the body. */
bool http1_head_done(const struct http1 *h);

/* The value of a field, blanks around it removed, name compared without case;
 * p is the buffer of the last call.  Returns false when it is absent. First
 * one when it is repeated. Valid once the head is done. */
bool http1_field(
    const struct http1 *h, const char *p, const char *name, struct str *value);

/* "HTTP/1.1 200 OK\r\ncontent-length: N\r\n\r\n", exactly as the original
 * answers (wire-contract 1).  With type != NULL also content-type and
 * x-content-type-options: nosniff, and with `close` a connection: close, in
 * between.  The body follows by the caller. */
void http1_put_reply(
    struct buf *b, int status, const char *type, bool close, size_t body_len);

/* The head of a request as stock clients send it: "connection: keep-alive",
 * "content-length", "host: localhost", "user-agent". target must be encoded
 * already. */
void http1_put_request(
    struct buf *b, const char *method, struct str target, size_t body_len);

/* The reason phrase of a status, "Unknown" when there is none. */
const char *http1_phrase(int status);

#endif
