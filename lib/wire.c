/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The requests of the message-switch protocol.  One table holds every path: the
 * broker matches requests against it and the client builds them from it.  The
 * bodies of replies are in wire_body.c.
 *
 * A path is split on '/' before anything is decoded, and each of its parts is
 * decoded once: so "%2F" is a byte of a name, never a separator.
 */
#include "wire.h"

#include <math.h>
#include <string.h>

#include "http1.h"
#include "json.h"

#define MAX_ARGS   3
#define MAX_PATH   (MAX_ARGS * (3 * WIRE_MAX_NAME + 1) + 16)
#define MAX_FIELDS 160 /* the rest of a request's head */
#define LIT(s)                                                                 \
	{                                                                      \
		"" s, sizeof(s) - 1                                            \
	}

enum body {
	BODY_NONE, /* ignored when it comes */
	BODY_EMPTY, /* another request when it comes */
	BODY_PAYLOAD, /* bytes */
	BODY_POLL, /* the JSON of a transfer */
};

/* Each path.  args, one letter for each part behind it: n name, l prefix of a
 * list, r reply_to, i id, f from, t timeout. */
static const struct route {
	struct str method, path, args;
	enum wire_op op;
	enum body body;
} routes[] = {
    {LIT("POST"), LIT("/transfer"), LIT(""), WIRE_TRANSFER, BODY_POLL},
    {LIT("GET"), LIT("/ack"), LIT("ni"), WIRE_ACK, BODY_NONE},
    {LIT("POST"), LIT("/request"), LIT("nr"), WIRE_REQUEST, BODY_PAYLOAD},
    {LIT("POST"), LIT("/response"), LIT("nri"), WIRE_RESPONSE, BODY_PAYLOAD},
    {LIT("GET"), LIT("/persistent"), LIT("n"), WIRE_PERSISTENT, BODY_NONE},
    {LIT("GET"), LIT("/transient"), LIT("n"), WIRE_TRANSIENT, BODY_NONE},
    {LIT("GET"), LIT("/login"), LIT("n"), WIRE_LOGIN, BODY_NONE},
    {LIT("GET"), LIT("/destroy"), LIT("n"), WIRE_DESTROY, BODY_NONE},
    {LIT("GET"), LIT("/list/alive"), LIT("l"), WIRE_LIST_ALIVE, BODY_NONE},
    {LIT("GET"), LIT("/list"), LIT("l"), WIRE_LIST, BODY_NONE},
    {LIT("GET"), LIT("/trace"), LIT("ft"), WIRE_TRACE, BODY_NONE},
    {LIT("GET"), LIT("/trace"), LIT(""), WIRE_TRACE, BODY_NONE},
    {LIT("GET"), LIT("/"), LIT(""), WIRE_DIAGNOSTICS, BODY_NONE},
    {LIT("POST"), LIT("/shutdown"), LIT(""), WIRE_SHUTDOWN, BODY_EMPTY},
};

#define NROUTES (sizeof routes / sizeof *routes)

static const struct {
	const char *name;
	bool login; /* only after a login */
} ops[WIRE_NOPS] = {
    [WIRE_LOGIN] = {"login", false},
    [WIRE_PERSISTENT] = {"persistent", true},
    [WIRE_TRANSIENT] = {"transient", true},
    [WIRE_DESTROY] = {"destroy", true},
    [WIRE_ACK] = {"ack", true},
    [WIRE_LIST] = {"list", true},
    [WIRE_LIST_ALIVE] = {"list-alive", true},
    [WIRE_TRANSFER] = {"transfer", true},
    [WIRE_REQUEST] = {"request", true},
    [WIRE_RESPONSE] = {"response", true},
    [WIRE_TRACE] = {"trace", false},
    [WIRE_DIAGNOSTICS] = {"diagnostics", false},
    [WIRE_SHUTDOWN] = {"shutdown", true},
};

/* Only after a login? */
bool
wire_needs_login(enum wire_op op)
{
	return ops[op].login;
}

/* Its word. */
const char *
wire_op_name(enum wire_op op)
{
	return ops[op].name;
}

/* ---- names and numbers ---- */

/* The value of a digit in any base up to 16; 16 for what is none. */
static unsigned
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* The base a prefix like "0x" stands for, else 0. */
static unsigned
base_of(struct str s)
{
	if (s.n < 2 || s.p[0] != '0')
		return 0;
	switch (s.p[1] | 0x20) {
	case 'x': return 16;
	case 'o': return 8;
	case 'b': return 2;
	case 'u': return 10;
	default: return 0;
	}
}

/* OCaml's Int64.of_string: with a prefix the 64 bits are taken as they are. */
bool
wire_int64(struct str s, int64_t *v)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	size_t i = minus || (s.n > 0 && s.p[0] == '+');
	unsigned base, d;
	uint64_t u = 0, max = UINT64_MAX;

	base = base_of((struct str){s.p + i, s.n - i});
	if (base != 0) {
		i += 2;
	} else {
		base = 10;
		max = (uint64_t)INT64_MAX + minus;
	}
	if (i == s.n || s.p[i] == '_')
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] == '_')
			continue;
		d = digit(s.p[i]);
		if (d >= base || __builtin_mul_overflow(u, base, &u) ||
		    __builtin_add_overflow(u, d, &u) || u > max)
			return false;
	}
	*v = (int64_t)(minus ? 0 - u : u);
	return true;
}

/* May this be the name of a queue, or a token? */
static bool
name_ok(struct str s)
{
	size_t i;

	if (s.n == 0 || s.n > WIRE_MAX_NAME)
		return false;
	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

/* Decode %XX in place; a '%' without two digits stands for itself. */
struct str
wire_get_segment(struct str s)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	char *w = s.n > 0 ? memchr(s.p, '%', s.n) : NULL;
	const char *r = w, *end = s.p + s.n;

	if (w == NULL)
		return s;
	while (r < end) {
		if (*r == '%' && end - r > 2 && digit(r[1]) < 16 &&
		    digit(r[2]) < 16) {
			*w++ = (char)(digit(r[1]) << 4 | digit(r[2]));
			r += 3;
		} else {
			*w++ = *r++;
		}
	}
	return (struct str){s.p, (size_t)(w - s.p)};
}

/* A time to wait: not negative, and no longer than the cap. */
static bool
set_timeout(struct wire_req *r, double v)
{
	r->timeout_s = v > WIRE_MAX_TIMEOUT ? WIRE_MAX_TIMEOUT : v;
	return v >= 0;
}

/* ---- broker side: requests in ---- */

/* It is not understood, and why. */
static enum wire_rc
bad(const char **reason, const char *why)
{
	*reason = why;
	return WIRE_BAD;
}

/* A name into its place. */
static enum wire_rc
take_name(struct str *to, struct str s, const char **reason)
{
	if (!name_ok(s))
		return bad(reason,
		    "a name must have 1 to 255 bytes and no "
		    "control characters");
	*to = s;
	return WIRE_OK;
}

/* The path of a target: without scheme, host and query; empty when it has no
 * path we know of. */
static struct str
path_of(struct str t)
{
	static const struct str scheme = LIT("http://");
	const char *q;
	size_t i;

	q = t.n > 0 ? memchr(t.p, '?', t.n) : NULL;
	if (q != NULL)
		t.n = (size_t)(q - t.p);
	if (!str_starts(t, scheme))
		return t;
	for (i = scheme.n; i < t.n && t.p[i] != '/'; i++)
		;
	if (i == t.n)
		return STR("/");
	return (struct str){t.p + i, t.n - i};
}

/* Split "/a/b" into exactly `want` parts. */
static bool
split(struct str s, struct str *args, size_t want)
{
	const char *end = s.p + s.n, *slash;
	size_t i;

	for (i = 0; i < want; i++) {
		if (s.n == 0 || *s.p != '/')
			return false;
		s.p++;
		slash = memchr(s.p, '/', (size_t)(end - s.p));
		args[i].p = s.p;
		args[i].n = (size_t)((slash == NULL ? end : slash) - s.p);
		s.p += args[i].n;
		s.n = (size_t)(end - s.p);
	}
	return s.n == 0;
}

/* The row for a request, and the parts of its path. */
static const struct route *
find_route(struct str method, struct str path, struct str *args)
{
	const struct route *r;
	struct str rest;

	for (r = routes; r < routes + NROUTES; r++) {
		if (!str_starts(path, r->path))
			continue;
		rest.p = path.p + r->path.n;
		rest.n = path.n - r->path.n;
		if (split(rest, args, r->args.n) && str_eq(method, r->method))
			return r;
	}
	return NULL;
}

/* One part of a path. */
static enum wire_rc
take_arg(struct wire_req *r, char kind, struct str s, const char **reason)
{
	double v;

	s = wire_get_segment(s);
	switch (kind) {
	case 'n': return take_name(&r->name, s, reason);
	case 'r': return take_name(&r->reply_to, s, reason);
	case 'l': r->name = s; return WIRE_OK;
	case 'i':
		if (!wire_int64(s, &r->id))
			return bad(reason, "the message id is not a number");
		return WIRE_OK;
	case 'f':
		if (!wire_int64(s, &r->from))
			return bad(reason, "from is not a number");
		return WIRE_OK;
	default:
		if (!json_float(s, &v) || !set_timeout(r, v))
			return bad(reason, "the timeout is not a duration");
		return WIRE_OK;
	}
}

/* The value of "queues". */
static enum wire_rc
take_queues(
    struct wire_req *r, struct json_in *j, size_t room, const char **reason)
{
	enum json_type t = json_value(j);
	enum wire_rc rc;

	r->nqueues = 0;
	if (t != JSON_ARRAY)
		return bad(reason, "queues is not an array");
	while ((t = json_item(j)) == JSON_STR) {
		if (r->nqueues == room)
			return WIRE_TOO_MANY;
		rc = take_name(&r->queues[r->nqueues++], j->str, reason);
		if (rc != WIRE_OK)
			return rc;
	}
	return t == JSON_END ? WIRE_OK
			     : bad(reason, "queues holds what is not a name");
}

/* The value of "timeout". */
static enum wire_rc
take_timeout(struct wire_req *r, struct json_in *j, const char **reason)
{
	enum json_type t = json_value(j);
	double v = j->number;

	if (t == JSON_STR ? !json_float(j->str, &v)
			  : t != JSON_INT && t != JSON_FLOAT)
		return bad(reason, "the timeout is not a number");
	if (!set_timeout(r, v))
		return bad(reason, "the timeout is negative");
	return WIRE_OK;
}

/* The value of "from". */
static enum wire_rc
take_from(struct wire_req *r, struct json_in *j, const char **reason)
{
	if (json_value(j) != JSON_STR || !wire_int64(j->str, &r->from))
		return bad(reason, "from is not a number in a string");
	return WIRE_OK;
}

/* The body of a transfer. */
static enum wire_rc
take_poll(struct wire_req *r, struct json_in *j, const char **reason)
{
	size_t room = r->nqueues;
	bool queues = false, timeout = false;
	enum wire_rc rc = WIRE_OK;
	struct str key;

	if (json_value(j) != JSON_OBJECT)
		return bad(reason, "the body is not a JSON object");
	while (rc == WIRE_OK && json_key(j, &key)) {
		if (str_eq(key, STR("timeout"))) {
			timeout = true;
			rc = take_timeout(r, j, reason);
		} else if (str_eq(key, STR("queues"))) {
			queues = true;
			rc = take_queues(r, j, room, reason);
		} else if (str_eq(key, STR("from"))) {
			rc = take_from(r, j, reason);
		} else {
			json_skip(j, json_value(j));
		}
	}
	if (rc != WIRE_OK || !json_finish(j))
		return rc;
	if (!queues || !timeout)
		return bad(reason, "timeout and queues are needed");
	return WIRE_OK;
}

/* What a body has to say. */
static enum wire_rc
take_body(
    struct wire_req *r, enum body kind, struct str body, const char **reason)
{
	struct json_in j;
	enum wire_rc rc;

	if (kind == BODY_PAYLOAD)
		r->payload = body;
	if (kind == BODY_POLL) {
		json_in_init(&j, (char *)body.p, body.n);
		rc = take_poll(r, &j, reason);
		return j.reason != NULL ? bad(reason, j.reason) : rc;
	}
	r->nqueues = 0;
	return WIRE_OK;
}

/* Decode a request. */
enum wire_rc
wire_get_request(struct wire_req *r, struct str method, struct str target,
    struct str body, const char **reason)
{
	struct str args[MAX_ARGS];
	const struct route *route;
	enum wire_rc rc = WIRE_OK;
	size_t i;

	route = find_route(method, path_of(target), args);
	if (route == NULL || (route->body == BODY_EMPTY && body.n > 0))
		return WIRE_NOT_FOUND;
	r->op = route->op;
	r->name = r->reply_to = r->payload = (struct str){NULL, 0};
	r->id = 0;
	r->from = -1;
	r->timeout_s = r->op == WIRE_TRACE ? 5 : 0;
	for (i = 0; i < route->args.n && rc == WIRE_OK; i++)
		rc = take_arg(r, route->args.p[i], args[i], reason);
	return rc != WIRE_OK ? rc : take_body(r, route->body, body, reason);
}

/* ---- client side: requests out ---- */

/* Bytes that stand for themselves in a path, to everybody. */
static bool
unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

/* Percent-encode one part of a path. */
void
wire_put_segment(struct buf *b, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	char e[3] = {'%', 0, 0};
	size_t i, from = 0;

	for (i = 0; i < s.n; i++) {
		if (unreserved(s.p[i]))
			continue;
		e[1] = digits[(unsigned char)s.p[i] >> 4];
		e[2] = digits[s.p[i] & 15];
		buf_add(b, s.p + from, i - from);
		buf_add(b, e, sizeof e);
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
}

/* A name as a part of a path; false when it is none. */
static bool
put_name(struct buf *b, struct str s)
{
	if (!name_ok(s))
		return false;
	wire_put_segment(b, s);
	return true;
}

/* A prefix of names as a part of a path. */
static bool
put_prefix(struct buf *b, struct str s)
{
	if (s.n > WIRE_MAX_NAME)
		return false;
	wire_put_segment(b, s);
	return true;
}

/* A time to wait; false when it is none. */
static bool
put_timeout(struct buf *b, double v)
{
	if (!(v >= 0) || !isfinite(v))
		return false;
	json_put_float(b, v);
	return true;
}

/* One part of a path, of the kind the table says. */
static bool
put_arg(struct buf *b, char kind, const struct wire_req *r)
{
	buf_addc(b, '/');
	switch (kind) {
	case 'n': return put_name(b, r->name);
	case 'r': return put_name(b, r->reply_to);
	case 'l': return put_prefix(b, r->name);
	case 'i': buf_addi(b, r->id); return true;
	case 'f': buf_addi(b, r->from); return true;
	default: return put_timeout(b, r->timeout_s);
	}
}

/* The body of a transfer; false when a name is none. */
static bool
put_poll(struct buf *b, const struct wire_req *r)
{
	size_t i;

	buf_addc(b, '{');
	if (r->from != -1) {
		buf_adds(b, "\"from\":\"");
		buf_addi(b, r->from);
		buf_adds(b, "\",");
	}
	buf_adds(b, "\"timeout\":");
	if (!put_timeout(b, r->timeout_s))
		return false;
	buf_adds(b, ",\"queues\":[");
	for (i = 0; i < r->nqueues; i++) {
		if (!name_ok(r->queues[i]))
			return false;
		if (i > 0)
			buf_addc(b, ',');
		json_put_str(b, r->queues[i]);
	}
	buf_adds(b, "]}");
	return true;
}

/* Insert the head before the last bytes of b, those from `at` on. */
static void
put_before(struct buf *b, size_t at, const struct buf *head)
{
	if (buf_reserve(b, head->n) == NULL)
		return;
	memmove(b->p + at + head->n, b->p + at, b->n - at);
	memcpy(b->p + at, head->p, head->n);
	b->n += head->n;
}

/* The row to build a request from: the first of its operation. */
static const struct route *
route_of(enum wire_op op)
{
	const struct route *r = routes;

	while (r < routes + NROUTES - 1 && r->op != op)
		r++;
	return r;
}

/* A whole request.  The body of a poll is written before its head, which tells
 * its length; a payload, which may be large, is copied once, behind it. */
bool
wire_put_request(struct buf *b, const struct wire_req *r)
{
	const struct route *route = route_of(r->op);
	char path[MAX_PATH], room[MAX_PATH + MAX_FIELDS];
	struct buf target = {path, 0, sizeof path, sizeof path, false};
	struct buf head = {room, 0, sizeof room, sizeof room, false};
	size_t i, at = b->n;
	struct str payload = {NULL, 0};
	bool ok = true;

	if (route->body == BODY_PAYLOAD)
		payload = r->payload;
	if (route->body == BODY_POLL)
		ok = put_poll(b, r);
	buf_add(&target, route->path.p, route->path.n);
	for (i = 0; i < route->args.n && ok; i++)
		ok = put_arg(&target, route->args.p[i], r);
	http1_put_request(&head, route->method.p,
	    (struct str){target.p, target.n}, b->n - at + payload.n);
	if (ok)
		put_before(b, at, &head);
	buf_add(b, payload.p, payload.n);
	if (!ok || b->failed)
		b->n = at;
	return ok && buf_ok(b);
}
