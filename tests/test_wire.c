/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * wire: the requests of stock clients and every way to get one wrong, the
 * bodies of replies to the byte, and both sides against each other.  Inputs are
 * copied to exactly their size, so that a read beyond the end is seen by the
 * sanitizers.
 */
#include "support/unit.h"

#include <math.h>

#include "http1.h"
#include "wire.h"

#define BYTES(s) "" s, sizeof(s) - 1
#define N127                                                                   \
	"1234567890123456789012345678901234567890123456789012345678901234"     \
	"567890123456789012345678901234567890123456789012345678901234567"
#define N255 N127 N127 "x"

static const struct http1_limits limits = {
    .max_line = 8192,
    .max_head = 16384,
    .max_fields = 64,
    .max_body = 16 << 20,
};

/* A copy without a terminator. */
static struct str
copy(const char *p, size_t n)
{
	char *q = malloc(n ? n : 1);

	assert_non_null(q);
	if (n > 0)
		memcpy(q, p, n);
	return (struct str){q, n};
}

/* Give it back. */
static void
drop(struct str s)
{
	free((char *)s.p);
}

/* ---- requests in ---- */

struct expect {
	enum wire_op op;
	const char *name, *reply_to, *payload;
	int64_t id, from;
	double timeout;
	const char *queues; /* each followed by a blank */
};

static const struct {
	const char *method, *target, *body;
	struct expect e;
} goods[] = {
    /* as stock clients ask */
    {"GET", "/login/ms-client-unix:23859", "",
	{WIRE_LOGIN, "ms-client-unix:23859", "", "", 0, -1, 0, ""}},
    {"GET", "/persistent/org.xen.xapi.xenops.classic", "",
	{WIRE_PERSISTENT, "org.xen.xapi.xenops.classic", "", "", 0, -1, 0, ""}},
    {"GET", "/transient/message-cli:1", "",
	{WIRE_TRANSIENT, "message-cli:1", "", "", 0, -1, 0, ""}},
    {"GET", "/destroy/q", "", {WIRE_DESTROY, "q", "", "", 0, -1, 0, ""}},
    {"GET", "/ack/q/17", "", {WIRE_ACK, "q", "", "", 17, -1, 0, ""}},
    {"GET", "/list/", "", {WIRE_LIST, "", "", "", 0, -1, 0, ""}},
    {"GET", "/list/org.xen", "", {WIRE_LIST, "org.xen", "", "", 0, -1, 0, ""}},
    {"GET", "/list/alive", "", {WIRE_LIST, "alive", "", "", 0, -1, 0, ""}},
    {"GET", "/list/alive/", "", {WIRE_LIST_ALIVE, "", "", "", 0, -1, 0, ""}},
    {"GET", "/list/alive/p", "", {WIRE_LIST_ALIVE, "p", "", "", 0, -1, 0, ""}},
    {"GET", "/list/alivex", "", {WIRE_LIST, "alivex", "", "", 0, -1, 0, ""}},
    {"POST", "/transfer", "{\"timeout\":30.0,\"queues\":[\"svcunix\"]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 30, "svcunix "}},
    {"POST", "/transfer",
	"{\"from\":\"17\",\"timeout\":30.0,\"queues\":[\"a\",\"b\"]}",
	{WIRE_TRANSFER, "", "", "", 0, 17, 30, "a b "}},
    {"POST", "/request/svc/client:1", "pay",
	{WIRE_REQUEST, "svc", "client:1", "pay", 0, -1, 0, ""}},
    {"POST", "/response/client:1/svc/3", "pay",
	{WIRE_RESPONSE, "client:1", "svc", "pay", 3, -1, 0, ""}},
    {"GET", "/trace", "", {WIRE_TRACE, "", "", "", 0, -1, 5, ""}},
    {"GET", "/trace/-1/5", "", {WIRE_TRACE, "", "", "", 0, -1, 5, ""}},
    {"GET", "/trace/12/30.", "", {WIRE_TRACE, "", "", "", 0, 12, 30, ""}},
    {"GET", "/", "", {WIRE_DIAGNOSTICS, "", "", "", 0, -1, 0, ""}},
    {"POST", "/shutdown", "", {WIRE_SHUTDOWN, "", "", "", 0, -1, 0, ""}},
    /* other forms of the target */
    {"GET", "http://localhost/list/", "",
	{WIRE_LIST, "", "", "", 0, -1, 0, ""}},
    {"GET", "http://localhost:80/ack/q/1?x=/y", "",
	{WIRE_ACK, "q", "", "", 1, -1, 0, ""}},
    {"GET", "http://localhost", "",
	{WIRE_DIAGNOSTICS, "", "", "", 0, -1, 0, ""}},
    {"GET", "http://localhost?q", "",
	{WIRE_DIAGNOSTICS, "", "", "", 0, -1, 0, ""}},
    {"GET", "/trace?from=3", "", {WIRE_TRACE, "", "", "", 0, -1, 5, ""}},
    {"GET", "/login/a?", "", {WIRE_LOGIN, "a", "", "", 0, -1, 0, ""}},
    /* bodies that do not matter */
    {"GET", "/login/a", "body", {WIRE_LOGIN, "a", "", "", 0, -1, 0, ""}},
    {"POST", "/request/q/r", "", {WIRE_REQUEST, "q", "r", "", 0, -1, 0, ""}},
    /* percent coding: once, behind the split */
    {"GET", "/login/a%2Fb%2fc", "",
	{WIRE_LOGIN, "a/b/c", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%2525", "", {WIRE_LOGIN, "%25", "", "", 0, -1, 0, ""}},
    {"GET", "/login/a+b%20c", "", {WIRE_LOGIN, "a+b c", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%", "", {WIRE_LOGIN, "%", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%4", "", {WIRE_LOGIN, "%4", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%zz%4g%g4", "",
	{WIRE_LOGIN, "%zz%4g%g4", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%41%%42", "", {WIRE_LOGIN, "A%B", "", "", 0, -1, 0, ""}},
    {"GET", "/login/%c3%A9\xc3\xa9", "",
	{WIRE_LOGIN, "\xc3\xa9\xc3\xa9", "", "", 0, -1, 0, ""}},
    {"POST", "/response/r/a%20b%3Ac/7", "",
	{WIRE_RESPONSE, "r", "a b:c", "", 7, -1, 0, ""}},
    {"GET", "/login/%3Fa%23", "", {WIRE_LOGIN, "?a#", "", "", 0, -1, 0, ""}},
    {"GET", "/login/..", "", {WIRE_LOGIN, "..", "", "", 0, -1, 0, ""}},
    /* lengths of names */
    {"GET", "/login/" N255, "", {WIRE_LOGIN, N255, "", "", 0, -1, 0, ""}},
    /* numbers as OCaml reads them */
    {"GET", "/ack/q/-0x10", "", {WIRE_ACK, "q", "", "", -16, -1, 0, ""}},
    {"GET", "/ack/q/+1_000", "", {WIRE_ACK, "q", "", "", 1000, -1, 0, ""}},
    {"GET", "/ack/q/%31", "", {WIRE_ACK, "q", "", "", 1, -1, 0, ""}},
    /* bodies of transfer */
    {"POST", "/transfer", "{\"queues\":[],\"timeout\":0}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 0, ""}},
    {"POST", "/transfer", "{\"timeout\":\"1.5\",\"queues\":[\"a\",\"a\"]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 1.5, "a a "}},
    {"POST", "/transfer", "{\"timeout\":\"30.\",\"queues\":[]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 30, ""}},
    {"POST", "/transfer", "{\"timeout\":300,\"queues\":[]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 300, ""}},
    {"POST", "/transfer", "{\"timeout\":300.5,\"queues\":[]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 300, ""}},
    {"POST", "/transfer", "{\"timeout\":1e308,\"queues\":[]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 300, ""}},
    {"POST", "/transfer", "{\"timeout\":\"1e308\",\"queues\":[]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 300, ""}},
    {"POST", "/transfer",
	"/*c*/ {\"x\":[{\"queues\":1}],\"timeout\" : 1,\n\"y\":null,"
	"\"queues\":[ \"a\" , \"b\\/\\u00e9\"]} ",
	{WIRE_TRANSFER, "", "", "", 0, -1, 1, "a b/\xc3\xa9 "}},
    {"POST", "/transfer",
	"{\"timeout\":1,\"queues\":[\"x\",\"y\",\"z\"],\"from\":\"1\","
	"\"timeout\":2,\"queues\":[\"a\"],\"from\":\"-0x2\"}",
	{WIRE_TRANSFER, "", "", "", 0, -2, 2, "a "}},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"\\/\"]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 1, "/ "}},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"a\",\"b\",\"c\"]}",
	{WIRE_TRANSFER, "", "", "", 0, -1, 1, "a b c "}},
};

/* The queues of a request, each followed by a blank. */
static void
join(struct buf *b, const struct wire_req *r)
{
	size_t i;

	buf_reset(b);
	for (i = 0; i < r->nqueues; i++) {
		buf_add(b, r->queues[i].p, r->queues[i].n);
		buf_addc(b, ' ');
	}
}

/* Every request of the table comes out as expected. */
static void
wire_takes_good_requests(void **state)
{
	const struct expect *e;
	struct str queues[3], target, body;
	const char *reason;
	struct wire_req r;
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof goods / sizeof *goods; i++) {
		e = &goods[i].e;
		reason = "none";
		target = copy(goods[i].target, strlen(goods[i].target));
		body = copy(goods[i].body, strlen(goods[i].body));
		memset(&r, 0xa5, sizeof r);
		r.queues = queues;
		r.nqueues = 3;
		if (wire_get_request(&r, str_of(goods[i].method), target, body,
			&reason) != WIRE_OK)
			fail_msg("%s: %s", goods[i].target, reason);
		join(&b, &r);
		if (r.op != e->op || !str_eq(r.name, str_of(e->name)) ||
		    !str_eq(r.reply_to, str_of(e->reply_to)) ||
		    !str_eq(r.payload, str_of(e->payload)) || r.id != e->id ||
		    r.from != e->from || r.timeout_s != e->timeout ||
		    !str_eq((struct str){b.p, b.n}, str_of(e->queues)))
			fail_msg("%s %s", goods[i].target, goods[i].body);
		drop(target);
		drop(body);
	}
	buf_fini(&b);
}

/* The prefix of a list is any bytes: it only selects. */
static void
wire_prefix_may_be_anything(void **state)
{
	struct str target = copy(BYTES("/list/alive/%2F%00%0a"));
	const char *reason;
	struct wire_req r = {.nqueues = 0};

	(void)state;
	assert_int_equal(
	    wire_get_request(&r, STR("GET"), target, STR(""), &reason),
	    WIRE_OK);
	assert_bytes(r.name.p, r.name.n, "/\0\n");
	drop(target);
}

#define NAME_REASON "a name must have 1 to 255 bytes and no control characters"

static const struct {
	const char *method, *target, *body;
	enum wire_rc rc;
	const char *reason;
} bads[] = {
    /* no such path */
    {"GET", "/list", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/list/alive//", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/list/a/b", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/listx/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "//", "", WIRE_NOT_FOUND, NULL},
    {"GET", "//list/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/nothing", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/login", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/login/a/b", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/login/a/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/LOGIN/a", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/ack/q", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/ack/q/1/2", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/trace/1", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/trace/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/trace/1/2/3", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/transfer/", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/request/q", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/response/r/q", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/response/r/q/1/2", "", WIRE_NOT_FOUND, NULL},
    {"GET", "*", "", WIRE_NOT_FOUND, NULL},
    {"GET", "list/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "?", "", WIRE_NOT_FOUND, NULL},
    {"GET", "https://localhost/list/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "localhost:80", "", WIRE_NOT_FOUND, NULL},
    /* a path of the original that leads to files, and attempts to leave it */
    {"GET", "/admin/index.html", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/js/../../etc/passwd", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/%2e%2e/%2e%2e/etc/passwd", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/..%2f..%2fetc%2fpasswd", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/..;/x", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/\xc0\xae\xc0\xae/x", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/..\\..\\x", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/%00", "", WIRE_NOT_FOUND, NULL},
    {"GET", "http://localhost/js//etc/hostname", "", WIRE_NOT_FOUND, NULL},
    /* another method */
    {"POST", "/login/a", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/", "", WIRE_NOT_FOUND, NULL},
    {"HEAD", "/", "", WIRE_NOT_FOUND, NULL},
    {"DELETE", "/destroy/q", "", WIRE_NOT_FOUND, NULL},
    {"get", "/list/", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/transfer", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/request/q/r", "", WIRE_NOT_FOUND, NULL},
    {"GET", "/shutdown", "", WIRE_NOT_FOUND, NULL},
    {"POST", "/shutdown", "x", WIRE_NOT_FOUND, NULL},
    /* names */
    {"GET", "/login/", "", WIRE_BAD, NAME_REASON},
    {"GET", "/login/" N255 "y", "", WIRE_BAD, NAME_REASON},
    {"GET", "/login/a%00b", "", WIRE_BAD, NAME_REASON},
    {"GET", "/login/a%0d%0aX-Evil", "", WIRE_BAD, NAME_REASON},
    {"GET", "/login/%1F", "", WIRE_BAD, NAME_REASON},
    {"GET", "/login/%7f", "", WIRE_BAD, NAME_REASON},
    {"GET", "/persistent/%09", "", WIRE_BAD, NAME_REASON},
    {"GET", "/transient/", "", WIRE_BAD, NAME_REASON},
    {"GET", "/destroy/", "", WIRE_BAD, NAME_REASON},
    {"GET", "/ack//1", "", WIRE_BAD, NAME_REASON},
    {"POST", "/request//r", "", WIRE_BAD, NAME_REASON},
    {"POST", "/request/q/", "", WIRE_BAD, NAME_REASON},
    {"POST", "/response/r//1", "", WIRE_BAD, NAME_REASON},
    /* numbers */
    {"GET", "/ack/q/", "", WIRE_BAD, "the message id is not a number"},
    {"GET", "/ack/q/zz", "", WIRE_BAD, "the message id is not a number"},
    {"GET", "/ack/q/9223372036854775808", "", WIRE_BAD,
	"the message id is not a number"},
    {"POST", "/response/r/q/1.0", "", WIRE_BAD,
	"the message id is not a number"},
    {"GET", "/trace/x/1", "", WIRE_BAD, "from is not a number"},
    {"GET", "/trace//1", "", WIRE_BAD, "from is not a number"},
    {"GET", "/trace/1/", "", WIRE_BAD, "the timeout is not a duration"},
    {"GET", "/trace/1/-1", "", WIRE_BAD, "the timeout is not a duration"},
    {"GET", "/trace/1/nan", "", WIRE_BAD, "the timeout is not a duration"},
    {"GET", "/trace/1/1e999", "", WIRE_BAD, "the timeout is not a duration"},
    /* bodies of transfer */
    {"POST", "/transfer", "", WIRE_BAD, "the body is not a JSON object"},
    {"POST", "/transfer", "[]", WIRE_BAD, "the body is not a JSON object"},
    {"POST", "/transfer", "{}", WIRE_BAD, "timeout and queues are needed"},
    {"POST", "/transfer", "{\"queues\":[]}", WIRE_BAD,
	"timeout and queues are needed"},
    {"POST", "/transfer", "{\"timeout\":1}", WIRE_BAD,
	"timeout and queues are needed"},
    {"POST", "/transfer", "{\"timeout\":null,\"queues\":[]}", WIRE_BAD,
	"the timeout is not a number"},
    {"POST", "/transfer", "{\"timeout\":\"\",\"queues\":[]}", WIRE_BAD,
	"the timeout is not a number"},
    {"POST", "/transfer", "{\"timeout\":\"nan\",\"queues\":[]}", WIRE_BAD,
	"the timeout is not a number"},
    {"POST", "/transfer", "{\"timeout\":[],\"queues\":[]}", WIRE_BAD,
	"the timeout is not a number"},
    {"POST", "/transfer", "{\"timeout\":true,\"queues\":[]}", WIRE_BAD,
	"the timeout is not a number"},
    {"POST", "/transfer", "{\"timeout\":NaN,\"queues\":[]}", WIRE_BAD,
	"a value is missing"},
    {"POST", "/transfer", "{\"timeout\":1e999,\"queues\":[]}", WIRE_BAD,
	"a number is too large"},
    {"POST", "/transfer", "{\"timeout\":-1,\"queues\":[]}", WIRE_BAD,
	"the timeout is negative"},
    {"POST", "/transfer", "{\"timeout\":-0.001,\"queues\":[]}", WIRE_BAD,
	"the timeout is negative"},
    {"POST", "/transfer", "{\"timeout\":\"-1\",\"queues\":[]}", WIRE_BAD,
	"the timeout is negative"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":null}", WIRE_BAD,
	"queues is not an array"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":\"a\"}", WIRE_BAD,
	"queues is not an array"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":{}}", WIRE_BAD,
	"queues is not an array"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[1]}", WIRE_BAD,
	"queues holds what is not a name"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"a\",[]]}", WIRE_BAD,
	"queues holds what is not a name"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"\"]}", WIRE_BAD,
	NAME_REASON},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"\\u0000\"]}", WIRE_BAD,
	NAME_REASON},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"" N255 "y\"]}",
	WIRE_BAD, NAME_REASON},
    {"POST", "/transfer", "{\"from\":null,\"timeout\":1,\"queues\":[]}",
	WIRE_BAD, "from is not a number in a string"},
    {"POST", "/transfer", "{\"from\":0,\"timeout\":1,\"queues\":[]}", WIRE_BAD,
	"from is not a number in a string"},
    {"POST", "/transfer", "{\"from\":[],\"timeout\":1,\"queues\":[]}", WIRE_BAD,
	"from is not a number in a string"},
    {"POST", "/transfer", "{\"from\":\"\",\"timeout\":1,\"queues\":[]}",
	WIRE_BAD, "from is not a number in a string"},
    {"POST", "/transfer", "{\"from\":\"x\",\"timeout\":1,\"queues\":[]}",
	WIRE_BAD, "from is not a number in a string"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[]} x", WIRE_BAD,
	"something follows the JSON value"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[]", WIRE_BAD,
	"the JSON ends too early"},
    {"POST", "/transfer", "{\"timeout\":1,\"queues\":[\"a\"", WIRE_BAD,
	"the JSON ends too early"},
    {"POST", "/transfer", "{\"timeout\":1,\"x\":[1,],\"queues\":[]}", WIRE_BAD,
	"a value is missing"},
    {"POST", "/transfer",
	"{\"timeout\":1,\"queues\":[\"a\",\"b\",\"c\",\"d\"]}", WIRE_TOO_MANY,
	NULL},
};

/* Every request of the table is refused, for the reason it has. */
static void
wire_refuses_bad_requests(void **state)
{
	struct str queues[3], target, body;
	const char *reason;
	struct wire_req r;
	enum wire_rc rc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bads / sizeof *bads; i++) {
		reason = NULL;
		target = copy(bads[i].target, strlen(bads[i].target));
		body = copy(bads[i].body, strlen(bads[i].body));
		memset(&r, 0, sizeof r);
		r.queues = queues;
		r.nqueues = 3;
		rc = wire_get_request(
		    &r, str_of(bads[i].method), target, body, &reason);
		if (rc != bads[i].rc)
			fail_msg("%s %s %s: %d", bads[i].method, bads[i].target,
			    bads[i].body, rc);
		if (bads[i].reason == NULL)
			assert_null(reason);
		else
			assert_string_equal(reason, bads[i].reason);
		drop(target);
		drop(body);
	}
}

/* A body of transfer cut short anywhere is refused, and nothing beyond its end
 * is looked at. */
static void
wire_refuses_cut_bodies(void **state)
{
	static const char text[] =
	    "{\"from\":\"1\",\"timeout\":\"2.5\",\"x\":{\"y\":[1,null]},"
	    "\"queues\":[\"a\\u0041\",\"b\"]}";
	struct str queues[3], body;
	const char *reason;
	struct wire_req r;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof text; n++) {
		reason = NULL;
		body = copy(text, n);
		r.queues = queues;
		r.nqueues = 3;
		assert_int_equal(wire_get_request(&r, STR("POST"),
				     STR("/transfer"), body, &reason),
		    n == sizeof text - 1 ? WIRE_OK : WIRE_BAD);
		assert_true((reason == NULL) == (n == sizeof text - 1));
		drop(body);
	}
}

/* As many names as the protocol allows, and one more. */
static void
wire_queues_of_a_poll_are_bounded(void **state)
{
	struct str *queues = calloc(WIRE_MAX_QUEUES, sizeof *queues);
	struct buf b = BUF_INIT;
	const char *reason;
	struct wire_req r;
	int i, n;

	(void)state;
	assert_non_null(queues);
	for (n = WIRE_MAX_QUEUES; n <= WIRE_MAX_QUEUES + 1; n++) {
		buf_reset(&b);
		buf_adds(&b, "{\"timeout\":1,\"queues\":[\"0\"");
		for (i = 1; i < n; i++)
			buf_addf(&b, ",\"%d\"", i);
		buf_adds(&b, "]}");
		r.queues = queues;
		r.nqueues = WIRE_MAX_QUEUES;
		assert_int_equal(
		    wire_get_request(&r, STR("POST"), STR("/transfer"),
			(struct str){b.p, b.n}, &reason),
		    n == WIRE_MAX_QUEUES ? WIRE_OK : WIRE_TOO_MANY);
	}
	assert_int_equal(r.nqueues, WIRE_MAX_QUEUES);
	assert_bytes(queues[999].p, queues[999].n, "999");
	free(queues);
	buf_fini(&b);
}

/* Int64.of_string, its corners. */
static void
wire_int64_reads_as_ocaml(void **state)
{
	static const struct {
		const char *s;
		bool ok;
		int64_t v;
	} cases[] = {
	    {"0", true, 0},
	    {"-1", true, -1},
	    {"+1", true, 1},
	    {"007", true, 7},
	    {"1_000_", true, 1000},
	    {"1__0", true, 10},
	    {"9223372036854775807", true, INT64_MAX},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"0x7fffffffffffffff", true, INT64_MAX},
	    {"0xFFFFFFFFFFFFFFFF", true, -1},
	    {"0X1f", true, 31},
	    {"-0x1", true, -1},
	    {"0o17", true, 15},
	    {"0O17", true, 15},
	    {"0b101", true, 5},
	    {"0B1", true, 1},
	    {"0u18446744073709551615", true, -1},
	    {"0U9", true, 9},
	    {"0x8000000000000000", true, INT64_MIN},
	    {"", false, 0},
	    {"-", false, 0},
	    {"+", false, 0},
	    {"_1", false, 0},
	    {"-_1", false, 0},
	    {"0x", false, 0},
	    {"0x_1", false, 0},
	    {"0xg", false, 0},
	    {"0b2", false, 0},
	    {"0o8", false, 0},
	    {"0ua", false, 0},
	    {"1a", false, 0},
	    {" 1", false, 0},
	    {"1 ", false, 0},
	    {"--1", false, 0},
	    {"+-1", false, 0},
	    {"1.0", false, 0},
	    {"1e3", false, 0},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775809", false, 0},
	    {"18446744073709551616", false, 0},
	    {"0x10000000000000000", false, 0},
	    {"0u18446744073709551616", false, 0},
	    {"99999999999999999999999999", false, 0},
	};
	struct str s;
	int64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		s = copy(cases[i].s, strlen(cases[i].s));
		v = 0;
		if (wire_int64(s, &v) != cases[i].ok ||
		    (cases[i].ok && v != cases[i].v))
			fail_msg("%s: %lld", cases[i].s, (long long)v);
		drop(s);
	}
	assert_false(wire_int64((struct str){NULL, 0}, &v));
	assert_false(wire_int64((struct str){"1\0", 2}, &v));
}

/* Three operations need no login; each has its own name. */
static void
wire_operations_are_described(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < WIRE_NOPS; i++) {
		assert_int_equal(wire_needs_login((enum wire_op)i),
		    i != WIRE_LOGIN && i != WIRE_TRACE &&
			i != WIRE_DIAGNOSTICS);
		assert_non_null(wire_op_name((enum wire_op)i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(wire_op_name((enum wire_op)i),
			    wire_op_name((enum wire_op)j));
	}
	assert_string_equal(wire_op_name(WIRE_REQUEST), "request");
	assert_string_equal(wire_op_name(WIRE_SHUTDOWN), "shutdown");
}

/* ---- bodies of replies out ---- */

static const struct wire_message a_request = {
    .queue = {BYTES("svc")},
    .id = 3,
    .kind = WIRE_KIND_REQUEST,
    .reply_to = {BYTES("cl:1")},
    .payload = {BYTES("{\"a\":1}\n\xff")},
};

static const struct wire_message a_response = {
    .queue = {BYTES("cl:1")},
    .id = 4,
    .kind = WIRE_KIND_RESPONSE,
    .reply_to = {BYTES("s\"vc")},
    .re_id = 3,
    .payload = {BYTES("")},
};

#define REQUEST_BODY                                                           \
	"{\"payload\":\"{\\\"a\\\":1}\\n\xff\",\"kind\":[\"Request\","         \
	"\"cl:1\"]}"
#define RESPONSE_BODY                                                          \
	"{\"payload\":\"\",\"kind\":[\"Response\",[\"s\\\"vc\",3]]}"

/* Every body to the byte, as the original writes it. */
static void
wire_bodies_are_exact(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	wire_put_names_begin(&b);
	wire_put_names_end(&b);
	assert_bytes(b.p, b.n, "[]");
	buf_reset(&b);
	wire_put_names_begin(&b);
	wire_put_name(&b, STR("b\"\x7f"), true);
	wire_put_name(&b, STR("a/\xc3\xa9"), false);
	wire_put_names_end(&b);
	assert_bytes(b.p, b.n, "[\"b\\\"\\u007f\",\"a/\xc3\xa9\"]");
	buf_reset(&b);
	wire_put_sent(&b, STR("svc"), 3);
	assert_bytes(b.p, b.n, "[[\"svc\",3]]");
	buf_reset(&b);
	wire_put_not_sent(&b);
	assert_bytes(b.p, b.n, "[]");
	buf_reset(&b);
	wire_put_transfer_begin(&b);
	wire_put_transfer_end(&b, -1);
	assert_bytes(b.p, b.n, "{\"messages\":[],\"next\":\"-1\"}");
	buf_reset(&b);
	wire_put_transfer_begin(&b);
	wire_put_transfer_message(&b, &a_request, true);
	wire_put_transfer_message(&b, &a_response, false);
	wire_put_transfer_end(&b, 4);
	assert_bytes(b.p, b.n,
	    "{\"messages\":[[[\"svc\",3]," REQUEST_BODY "],"
	    "[[\"cl:1\",4]," RESPONSE_BODY "]],\"next\":\"4\"}");
	buf_reset(&b);
	wire_put_message_body(&b, &a_response);
	assert_bytes(b.p, b.n, RESPONSE_BODY);
	buf_reset(&b);
	wire_put_error(&b, "too-large", "the body is too \"large\"", NULL);
	assert_bytes(b.p, b.n,
	    "{\"error\":{\"code\":\"too-large\","
	    "\"message\":\"the body is too \\\"large\\\"\"}}");
	buf_reset(&b);
	wire_put_error(&b, "c", "m", "h");
	assert_bytes(b.p, b.n,
	    "{\"error\":{\"code\":\"c\",\"message\":\"m\",\"hint\":\"h\"}}");
	buf_fini(&b);
}

/* Events to the byte: what is unknown is left out. */
static void
wire_events_are_exact(void **state)
{
	struct wire_event e = {
	    .seq = 7,
	    .wall_ns = 1795345652170616789,
	    .input = {BYTES("cl:1")},
	    .m = a_request,
	    .processing_ns = -1,
	};
	struct buf b = BUF_INIT;

	(void)state;
	wire_put_event(&b, &e, true);
	assert_bytes(b.p, b.n,
	    "[7,{\"time\":1795345652.170616,\"input\":\"cl:1\","
	    "\"queue\":\"svc\",\"message\":[\"Message\",[\"svc\",3]"
	    "," REQUEST_BODY "]}]");
	buf_reset(&b);
	e.input = (struct str){NULL, 0};
	e.output = STR("9");
	e.m = a_response;
	e.wall_ns = 1000000000;
	e.processing_ns = 0;
	wire_put_event(&b, &e, false);
	assert_bytes(b.p, b.n,
	    ",[7,{\"time\":1.0,\"queue\":\"cl:1\",\"output\":\"9\","
	    "\"message\":[\"Message\",[\"cl:1\",4]," RESPONSE_BODY
	    "],\"processing_time\":0}]");
	buf_reset(&b);
	e.is_ack = true;
	e.processing_ns = -1;
	wire_put_event(&b, &e, true);
	assert_bytes(b.p, b.n,
	    "[7,{\"time\":1.0,\"queue\":\"cl:1\",\"output\":\"9\","
	    "\"message\":[\"Ack\",[\"cl:1\",4]]}]");
	buf_fini(&b);
}

/* ---- requests out ---- */

/* Requests to the byte, where the stock client would send the same. */
static void
wire_requests_are_exact(void **state)
{
	struct str queues[] = {STR("svc\"unix"), STR("b")};
	struct wire_req r = {
	    .op = WIRE_TRANSFER,
	    .from = -1,
	    .timeout_s = 30,
	    .queues = queues,
	    .nqueues = 1,
	};
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "before");
	assert_true(wire_put_request(&b, &r));
	assert_bytes(b.p, b.n,
	    "beforePOST /transfer HTTP/1.1\r\nconnection: keep-alive\r\n"
	    "content-length: 39\r\nhost: localhost\r\nuser-agent: xmsg\r\n"
	    "\r\n{\"timeout\":30.0,\"queues\":[\"svc\\\"unix\"]}");
	buf_reset(&b);
	r.from = 17;
	r.nqueues = 2;
	r.timeout_s = 0.5;
	assert_true(wire_put_request(&b, &r));
	assert_bytes(b.p, b.n,
	    "POST /transfer HTTP/1.1\r\nconnection: keep-alive\r\n"
	    "content-length: 54\r\nhost: localhost\r\nuser-agent: xmsg\r\n"
	    "\r\n{\"from\":\"17\",\"timeout\":0.5,"
	    "\"queues\":[\"svc\\\"unix\",\"b\"]}");
	buf_reset(&b);
	r = (struct wire_req){
	    .op = WIRE_RESPONSE,
	    .name = STR("a/b %\xc3\xa9"),
	    .reply_to = STR("-._~AZaz09"),
	    .id = 3,
	    .payload = STR("pay\0load"),
	};
	assert_true(wire_put_request(&b, &r));
	assert_bytes(b.p, b.n,
	    "POST /response/a%2Fb%20%25%C3%A9/-._~AZaz09/3 HTTP/1.1\r\n"
	    "connection: keep-alive\r\ncontent-length: 8\r\n"
	    "host: localhost\r\nuser-agent: xmsg\r\n\r\npay\0load");
	buf_fini(&b);
}

/* What is not allowed is not sent, and the buffer stays as it was. */
static void
wire_requests_are_checked(void **state)
{
	static char huge[4096];
	struct str ok = STR(N255), queues[2] = {STR("a"), STR("")};
	const struct {
		const char *name;
		struct wire_req r;
		bool ok;
	} cases[] = {
	    {"255 bytes", {.op = WIRE_LOGIN, .name = ok}, true},
	    {"256 bytes", {.op = WIRE_LOGIN, .name = STR(N255 "y")}, false},
	    {"4096 bytes", {.op = WIRE_LOGIN, .name = {huge, 4096}}, false},
	    {"no bytes", {.op = WIRE_LOGIN}, false},
	    {"a control byte", {.op = WIRE_DESTROY, .name = STR("a\n")}, false},
	    {"DEL", {.op = WIRE_DESTROY, .name = STR("a\x7f")}, false},
	    {"no reply queue", {.op = WIRE_REQUEST, .name = ok}, false},
	    {"long names",
		{.op = WIRE_RESPONSE,
		    .name = ok,
		    .reply_to = ok,
		    .id = INT64_MIN},
		true},
	    {"empty prefix", {.op = WIRE_LIST}, true},
	    {"long prefix", {.op = WIRE_LIST, .name = ok}, true},
	    {"longer prefix", {.op = WIRE_LIST, .name = STR(N255 "y")}, false},
	    {"negative", {.op = WIRE_TRACE, .timeout_s = -1}, false},
	    {"infinite", {.op = WIRE_TRACE, .timeout_s = INFINITY}, false},
	    {"no number", {.op = WIRE_TRACE, .timeout_s = NAN}, false},
	    {"negative poll", {.op = WIRE_TRANSFER, .timeout_s = -1}, false},
	    {"infinite poll", {.op = WIRE_TRANSFER, .timeout_s = INFINITY},
		false},
	    {"good queue",
		{.op = WIRE_TRANSFER, .queues = queues, .nqueues = 1}, true},
	    {"empty queue",
		{.op = WIRE_TRANSFER, .queues = queues, .nqueues = 2}, false},
	};
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	memset(huge, 0xff, sizeof huge);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&b);
		buf_adds(&b, "12");
		if (wire_put_request(&b, &cases[i].r) != cases[i].ok ||
		    (!cases[i].ok && b.n != 2) || !buf_ok(&b))
			fail_msg("%s", cases[i].name);
	}
	buf_fini(&b);
}

/* Out of room at any byte: it says so, and no half request stays. */
static void
wire_request_fails_whole(void **state)
{
	struct str queue = STR("q");
	const struct wire_req rs[] = {
	    {.op = WIRE_TRANSFER, .from = 1, .queues = &queue, .nqueues = 1},
	    {.op = WIRE_REQUEST,
		.name = queue,
		.reply_to = queue,
		.payload = STR("0123456789")},
	    {.op = WIRE_DIAGNOSTICS},
	};
	struct buf b = BUF_INIT;
	size_t i, full;

	(void)state;
	for (i = 0; i < sizeof rs / sizeof *rs; i++) {
		b.max = 0;
		buf_reset(&b);
		assert_true(wire_put_request(&b, &rs[i]));
		full = b.n;
		for (b.max = 1; b.max < full; b.max++) {
			buf_reset(&b);
			assert_false(wire_put_request(&b, &rs[i]));
			assert_false(buf_ok(&b));
			assert_int_equal(b.n, 0);
		}
		buf_reset(&b);
		assert_true(wire_put_request(&b, &rs[i]));
		assert_int_equal(b.n, full);
	}
	buf_fini(&b);
}

/* Send it, parse it, decode it: what comes out went in. */
static void
round_trip(const struct wire_req *r)
{
	struct str queues[3];
	const char *reason = "";
	struct buf b = BUF_INIT;
	struct wire_req got;
	struct http1 h;
	size_t i;

	assert_true(wire_put_request(&b, r));
	http1_init(&h, HTTP1_REQUEST, &limits);
	assert_int_equal(http1_feed(&h, b.p, b.n), HTTP1_DONE);
	assert_int_equal(h.used, b.n);
	assert_false(h.close);
	memset(&got, 0xa5, sizeof got);
	got.queues = queues;
	got.nqueues = 3;
	if (wire_get_request(&got, h.method, h.target, h.body, &reason) !=
	    WIRE_OK)
		fail_msg("%s: %s", wire_op_name(r->op), reason);
	assert_int_equal(got.op, r->op);
	assert_true(str_eq(got.name, r->name));
	assert_true(str_eq(got.reply_to, r->reply_to));
	assert_true(str_eq(got.payload, r->payload));
	assert_int_equal(got.id, r->id);
	assert_int_equal(got.from, r->from);
	assert_true(got.timeout_s == r->timeout_s);
	assert_int_equal(got.nqueues, r->nqueues);
	for (i = 0; i < r->nqueues; i++)
		assert_true(str_eq(got.queues[i], r->queues[i]));
	buf_fini(&b);
}

/* Every operation there and back, with names that need coding. */
static void
wire_requests_round_trip(void **state)
{
	struct str name = STR("a/b?c#d%41 +\"\\\xff:é"), other = STR("..");
	struct str queues[3] = {name, other, name};
	struct wire_req r;
	int op;

	(void)state;
	for (op = 0; op < WIRE_NOPS; op++) {
		r = (struct wire_req){.op = (enum wire_op)op, .from = -1};
		switch (op) {
		case WIRE_RESPONSE: r.id = INT64_MAX; /* fall through */
		case WIRE_REQUEST:
			r.reply_to = other;
			r.payload = STR("GET / HTTP/1.1\r\n\r\n\0");
			r.name = name;
			break;
		case WIRE_TRANSFER:
			r.queues = queues;
			r.nqueues = 3; /* fall through */
		case WIRE_TRACE:
			r.from = INT64_MIN;
			r.timeout_s = 0.1;
			break;
		case WIRE_DIAGNOSTICS:
		case WIRE_SHUTDOWN: break;
		case WIRE_ACK: r.id = INT64_MIN; /* fall through */
		default: r.name = name; break;
		}
		round_trip(&r);
	}
}

/* Every byte a name may have, at every length. */
static void
wire_names_round_trip(void **state)
{
	char name[WIRE_MAX_NAME];
	struct wire_req r = {.op = WIRE_LOGIN, .from = -1};
	size_t n;
	int c;

	(void)state;
	for (c = 0x20; c < 256; c++) {
		if (c == 0x7f)
			continue;
		memset(name, c, sizeof name);
		n = (size_t)c % 7 == 0 ? sizeof name : (size_t)c % 7;
		r.name = (struct str){name, n};
		round_trip(&r);
	}
}

/* ---- bodies of replies in ---- */

struct seen {
	int n, stop_at;
	struct wire_message m[4];
	struct wire_event e[4];
	struct str name[4];
};

/* Remember a message; say stop when told to. */
static int
see_message(void *arg, const struct wire_message *m)
{
	struct seen *s = arg;

	if (s->n < 4)
		s->m[s->n] = *m;
	return ++s->n == s->stop_at;
}

/* Remember an event. */
static int
see_event(void *arg, const struct wire_event *e)
{
	struct seen *s = arg;

	if (s->n < 4)
		s->e[s->n] = *e;
	return ++s->n == s->stop_at;
}

/* Remember a name. */
static int
see_name(void *arg, struct str name)
{
	struct seen *s = arg;

	if (s->n < 4)
		s->name[s->n] = name;
	return ++s->n == s->stop_at;
}

/* Two messages are the same. */
static void
assert_same_message(const struct wire_message *a, const struct wire_message *b)
{
	assert_true(str_eq(a->queue, b->queue));
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->kind, b->kind);
	assert_true(str_eq(a->reply_to, b->reply_to));
	assert_int_equal(a->re_id, b->re_id);
	assert_true(str_eq(a->payload, b->payload));
}

/* What the broker writes, the client reads. */
static void
wire_bodies_round_trip(void **state)
{
	struct buf b = BUF_INIT;
	struct seen s = {0};
	int64_t v = 0;

	(void)state;
	wire_put_sent(&b, STR("q\"\n"), INT64_MAX);
	assert_int_equal(wire_get_sent((struct str){b.p, b.n}, &v), 1);
	assert_true(v == INT64_MAX);
	buf_reset(&b);
	wire_put_not_sent(&b);
	assert_int_equal(wire_get_sent((struct str){b.p, b.n}, &v), 0);

	buf_reset(&b);
	wire_put_names_begin(&b);
	wire_put_name(&b, STR("x\\"), true);
	wire_put_name(&b, STR("\xff"), false);
	wire_put_names_end(&b);
	assert_int_equal(
	    wire_get_names((struct str){b.p, b.n}, see_name, &s), 2);
	assert_bytes(s.name[0].p, s.name[0].n, "x\\");
	assert_bytes(s.name[1].p, s.name[1].n, "\xff");

	buf_reset(&b);
	s.n = 0;
	wire_put_transfer_begin(&b);
	wire_put_transfer_message(&b, &a_request, true);
	wire_put_transfer_message(&b, &a_response, false);
	wire_put_transfer_end(&b, INT64_MIN);
	assert_int_equal(
	    wire_get_transfer((struct str){b.p, b.n}, see_message, &s, &v), 2);
	assert_true(v == INT64_MIN);
	assert_same_message(&s.m[0], &a_request);
	assert_same_message(&s.m[1], &a_response);
	buf_fini(&b);
}

/* The same for events. */
static void
wire_events_round_trip(void **state)
{
	const struct wire_event in[] = {
	    {.seq = 0,
		.wall_ns = 1795345652170616000,
		.input = STR("in"),
		.output = STR("out"),
		.m = a_response,
		.processing_ns = 12},
	    {.seq = INT64_MAX,
		.wall_ns = 999999000,
		.m = a_request,
		.processing_ns = -1},
	    {.seq = 2,
		.wall_ns = 0,
		.is_ack = true,
		.m = {.queue = STR("q"), .id = 9},
		.processing_ns = -1},
	};
	struct buf b = BUF_INIT;
	struct seen s = {0};
	int i;

	(void)state;
	buf_adds(&b, "{\"events\":[");
	for (i = 0; i < 3; i++)
		wire_put_event(&b, &in[i], i == 0);
	buf_adds(&b, "]}");
	assert_int_equal(
	    wire_get_trace((struct str){b.p, b.n}, see_event, &s), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(s.e[i].seq, in[i].seq);
		assert_int_equal(s.e[i].wall_ns, in[i].wall_ns);
		assert_int_equal(s.e[i].is_ack, in[i].is_ack);
		assert_int_equal(s.e[i].processing_ns, in[i].processing_ns);
		assert_true(str_eq(s.e[i].input, in[i].input));
		assert_true(str_eq(s.e[i].output, in[i].output));
		assert_same_message(&s.e[i].m, &in[i].m);
	}
	buf_fini(&b);
}

enum answer { SENT, NAMES, TRANSFER, TRACE };

/* Read a body as the answer it is; the reader's result. */
static int
read_answer(enum answer a, struct str body, struct seen *s)
{
	int64_t v;

	switch (a) {
	case SENT: return wire_get_sent(body, &v);
	case NAMES: return wire_get_names(body, see_name, s);
	case TRANSFER: return wire_get_transfer(body, see_message, s, &v);
	default: return wire_get_trace(body, see_event, s);
	}
}

#define K    "\"kind\":[\"Request\",\"r\"]"
#define MSG  "[[\"q\",1],{\"payload\":\"p\"," K "}]"
#define EVNT "\"message\":[\"Ack\",[\"q\",1]]"

/* Answers that other brokers may give, and how many are in it; -1: it is none. */
static const struct {
	enum answer a;
	const char *p;
	int rc;
} answers[] = {
    {SENT, " [ [ \"q\" , 3 ] ] ", 1},
    {SENT, "", -1},
    {SENT, "[] x", -1},
    {SENT, "[[\"q\",3],[\"q\",3]]", -1},
    {SENT, "[[\"q\",3,4]]", -1},
    {SENT, "[[\"q\"]]", -1},
    {SENT, "[[3,\"q\"]]", -1},
    {SENT, "[[\"q\",3.5]]", -1},
    {SENT, "[\"q\"]", -1},
    {SENT, "{}", -1},
    {SENT, "null", -1},
    {NAMES, "[]", 0},
    {NAMES, "[\"a\",\"a\",\"\"]", 3},
    {NAMES, "[\"a\",1]", -1},
    {NAMES, "[\"a\"", -1},
    {NAMES, "[\"a\"]]", -1},
    {NAMES, "{}", -1},
    {TRANSFER, "{\"messages\":[],\"next\":\"-1\"}", 0},
    {TRANSFER, "{\"next\":\"5\",\"x\":{},\"messages\":[" MSG "]}", 1},
    {TRANSFER, "{\"messages\":[" MSG "," MSG "],\"next\":\"1\"}", 2},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{" K ",\"new\":[1],"
	"\"payload\":\"p\"}]],\"next\":\"1\"}",
	1},
    {TRANSFER, "{\"messages\":[]}", -1},
    {TRANSFER, "{\"next\":\"1\"}", -1},
    {TRANSFER, "{\"messages\":[],\"next\":1}", -1},
    {TRANSFER, "{\"messages\":[],\"next\":\"x\"}", -1},
    {TRANSFER, "{\"messages\":{},\"next\":\"1\"}", -1},
    {TRANSFER, "{\"messages\":[1],\"next\":\"1\"}", -1},
    {TRANSFER, "{\"messages\":[[]],\"next\":\"1\"}", -1},
    {TRANSFER, "{\"messages\":[[[\"q\",1]]],\"next\":\"1\"}", -1},
    {TRANSFER, "{\"messages\":[[[\"q\",1],{}]],\"next\":\"1\"}", -1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\"}]],"
	"\"next\":\"1\"}",
	-1},
    {TRANSFER, "{\"messages\":[[[\"q\",1],{" K "}]],\"next\":\"1\"}", -1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":1," K "}]],\"next\":\"1\"}",
	-1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\",\"kind\":"
	"[\"Other\",\"r\"]}]],\"next\":\"1\"}",
	-1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\",\"kind\":"
	"[\"Response\",\"r\"]}]],\"next\":\"1\"}",
	-1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\",\"kind\":"
	"[\"Request\"]}]],\"next\":\"1\"}",
	-1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\",\"kind\":"
	"[\"Request\",\"r\",1]}]],\"next\":\"1\"}",
	-1},
    {TRANSFER,
	"{\"messages\":[[[\"q\",1],{\"payload\":\"p\"," K
	"},1]],\"next\":\"1\"}",
	-1},
    {TRANSFER, "{\"messages\":[],\"next\":\"1\"} x", -1},
    {TRANSFER, "[]", -1},
    {TRACE, "{\"events\":[]}", 0},
    {TRACE, "{\"x\":1,\"events\":[[1,{" EVNT "}]]}", 1},
    {TRACE, "{\"events\":[[1,{\"time\":5," EVNT ",\"new\":{}}]]}", 1},
    {TRACE, "{}", -1},
    {TRACE, "{\"events\":{}}", -1},
    {TRACE, "{\"events\":[1]}", -1},
    {TRACE, "{\"events\":[[1,{}]]}", -1},
    {TRACE, "{\"events\":[[1,{" EVNT "},2]]}", -1},
    {TRACE, "{\"events\":[[\"1\",{" EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,[]]]}", -1},
    {TRACE, "{\"events\":[[1,{\"time\":\"x\"," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"time\":1e300," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"time\":-1," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"input\":null," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"output\":3," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"processing_time\":1.5," EVNT "}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":[\"Nak\",[\"q\",1]]}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":[\"Message\",[\"q\",1]]}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":[\"Ack\",[\"q\",1],1]}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":[\"Ack\",1]}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":\"Ack\"}]]}", -1},
    {TRACE, "{\"events\":[[1,{\"message\":[]}]]}", -1},
    {TRACE, "{\"events\":[]} x", -1},
    {TRACE, "[]", -1},
};

/* Each is read as it has to be. */
static void
wire_answers_are_checked(void **state)
{
	struct str body;
	struct seen s;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof answers / sizeof *answers; i++) {
		s = (struct seen){0};
		n = strlen(answers[i].p);
		body = copy(answers[i].p, n);
		if (read_answer(answers[i].a, body, &s) != answers[i].rc)
			fail_msg("%s", answers[i].p);
		drop(body);
		while (answers[i].rc >= 0 && answers[i].a != SENT && n-- > 0) {
			body = copy(answers[i].p, n);
			if (read_answer(answers[i].a, body, &s) != -1)
				fail_msg("%s, cut at %zu", answers[i].p, n);
			drop(body);
		}
	}
}

/* A callback may stop the reading, at the first or at a later one. */
static void
wire_readers_stop_when_told(void **state)
{
	static const struct {
		enum answer a;
		const char *p;
	} cases[] = {
	    {NAMES, "[\"a\",\"b\",\"c\"]"},
	    {TRANSFER,
		"{\"messages\":[" MSG "," MSG "," MSG "],\"next\":\"1\"}"},
	    {TRACE,
		"{\"events\":[[1,{" EVNT "}],[2,{" EVNT "}],[3,{" EVNT "}]]}"},
	};
	struct str body;
	struct seen s;
	size_t i;
	int stop;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (stop = 1; stop <= 4; stop++) {
			s = (struct seen){.stop_at = stop};
			body = copy(cases[i].p, strlen(cases[i].p));
			assert_int_equal(read_answer(cases[i].a, body, &s),
			    stop < 4 ? -1 : 3);
			assert_int_equal(s.n, stop < 4 ? stop : 3);
			drop(body);
		}
	}
}

/* Fill with all byte values, in an order without a period of 256. */
static void
fill(char *p, size_t n)
{
	uint32_t x = 7;
	size_t i;

	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)(x >> 24);
	}
}

/* A payload of the largest size: through a request, and through an answer. */
static void
wire_largest_payload_survives(void **state)
{
	size_t n = 16 << 20;
	char *p = malloc(n);
	struct wire_message m = a_request;
	struct wire_req r = {.op = WIRE_REQUEST, .from = -1};
	struct buf b = BUF_INIT;
	struct seen s = {0};
	int64_t next;

	(void)state;
	assert_non_null(p);
	fill(p, n);
	r.name = r.reply_to = STR("q");
	r.payload = m.payload = (struct str){p, n};
	round_trip(&r);
	wire_put_transfer_begin(&b);
	wire_put_transfer_message(&b, &m, true);
	wire_put_transfer_end(&b, 3);
	assert_true(buf_ok(&b));
	assert_int_equal(
	    wire_get_transfer((struct str){b.p, b.n}, see_message, &s, &next),
	    1);
	assert_same_message(&s.m[0], &m);
	buf_fini(&b);
	free(p);
}

/* All 256 byte values, alone and together, through a request and an answer. */
static void
wire_payloads_are_transparent(void **state)
{
	char all[256];
	struct wire_message m = a_response;
	struct wire_req r = {.op = WIRE_REQUEST, .from = -1};
	struct buf b = BUF_INIT;
	struct seen s;
	int64_t next;
	int c;

	(void)state;
	for (c = 0; c < 256; c++)
		all[c] = (char)c;
	r.name = r.reply_to = STR("q");
	for (c = 0; c <= 256; c++) {
		m.payload =
		    c < 256 ? (struct str){all + c, 1} : (struct str){all, 256};
		r.payload = m.payload;
		round_trip(&r);
		buf_reset(&b);
		s = (struct seen){0};
		wire_put_transfer_begin(&b);
		wire_put_transfer_message(&b, &m, true);
		wire_put_transfer_end(&b, 3);
		assert_int_equal(wire_get_transfer((struct str){b.p, b.n},
				     see_message, &s, &next),
		    1);
		assert_same_message(&s.m[0], &m);
	}
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wire_takes_good_requests),
	    cmocka_unit_test(wire_prefix_may_be_anything),
	    cmocka_unit_test(wire_refuses_bad_requests),
	    cmocka_unit_test(wire_refuses_cut_bodies),
	    cmocka_unit_test(wire_queues_of_a_poll_are_bounded),
	    cmocka_unit_test(wire_int64_reads_as_ocaml),
	    cmocka_unit_test(wire_operations_are_described),
	    cmocka_unit_test(wire_bodies_are_exact),
	    cmocka_unit_test(wire_events_are_exact),
	    cmocka_unit_test(wire_requests_are_exact),
	    cmocka_unit_test(wire_requests_are_checked),
	    cmocka_unit_test(wire_request_fails_whole),
	    cmocka_unit_test(wire_requests_round_trip),
	    cmocka_unit_test(wire_names_round_trip),
	    cmocka_unit_test(wire_bodies_round_trip),
	    cmocka_unit_test(wire_events_round_trip),
	    cmocka_unit_test(wire_answers_are_checked),
	    cmocka_unit_test(wire_readers_stop_when_told),
	    cmocka_unit_test(wire_largest_payload_survives),
	    cmocka_unit_test(wire_payloads_are_transparent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
