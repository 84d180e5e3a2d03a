/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * http1: what is taken, what is refused and with which status, the limits at
 * the bound and one beyond.  Every message of the tables is fed whole, cut in
 * two at every byte, and byte by byte, each time from a buffer of exactly the
 * bytes that have come, at a new address: the outcome must be the same.
 */
#include "support/unit.h"

#include "http1.h"

#define CRLF	"\r\n"
#define REQ	"POST /x HTTP/1.1" CRLF
#define CHUNKED REQ "transfer-encoding: chunked" CRLF CRLF

static const struct http1_limits limits = {
    .max_line = 8192,
    .max_head = 16384,
    .max_fields = 64,
    .max_body = 16 << 20,
};

/* A parser with its own copy of what has come. */
struct feed {
	struct http1 h;
	char *p;
	size_t n;
	enum http1_rc rc;
};

static size_t searched; /* bytes that memchr was asked to look at */

void *__wrap_memchr(const void *p, int c, size_t n);
void *__real_memchr(const void *p, int c, size_t n);

/* Count what line searches cost. */
void *
__wrap_memchr(const void *p, int c, size_t n)
{
	searched += n;
	return __real_memchr(p, c, n);
}

/* Begin. */
static void
feed_init(struct feed *f, enum http1_side side, const struct http1_limits *l)
{
	memset(f, 0, sizeof *f);
	http1_init(&f->h, side, l);
}

/* Let more bytes come, in a buffer that fits exactly. */
static void
feed_more(struct feed *f, const char *p, size_t n)
{
	char *to = malloc(f->n + n);

	assert_true(to != NULL || f->n + n == 0);
	if (f->n > 0)
		memcpy(to, f->p, f->n);
	if (n > 0)
		memcpy(to + f->n, p, n);
	free(f->p);
	f->p = to;
	f->n += n;
	f->rc = http1_feed(&f->h, f->p, f->n);
}

/* End. */
static void
feed_fini(struct feed *f)
{
	free(f->p);
}

/* Stop with the name of the case. */
#define check(what, name, cut)                                                 \
	do {                                                                   \
		if (!(what))                                                   \
			fail_msg("%s, cut %d: " #what, name, (int)(cut));      \
	} while (0)

/* Two parsers came to the same result. */
static void
check_same(
    const struct feed *a, const struct feed *b, const char *name, size_t cut)
{
	check(a->rc == b->rc, name, cut);
	check(a->h.status == b->h.status, name, cut);
	check(a->h.reason == b->h.reason, name, cut);
	if (a->rc != HTTP1_DONE)
		return;
	check(a->h.used == b->h.used, name, cut);
	check(a->h.minor == b->h.minor, name, cut);
	check(a->h.close == b->h.close, name, cut);
	check(a->h.expect == b->h.expect, name, cut);
	check(str_eq(a->h.method, b->h.method), name, cut);
	check(str_eq(a->h.target, b->h.target), name, cut);
	check(str_eq(a->h.body, b->h.body), name, cut);
}

/* Feed it in all the ways there are to cut it in two, and in single bytes;
 * the caller looks at f, which had it whole. */
static void
feed_all_ways(struct feed *f, enum http1_side side,
    const struct http1_limits *l, const char *name, const char *p, size_t n)
{
	struct feed g;
	size_t cut, i;

	feed_init(f, side, l);
	feed_more(f, p, n);
	for (cut = 0; cut < n; cut++) {
		feed_init(&g, side, l);
		feed_more(&g, p, cut);
		if (g.rc == HTTP1_MORE)
			feed_more(&g, p + cut, n - cut);
		check_same(f, &g, name, cut);
		feed_fini(&g);
	}
	feed_init(&g, side, l);
	for (i = 0; i < n && g.rc == HTTP1_MORE; i++)
		feed_more(&g, p + i, 1);
	check_same(f, &g, name, n);
	feed_fini(&g);
}

#define BYTES(s) "" s, sizeof(s) - 1

struct taken {
	const char *name;
	const char *p;
	size_t n;
	const char *method, *target, *body;
	int minor;
	bool close, expect;
	size_t rest; /* bytes of the next message */
};

/* What stock clients send, and what else must work. */
static const struct taken takens[] = {
    {"login of a stock client",
	BYTES("GET /login/ms-client-unix:23859 HTTP/1.1" CRLF
	      "connection: keep-alive" CRLF "content-length: 0" CRLF
	      "host: localhost" CRLF "user-agent: cohttp" CRLF CRLF),
	"GET", "/login/ms-client-unix:23859", "", 1, false, false, 0},
    {"transfer of a stock client",
	BYTES("POST /transfer HTTP/1.1" CRLF "connection: keep-alive" CRLF
	      "content-length: 37" CRLF "host: localhost" CRLF
	      "user-agent: cohttp" CRLF CRLF
	      "{\"timeout\":30.0,\"queues\":[\"svcunix\"]}"),
	"POST", "/transfer", "{\"timeout\":30.0,\"queues\":[\"svcunix\"]}", 1,
	false, false, 0},
    {"no field at all", BYTES("GET / HTTP/1.1" CRLF CRLF), "GET", "/", "", 1,
	false, false, 0},
    {"a second request behind it",
	BYTES(REQ "content-length: 2" CRLF CRLF "ab"
		  "GET / HTTP/1.1" CRLF CRLF),
	"POST", "/x", "ab", 1, false, false, 18},
    {"an empty line before it", BYTES(CRLF "GET / HTTP/1.1" CRLF CRLF), "GET",
	"/", "", 1, false, false, 0},
    {"HTTP/1.0 closes", BYTES("GET / HTTP/1.0" CRLF CRLF), "GET", "/", "", 0,
	true, false, 0},
    {"HTTP/1.0 closes even with keep-alive",
	BYTES("GET / HTTP/1.0" CRLF "Connection: keep-alive" CRLF CRLF), "GET",
	"/", "", 0, true, false, 0},
    {"Connection: close",
	BYTES("GET / HTTP/1.1" CRLF "Connection: close" CRLF CRLF), "GET", "/",
	"", 1, true, false, 0},
    {"Connection: a list with close",
	BYTES("GET / HTTP/1.1" CRLF "CONNECTION: x,, CLOSE\t,y" CRLF CRLF),
	"GET", "/", "", 1, true, false, 0},
    {"Connection: closed is another word",
	BYTES("GET / HTTP/1.1" CRLF "connection: closed, clos" CRLF CRLF),
	"GET", "/", "", 1, false, false, 0},
    {"Connection: nothing",
	BYTES("GET / HTTP/1.1" CRLF "connection:" CRLF CRLF), "GET", "/", "", 1,
	false, false, 0},
    {"Expect: 100-continue",
	BYTES(REQ "expect: 100-Continue" CRLF "content-length:1" CRLF CRLF "z"),
	"POST", "/x", "z", 1, false, true, 0},
    {"Expect of an HTTP/1.0 client is ignored",
	BYTES("POST /x HTTP/1.0" CRLF "expect: 100-continue" CRLF CRLF), "POST",
	"/x", "", 0, true, false, 0},
    {"absolute form", BYTES("GET http://localhost/list/ HTTP/1.1" CRLF CRLF),
	"GET", "http://localhost/list/", "", 1, false, false, 0},
    {"raw bytes of UTF-8 in the target",
	BYTES("GET /login/\xc3\xa9 HTTP/1.1" CRLF CRLF), "GET",
	"/login/\xc3\xa9", "", 1, false, false, 0},
    {"blanks around a length",
	BYTES(REQ "Content-Length:   3  " CRLF CRLF "abc"), "POST", "/x", "abc",
	1, false, false, 0},
    {"zeros before a length", BYTES(REQ "Content-Length: 0003" CRLF CRLF "abc"),
	"POST", "/x", "abc", 1, false, false, 0},
    {"a method of 16 bytes", BYTES("ABCDEFGHIJKLMNO! / HTTP/1.1" CRLF CRLF),
	"ABCDEFGHIJKLMNO!", "/", "", 1, false, false, 0},
    {"a body with all that ends lines",
	BYTES(REQ "content-length: 6" CRLF CRLF CRLF CRLF CRLF), "POST", "/x",
	CRLF CRLF CRLF, 1, false, false, 0},
    {"obs-text and tabs in a value",
	BYTES("GET / HTTP/1.1" CRLF "a: \x80\xff\t b" CRLF CRLF), "GET", "/",
	"", 1, false, false, 0},
    {"an empty value", BYTES("GET / HTTP/1.1" CRLF "a:" CRLF CRLF), "GET", "/",
	"", 1, false, false, 0},
    {"a chunked body",
	BYTES(CHUNKED "5" CRLF "hello" CRLF "6" CRLF " world" CRLF "0" CRLF CRLF
		      "GET"),
	"POST", "/x", "hello world", 1, false, false, 3},
    {"chunked, in capitals",
	BYTES(REQ "Transfer-Encoding: CHUNKED" CRLF CRLF "A" CRLF
		  "0123456789" CRLF "000" CRLF CRLF),
	"POST", "/x", "0123456789", 1, false, false, 0},
    {"chunk extensions and trailers",
	BYTES(CHUNKED "1;c=\"d; \\\" e\"" CRLF "x" CRLF "0;last" CRLF
		      "content-lengthy: 7" CRLF "connect: close" CRLF CRLF
		      "rest"),
	"POST", "/x", "x", 1, false, false, 4},
    {"an empty chunked body", BYTES(CHUNKED "0" CRLF CRLF), "POST", "/x", "", 1,
	false, false, 0},
};

/* Each message of the table, cut everywhere. */
static void
http1_takes_good_requests(void **state)
{
	const struct taken *t;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof takens / sizeof *takens; i++) {
		t = &takens[i];
		feed_all_ways(&f, HTTP1_REQUEST, &limits, t->name, t->p, t->n);
		check(f.rc == HTTP1_DONE, t->name, -1);
		check(http1_head_done(&f.h), t->name, -1);
		check(f.h.used == t->n - t->rest, t->name, -1);
		check(f.h.minor == t->minor, t->name, -1);
		check(f.h.close == t->close, t->name, -1);
		check(f.h.expect == t->expect, t->name, -1);
		check(str_eq(f.h.method, str_of(t->method)), t->name, -1);
		check(str_eq(f.h.target, str_of(t->target)), t->name, -1);
		check(str_eq(f.h.body, str_of(t->body)), t->name, -1);
		check(memcmp(f.p + f.h.used, t->p + f.h.used, t->rest) == 0,
		    t->name, -1);
		feed_fini(&f);
	}
}

struct refused {
	const char *name;
	const char *p;
	size_t n;
	int status;
};

/* What smugglers send, and what is merely wrong. */
static const struct refused refuseds[] = {
    {"garbage", BYTES("garbage" CRLF CRLF), 400},
    {"an empty line twice", BYTES(CRLF CRLF "GET / HTTP/1.1" CRLF CRLF), 400},
    {"CR alone before it", BYTES("\rGET / HTTP/1.1" CRLF CRLF), 400},
    {"LF alone before it", BYTES("\nGET / HTTP/1.1" CRLF CRLF), 400},
    {"HTTP/0.9", BYTES("GET /" CRLF CRLF), 400},
    {"no target", BYTES("GET  HTTP/1.1" CRLF CRLF), 400},
    {"no method", BYTES(" / HTTP/1.1" CRLF CRLF), 400},
    {"two blanks before the target", BYTES("GET  / HTTP/1.1" CRLF CRLF), 400},
    {"two blanks before the version", BYTES("GET /  HTTP/1.1" CRLF CRLF), 400},
    {"a blank after the version", BYTES("GET / HTTP/1.1 " CRLF CRLF), 400},
    {"a blank before the method", BYTES(" GET / HTTP/1.1" CRLF CRLF), 400},
    {"a tab between", BYTES("GET\t/ HTTP/1.1" CRLF CRLF), 400},
    {"a blank in the target", BYTES("GET /a b HTTP/1.1" CRLF CRLF), 400},
    {"a form feed in the target", BYTES("GET /\f HTTP/1.1" CRLF CRLF), 400},
    {"NUL in the target", BYTES("GET /\0 HTTP/1.1" CRLF CRLF), 400},
    {"DEL in the target", BYTES("GET /\x7f HTTP/1.1" CRLF CRLF), 400},
    {"CR in the target", BYTES("GET /\rx HTTP/1.1" CRLF CRLF), 400},
    {"a method that is no token", BYTES("G(T / HTTP/1.1" CRLF CRLF), 400},
    {"NUL in the method", BYTES("G\0T / HTTP/1.1" CRLF CRLF), 400},
    {"a method of 17 bytes", BYTES("ABCDEFGHIJKLMNOPQ / HTTP/1.1" CRLF CRLF),
	400},
    {"a version in small letters", BYTES("GET / http/1.1" CRLF CRLF), 400},
    {"a version without a dot", BYTES("GET / HTTP/1-1" CRLF CRLF), 400},
    {"a version with two digits", BYTES("GET / HTTP/1.10" CRLF CRLF), 400},
    {"a version with a sign", BYTES("GET / HTTP/+1.1" CRLF CRLF), 400},
    {"a version with a letter", BYTES("GET / HTTP/1.a" CRLF CRLF), 400},
    {"a version with a letter first", BYTES("GET / HTTP/a.1" CRLF CRLF), 400},
    {"HTTP/1.2", BYTES("GET / HTTP/1.2" CRLF CRLF), 505},
    {"HTTP/2.0", BYTES("GET / HTTP/2.0" CRLF CRLF), 505},
    {"HTTP/0.9 by name", BYTES("GET / HTTP/0.9" CRLF CRLF), 505},
    {"the preface of HTTP/2", BYTES("PRI * HTTP/2.0" CRLF CRLF "SM" CRLF CRLF),
	505},
    {"bare LF after the request line", BYTES("GET / HTTP/1.1\n" CRLF), 400},
    {"bare LF after a field", BYTES("GET / HTTP/1.1" CRLF "a: b\n" CRLF), 400},
    {"bare LF at the end of the head", BYTES("GET / HTTP/1.1" CRLF "\n"), 400},
    {"two CRs", BYTES("GET / HTTP/1.1" CRLF "a: b\r" CRLF CRLF), 400},
    {"CR in a value", BYTES("GET / HTTP/1.1" CRLF "a: b\rc" CRLF CRLF), 400},
    {"NUL in a value", BYTES("GET / HTTP/1.1" CRLF "a: \0" CRLF CRLF), 400},
    {"a control byte in a value",
	BYTES("GET / HTTP/1.1" CRLF "a: \x0b" CRLF CRLF), 400},
    {"DEL in a value", BYTES("GET / HTTP/1.1" CRLF "a: \x7f" CRLF CRLF), 400},
    {"a folded field",
	BYTES("GET / HTTP/1.1" CRLF "a: b" CRLF " c: d" CRLF CRLF), 400},
    {"a folded field, with a tab",
	BYTES("GET / HTTP/1.1" CRLF "a: b" CRLF "\tc: d" CRLF CRLF), 400},
    {"a blank before the first field",
	BYTES("GET / HTTP/1.1" CRLF " a: b" CRLF CRLF), 400},
    {"a line of one blank", BYTES("GET / HTTP/1.1" CRLF " " CRLF CRLF), 400},
    {"a blank before the colon", BYTES(REQ "Content-Length : 1" CRLF CRLF "x"),
	400},
    {"a tab before the colon", BYTES(REQ "Content-Length\t: 1" CRLF CRLF "x"),
	400},
    {"a field without a colon", BYTES(REQ "Content-Length" CRLF CRLF), 400},
    {"a field without a name", BYTES(REQ ": x" CRLF CRLF), 400},
    {"NUL in a name", BYTES(REQ "a\0: x" CRLF CRLF), 400},
    {"a high byte in a name", BYTES(REQ "a\xe9: x" CRLF CRLF), 400},
    {"a name in parentheses", BYTES(REQ "(a): x" CRLF CRLF), 400},
    {"length with a plus", BYTES(REQ "Content-Length: +1" CRLF CRLF "x"), 400},
    {"length with a minus", BYTES(REQ "Content-Length: -1" CRLF CRLF "x"), 400},
    {"length in hexadecimal", BYTES(REQ "Content-Length: 0x1" CRLF CRLF "x"),
	400},
    {"length with a blank inside",
	BYTES(REQ "Content-Length: 1 1" CRLF CRLF "x"), 400},
    {"length with an underscore",
	BYTES(REQ "Content-Length: 1_0" CRLF CRLF "x"), 400},
    {"length with a dot", BYTES(REQ "Content-Length: 1.0" CRLF CRLF "x"), 400},
    {"empty length", BYTES(REQ "Content-Length:" CRLF CRLF), 400},
    {"a list of lengths", BYTES(REQ "Content-Length: 1, 1" CRLF CRLF "x"), 400},
    {"two equal lengths",
	BYTES(REQ "Content-Length: 1" CRLF "Content-Length: 1" CRLF CRLF "x"),
	400},
    {"two lengths",
	BYTES(REQ "Content-Length: 1" CRLF "content-length: 2" CRLF CRLF "xy"),
	400},
    {"length beyond 64 bits",
	BYTES(REQ "Content-Length: 18446744073709551616" CRLF CRLF), 413},
    {"length that wraps to 1",
	BYTES(REQ "Content-Length: 18446744073709551617" CRLF CRLF "x"), 413},
    {"length far beyond 64 bits",
	BYTES(REQ "Content-Length: 99999999999999999999999" CRLF CRLF), 413},
    {"length and chunked",
	BYTES(REQ "Content-Length: 3" CRLF
		  "Transfer-Encoding: chunked" CRLF CRLF "0" CRLF CRLF),
	400},
    {"chunked and length",
	BYTES(REQ "Transfer-Encoding: chunked" CRLF
		  "Content-Length: 3" CRLF CRLF "0" CRLF CRLF),
	400},
    {"chunked twice",
	BYTES(REQ "Transfer-Encoding: chunked" CRLF
		  "Transfer-Encoding: chunked" CRLF CRLF "0" CRLF CRLF),
	400},
    {"chunked, chunked",
	BYTES(REQ "Transfer-Encoding: chunked, chunked" CRLF CRLF), 501},
    {"gzip, chunked", BYTES(REQ "Transfer-Encoding: gzip, chunked" CRLF CRLF),
	501},
    {"identity", BYTES(REQ "Transfer-Encoding: identity" CRLF CRLF), 501},
    {"xchunked", BYTES(REQ "Transfer-Encoding: xchunked" CRLF CRLF), 501},
    {"chunked in quotes", BYTES(REQ "Transfer-Encoding: \"chunked\"" CRLF CRLF),
	501},
    {"no coding", BYTES(REQ "Transfer-Encoding:" CRLF CRLF), 501},
    {"chunked behind a vertical tab",
	BYTES(REQ "Transfer-Encoding: \x0b"
		  "chunked" CRLF CRLF),
	400},
    {"a coding and no version for it",
	BYTES("POST / HTTP/1.0" CRLF "Transfer-Encoding: chunked" CRLF CRLF),
	400},
    {"two hosts",
	BYTES("GET / HTTP/1.1" CRLF "Host: a" CRLF "host: a" CRLF CRLF), 400},
    {"chunk size with a sign", BYTES(CHUNKED "+1" CRLF "x" CRLF), 400},
    {"chunk size with a minus", BYTES(CHUNKED "-1" CRLF "x" CRLF), 400},
    {"chunk size with 0x", BYTES(CHUNKED "0x1" CRLF "x" CRLF), 400},
    {"chunk size with a blank before", BYTES(CHUNKED " 1" CRLF "x" CRLF), 400},
    {"chunk size with a blank behind", BYTES(CHUNKED "1 " CRLF "x" CRLF), 400},
    {"chunk size that is none", BYTES(CHUNKED "g" CRLF "x" CRLF), 400},
    {"no chunk size", BYTES(CHUNKED CRLF "x" CRLF), 400},
    {"an extension only", BYTES(CHUNKED ";a" CRLF "x" CRLF), 400},
    {"bare LF after a chunk size", BYTES(CHUNKED "1\nx" CRLF), 400},
    {"bare LF in an extension", BYTES(CHUNKED "1;a\nx" CRLF), 400},
    {"CR in an extension", BYTES(CHUNKED "1;a\rb" CRLF "x" CRLF), 400},
    {"NUL in an extension", BYTES(CHUNKED "1;\0" CRLF "x" CRLF), 400},
    {"an extension without a name", BYTES(CHUNKED "1;" CRLF "x" CRLF), 400},
    {"an extension with a blank", BYTES(CHUNKED "1; a" CRLF "x" CRLF), 400},
    {"a blank behind an extension", BYTES(CHUNKED "1;a " CRLF "x" CRLF), 400},
    {"two extensions", BYTES(CHUNKED "1;a;b" CRLF "x" CRLF), 400},
    {"no value", BYTES(CHUNKED "1;a=" CRLF "x" CRLF), 400},
    {"a value that is no token", BYTES(CHUNKED "1;a=(" CRLF "x" CRLF), 400},
    {"a quote without an end", BYTES(CHUNKED "1;a=\"b" CRLF "x" CRLF), 400},
    {"a quote that ends in a backslash",
	BYTES(CHUNKED "1;a=\"b\\" CRLF "x" CRLF), 400},
    {"a control character in a quote",
	BYTES(CHUNKED "1;a=\"\x01\"" CRLF "x" CRLF), 400},
    {"more behind a quote", BYTES(CHUNKED "1;a=\"b\"c" CRLF "x" CRLF), 400},
    {"CR in an extension that could end there",
	BYTES(CHUNKED "1;a=b\r.1" CRLF "x" CRLF "0" CRLF CRLF), 400},
    {"a tab behind chunked",
	BYTES(REQ "Transfer-Encoding: chunked\t" CRLF CRLF), 400},
    {"a tab before a length", BYTES(REQ "Content-Length: \t1" CRLF CRLF), 400},
    {"a trailer with a length",
	BYTES(CHUNKED "0" CRLF "Content-Length: 7" CRLF CRLF), 400},
    {"a trailer with a coding",
	BYTES(CHUNKED "0" CRLF "transfer-encoding: x" CRLF CRLF), 400},
    {"a trailer that closes",
	BYTES(CHUNKED "0" CRLF "connection: close" CRLF CRLF), 400},
    {"a chunk longer than its size", BYTES(CHUNKED "1" CRLF "xy" CRLF), 400},
    {"a chunk with bare LF", BYTES(CHUNKED "1" CRLF "x\n0" CRLF CRLF), 400},
    {"a chunk with LF and no CR", BYTES(CHUNKED "1" CRLF "xy\n0" CRLF CRLF),
	400},
    {"a chunk with CR and no LF", BYTES(CHUNKED "1" CRLF "x\r0" CRLF CRLF),
	400},
    {"chunk size beyond 64 bits",
	BYTES(CHUNKED "10000000000000001" CRLF "x" CRLF), 413},
    {"chunk size of 64 bits", BYTES(CHUNKED "ffffffffffffffff" CRLF "x" CRLF),
	413},
    {"sizes that overflow together",
	BYTES(CHUNKED "1" CRLF "x" CRLF "ffffffffffffffff" CRLF), 413},
    {"a trailer that is no field", BYTES(CHUNKED "0" CRLF "abc" CRLF CRLF),
	400},
    {"a folded trailer", BYTES(CHUNKED "0" CRLF "a: b" CRLF " c" CRLF CRLF),
	400},
    {"bare LF after a trailer", BYTES(CHUNKED "0" CRLF "a: b\n" CRLF), 400},
    {"bare LF at the end of all", BYTES(CHUNKED "0" CRLF "\n"), 400},
};

/* Each message of the table, cut everywhere. */
static void
http1_refuses_bad_requests(void **state)
{
	const struct refused *t;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof refuseds / sizeof *refuseds; i++) {
		t = &refuseds[i];
		feed_all_ways(&f, HTTP1_REQUEST, &limits, t->name, t->p, t->n);
		check(f.rc == HTTP1_ERROR, t->name, -1);
		if (f.h.status != t->status)
			fail_msg("%s: %d", t->name, f.h.status);
		check(f.h.reason != NULL && f.h.reason[0] != '\0', t->name, -1);
		feed_fini(&f);
	}
}

/* A good request is never done, and never an error, before its last byte. */
static void
http1_waits_for_the_last_byte(void **state)
{
	const struct taken *t;
	struct feed f;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof takens / sizeof *takens; i++) {
		t = &takens[i];
		for (n = 0; n < t->n - t->rest; n++) {
			feed_init(&f, HTTP1_REQUEST, &limits);
			feed_more(&f, t->p, n);
			check(f.rc == HTTP1_MORE, t->name, n);
			feed_fini(&f);
		}
	}
}

/* Every byte value, where it may stand and where it may not. */
static void
http1_knows_every_byte_value(void **state)
{
	static const char token[] = "!#$%&'*+-.^_`|~";
	char line[64];
	struct feed f;
	int c, n;
	bool tok, text;

	(void)state;
	for (c = 0; c < 256; c++) {
		tok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c > 0 && strchr(token, c));
		text = c == '\t' || (c >= 0x20 && c != 0x7f);

		n = sprintf(line, "G_T / HTTP/1.1" CRLF CRLF);
		line[1] = (char)c;
		feed_init(&f, HTTP1_REQUEST, &limits);
		feed_more(&f, line, (size_t)n);
		check((f.rc == HTTP1_DONE) == tok, "method", c);
		feed_fini(&f);

		n = sprintf(line, "GET /_ HTTP/1.1" CRLF CRLF);
		line[5] = (char)c;
		feed_init(&f, HTTP1_REQUEST, &limits);
		feed_more(&f, line, (size_t)n);
		check((f.rc == HTTP1_DONE) == (text && c > ' '), "target", c);
		feed_fini(&f);

		n = sprintf(line, "GET / HTTP/1.1" CRLF "a_b:a_b" CRLF CRLF);
		line[17] = (char)c;
		feed_init(&f, HTTP1_REQUEST, &limits);
		feed_more(&f, line, (size_t)n);
		check((f.rc == HTTP1_DONE) == (tok || c == ':'), "name", c);
		feed_fini(&f);

		line[17] = '_';
		line[21] = (char)c;
		feed_init(&f, HTTP1_REQUEST, &limits);
		feed_more(&f, line, (size_t)n);
		check((f.rc == HTTP1_DONE) == text, "value", c);
		feed_fini(&f);
	}
}

/* A request with a target, a field and a number of small fields. */
static void
make_request(struct buf *b, size_t line, size_t head, size_t fields)
{
	size_t i;

	buf_reset(b);
	buf_adds(b, "GET /");
	while (b->n < line - 9)
		buf_addc(b, 'a');
	buf_adds(b, " HTTP/1.1" CRLF);
	for (i = 1; i < fields; i++)
		buf_adds(b, "a:b" CRLF);
	if (head > 0) {
		buf_adds(b, "long: ");
		while (b->n < head - 4)
			buf_addc(b, 'x');
		buf_adds(b, CRLF);
	}
	buf_adds(b, CRLF);
	assert_true(buf_ok(b));
}

/* The head's limits, each at the bound and one beyond. */
static void
http1_head_limits_are_exact(void **state)
{
	static const struct http1_limits small = {200, 500, 9, 100};
	static const struct {
		const char *name;
		size_t line, head, fields;
		int status;
	} cases[] = {
	    {"line at the bound", 200, 0, 0, 0},
	    {"line one beyond", 201, 0, 0, 414},
	    {"line far beyond", 4000, 0, 0, 414},
	    {"head at the bound", 20, 500, 0, 0},
	    {"head one beyond", 20, 501, 0, 431},
	    {"head two beyond", 20, 502, 0, 431},
	    {"head three beyond", 20, 503, 0, 431},
	    {"head far beyond", 20, 5000, 0, 431},
	    {"head at the bound, long line", 200, 500, 0, 0},
	    {"fields at the bound", 20, 0, 10, 0},
	    {"fields one beyond", 20, 0, 11, 431},
	    {"fields at the bound, one long", 20, 400, 9, 0},
	};
	struct buf b = BUF_INIT;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		make_request(&b, cases[i].line, cases[i].head, cases[i].fields);
		feed_all_ways(
		    &f, HTTP1_REQUEST, &small, cases[i].name, b.p, b.n);
		if (f.h.status != cases[i].status ||
		    (f.rc == HTTP1_DONE) != (cases[i].status == 0))
			fail_msg("%s: %d", cases[i].name, f.h.status);
		feed_fini(&f);
	}
	buf_fini(&b);
}

/* The empty line that is forgiven does not count. */
static void
http1_empty_line_is_free(void **state)
{
	static const struct http1_limits small = {14, 18, 9, 100};
	struct feed f;

	(void)state;
	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES(CRLF "GET / HTTP/1.1" CRLF CRLF));
	assert_int_equal(f.rc, HTTP1_DONE);
	assert_int_equal(f.h.used, 20);
	feed_fini(&f);
}

/* An endless line is refused as soon as it is too long, not at its end. */
static void
http1_refuses_endless_lines_early(void **state)
{
	static const struct http1_limits small = {20, 50, 9, 100};
	struct feed f;
	size_t i;

	(void)state;
	feed_init(&f, HTTP1_REQUEST, &small);
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, "a", 1);
	assert_int_equal(i, 21);
	assert_int_equal(f.h.status, 414);
	feed_fini(&f);
	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES("GET / HTTP/1.1" CRLF));
	for (i = 16; f.rc == HTTP1_MORE; i++)
		feed_more(&f, "a", 1);
	assert_int_equal(i, 49);
	assert_int_equal(f.h.status, 431);
	feed_fini(&f);
	feed_init(&f, HTTP1_REQUEST, &limits);
	feed_more(&f, BYTES(CHUNKED));
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, "0", 1);
	assert_int_equal(i, 257);
	assert_int_equal(f.h.status, 400);
	feed_fini(&f);
}

/* The body's limit, told by a length or by chunks, without waiting for it. */
static void
http1_body_limit_is_exact_and_early(void **state)
{
	static const struct http1_limits small = {200, 500, 9, 10};
	static const struct {
		const char *name, *p;
		enum http1_rc rc;
	} cases[] = {
	    {"length at the bound", REQ "content-length: 10" CRLF CRLF,
		HTTP1_MORE},
	    {"length one beyond", REQ "content-length: 11" CRLF CRLF,
		HTTP1_ERROR},
	    {"chunk at the bound", CHUNKED "a" CRLF, HTTP1_MORE},
	    {"chunk one beyond", CHUNKED "b" CRLF, HTTP1_ERROR},
	    {"chunks at the bound", CHUNKED "6" CRLF "abcdef" CRLF "4" CRLF,
		HTTP1_MORE},
	    {"chunks one beyond", CHUNKED "6" CRLF "abcdef" CRLF "5" CRLF,
		HTTP1_ERROR},
	};
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		feed_all_ways(&f, HTTP1_REQUEST, &small, cases[i].name,
		    cases[i].p, strlen(cases[i].p));
		check(f.rc == cases[i].rc, cases[i].name, -1);
		check(
		    f.rc == HTTP1_MORE || f.h.status == 413, cases[i].name, -1);
		check(http1_head_done(&f.h), cases[i].name, -1);
		feed_fini(&f);
	}
}

/* Chunk lines and trailers may not outweigh head and body. */
static void
http1_bounds_what_chunks_waste(void **state)
{
	static const struct http1_limits small = {100, 100, 9, 1000};
	struct feed f;
	size_t i;

	(void)state;
	/* the k-th line makes it 5 k, allowed are 100 and k - 1: k < 25 */
	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES(CHUNKED));
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, BYTES("1" CRLF "x" CRLF));
	assert_int_equal(i, 25);
	assert_int_equal(f.h.status, 413);
	feed_fini(&f);

	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES(CHUNKED "0" CRLF));
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, BYTES("a: 3456789012345678" CRLF));
	assert_int_equal(i, 5);
	assert_int_equal(f.h.status, 413);
	feed_fini(&f);

	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES(CHUNKED "0" CRLF));
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, BYTES("a:b" CRLF));
	assert_int_equal(i, 9); /* one field was in the head */
	assert_int_equal(f.h.status, 431);
	feed_fini(&f);

	feed_init(&f, HTTP1_REQUEST, &small);
	feed_more(&f, BYTES(CHUNKED "0" CRLF));
	for (i = 0; f.rc == HTTP1_MORE; i++)
		feed_more(&f, "a", 1);
	assert_int_equal(i, 101);
	assert_int_equal(f.h.status, 431);
	feed_fini(&f);
}

/* After an error nothing changes any more. */
static void
http1_error_sticks(void **state)
{
	struct feed f;

	(void)state;
	feed_init(&f, HTTP1_REQUEST, &limits);
	feed_more(&f, BYTES("garbage" CRLF));
	assert_int_equal(f.rc, HTTP1_ERROR);
	feed_more(&f, BYTES("GET / HTTP/1.1" CRLF CRLF));
	assert_int_equal(f.rc, HTTP1_ERROR);
	assert_int_equal(f.h.status, 400);
	feed_fini(&f);
}

/* Method and target are there while the body is on its way. */
static void
http1_head_can_be_seen_early(void **state)
{
	struct feed f;
	struct str v;

	(void)state;
	feed_init(&f, HTTP1_REQUEST, &limits);
	feed_more(&f,
	    BYTES(
		REQ "Expect: 100-continue" CRLF "content-length: 2" CRLF "\r"));
	assert_false(http1_head_done(&f.h));
	feed_more(&f, "\n", 1);
	assert_int_equal(f.rc, HTTP1_MORE);
	assert_true(http1_head_done(&f.h));
	assert_true(f.h.expect);
	assert_bytes(f.h.method.p, f.h.method.n, "POST");
	assert_bytes(f.h.target.p, f.h.target.n, "/x");
	feed_more(&f, "a", 1);
	assert_bytes(f.h.target.p, f.h.target.n, "/x");
	assert_true(http1_field(&f.h, f.p, "expect", &v));
	assert_bytes(v.p, v.n, "100-continue");
	feed_more(&f, "b", 1);
	assert_int_equal(f.rc, HTTP1_DONE);
	feed_fini(&f);
}

/* Fields by name: without case, trimmed, the first one, never a part. */
static void
http1_field_finds_by_name(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
	    {"x-one", "1"},
	    {"X-ONE", "1"},
	    {"x-two", "a b"},
	    {"empty", ""},
	    {"last", ":"},
	    {"x-on", NULL},
	    {"x-one-", NULL},
	    {"one", NULL},
	    {"body", NULL},
	    {"", NULL},
	};
	struct feed f;
	struct str v;
	size_t i;
	bool found;

	(void)state;
	feed_init(&f, HTTP1_REQUEST, &limits);
	feed_more(&f,
	    BYTES(CRLF "POST / HTTP/1.1" CRLF "X-One: 1" CRLF "x-one: 2" CRLF
		       "x-two:\ta b \t" CRLF "empty:" CRLF "last::" CRLF
		       "content-length: 9" CRLF CRLF "body: x" CRLF));
	assert_int_equal(f.rc, HTTP1_DONE);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		found = http1_field(&f.h, f.p, cases[i].name, &v);
		check(found == (cases[i].value != NULL), cases[i].name, -1);
		if (found)
			check(str_eq(v, str_of(cases[i].value)), cases[i].name,
			    -1);
	}
	feed_fini(&f);
}

/* Replies: status, body, what has no body, what is refused. */
static void
http1_reads_replies(void **state)
{
	static const struct {
		const char *p;
		enum http1_rc rc;
		int status;
		const char *body;
		bool close;
		size_t rest;
	} cases[] = {
	    {"HTTP/1.1 200 OK" CRLF "content-length: 2" CRLF CRLF "hiHTTP",
		HTTP1_DONE, 200, "hi", false, 4},
	    {"HTTP/1.1 404 Not Found" CRLF "content-length: 0" CRLF CRLF,
		HTTP1_DONE, 404, "", false, 0},
	    {"HTTP/1.1 404 " CRLF "content-length: 0" CRLF CRLF, HTTP1_DONE,
		404, "", false, 0},
	    {"HTTP/1.1 599" CRLF "content-length: 0" CRLF CRLF, HTTP1_DONE, 599,
		"", false, 0},
	    {"HTTP/1.0 200 OK" CRLF "content-length: 1" CRLF CRLF "x",
		HTTP1_DONE, 200, "x", true, 0},
	    {"HTTP/1.1 200 OK" CRLF "connection: close" CRLF
	     "content-length: 1" CRLF CRLF "x",
		HTTP1_DONE, 200, "x", true, 0},
	    {"HTTP/1.1 200 OK" CRLF "transfer-encoding: chunked" CRLF CRLF
	     "2" CRLF "ab" CRLF "0" CRLF CRLF,
		HTTP1_DONE, 200, "ab", false, 0},
	    {"HTTP/1.1 100 Continue" CRLF CRLF "HTTP/1.1", HTTP1_DONE, 100, "",
		false, 8},
	    {"HTTP/1.1 204 No Content" CRLF CRLF, HTTP1_DONE, 204, "", false,
		0},
	    {"HTTP/1.1 304 Not Modified" CRLF "content-length: 7" CRLF CRLF,
		HTTP1_DONE, 304, "", false, 0},
	    {"HTTP/1.1 200 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 99 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 099 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 600 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 2000 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 2x0 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1 200 O\x01K" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1  200 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/1.1" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTQ/1.1 200 OK" CRLF CRLF, HTTP1_ERROR, 400, NULL, false, 0},
	    {"HTTP/3.0 200 OK" CRLF CRLF, HTTP1_ERROR, 505, NULL, false, 0},
	    {CRLF "HTTP/1.1 200 OK" CRLF "content-length: 0" CRLF CRLF,
		HTTP1_ERROR, 400, NULL, false, 0},
	};
	struct feed f;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		n = strlen(cases[i].p);
		feed_all_ways(
		    &f, HTTP1_REPLY, &limits, cases[i].p, cases[i].p, n);
		check(f.rc == cases[i].rc, cases[i].p, -1);
		check(f.h.status == cases[i].status, cases[i].p, -1);
		if (f.rc == HTTP1_DONE) {
			check(f.h.close == cases[i].close, cases[i].p, -1);
			check(f.h.used == n - cases[i].rest, cases[i].p, -1);
			check(str_eq(f.h.body, str_of(cases[i].body)),
			    cases[i].p, -1);
		}
		feed_fini(&f);
	}
}

/* Many requests in one buffer come out one by one, untouched. */
static void
http1_pipelined_requests_stay_apart(void **state)
{
	static const char *const bodies[] = {"", "a", "bc", CRLF, "\0"};
	struct buf b = BUF_INIT;
	struct http1 h;
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < 5; i++) {
		http1_put_request(&b, "POST", STR("/x"), strlen(bodies[i]));
		buf_adds(&b, bodies[i]);
	}
	for (i = 0; i < 5; i++) {
		http1_init(&h, HTTP1_REQUEST, &limits);
		assert_int_equal(
		    http1_feed(&h, b.p + at, b.n - at), HTTP1_DONE);
		assert_true(str_eq(h.body, str_of(bodies[i])));
		at += h.used;
	}
	assert_int_equal(at, b.n);
	buf_fini(&b);
}

/* Byte by byte costs the same order of work as all at once. */
static void
http1_byte_by_byte_is_linear(void **state)
{
	struct buf b = BUF_INIT;
	struct http1 h;
	size_t i, j;
	enum http1_rc rc = HTTP1_MORE;

	(void)state;
	make_request(&b, 8192, 16000, 0);
	b.n -= 2;
	buf_adds(&b, "transfer-encoding: chunked" CRLF CRLF);
	for (i = 0; i < 20; i++) {
		buf_adds(&b, "1000" CRLF);
		for (j = 0; j < 4096; j++)
			buf_addc(&b, (char)j);
		buf_adds(&b, CRLF);
	}
	buf_adds(&b, "0" CRLF CRLF);
	searched = 0;
	http1_init(&h, HTTP1_REQUEST, &limits);
	for (i = 1; i <= b.n && rc == HTTP1_MORE; i++)
		rc = http1_feed(&h, b.p, i);
	assert_int_equal(rc, HTTP1_DONE);
	assert_int_equal(h.body.n, 20 * 4096);
	for (i = 0; i < h.body.n; i++)
		assert_int_equal(h.body.p[i], (char)(i % 4096));
	assert_in_range(searched, 1, 2 * b.n);
	buf_fini(&b);
}

/* Heads of replies and requests, to the byte. */
static void
http1_writes_heads(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	http1_put_reply(&b, 200, NULL, false, 0);
	assert_bytes(
	    b.p, b.n, "HTTP/1.1 200 OK" CRLF "content-length: 0" CRLF CRLF);
	buf_reset(&b);
	http1_put_reply(&b, 404, NULL, true, 14);
	assert_bytes(b.p, b.n,
	    "HTTP/1.1 404 Not Found" CRLF "content-length: 14" CRLF
	    "connection: close" CRLF CRLF);
	buf_reset(&b);
	http1_put_reply(&b, 413, "application/json", true, 1234567890123);
	assert_bytes(b.p, b.n,
	    "HTTP/1.1 413 Content Too Large" CRLF
	    "content-length: 1234567890123" CRLF
	    "content-type: application/json" CRLF
	    "x-content-type-options: nosniff" CRLF
	    "connection: close" CRLF CRLF);
	buf_reset(&b);
	http1_put_request(&b, "POST", STR("/transfer"), 37);
	assert_bytes(b.p, b.n,
	    "POST /transfer HTTP/1.1" CRLF "connection: keep-alive" CRLF
	    "content-length: 37" CRLF "host: localhost" CRLF
	    "user-agent: xmsg" CRLF CRLF);
	buf_fini(&b);
}

/* Every status that the parser or the protocol uses has its phrase. */
static void
http1_phrases(void **state)
{
	static const int used[] = {200, 400, 403, 404, 405, 409, 413, 414, 429,
	    431, 500, 501, 503, 505, 507};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof used / sizeof *used; i++)
		assert_string_not_equal(http1_phrase(used[i]), "Unknown");
	assert_string_equal(http1_phrase(404), "Not Found");
	assert_string_equal(http1_phrase(299), "Unknown");
	assert_string_equal(http1_phrase(-1), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(http1_takes_good_requests),
	    cmocka_unit_test(http1_refuses_bad_requests),
	    cmocka_unit_test(http1_waits_for_the_last_byte),
	    cmocka_unit_test(http1_knows_every_byte_value),
	    cmocka_unit_test(http1_head_limits_are_exact),
	    cmocka_unit_test(http1_empty_line_is_free),
	    cmocka_unit_test(http1_refuses_endless_lines_early),
	    cmocka_unit_test(http1_body_limit_is_exact_and_early),
	    cmocka_unit_test(http1_bounds_what_chunks_waste),
	    cmocka_unit_test(http1_error_sticks),
	    cmocka_unit_test(http1_head_can_be_seen_early),
	    cmocka_unit_test(http1_field_finds_by_name),
	    cmocka_unit_test(http1_reads_replies),
	    cmocka_unit_test(http1_pipelined_requests_stay_apart),
	    cmocka_unit_test(http1_byte_by_byte_is_linear),
	    cmocka_unit_test(http1_writes_heads),
	    cmocka_unit_test(http1_phrases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
