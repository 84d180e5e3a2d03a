/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * libxmsg without memory: a script of everything it does is run with the n-th
 * allocation failing, for every n until none fails; once with that one failing
 * and once with all that follow.  Nothing crashes, nothing leaks, a function
 * that fails says why, and works when it is tried again with memory.
 */
#include "support/unit.h"

#include <stdbool.h>
#include <unistd.h>

#include "support/fake.h"
#include "xmsg.h"

#define TEXT(s)	 ((struct xmsg_bytes){s, sizeof(s) - 1})
#define LIMIT_MS 10000

/* ---- allocations, counted ---- */

static long count, fail_at, live; /* fail_at 0: none */
static bool all; /* and all that follow */
static bool counting;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
void __real_free(void *p);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_asprintf(char **out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **out, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void __wrap_free(void *p);

/* Is it this one's turn to fail? */
static bool
fails(void)
{
	if (!counting)
		return false;
	count++;
	return fail_at != 0 && (count == fail_at || (all && count > fail_at));
}

/* Count one that went well. */
static void *
kept(void *p)
{
	if (counting && p != NULL)
		live++;
	return p;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : kept(__real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : kept(__real_calloc(n, size));
}

void *
__wrap_realloc(void *p, size_t n)
{
	void *q = fails() ? NULL : __real_realloc(p, n);

	return p == NULL ? kept(q) : q;
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	void *q = fails() ? NULL : __real_reallocarray(p, n, size);

	return p == NULL ? kept(q) : q;
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : kept(__real_strdup(s));
}

static int
print(char **out, const char *fmt, va_list ap)
{
	int n = fails() ? -1 : vasprintf(out, fmt, ap);

	if (n >= 0)
		kept(*out);
	return n;
}

int
__wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print(out, fmt, ap);
	va_end(ap);
	return n;
}

int
__wrap___asprintf_chk(char **out, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag;
	va_start(ap, fmt);
	n = print(out, fmt, ap);
	va_end(ap);
	return n;
}

void
__wrap_free(void *p)
{
	if (counting && p != NULL)
		live--;
	__real_free(p);
}

/* ---- the script ---- */

static struct fake fake;
static unsigned refused; /* how often a function said "no memory" */

/* What may come out while memory is short. */
static void
check(struct xmsg *x, int rc)
{
	if (rc == XMSG_OK)
		return;
	if (rc == XMSG_ENOMEM)
		refused++;
	if (rc != XMSG_ENOMEM && !(all && rc == XMSG_ETIMEDOUT))
		fail_msg("allocation %ld: %s (%s)", fail_at, xmsg_strerror(rc),
		    xmsg_error(x));
	assert_int_equal(xmsg_rc(x), rc);
	assert_string_not_equal(xmsg_error(x), "");
}

/* What became of the call that the script answers itself. */
static struct {
	bool served; /* there is a server */
	int left; /* requests that could not be answered */
	int done;
} own;

/* A server that answers at once, or lets go when it cannot. */
static void
answer(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)arg;
	if (xmsg_reply(r, m->payload, NULL, NULL) == XMSG_OK)
		return;
	own.left++;
	if (xmsg_discard(r) != XMSG_OK)
		xmsg_leave(r);
}

/* The end of that call. */
static void
ended(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	(void)arg;
	own.done++;
	if (r->rc == XMSG_ETIMEDOUT && (!own.served || own.left > 0))
		return; /* there was nobody to answer it */
	check(x, r->rc);
}

/* The end of an ack. */
static void
acked(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	(void)arg;
	if (r->rc != XMSG_ECANCELED)
		check(x, r->rc);
}

/* Everything that takes a turn of its own. */
static void
queues(struct xmsg *x)
{
	char **names, *s;

	check(x, xmsg_create(x, "q", XMSG_PERSISTENT));
	check(x, xmsg_create(x, "t", XMSG_TRANSIENT));
	check(x, xmsg_list(x, "", 0, &names, NULL));
	free(names);
	check(x, xmsg_destroy(x, "t"));
	s = xmsg_encode("a b");
	if (s != NULL)
		assert_string_equal(s, "a%20b");
	free(s);
}

/* Messages, raw answers. */
static void
messages(struct xmsg *x)
{
	const char *v[] = {"q", "p"};
	struct xmsg_messages m;
	struct xmsg_bytes b;
	int64_t id = -1;
	int rc, status;

	rc = xmsg_send(x, "q", "r", TEXT("hello"), &id);
	if (rc != XMSG_ENOQUEUE)
		check(x, rc);
	rc = xmsg_transfer(x, v, 2, -1, 0, &m);
	check(x, rc);
	xmsg_messages_free(&m);
	rc = xmsg_respond(x, "nowhere", "q", id, TEXT("x"));
	if (rc != XMSG_ENOQUEUE)
		check(x, rc);
	check(x, xmsg_ack(x, "q", id));
	if (xmsg_ack_start(x, "q", 5, acked, NULL) == NULL)
		check(x, xmsg_rc(x));
	check(x, xmsg_diagnostics(x, &b));
	xmsg_bytes_free(&b);
	check(x, xmsg_trace(x, -1, 0, &b));
	xmsg_bytes_free(&b);
	check(x, xmsg_http(x, "PUT", "/v1/x", TEXT("x"), &status, &b));
	xmsg_bytes_free(&b);
	rc = xmsg_flush(x, all ? 50 : LIMIT_MS);
	check(x, rc);
}

/* A call answered by the same object's server, over a lost connection. */
static void
calls(struct xmsg *x)
{
	struct xmsg_server *s;
	struct xmsg_bytes b;
	int rc;

	memset(&own, 0, sizeof own);
	s = xmsg_serve_start(x, "own", XMSG_CREATE, 1, answer, NULL);
	own.served = s != NULL;
	if (s == NULL)
		check(x, xmsg_rc(x));
	rc = xmsg_call(
	    x, "echo", TEXT("x"), XMSG_CREATE, all ? 50 : LIMIT_MS, &b);
	check(x, rc);
	if (rc == XMSG_OK)
		assert_string_equal(b.p, "x");
	xmsg_bytes_free(&b);
	if (xmsg_call_start(x, "own", TEXT("xy"), XMSG_CREATE, all ? 50 : 500,
		ended, NULL) == NULL)
		check(x, xmsg_rc(x));
	else
		while (own.done == 0)
			(void)xmsg_wait(x, 1000);
	assert_true(own.done <= 1);
	if (s != NULL)
		xmsg_serve_stop(s);
}

/* A call that nobody answers, while the broker comes and goes: it is asked
 * whether the request is still there. */
static void
loss(struct xmsg *x)
{
	struct xmsg_op *op = xmsg_call_start(x, "nobody", TEXT("x"),
	    XMSG_CREATE, all ? 50 : LIMIT_MS, NULL, NULL);
	int rc;

	if (op == NULL)
		check(x, xmsg_rc(x));
	rc = xmsg_create(x, "lose", XMSG_PERSISTENT);
	if (rc != XMSG_ELOST)
		check(x, rc);
	check(x, xmsg_create(x, "q", XMSG_PERSISTENT));
}

/* All of it. */
static void
script(void)
{
	struct xmsg *x;
	int rc = xmsg_open(&x, fake.path, NULL);

	if (rc != XMSG_OK) {
		assert_int_equal(rc, XMSG_ENOMEM);
		assert_null(x);
		refused++;
		return;
	}
	xmsg_set_timeout(x, all ? 50 : LIMIT_MS);
	queues(x);
	messages(x);
	calls(x);
	loss(x);
	xmsg_close(x);
}

/* One run with the n-th failing; how many there were. */
static long
run(long n, bool following)
{
	fail_at = n;
	all = following;
	count = live = 0;
	counting = true;
	script();
	counting = false;
	if (live != 0)
		fail_msg("allocation %ld: %ld blocks leaked", n, live);
	return count;
}

/* ---- the tests ---- */

static int
start(void **state)
{
	static const struct fake_rule rules[] = {
	    {"GET /persistent/lose", 0, 1000000, FAKE_BLINK, NULL, 0},
	    {NULL, 0, 0, 0, NULL, 0},
	};

	(void)state;
	fake_start(&fake, rules, FAKE_ECHO);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	fake_stop(&fake);
	return 0;
}

/* One fails. */
static void
one_allocation_fails(void **state)
{
	long n = 1, total = run(0, false);

	(void)state;
	refused = 0;
	assert_true(total > 100);
	while (run(n, false) >= n)
		n++;
	assert_true(n > 100);
	assert_true(refused > 50);
	run(0, false);
}

/* All fail from there on. */
static void
all_allocations_fail(void **state)
{
	long n = 1;

	(void)state;
	refused = 0;
	while (run(n, true) >= n)
		n++;
	assert_true(n > 100);
	assert_true(refused > 50);
	run(0, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_allocation_fails),
	    cmocka_unit_test(all_allocations_fail),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
