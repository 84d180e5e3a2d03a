/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* libxmsg against a broker that misbehaves: every function, lost connections at
 * every point, wrong answers, time limits, cancelling, serving. */
#include "support/unit.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "support/fake.h"
#include "xmsg.h"

#define TEXT(s)	 ((struct xmsg_bytes){s, sizeof(s) - 1})
#define LIMIT_MS 20000 /* for what must not take as long */

struct fixture {
	struct fake fake;
	struct xmsg *x;
};

static struct fixture fx;

/* A broker with these rules and a client of it. */
static void
begin(const struct fake_rule *rules, unsigned flags)
{
	fake_start(&fx.fake, rules, flags);
	assert_int_equal(xmsg_open(&fx.x, fx.fake.path, "me"), XMSG_OK);
	xmsg_set_timeout(fx.x, LIMIT_MS);
}

/* Both gone. */
static void
end(void)
{
	xmsg_close(fx.x);
	fake_stop(&fx.fake);
	fx.x = NULL;
}

/* Open descriptors of this process. */
static int
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Turn until *flag, or fail. */
static void
until(struct xmsg *x, const int *flag, int want)
{
	int64_t end_ns = clock_mono_ns() + LIMIT_MS * NS_PER_MS;

	while (*flag < want) {
		assert_true(clock_mono_ns() < end_ns);
		(void)xmsg_wait(x, 100);
	}
}

/* Turn until the broker has been asked this so often. */
static void
until_asked(const char *what, unsigned want)
{
	int64_t end_ns = clock_mono_ns() + LIMIT_MS * NS_PER_MS;

	while (fake_count(&fx.fake, what) < want) {
		assert_true(clock_mono_ns() < end_ns);
		(void)xmsg_wait(fx.x, 5);
	}
}

/* What a callback was told. */
struct told {
	int n, rc, status;
	int64_t id;
	char body[64];
	size_t size;
};

static void
tell(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct told *t = arg;

	t->n++;
	t->rc = r->rc;
	t->status = r->status;
	t->id = r->id;
	t->size = r->body.n;
	snprintf(t->body, sizeof t->body, "%s", r->body.p ? r->body.p : "");
	if (r->rc != XMSG_OK)
		assert_int_equal(xmsg_rc(x), r->rc);
}

/* ---- the plain functions ---- */

/* Queues are made, listed and removed. */
static void
queues_come_and_go(void **state)
{
	char **names = NULL;
	size_t n = 9;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, &n), XMSG_OK);
	assert_int_equal(n, 0);
	assert_null(names[0]);
	free(names);
	assert_int_equal(xmsg_create(fx.x, "a/b c", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "a%41", XMSG_TRANSIENT), 0);
	assert_int_equal(xmsg_list(fx.x, "a", XMSG_LIST_ALIVE, &names, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "a/b c");
	assert_string_equal(names[1], "a%41");
	assert_null(names[2]);
	free(names);
	assert_int_equal(xmsg_destroy(fx.x, "a/b c"), 0);
	assert_int_equal(xmsg_list(fx.x, NULL, 0, &names, NULL), 0);
	assert_string_equal(names[0], "a%41");
	free(names);
	end();
}

/* Messages are published, seen by their cursor, acknowledged. */
static void
messages_come_and_go(void **state)
{
	const char *queues[] = {"q", "p"};
	struct xmsg_messages m;
	int64_t id = -7, second;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(
	    xmsg_send(fx.x, "q", "r", TEXT("1"), &id), XMSG_ENOQUEUE);
	assert_int_equal(id, -1);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "p", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_send(fx.x, "q", "r", TEXT("1\0\n"), &id), 0);
	assert_int_equal(
	    xmsg_send(fx.x, "p", NULL, (struct xmsg_bytes){NULL, 0}, &second),
	    0);
	assert_int_equal(xmsg_transfer(fx.x, queues, 2, -1, 1000, &m), 0);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.v[0].id, id);
	assert_string_equal(m.v[0].queue, "q");
	assert_string_equal(m.v[0].reply_to, "r");
	assert_int_equal(m.v[0].kind, XMSG_REQUEST);
	assert_int_equal(m.v[0].payload.n, 3);
	assert_memory_equal(m.v[0].payload.p, "1\0\n", 4);
	assert_string_equal(m.v[1].reply_to, "me");
	assert_int_equal(m.v[1].payload.n, 0);
	assert_string_equal(m.v[1].payload.p, "");
	assert_int_equal(m.next, second);
	xmsg_messages_free(&m);
	assert_int_equal(xmsg_transfer(fx.x, queues, 2, id, 0, &m), 0);
	assert_int_equal(m.n, 1);
	xmsg_messages_free(&m);
	assert_int_equal(xmsg_ack(fx.x, "p", second), 0);
	assert_int_equal(xmsg_ack(fx.x, "p", second), 0);
	assert_int_equal(xmsg_transfer(fx.x, queues, 2, id, 20, &m), 0);
	assert_int_equal(m.n, 0);
	assert_int_equal(m.next, id);
	xmsg_messages_free(&m);
	end();
}

/* A reply can be posted by id, and is seen as one. */
static void
respond_is_seen_as_reply(void **state)
{
	const char *r = "r";
	struct xmsg_messages m;
	int64_t id;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_send(fx.x, "q", "r", TEXT("x"), &id), 0);
	assert_int_equal(
	    xmsg_respond(fx.x, "r", "q", id, TEXT("y")), XMSG_ENOQUEUE);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_respond(fx.x, "r", "q", id, TEXT("y")), 0);
	assert_int_equal(xmsg_transfer(fx.x, &r, 1, -1, 0, &m), 0);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.v[0].kind, XMSG_REPLY);
	assert_string_equal(m.v[0].re_queue, "q");
	assert_string_equal(m.v[0].reply_to, "");
	assert_int_equal(m.v[0].re_id, id);
	assert_string_equal(m.v[0].payload.p, "y");
	xmsg_messages_free(&m);
	end();
}

/* The raw texts come as they are. */
static void
raw_answers_come_as_they_are(void **state)
{
	struct xmsg_bytes b;
	int status = 0;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_diagnostics(fx.x, &b), 0);
	assert_string_equal(b.p, "{\"diag\":1}");
	xmsg_bytes_free(&b);
	assert_null(b.p);
	assert_int_equal(xmsg_trace(fx.x, -1, 10, &b), 0);
	assert_string_equal(b.p, "{\"events\":[]}");
	xmsg_bytes_free(&b);
	assert_int_equal(
	    xmsg_http(fx.x, "PUT", "/v1/queues/q", TEXT("body"), &status, &b),
	    0);
	assert_int_equal(status, 200);
	assert_string_equal(b.p, "body");
	xmsg_bytes_free(&b);
	assert_int_equal(
	    xmsg_http(fx.x, "GET", "/nowhere", TEXT(""), &status, NULL), 0);
	assert_int_equal(status, 404);
	assert_int_equal(xmsg_shutdown(fx.x), 0);
	end();
}

/* Nothing wrong is sent. */
static void
arguments_are_checked(void **state)
{
	char longname[258], *s;
	struct xmsg_bytes bad = {NULL, 1};
	struct xmsg_messages m;
	struct xmsg *x;
	const char *none = "";

	(void)state;
	memset(longname, 'n', 257);
	longname[256] = '\0';
	assert_int_equal(xmsg_open(&x, "/x", "a\nb"), XMSG_EINVAL);
	assert_null(x);
	assert_int_equal(xmsg_open(&x, "/x", longname), XMSG_EINVAL);
	begin(NULL, 0);
	assert_int_equal(
	    xmsg_create(fx.x, longname, XMSG_PERSISTENT), XMSG_EINVAL);
	assert_non_null(strstr(xmsg_error(fx.x), "255"));
	longname[255] = '\0';
	assert_int_equal(xmsg_create(fx.x, longname, XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "", XMSG_PERSISTENT), XMSG_EINVAL);
	assert_int_equal(xmsg_create(fx.x, NULL, XMSG_PERSISTENT), XMSG_EINVAL);
	assert_int_equal(xmsg_destroy(fx.x, "a\x7f"), XMSG_EINVAL);
	assert_int_equal(xmsg_send(fx.x, "q", "", bad, NULL), XMSG_EINVAL);
	assert_int_equal(xmsg_send(fx.x, "q", "r", bad, NULL), XMSG_EINVAL);
	assert_int_equal(
	    xmsg_call(fx.x, "", TEXT(""), 0, 1, NULL), XMSG_EINVAL);
	assert_int_equal(xmsg_transfer(fx.x, &none, 0, -1, 0, &m), XMSG_EINVAL);
	assert_int_equal(xmsg_transfer(fx.x, &none, 1, -1, 0, &m), XMSG_EINVAL);
	assert_int_equal(
	    xmsg_http(fx.x, "HEAD", "/", TEXT(""), NULL, NULL), XMSG_EINVAL);
	assert_int_equal(
	    xmsg_http(fx.x, "GET", "/ x", TEXT(""), NULL, NULL), XMSG_EINVAL);
	assert_int_equal(
	    xmsg_http(fx.x, "GET", "x", TEXT(""), NULL, NULL), XMSG_EINVAL);
	assert_null(xmsg_serve_start(fx.x, "", 0, 0, NULL, NULL));
	assert_int_equal(xmsg_rc(fx.x), XMSG_EINVAL);
	s = xmsg_encode("a/b%\xff");
	assert_string_equal(s, "a%2Fb%25%FF");
	free(s);
	assert_int_equal(fake_count(&fx.fake, ""), 2); /* login, one create */
	end();
}

/* Codes have words; unknown ones too; the default token is unique. */
static void
words_and_tokens(void **state)
{
	struct xmsg *a, *b;

	(void)state;
	for (int rc = XMSG_EBUSY; rc <= 0; rc++)
		assert_string_not_equal(xmsg_strerror(rc), xmsg_strerror(1));
	assert_string_not_equal(xmsg_version(), "");
	assert_int_equal(xmsg_open(&a, NULL, NULL), 0);
	assert_int_equal(xmsg_open(&b, NULL, NULL), 0);
	assert_string_not_equal(xmsg_token(a), xmsg_token(b));
	assert_non_null(strstr(xmsg_token(a), ":"));
	xmsg_close(a);
	xmsg_close(b);
	xmsg_close(NULL);
}

/* ---- calls ---- */

/* A call gets its reply, whatever bytes are in it, and acknowledges it. */
static void
call_gets_its_reply(void **state)
{
	const char *me = "me";
	struct xmsg_messages m;
	struct xmsg_bytes r;
	char all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	begin(NULL, FAKE_ECHO);
	assert_int_equal(
	    xmsg_call(fx.x, "echo", TEXT("x"), 0, LIMIT_MS, &r), XMSG_ENOQUEUE);
	assert_null(r.p);
	assert_int_equal(xmsg_call(fx.x, "echo", (struct xmsg_bytes){all, 256},
			     XMSG_CREATE, LIMIT_MS, &r),
	    0);
	assert_int_equal(r.n, 256);
	assert_memory_equal(r.p, all, 256);
	xmsg_bytes_free(&r);
	assert_int_equal(xmsg_flush(fx.x, LIMIT_MS), 0);
	assert_int_equal(xmsg_transfer(fx.x, &me, 1, -1, 0, &m), 0);
	assert_int_equal(m.n, 0);
	xmsg_messages_free(&m);
	assert_int_equal(fake_count(&fx.fake, "GET /persistent/echo"), 1);
	assert_int_equal(fake_count(&fx.fake, "GET /transient/me"), 1);
	end();
}

/* The largest payload arrives whole. */
static void
call_carries_16_mib(void **state)
{
	size_t n = 16 * 1024 * 1024;
	struct xmsg_bytes r;
	char *p = malloc(n);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / 251);
	begin(NULL, FAKE_ECHO);
	assert_int_equal(xmsg_call(fx.x, "echo", (struct xmsg_bytes){p, n},
			     XMSG_CREATE, -1, &r),
	    0);
	assert_int_equal(r.n, n);
	assert_memory_equal(r.p, p, n);
	xmsg_bytes_free(&r);
	free(p);
	end();
}

/* A call without an answer ends in time; the late reply is dropped. */
static void
call_times_out_and_drops_the_late_reply(void **state)
{
	const char *me = "me";
	struct xmsg_messages m;
	struct xmsg_bytes r;
	int64_t at;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	at = clock_mono_ns();
	assert_int_equal(
	    xmsg_call(fx.x, "q", TEXT("x"), 0, 250, &r), XMSG_ETIMEDOUT);
	assert_true(clock_mono_ns() - at >= 250 * NS_PER_MS);
	assert_int_equal(xmsg_respond(fx.x, "me", "q", 0, TEXT("late")), 0);
	until_asked("GET /ack/me/", 1);
	assert_int_equal(xmsg_transfer(fx.x, &me, 1, -1, 0, &m), 0);
	assert_int_equal(m.n, 0);
	xmsg_messages_free(&m);
	end();
}

/* Where a call may lose its connections, and how. */
static const struct {
	const char *name;
	struct fake_rule rule[3];
	unsigned flags;
} losses[] = {
    {"login dropped", {{"GET /login", 0, 3, FAKE_DROP, NULL, 0}}, 0},
    {"login unanswered", {{"GET /login", 0, 3, FAKE_LOSE, NULL, 0}}, 0},
    {"login half", {{"GET /login", 1, 2, FAKE_HALF, NULL, 0}}, 0},
    {"transient lost", {{"GET /transient", 0, 2, FAKE_LOSE, NULL, 0}}, 0},
    {"create lost", {{"GET /persistent", 0, 2, FAKE_LOSE, NULL, 0}}, 0},
    {"create dropped", {{"GET /persistent", 0, 2, FAKE_DROP, NULL, 0}}, 0},
    {"request dropped", {{"POST /request", 0, 3, FAKE_DROP, NULL, 0}}, 0},
    {"request lost", {{"POST /request", 0, 3, FAKE_LOSE, NULL, 0}}, 0},
    {"request half", {{"POST /request", 0, 3, FAKE_HALF, NULL, 0}}, 0},
    {"request split", {{"POST /request", 0, 1, FAKE_SPLIT, NULL, 0}}, 0},
    {"restart in request", {{"POST /request", 0, 2, FAKE_RESTART, NULL, 30}},
	0},
    {"restart, at once", {{"POST /request", 0, 2, FAKE_RESTART, NULL, 0}}, 0},
    {"restart, no v1", {{"POST /request", 0, 2, FAKE_RESTART, NULL, 0}},
	FAKE_NO_V1},
    {"poll dropped", {{"POST /transfer", 0, 3, FAKE_DROP, NULL, 0}}, 0},
    {"poll lost", {{"POST /transfer", 0, 3, FAKE_LOSE, NULL, 0}}, 0},
    {"poll split", {{"POST /transfer", 0, 1, FAKE_SPLIT, NULL, 0}}, 0},
    {"restart in poll", {{"POST /transfer", 0, 2, FAKE_RESTART, NULL, 20}}, 0},
    {"poll refused",
	{{"POST /transfer", 0, 2, FAKE_ANSWER,
	    "HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n", 0}},
	0},
    {"poll nonsense",
	{{"POST /transfer", 0, 2, FAKE_ANSWER,
	    "HTTP/1.1 200 x\r\ncontent-length: 3\r\n\r\n[1]", 0}},
	0},
    {"poll garbage",
	{{"POST /transfer", 0, 2, FAKE_ANSWER, "nonsense\r\n\r\n", 0}}, 0},
    {"login refused",
	{{"GET /login", 0, 2, FAKE_ANSWER,
	    "HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n", 0}},
	0},
    {"interim answer",
	{{"GET /login", 0, 1, FAKE_ANSWER,
	    "HTTP/1.1 102 x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n"
	    "\r\n",
	    0}},
	0},
    {"answered and closed",
	{{"GET /transient", 0, 1, FAKE_ANSWER_CLOSE,
	    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n"
	    "\r\n",
	    0}},
	0},
    {"ack lost", {{"GET /ack", 0, 2, FAKE_LOSE, NULL, 0}}, 0},
    {"two answers",
	{{"GET /login", 0, 1, FAKE_ANSWER,
	    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
	    0}},
	0},
    {"many troubles",
	{{"POST /request", 0, 2, FAKE_RESTART, NULL, 5},
	    {"POST /transfer", 1, 3, FAKE_LOSE, NULL, 0}},
	0},
};

/* Whatever is lost on the way, the request is published once and the caller
 * gets its reply. */
static void
call_survives_every_loss(void **state)
{
	struct xmsg_bytes r;
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		print_message("# %s\n", losses[i].name);
		begin(losses[i].rule, losses[i].flags | FAKE_ECHO);
		for (int k = 0; k < 3; k++) {
			snprintf(text, sizeof text, "text %d", k);
			assert_int_equal(
			    xmsg_call(fx.x, "echo",
				(struct xmsg_bytes){text, strlen(text)},
				XMSG_CREATE, LIMIT_MS, &r),
			    0);
			assert_string_equal(r.p, text);
			xmsg_bytes_free(&r);
		}
		assert_int_equal(xmsg_flush(fx.x, LIMIT_MS), 0);
		assert_true(fx.fake.shared->hits[0] > 0);
		/* two messages a call, none twice */
		assert_int_equal(xmsg_create(fx.x, "next", XMSG_PERSISTENT), 0);
		int64_t id;
		assert_int_equal(
		    xmsg_send(fx.x, "next", "r", TEXT(""), &id), 0);
		assert_int_equal(id, 6);
		end();
	}
}

/* A call whose reply went with the reply queue ends, and does not hang. */
static void
call_notices_a_lost_reply(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /transfer", 0, 1, FAKE_FORGET, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct told t = {0}, u = {0};

	(void)state;
	begin(rules, FAKE_ECHO);
	assert_int_equal(xmsg_create(fx.x, "echo", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	/* the poll is answered by a restart after both are published */
	assert_non_null(
	    xmsg_call_start(fx.x, "q", TEXT("1"), 0, LIMIT_MS, tell, &u));
	assert_non_null(
	    xmsg_call_start(fx.x, "echo", TEXT("2"), 0, LIMIT_MS, tell, &t));
	until(fx.x, &t.n, 1);
	/* either its reply came before, or it went: never silence */
	assert_true(t.rc == XMSG_OK || t.rc == XMSG_ELOST);
	assert_int_equal(u.n, 0); /* its request is still there */
	assert_int_equal(xmsg_respond(fx.x, "me", "q", 0, TEXT("here")), 0);
	until(fx.x, &u.n, 1);
	assert_int_equal(u.rc, XMSG_OK);
	assert_string_equal(u.body, "here");
	end();
}

/* The same without doubt about the order: the request is taken away. */
static void
call_notices_a_lost_request(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 1, FAKE_RESTART, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct told t = {0};
	char **names;

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_non_null(xmsg_call_start(fx.x, "q", TEXT("1"), 0, -1, tell, &t));
	until_asked("POST /request", 1);
	assert_int_equal(xmsg_ack(fx.x, "q", 0), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, NULL), 0);
	free(names);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_ELOST);
	end();
}

/* A broker that has lost everything: the call ends, the next one works. */
static void
call_notices_a_wiped_broker(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 1, FAKE_WIPE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct told t = {0};
	struct xmsg_bytes r;
	char **names;

	(void)state;
	begin(rules, FAKE_ECHO);
	for (int i = 0; i < 3; i++)
		assert_int_equal(xmsg_call(fx.x, "echo", TEXT("x"), XMSG_CREATE,
				     LIMIT_MS, NULL),
		    0);
	assert_non_null(
	    xmsg_call_start(fx.x, "q", TEXT("1"), XMSG_CREATE, -1, tell, &t));
	until_asked("POST /request/q", 1);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, NULL), 0);
	free(names);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_ELOST);
	assert_int_equal(
	    xmsg_call(fx.x, "echo", TEXT("new"), XMSG_CREATE, LIMIT_MS, &r), 0);
	assert_string_equal(r.p, "new");
	xmsg_bytes_free(&r);
	end();
}

/* Many calls at once, over restarts: each ends once, with its own reply. */
static void
many_calls_over_restarts(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /request", 20, 2, FAKE_RESTART, NULL, 10},
	    {"POST /transfer", 10, 2, FAKE_LOSE, NULL, 0},
	    {"GET /ack", 30, 2, FAKE_RESTART, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	static struct told t[64];
	char text[16];

	(void)state;
	memset(t, 0, sizeof t);
	begin(rules, FAKE_ECHO);
	assert_int_equal(xmsg_create(fx.x, "echo", XMSG_PERSISTENT), 0);
	for (int i = 0; i < 64; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_non_null(xmsg_call_start(fx.x, "echo",
		    (struct xmsg_bytes){text, strlen(text)}, 0, LIMIT_MS, tell,
		    &t[i]));
	}
	for (int i = 0; i < 64; i++) {
		until(fx.x, &t[i].n, 1);
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(t[i].rc, 0);
		assert_string_equal(t[i].body, text);
	}
	assert_int_equal(xmsg_flush(fx.x, LIMIT_MS), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(t[i].n, 1);
	end();
}

/* Two hundred restarts and no descriptor more. */
static void
descriptors_stay_flat(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /request", 2, 200, FAKE_BLINK, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	int before = 0;

	(void)state;
	begin(rules, FAKE_ECHO);
	for (int i = 0; fx.fake.shared->hits[0] < 200; i++) {
		assert_int_equal(xmsg_call(fx.x, "echo", TEXT("x"), XMSG_CREATE,
				     LIMIT_MS, NULL),
		    0);
		if (i == 1)
			before = descriptors();
	}
	assert_true(descriptors() <= before);
	end();
}

/* ---- failures ---- */

/* No broker: patience decides, and time limits hold. */
static void
no_broker_is_told_in_time(void **state)
{
	struct xmsg_bytes r;
	struct xmsg *x;
	char **names;
	int64_t at;

	(void)state;
	assert_int_equal(xmsg_open(&x, "/nonexistent/sock", "me"), 0);
	xmsg_set_timeout(x, 50);
	at = clock_mono_ns();
	assert_int_equal(xmsg_list(x, "", 0, &names, NULL), XMSG_ETIMEDOUT);
	assert_non_null(strstr(xmsg_error(x), "/nonexistent/sock"));
	assert_true(clock_mono_ns() - at >= 50 * NS_PER_MS);
	xmsg_set_timeout(x, -1);
	xmsg_set_patience(x, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    xmsg_list(x, "", 0, &names, NULL), XMSG_ECONNECT);
		assert_non_null(strstr(xmsg_error(x), "/nonexistent/sock"));
		assert_int_equal(
		    xmsg_call(x, "q", TEXT(""), 0, -1, &r), XMSG_ECONNECT);
		assert_int_equal(
		    xmsg_http(x, "GET", "/v1/status", TEXT(""), NULL, &r),
		    XMSG_ECONNECT);
	}
	xmsg_set_patience(x, 80);
	at = clock_mono_ns();
	assert_int_equal(xmsg_call(x, "q", TEXT(""), 0, -1, &r), XMSG_ECONNECT);
	assert_true(clock_mono_ns() - at >= 80 * NS_PER_MS);
	assert_true(clock_mono_ns() - at < 5 * NS_PER_SEC);
	xmsg_close(x);
}

/* Patience that ends while a call is under way says that nobody knows. */
static void
patience_ends_calls_under_way(void **state)
{
	struct told t = {0};

	(void)state;
	begin(NULL, 0);
	xmsg_set_patience(fx.x, 30);
	assert_non_null(
	    xmsg_call_start(fx.x, "q", TEXT("1"), XMSG_CREATE, -1, tell, &t));
	until_asked("POST /request/q", 1);
	/* the answer to a later request shows that the id has come */
	assert_int_equal(xmsg_create(fx.x, "z", XMSG_PERSISTENT), 0);
	fake_stop(&fx.fake);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_ELOST);
	xmsg_close(fx.x);
}

/* Patience is for one outage: two short ones do not add up. */
static void
patience_starts_anew(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 2, FAKE_RESTART, NULL, 60},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct told t = {0};
	char **names;
	int64_t end_ns;

	(void)state;
	begin(rules, 0);
	xmsg_set_patience(fx.x, 2000);
	assert_non_null(
	    xmsg_call_start(fx.x, "q", TEXT("1"), XMSG_CREATE, -1, tell, &t));
	until_asked("POST /request/q", 1);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, NULL), 0);
	free(names);
	assert_int_equal(fx.fake.shared->hits[0], 2);
	/* long after the first outage there is another */
	end_ns = clock_mono_ns() + 2000 * NS_PER_MS;
	while (clock_mono_ns() < end_ns)
		(void)xmsg_wait(fx.x, 100);
	fake_stop(&fx.fake);
	end_ns = clock_mono_ns() + 500 * NS_PER_MS;
	while (clock_mono_ns() < end_ns)
		(void)xmsg_wait(fx.x, 20);
	assert_int_equal(t.n, 0);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_ELOST);
	xmsg_close(fx.x);
}

/* Answers of the broker and what they are to the caller. */
static const struct {
	const char *answer;
	int rc;
	const char *says;
} refusals[] = {
    {"HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nbad", XMSG_EINVAL,
	"bad"},
    {"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", XMSG_EDENIED,
	"403"},
    {"HTTP/1.1 413 x\r\ncontent-length: 73\r\n\r\n"
     "{\"error\":{\"code\":\"too-large\",\"message\":\"16 "
     "MiB\",\"hint\":\"split"
     " it\"}}      ",
	XMSG_ELIMIT, "16 MiB; split it"},
    {"HTTP/1.1 507 x\r\ncontent-length: 0\r\n\r\n", XMSG_ELIMIT, "507"},
    {"HTTP/1.1 500 x\r\ncontent-length: 2\r\n\r\na\n", XMSG_EREFUSED, "500"},
    {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", XMSG_EPROTO, "id"},
    {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
	XMSG_EPROTO, "sense"},
    {"SSH-2.0-x\r\n", XMSG_EPROTO, "sense"},
    {"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n", XMSG_ELIMIT,
	"large"},
};

/* Each refusal has its code and its text, and the object goes on. */
static void
refusals_are_told_apart(void **state)
{
	struct fake_rule rules[2] = {
	    {"POST /request/q", 0, 1, FAKE_ANSWER, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		rules[0].text = refusals[i].answer;
		begin(rules, 0);
		assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
		assert_int_equal(
		    xmsg_send(fx.x, "q", "r", TEXT("x"), NULL), refusals[i].rc);
		if (strstr(xmsg_error(fx.x), refusals[i].says) == NULL)
			fail_msg(
			    "%s: %s", refusals[i].answer, xmsg_error(fx.x));
		assert_null(strchr(xmsg_error(fx.x), '\n'));
		assert_int_equal(xmsg_send(fx.x, "q", "r", TEXT("x"), NULL), 0);
		assert_int_equal(xmsg_rc(fx.x), refusals[i].rc);
		end();
	}
}

/* What is no list and no batch of messages is said to be none. */
static void
malformed_answers_are_refused(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 1, FAKE_ANSWER,
		"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n[\"a\"", 0},
	    {"POST /transfer", 0, 1, FAKE_ANSWER,
		"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	const char *q = "q";
	struct xmsg_messages m;
	char **names;
	size_t n;

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, &n), XMSG_EPROTO);
	assert_null(names);
	assert_int_equal(xmsg_transfer(fx.x, &q, 1, 5, 0, &m), XMSG_EPROTO);
	assert_null(m.v);
	assert_int_equal(m.next, 5);
	xmsg_messages_free(&m);
	end();
}

/* Nothing that might be done twice is sent twice. */
static void
posts_are_not_repeated(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /v1/", 0, 9, FAKE_LOSE, NULL, 0},
	    {"POST /shutdown", 0, 9, FAKE_LOSE, NULL, 0},
	    {"GET /v1/", 0, 2, FAKE_LOSE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};

	(void)state;
	begin(rules, 0);
	assert_int_equal(
	    xmsg_http(fx.x, "POST", "/v1/x", TEXT("x"), NULL, NULL),
	    XMSG_ELOST);
	assert_int_equal(fake_count(&fx.fake, "POST /v1/x"), 1);
	assert_int_equal(xmsg_shutdown(fx.x), XMSG_ELOST);
	assert_int_equal(fake_count(&fx.fake, "POST /shutdown"), 1);
	assert_int_equal(
	    xmsg_http(fx.x, "GET", "/v1/x", TEXT(""), NULL, NULL), 0);
	assert_int_equal(fake_count(&fx.fake, "GET /v1/x"), 3);
	end();
}

/* A request that breaks every connection is given up. */
static void
poison_is_given_up(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /request/q", 0, 1000, FAKE_DROP, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(
	    xmsg_send(fx.x, "q", "r", TEXT("x"), NULL), XMSG_ELOST);
	assert_int_equal(fake_count(&fx.fake, "POST /request/q"), 16);
	assert_int_equal(xmsg_create(fx.x, "p", XMSG_PERSISTENT), 0);
	end();
}

/* A broker that does not answer costs the time limit, not more. */
static void
silence_ends_at_the_limit(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /v1/", 0, 1, FAKE_SILENT, NULL, 0},
	    {"GET /persistent/q", 0, 1, FAKE_SILENT, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};

	(void)state;
	begin(rules, 0);
	xmsg_set_timeout(fx.x, 50);
	assert_int_equal(xmsg_http(fx.x, "GET", "/v1/x", TEXT(""), NULL, NULL),
	    XMSG_ETIMEDOUT);
	xmsg_set_timeout(fx.x, LIMIT_MS);
	assert_int_equal(
	    xmsg_http(fx.x, "GET", "/v1/x", TEXT(""), NULL, NULL), 0);
	xmsg_set_timeout(fx.x, 50);
	assert_int_equal(
	    xmsg_create(fx.x, "q", XMSG_PERSISTENT), XMSG_ETIMEDOUT);
	end();
}

/* ---- callbacks ---- */

/* Cancelling calls back at once, once; the reply that comes is dropped. */
static void
cancel_calls_back_once(void **state)
{
	struct told t = {0}, u = {0};
	struct xmsg_op *op, *queued;

	(void)state;
	begin(NULL, 0);
	op = xmsg_call_start(fx.x, "q", TEXT("x"), XMSG_CREATE, -1, tell, &t);
	assert_non_null(op);
	until_asked("POST /request/q", 1);
	queued = xmsg_call_start(fx.x, "q", TEXT("y"), 0, -1, tell, &u);
	xmsg_cancel(queued);
	assert_int_equal(u.n, 1);
	assert_int_equal(u.rc, XMSG_ECANCELED);
	xmsg_cancel(op);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.rc, XMSG_ECANCELED);
	assert_int_equal(xmsg_respond(fx.x, "me", "q", 0, TEXT("late")), 0);
	until_asked("GET /ack/me/", 1);
	assert_int_equal(t.n, 1);
	end();
}

/* What callbacks that start and end things know. */
struct chain {
	int left, ended;
	struct xmsg_op *other;
	bool close;
};

/* Cancelling what is ending already changes nothing. */
static void
cancel_oneself(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct chain *c = arg;

	(void)x;
	assert_int_equal(r->rc, XMSG_ETIMEDOUT);
	c->ended++;
	xmsg_cancel(c->other);
}

/* An operation cancelled in its own callback ends once. */
static void
cancel_in_the_own_callback(void **state)
{
	struct chain c = {0};

	(void)state;
	begin(NULL, 0);
	c.other = xmsg_call_start(
	    fx.x, "q", TEXT("x"), XMSG_CREATE, 20, cancel_oneself, &c);
	assert_non_null(c.other);
	until(fx.x, &c.ended, 1);
	assert_int_equal(c.ended, 1);
	end();
}

/* What is under way when the object is closed hears of it. */
static void
close_tells_everybody(void **state)
{
	struct told t[3] = {{0}};

	(void)state;
	begin(NULL, 0);
	for (int i = 0; i < 2; i++)
		assert_non_null(xmsg_call_start(
		    fx.x, "q", TEXT("x"), XMSG_CREATE, -1, tell, &t[i]));
	assert_non_null(
	    xmsg_http_start(fx.x, "GET", "/v1/x", TEXT(""), -1, tell, &t[2]));
	end();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(t[i].n, 1);
		assert_int_equal(t[i].rc, XMSG_ECANCELED);
	}
}

/* A callback that does everything it may, and some that it may not. */
static void
chain_fn(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct chain *c = arg;
	char **names;

	assert_int_equal(r->rc, 0);
	assert_int_equal(xmsg_list(x, "", 0, &names, NULL), XMSG_EBUSY);
	assert_int_equal(xmsg_dispatch(x), XMSG_EBUSY);
	assert_int_equal(xmsg_wait(x, 0), XMSG_EBUSY);
	assert_int_equal(xmsg_flush(x, 0), XMSG_EBUSY);
	if (c->other != NULL)
		xmsg_cancel(c->other);
	c->other = NULL;
	if (c->left-- > 0) {
		assert_non_null(xmsg_call_start(
		    x, "echo", TEXT("x"), 0, LIMIT_MS, chain_fn, c));
	} else {
		c->ended = 1;
		if (c->close)
			xmsg_close(x);
	}
}

/* Calls are started and cancelled from callbacks, and the object closed. */
static void
callbacks_may_start_cancel_and_close(void **state)
{
	struct chain c = {.left = 10};
	struct told t = {0};

	(void)state;
	begin(NULL, FAKE_ECHO);
	assert_int_equal(xmsg_create(fx.x, "echo", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	c.other = xmsg_call_start(fx.x, "q", TEXT("x"), 0, -1, tell, &t);
	assert_non_null(xmsg_call_start(
	    fx.x, "echo", TEXT("x"), 0, LIMIT_MS, chain_fn, &c));
	until(fx.x, &c.ended, 1);
	assert_int_equal(t.rc, XMSG_ECANCELED);
	c = (struct chain){.left = 1, .close = true};
	assert_non_null(xmsg_call_start(
	    fx.x, "echo", TEXT("x"), 0, LIMIT_MS, chain_fn, &c));
	until(fx.x, &c.ended, 1); /* the last turn frees it */
	fake_stop(&fx.fake);
}

/* The descriptor is readable when, and only when, there is something to do. */
static void
descriptor_tells_when(void **state)
{
	struct pollfd p = {.events = POLLIN};
	struct told t = {0};
	int turns = 0;

	(void)state;
	begin(NULL, 0);
	p.fd = xmsg_fd(fx.x);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_non_null(
	    xmsg_call_start(fx.x, "q", TEXT("x"), 0, 200, tell, &t));
	while (t.n == 0) {
		assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
		assert_int_equal(xmsg_dispatch(fx.x), 0);
		turns++;
	}
	assert_int_equal(t.rc, XMSG_ETIMEDOUT);
	assert_true(turns < 20);
	assert_int_equal(xmsg_fd(fx.x), p.fd);
	end();
}

/* A thread that stops the object. */
static void *
stopper(void *arg)
{
	xmsg_stop(arg);
	return NULL;
}

/* Stopping from elsewhere ends a wait, once. */
static void
stop_ends_a_wait(void **state)
{
	struct xmsg_bytes r;
	pthread_t thread;

	(void)state;
	begin(NULL, FAKE_ECHO);
	assert_int_equal(pthread_create(&thread, NULL, stopper, fx.x), 0);
	assert_int_equal(xmsg_call(fx.x, "q", TEXT("x"), XMSG_CREATE, -1, &r),
	    XMSG_ECANCELED);
	pthread_join(thread, NULL);
	xmsg_stop(fx.x);
	xmsg_stop(fx.x);
	assert_int_equal(xmsg_wait(fx.x, LIMIT_MS), XMSG_ECANCELED);
	assert_int_equal(
	    xmsg_call(fx.x, "echo", TEXT("x"), XMSG_CREATE, LIMIT_MS, NULL), 0);
	end();
}

/* ---- serving ---- */

/* A server that holds what it gets. */
struct holder {
	struct xmsg_request *v[32];
	int n, most;
	char seen[128];
	struct xmsg_server *s;
};

static void
hold(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	struct holder *h = arg;

	assert_ptr_equal(m, xmsg_request_message(r));
	assert_true(h->n < 32);
	h->v[h->n++] = r;
	snprintf(h->seen + strlen(h->seen), sizeof h->seen - strlen(h->seen),
	    "%s;", m->payload.p);
	if (h->s != NULL && (int)xmsg_serve_busy(h->s) > h->most)
		h->most = (int)xmsg_serve_busy(h->s);
}

/* Publish n requests, payloads "0", "1"... */
static void
publish(const char *queue, int n)
{
	char text[16];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(
		    xmsg_send(fx.x, queue, "r",
			(struct xmsg_bytes){text, strlen(text)}, NULL),
		    0);
	}
}

/* Messages of a queue now. */
static size_t
depth(const char *queue)
{
	struct xmsg_messages m;
	size_t n;

	assert_int_equal(xmsg_transfer(fx.x, &queue, 1, -1, 0, &m), 0);
	n = m.n;
	xmsg_messages_free(&m);
	return n;
}

/* No more than the limit is handed out; the rest follows, in order. */
static void
server_keeps_its_limit(void **state)
{
	struct holder h = {0};
	struct told t = {0};

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	publish("q", 10);
	h.s = xmsg_serve_start(fx.x, "q", 0, 3, hold, &h);
	assert_non_null(h.s);
	until(fx.x, &h.n, 3);
	for (int i = 0; i < 10; i++)
		(void)xmsg_wait(fx.x, 5);
	assert_int_equal(h.n, 3);
	for (int i = 0; i < 10; i++) {
		until(fx.x, &h.n, i + 1);
		assert_int_equal(xmsg_reply(h.v[i], TEXT("done"), tell, &t), 0);
	}
	until(fx.x, &t.n, 10);
	assert_int_equal(t.rc, 0);
	assert_int_equal(h.most, 3);
	assert_string_equal(h.seen, "0;1;2;3;4;5;6;7;8;9;");
	assert_int_equal(depth("q"), 0);
	assert_int_equal(depth("r"), 10);
	end();
}

/* Replying, discarding and leaving, against a broker with and without /v1. */
static void
requests_are_settled(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 2; v++) {
		struct holder h = {0};
		struct told a = {0}, b = {0};

		begin(NULL, v ? FAKE_NO_V1 : 0);
		h.s = xmsg_serve_start(fx.x, "q", XMSG_CREATE, 0, hold, &h);
		until_asked("POST /transfer", 1);
		publish("q", 4);
		until(fx.x, &h.n, 4);
		assert_int_equal(xmsg_serve_busy(h.s), 4);
		/* nobody waits: acknowledged all the same */
		assert_int_equal(xmsg_reply(h.v[0], TEXT("x"), tell, &a), 0);
		until(fx.x, &a.n, 1);
		assert_int_equal(a.rc, XMSG_ENOQUEUE);
		assert_int_equal(depth("q"), 3);
		assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
		assert_int_equal(xmsg_reply(h.v[1], TEXT("x"), tell, &b), 0);
		assert_int_equal(xmsg_discard(h.v[2]), 0);
		assert_int_equal(xmsg_flush(fx.x, LIMIT_MS), 0);
		until(fx.x, &b.n, 1);
		assert_int_equal(b.rc, XMSG_OK);
		xmsg_leave(h.v[3]);
		assert_int_equal(xmsg_serve_busy(h.s), 0);
		assert_int_equal(depth("q"), 1);
		assert_int_equal(depth("r"), 1);
		assert_int_equal(h.n, 4);
		assert_int_equal(
		    fake_count(&fx.fake, "POST /response"), v ? 2 : 0);
		end();
	}
}

/* What was removed meanwhile is reported, and so is what is too large. */
static void
replies_that_fail_are_told(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /v1/queues/q/messages/1/reply", 0, 1, FAKE_ANSWER,
		"HTTP/1.1 413 x\r\ncontent-length: 0\r\n\r\n", 0},
	    {"POST /v1/queues/q/messages/2/reply", 0, 2, FAKE_ANSWER,
		"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n", 0},
	    {"POST /v1/queues/q/messages/3/reply", 0, 2, FAKE_LOSE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct holder h = {0};
	struct told t[4] = {{0}};
	const int want[] = {XMSG_ENOENT, XMSG_ELIMIT, XMSG_OK, XMSG_OK};

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	publish("q", 4);
	assert_non_null(xmsg_serve_start(fx.x, "q", 0, 0, hold, &h));
	until(fx.x, &h.n, 4);
	assert_int_equal(xmsg_ack(fx.x, "q", 0), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(xmsg_reply(h.v[i], TEXT("x"), tell, &t[i]), 0);
		until(fx.x, &t[i].n, 1);
		assert_int_equal(t[i].rc, want[i]);
	}
	assert_int_equal(depth("q"), 1);
	assert_int_equal(depth("r"), 2);
	end();
}

/* Over restarts: each request is handed out once and replied to once. */
static void
server_survives_restarts(void **state)
{
	const struct fake_rule rules[] = {
	    {"POST /v1/", 2, 2, FAKE_RESTART, NULL, 10},
	    {"POST /transfer", 1, 2, FAKE_LOSE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct holder h = {0};

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	assert_non_null(xmsg_serve_start(fx.x, "q", XMSG_CREATE, 4, hold, &h));
	publish("q", 12);
	for (int i = 0; i < 12; i++) {
		until(fx.x, &h.n, i + 1);
		assert_int_equal(xmsg_reply(h.v[i], TEXT("x"), NULL, NULL), 0);
	}
	assert_int_equal(xmsg_flush(fx.x, LIMIT_MS), 0);
	assert_int_equal(h.n, 12);
	assert_int_equal(depth("q"), 0);
	assert_int_equal(depth("r"), 12);
	end();
}

/* A broker without memory: same ids, other requests.  The new ones are handed
 * out, the old ones' replies go nowhere, what is held is not handed out twice.
 */
static void
server_tells_lives_apart(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 1, FAKE_WIPE, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct holder h = {0};
	struct told t = {0};
	char **names;

	(void)state;
	begin(rules, 0);
	assert_non_null(xmsg_serve_start(fx.x, "q", XMSG_CREATE, 0, hold, &h));
	until_asked("POST /transfer", 1);
	publish("q", 3);
	until(fx.x, &h.n, 3);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, NULL), 0);
	free(names);
	until_asked("GET /persistent/q", 2);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	/* id 0 again, and the same contents: taken for the one in hand; id 1
	 * has others */
	publish("q", 1);
	assert_int_equal(xmsg_send(fx.x, "q", "r", TEXT("other"), NULL), 0);
	until(fx.x, &h.n, 4);
	assert_string_equal(h.seen, "0;1;2;other;");
	assert_int_equal(xmsg_reply(h.v[1], TEXT("stale"), tell, &t), 0);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_ENOENT);
	assert_int_equal(xmsg_reply(h.v[3], TEXT("new"), tell, &t), 0);
	until(fx.x, &t.n, 2);
	assert_int_equal(t.rc, XMSG_OK);
	assert_int_equal(depth("r"), 1);
	end();
}

/* A server that is stopped hands out no more; what was handed out can still be
 * answered. */
static void
stopped_server_keeps_its_requests(void **state)
{
	struct holder h = {0};
	struct told t = {0};

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	publish("q", 5);
	h.s = xmsg_serve_start(fx.x, "q", 0, 2, hold, &h);
	until(fx.x, &h.n, 2);
	xmsg_serve_stop(h.s);
	assert_int_equal(xmsg_reply(h.v[0], TEXT("x"), tell, &t), 0);
	until(fx.x, &t.n, 1);
	assert_int_equal(t.rc, XMSG_OK);
	xmsg_leave(h.v[1]);
	assert_int_equal(h.n, 2);
	assert_int_equal(depth("q"), 4);
	end();
}

/* An echo that stops the object after so many. */
static void
echo(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	int *left = arg;

	assert_int_equal(xmsg_reply(r, m->payload, NULL, NULL), 0);
	if (--*left == 0)
		xmsg_stop(fx.x);
}

/* The blocking form ends when stopped, with its replies taken. */
static void
serve_blocks_until_stopped(void **state)
{
	int left = 5;

	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_create(fx.x, "r", XMSG_PERSISTENT), 0);
	publish("q", 5);
	assert_int_equal(
	    xmsg_serve(fx.x, "q", 0, 1, echo, &left), XMSG_ECANCELED);
	assert_int_equal(depth("q"), 0);
	assert_int_equal(depth("r"), 5);
	end();
}

/* Closes the object at the first request. */
static void
close_it(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)r;
	(void)m;
	xmsg_close(*(struct xmsg **)arg);
}

/* The blocking form ends, too, when the handler closes the object. */
static void
serve_ends_when_closed(void **state)
{
	(void)state;
	begin(NULL, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	publish("q", 3);
	assert_int_equal(
	    xmsg_serve(fx.x, "q", 0, 0, close_it, &fx.x), XMSG_ECANCELED);
	fake_stop(&fx.fake);
}

/* What was left is not handed out again by this server, but by the next. */
static void
left_requests_are_for_others(void **state)
{
	const struct fake_rule rules[] = {
	    {"GET /list", 0, 1, FAKE_RESTART, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};
	struct holder h = {0}, other = {0};
	char **names;

	(void)state;
	begin(rules, 0);
	assert_int_equal(xmsg_create(fx.x, "q", XMSG_PERSISTENT), 0);
	publish("q", 2);
	h.s = xmsg_serve_start(fx.x, "q", 0, 0, hold, &h);
	until(fx.x, &h.n, 2);
	xmsg_leave(h.v[0]);
	assert_int_equal(xmsg_list(fx.x, "", 0, &names, NULL), 0);
	free(names);
	other.s = xmsg_serve_start(fx.x, "q", 0, 0, hold, &other);
	until(fx.x, &other.n, 2);
	assert_int_equal(h.n, 2);
	xmsg_serve_stop(h.s);
	xmsg_leave(h.v[1]);
	end();
}

/* One object calls what it serves itself, with deferred answers. */
static void
one_object_calls_itself(void **state)
{
	struct holder h = {0};
	struct told t[8] = {{0}};

	(void)state;
	begin(NULL, 0);
	assert_non_null(xmsg_serve_start(fx.x, "q", XMSG_CREATE, 0, hold, &h));
	for (int i = 0; i < 8; i++)
		assert_non_null(xmsg_call_start(
		    fx.x, "q", TEXT("x"), XMSG_CREATE, LIMIT_MS, tell, &t[i]));
	until(fx.x, &h.n, 8);
	for (int i = 7; i >= 0; i--)
		assert_int_equal(xmsg_reply(h.v[i], TEXT("y"), NULL, NULL), 0);
	for (int i = 0; i < 8; i++) {
		until(fx.x, &t[i].n, 1);
		assert_int_equal(t[i].rc, 0);
		assert_string_equal(t[i].body, "y");
	}
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(queues_come_and_go),
	    cmocka_unit_test(messages_come_and_go),
	    cmocka_unit_test(respond_is_seen_as_reply),
	    cmocka_unit_test(raw_answers_come_as_they_are),
	    cmocka_unit_test(arguments_are_checked),
	    cmocka_unit_test(words_and_tokens),
	    cmocka_unit_test(call_gets_its_reply),
	    cmocka_unit_test(call_carries_16_mib),
	    cmocka_unit_test(call_times_out_and_drops_the_late_reply),
	    cmocka_unit_test(call_survives_every_loss),
	    cmocka_unit_test(call_notices_a_lost_reply),
	    cmocka_unit_test(call_notices_a_lost_request),
	    cmocka_unit_test(call_notices_a_wiped_broker),
	    cmocka_unit_test(many_calls_over_restarts),
	    cmocka_unit_test(descriptors_stay_flat),
	    cmocka_unit_test(no_broker_is_told_in_time),
	    cmocka_unit_test(patience_ends_calls_under_way),
	    cmocka_unit_test(patience_starts_anew),
	    cmocka_unit_test(refusals_are_told_apart),
	    cmocka_unit_test(malformed_answers_are_refused),
	    cmocka_unit_test(posts_are_not_repeated),
	    cmocka_unit_test(poison_is_given_up),
	    cmocka_unit_test(silence_ends_at_the_limit),
	    cmocka_unit_test(cancel_calls_back_once),
	    cmocka_unit_test(cancel_in_the_own_callback),
	    cmocka_unit_test(close_tells_everybody),
	    cmocka_unit_test(callbacks_may_start_cancel_and_close),
	    cmocka_unit_test(descriptor_tells_when),
	    cmocka_unit_test(stop_ends_a_wait),
	    cmocka_unit_test(server_keeps_its_limit),
	    cmocka_unit_test(requests_are_settled),
	    cmocka_unit_test(replies_that_fail_are_told),
	    cmocka_unit_test(server_survives_restarts),
	    cmocka_unit_test(server_tells_lives_apart),
	    cmocka_unit_test(stopped_server_keeps_its_requests),
	    cmocka_unit_test(serve_blocks_until_stopped),
	    cmocka_unit_test(serve_ends_when_closed),
	    cmocka_unit_test(left_requests_are_for_others),
	    cmocka_unit_test(one_object_calls_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
