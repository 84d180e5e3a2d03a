/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* libxmsg at its edges: every function where it may not be called, with every
 * argument wrong, refused by the broker in all the ways there are, and replies
 * that come before the id of their request. */
#include "support/unit.h"

#include <stdbool.h>

#include "clock.h"
#include "support/fake.h"
#include "xmsg.h"

#define TEXT(s)	 ((struct xmsg_bytes){s, sizeof(s) - 1})
#define LIMIT_MS 20000 /* for what must not take as long */

static struct fake fake;
static struct xmsg *x;

/* A broker with these rules and a client of it. */
static void
begin(const struct fake_rule *rules, unsigned flags)
{
	fake_start(&fake, rules, flags);
	assert_int_equal(xmsg_open(&x, fake.path, "me"), XMSG_OK);
	xmsg_set_timeout(x, LIMIT_MS);
}

static void
end(void)
{
	xmsg_close(x);
	fake_stop(&fake);
	x = NULL;
}

/* Turn until *flag is set. */
static void
until(const int *flag, int want)
{
	int64_t end_ns = clock_mono_ns() + LIMIT_MS * NS_PER_MS;

	while (*flag < want) {
		assert_true(clock_mono_ns() < end_ns);
		(void)xmsg_wait(x, 100);
	}
}

struct told {
	int n, rc;
	char body[64], why[600];
};

static void
tell(struct xmsg *of, const struct xmsg_result *r, void *arg)
{
	struct told *t = arg;

	t->n++;
	t->rc = r->rc;
	snprintf(t->body, sizeof t->body, "%s", r->body.p ? r->body.p : "");
	snprintf(t->why, sizeof t->why, "%s", r->rc ? xmsg_error(of) : "");
}

/* ---- what waits, and what starts: by name ---- */

static int
w_create(const char *q)
{
	return xmsg_create(x, q, XMSG_PERSISTENT);
}

static int
w_destroy(const char *q)
{
	return xmsg_destroy(x, q);
}

static int
w_list(const char *q)
{
	char **names = NULL;
	int rc = xmsg_list(x, q, 0, &names, NULL);

	assert_true(rc == XMSG_OK || names == NULL);
	free(names);
	return rc;
}

static int
w_send(const char *q)
{
	int64_t id = 5;
	int rc = xmsg_send(x, q, NULL, TEXT("x"), &id);

	assert_true(rc == XMSG_OK || id == -1);
	return rc;
}

static int
w_send_back(const char *q)
{
	return xmsg_send(x, "q", q, TEXT("x"), NULL);
}

static int
w_respond(const char *q)
{
	return xmsg_respond(x, q, "q", 1, TEXT("x"));
}

static int
w_respond_to(const char *q)
{
	return xmsg_respond(x, "q", q, 1, TEXT("x"));
}

static int
w_ack(const char *q)
{
	return xmsg_ack(x, q, 1);
}

static int
w_transfer(const char *q)
{
	struct xmsg_messages m;
	int rc = xmsg_transfer(x, &q, 1, -1, 0, &m);

	assert_true(rc == XMSG_OK || m.n == 0);
	xmsg_messages_free(&m);
	return rc;
}

static int
w_call(const char *q)
{
	return xmsg_call(x, q, TEXT("x"), 0, 1, NULL);
}

static int
w_diagnostics(const char *q)
{
	struct xmsg_bytes b;
	int rc = xmsg_diagnostics(x, &b);

	(void)q;
	xmsg_bytes_free(&b);
	return rc;
}

static int
w_trace(const char *q)
{
	struct xmsg_bytes b;
	int rc = xmsg_trace(x, -1, 0, &b);

	(void)q;
	xmsg_bytes_free(&b);
	return rc;
}

static int
w_shutdown(const char *q)
{
	(void)q;
	return xmsg_shutdown(x);
}

static int
w_http(const char *q)
{
	int status = 5, rc = xmsg_http(x, "GET", q, TEXT(""), &status, NULL);

	assert_true(rc == XMSG_OK || status == 0);
	return rc;
}

static void
no_request(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)r, (void)m, (void)arg;
}

static int
w_serve(const char *q)
{
	return xmsg_serve(x, q, 0, 1, no_request, NULL);
}

static int
s_call(const char *q)
{
	return xmsg_call_start(x, q, TEXT("x"), 0, 1, NULL, NULL) == NULL
	    ? xmsg_rc(x)
	    : XMSG_OK;
}

static int
s_send(const char *q)
{
	return xmsg_send_start(x, q, NULL, TEXT("x"), NULL, NULL) == NULL
	    ? xmsg_rc(x)
	    : XMSG_OK;
}

static int
s_ack(const char *q)
{
	return xmsg_ack_start(x, q, 1, NULL, NULL) == NULL ? xmsg_rc(x)
							   : XMSG_OK;
}

static int
s_http(const char *q)
{
	return xmsg_http_start(x, "GET", q, TEXT(""), 1, NULL, NULL) == NULL
	    ? xmsg_rc(x)
	    : XMSG_OK;
}

static int
s_serve(const char *q)
{
	return xmsg_serve_start(x, q, 0, 1, no_request, NULL) == NULL
	    ? xmsg_rc(x)
	    : XMSG_OK;
}

static const struct {
	const char *name;
	int (*fn)(const char *q);
	bool waits, named; /* a bad name is refused */
} functions[] = {
    {"create", w_create, true, true},
    {"destroy", w_destroy, true, true},
    {"list", w_list, true, false},
    {"send", w_send, true, true},
    {"send, reply_to", w_send_back, true, true},
    {"respond, reply_to", w_respond, true, true},
    {"respond, queue", w_respond_to, true, true},
    {"ack", w_ack, true, true},
    {"transfer", w_transfer, true, true},
    {"call", w_call, true, true},
    {"diagnostics", w_diagnostics, true, false},
    {"trace", w_trace, true, false},
    {"shutdown", w_shutdown, true, false},
    {"http", w_http, true, true},
    {"serve", w_serve, true, true},
    {"call_start", s_call, false, true},
    {"send_start", s_send, false, true},
    {"ack_start", s_ack, false, true},
    {"http_start", s_http, false, true},
    {"serve_start", s_serve, false, true},
};

#define NFUNCTIONS (sizeof functions / sizeof *functions)

/* In a callback: what waits is refused, what starts is not; once the object is
 * being closed nothing is begun. */
static void
inside(struct xmsg *of, const struct xmsg_result *r, void *arg)
{
	int rc;

	assert_int_equal(r->rc, XMSG_OK);
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		rc = functions[i].waits ? functions[i].fn("q") : XMSG_EBUSY;
		if (rc != XMSG_EBUSY)
			fail_msg("%s: %d", functions[i].name, rc);
	}
	xmsg_close(of);
	xmsg_close(of); /* twice is once */
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		rc = functions[i].fn("q");
		if (rc != (functions[i].waits ? XMSG_EBUSY : XMSG_ECANCELED))
			fail_msg("%s: %d", functions[i].name, rc);
	}
	*(int *)arg = 1;
}

static void
callbacks_must_not_wait(void **state)
{
	int done = 0;

	(void)state;
	begin(NULL, 0);
	assert_non_null(
	    xmsg_http_start(x, "GET", "/v1/x", TEXT(""), -1, inside, &done));
	until(&done, 1); /* the turn that ends has freed it */
	fake_stop(&fake);
}

/* Every name, wrong. */
static void
names_are_checked(void **state)
{
	int rc;

	(void)state;
	begin(NULL, 0);
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		rc =
		    functions[i].named ? functions[i].fn("a\x01") : XMSG_EINVAL;
		if (rc != XMSG_EINVAL)
			fail_msg("%s: %d", functions[i].name, rc);
	}
	assert_null(xmsg_send_start(x, "q", "\x7f", TEXT("x"), NULL, NULL));
	end();
}

/* Bytes that are none, queues that are too many or none, and times without an
 * end, together with a limit that has none. */
static void
other_arguments(void **state)
{
	static const int waits[] = {-1, 0, INT32_MAX};
	static const char *many[1001];
	const struct xmsg_bytes bad = {NULL, 1};
	struct xmsg_messages m;
	const char *q = "q";

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_respond(x, "q", "q", 1, bad), XMSG_EINVAL);
	assert_null(xmsg_call_start(x, "q", bad, 0, 1, NULL, NULL));
	assert_int_equal(xmsg_rc(x), XMSG_EINVAL);
	assert_null(xmsg_send_start(x, "q", "r", bad, NULL, NULL));
	assert_null(xmsg_http_start(x, "PUT", "/v1/x", bad, 1, NULL, NULL));
	assert_int_equal(xmsg_rc(x), XMSG_EINVAL);
	for (size_t i = 0; i < 1001; i++)
		many[i] = "q";
	assert_int_equal(xmsg_transfer(x, many, 1001, -1, 0, &m), XMSG_EINVAL);
	assert_int_equal(w_create("q"), XMSG_OK);
	assert_int_equal(w_send("q"), XMSG_OK);
	for (size_t i = 0; i < 3; i++)
		for (int limited = 0; limited < 2; limited++) {
			xmsg_set_timeout(x, limited ? LIMIT_MS : -1);
			assert_int_equal(
			    xmsg_transfer(x, &q, 1, -1, waits[i], &m), XMSG_OK);
			assert_int_equal(m.n, 1);
			xmsg_messages_free(&m);
		}
	xmsg_set_timeout(x, INT32_MAX);
	assert_int_equal(xmsg_transfer(x, &q, 1, -1, 5, &m), XMSG_OK);
	xmsg_messages_free(&m);
	assert_int_equal(xmsg_destroy(x, "q"), XMSG_OK);
	assert_int_equal(w_send("q"), XMSG_ENOQUEUE);
	end();
}

/* ---- what the broker says ---- */

#define REFUSAL(status, body, n)                                               \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"            \
	"Content-Length: " n "\r\n\r\n" body

/* Every function whose answer is a failure of the broker says so. */
static void
failures_are_told(void **state)
{
#define BROKEN                                                                 \
	0, 99, FAKE_ANSWER,                                                    \
	    REFUSAL("500 Internal Server Error", "broken", "6"), 0
	static const struct fake_rule rules[] = {
	    {"GET /persistent", BROKEN},
	    {"GET /destroy", BROKEN},
	    {"GET /list", BROKEN},
	    {"GET /trace", BROKEN},
	    {"POST /", BROKEN},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	int rc;

	(void)state;
	begin(rules, 0);
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		if (!functions[i].waits || functions[i].fn == w_http ||
		    functions[i].fn == w_serve || functions[i].fn == w_call ||
		    functions[i].fn == w_diagnostics ||
		    functions[i].fn == w_ack) /* which is done, or needless */
			continue;
		rc = functions[i].fn("q");
		if (rc != XMSG_EREFUSED)
			fail_msg(
			    "%s: %d %s", functions[i].name, rc, xmsg_error(x));
		assert_non_null(strstr(xmsg_error(x), "broken"));
	}
	end();
}

/* Whatever a refusal looks like, what is shown of it is one line, with what
 * could be read. */
static void
refusals_are_read(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"{\"error\":{\"code\":3,\"list\":[1],\"message\":\"why\","
	     "\"hint\":\"do that\"}}",
		"why; do that"},
	    {"{\"error\":{\"message\":\"only\\nwhy\\u007f.\"}}", "only why ."},
	    {"{\"error\":{\"message\":1,\"hint\":\"h\"}}", "; h"},
	    {"{\"error\":{\"more\":[[\"x\",\"message\":\"m\"}}", "{"},
	    {"{\"error\":\"text\"}", "{"},
	    {"{\"other\":1}", "{"},
	    {"{}", "{}"},
	    {"{", "{"},
	    {"", "500 Internal Server Error: "},
	    {"\x01\x1fplain", "  plain"},
	};
	char text[300], body[120];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fake_rule rules[] = {
		    {"GET /persistent", 0, 9, FAKE_ANSWER, text, 0},
		    {NULL, 0, 0, 0, NULL, 0},
		};

		snprintf(body, sizeof body, "%s", cases[i].body);
		snprintf(text, sizeof text,
		    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: "
		    "%zu\r\n\r\n%s",
		    strlen(body), body);
		begin(rules, 0);
		assert_int_equal(w_create("q"), XMSG_EREFUSED);
		if (strstr(xmsg_error(x), cases[i].says) == NULL)
			fail_msg("%zu: %s", i, xmsg_error(x));
		for (const char *p = xmsg_error(x); *p != '\0'; p++)
			assert_in_range((unsigned char)*p, 0x20, 0x7e);
		end();
	}
}

/* ---- calls ---- */

/* Replies that come while the ids of their requests are not known, as the
 * answers to the requests were lost, find their calls; each is acknowledged. */
static void
replies_come_before_ids(void **state)
{
	static const struct fake_rule rules[] = {
	    {"POST /request/echo", 0, 4, FAKE_LOSE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct told t[6] = {{0}};
	char text[8];

	(void)state;
	begin(rules, FAKE_ECHO);
	assert_int_equal(w_create("echo"), XMSG_OK);
	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_non_null(xmsg_call_start(x, "echo",
		    (struct xmsg_bytes){text, strlen(text)}, 0, LIMIT_MS, tell,
		    &t[i]));
	}
	for (int i = 0; i < 6; i++) {
		until(&t[i].n, 1);
		assert_int_equal(t[i].rc, XMSG_OK);
		assert_int_equal(t[i].body[0], '0' + i);
	}
	assert_int_equal(xmsg_flush(x, LIMIT_MS), XMSG_OK);
	assert_int_equal(fake.shared->hits[0], 4);
	assert_true(fake_count(&fake, "GET /ack/me/") >= 6);
	end();
}

/* A call whose publication is answered with something else. */
static void
publications_that_fail(void **state)
{
	static const struct {
		const char *answer;
		int rc;
	} cases[] = {
	    {REFUSAL("200 OK", "nonsense", "8"), XMSG_EPROTO},
	    {REFUSAL("503 Service Unavailable", "full", "4"), XMSG_ELIMIT},
	};
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct fake_rule rules[] = {
		    {"POST /request/q", 0, 99, FAKE_ANSWER, cases[i].answer, 0},
		    {NULL, 0, 0, 0, NULL, 0},
		};

		memset(&t, 0, sizeof t);
		begin(rules, 0);
		assert_non_null(xmsg_call_start(
		    x, "q", TEXT("x"), XMSG_CREATE, LIMIT_MS, tell, &t));
		until(&t.n, 1);
		assert_int_equal(t.rc, cases[i].rc);
		assert_string_not_equal(t.why, "");
		end();
	}
}

/* With calls waiting the broker comes back and does not say what it still has:
 * nothing is concluded from that, and the replies come all the same. */
static void
questions_without_answers(void **state)
{
	static const char *const answers[] = {
	    REFUSAL("500 Internal Server Error", "{\"error\":{}}", "12"),
	    REFUSAL("404 Not Found", "Not found: /v1", "14"),
	    REFUSAL("404 Not Found", "{\"error\":{}}", "12"),
	};
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct fake_rule rules[] = {
		    {"GET /persistent/lose", 0, 1, FAKE_RESTART, NULL, 0},
		    {"GET /v1/queues/q/messages", 0, 99, FAKE_ANSWER,
			answers[i], 0},
		    {NULL, 0, 0, 0, NULL, 0},
		};
		struct xmsg_messages m;
		const char *q = "q";

		memset(&t, 0, sizeof t);
		begin(rules, 0);
		assert_non_null(xmsg_call_start(
		    x, "q", TEXT("x"), XMSG_CREATE, LIMIT_MS, tell, &t));
		do { /* it is published */
			assert_int_equal(
			    xmsg_transfer(x, &q, 1, -1, 1000, &m), XMSG_OK);
			xmsg_messages_free(&m);
		} while (m.n == 0 && fake_count(&fake, "POST /request") == 0);
		assert_int_equal(w_create("z"), XMSG_OK); /* the id has come */
		assert_int_equal(w_create("lose"), XMSG_OK);
		while (fake_count(&fake, "GET /v1/queues/q/messages") == 0)
			(void)xmsg_wait(x, 20);
		if (i < 2) {
			assert_int_equal(
			    xmsg_respond(x, "me", "q", 0, TEXT("here")),
			    XMSG_OK);
			until(&t.n, 1);
			assert_int_equal(t.rc, XMSG_OK);
			assert_string_equal(t.body, "here");
		} else { /* the request is gone, and there is no reply */
			until(&t.n, 1);
			assert_int_equal(t.rc, XMSG_ELOST);
		}
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(callbacks_must_not_wait),
	    cmocka_unit_test(names_are_checked),
	    cmocka_unit_test(other_arguments),
	    cmocka_unit_test(failures_are_told),
	    cmocka_unit_test(refusals_are_read),
	    cmocka_unit_test(replies_come_before_ids),
	    cmocka_unit_test(publications_that_fail),
	    cmocka_unit_test(questions_without_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
