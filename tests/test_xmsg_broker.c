/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* libxmsg with the real broker, which is killed while calls are under way. */
#include "support/unit.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "xmsg.h"

#define TEXT(s)	 ((struct xmsg_bytes){s, sizeof(s) - 1})
#define LIMIT_MS 60000
#define CALLS	 64

static char dir[] = "/tmp/xmsg-broker-XXXXXX";
static char sock[64], state[64], program[4096];
static pid_t broker;

/* ---- the broker ---- */

static void
broker_start(void)
{
	broker = fork();
	assert_true(broker != -1);
	if (broker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, "xmsgd", "--socket", sock, "--state", state,
		    "--config", "/dev/null", "--log-level", "error", NULL);
		_exit(127);
	}
}

static void
broker_kill(void)
{
	int status;

	assert_int_equal(kill(broker, SIGKILL), 0);
	assert_int_equal(waitpid(broker, &status, 0), broker);
	assert_true(WIFSIGNALED(status)); /* it had not ended by itself */
}

/* A client of it, which waits for it to be there. */
static struct xmsg *
client(void)
{
	struct xmsg_bytes b;
	struct xmsg *x;
	int status;

	assert_int_equal(xmsg_open(&x, sock, NULL), 0);
	xmsg_set_timeout(x, LIMIT_MS);
	assert_int_equal(
	    xmsg_http(x, "GET", "/v1/status", TEXT(""), &status, &b), 0);
	assert_int_equal(status, 200);
	assert_non_null(strstr(b.p, "\"pid\""));
	xmsg_bytes_free(&b);
	return x;
}

static int
setup(void **s)
{
	const char *build = getenv("XMSG_BUILDDIR");

	(void)s;
	snprintf(program, sizeof program, "%s/xmsgd", build ? build : ".");
	if (access(program, X_OK) != 0 || mkdtemp(dir) == NULL)
		return -1;
	snprintf(sock, sizeof sock, "%s/sock", dir);
	snprintf(state, sizeof state, "%s/state", dir);
	broker_start();
	return 0;
}

static int
teardown(void **s)
{
	char command[128];

	(void)s;
	broker_kill();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

/* ---- helpers ---- */

/* Turn both objects until *flag reaches want. */
static void
turn_until(struct xmsg *a, struct xmsg *b, const int *flag, int want)
{
	struct pollfd p[2] = {{.fd = xmsg_fd(a), .events = POLLIN},
	    {.fd = xmsg_fd(b), .events = POLLIN}};
	int64_t end_ns = clock_mono_ns() + LIMIT_MS * NS_PER_MS;

	while (*flag < want) {
		assert_true(clock_mono_ns() < end_ns);
		(void)poll(p, 2, 1000);
		assert_int_equal(xmsg_dispatch(a), 0);
		assert_int_equal(xmsg_dispatch(b), 0);
	}
}

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

/* ---- calls ---- */

static int runs[100000], replies, handled; /* by number of the call */

/* A request says its number; so does the reply. */
static void
handler(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)arg;
	runs[atoi(m->payload.p)]++;
	handled++;
	assert_int_equal(xmsg_reply(r, m->payload, NULL, NULL), 0);
}

static void
got_reply(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	int number = (int)(intptr_t)arg;

	if (r->rc != 0)
		print_error("call %d: %s\n", number, xmsg_error(x));
	assert_int_equal(r->rc, 0);
	assert_int_equal(atoi(r->body.p), number);
	replies++;
}

/* Start calls number from..to-1. */
static void
start_calls(struct xmsg *x, const char *queue, int from, int to)
{
	char text[16];

	for (int i = from; i < to; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_non_null(xmsg_call_start(x, queue,
		    (struct xmsg_bytes){text, strlen(text)}, 0, LIMIT_MS,
		    got_reply, (void *)(intptr_t)i));
	}
}

/* Sixty-four at a time, again and again, and the broker is killed in the
 * middle of each: every request runs once, every caller hears once. */
static void
calls_survive_kill_9(void **s)
{
	struct xmsg *caller = client(), *server = client();
	int n = 0;

	(void)s;
	assert_int_equal(xmsg_create(server, "work", XMSG_PERSISTENT), 0);
	assert_non_null(xmsg_serve_start(server, "work", 0, 0, handler, NULL));
	memset(runs, 0, sizeof runs);
	replies = handled = 0;
	for (int round = 0; round < 20; round++) {
		start_calls(caller, "work", n, n + CALLS);
		/* after so many handled or answered, in turns */
		turn_until(caller, server, round % 2 ? &handled : &replies,
		    n + round * 3);
		broker_kill();
		broker_start();
		n += CALLS;
		turn_until(caller, server, &replies, n);
	}
	assert_int_equal(replies, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(runs[i], 1);
	xmsg_close(caller);
	xmsg_close(server);
}

/* Nothing is left in any queue after all that. */
static void
nothing_is_left(void **s)
{
	const char *q = "work";
	struct xmsg *x = client();
	struct xmsg_messages m;

	(void)s;
	assert_int_equal(xmsg_transfer(x, &q, 1, -1, 0, &m), 0);
	assert_int_equal(m.n, 0);
	xmsg_messages_free(&m);
	xmsg_close(x);
}

/* Two hundred reconnects, and no descriptor more. */
static void
descriptors_stay_flat(void **s)
{
	struct xmsg *caller = client(), *server = client();
	int before = 0;

	(void)s;
	assert_int_equal(xmsg_create(server, "work", XMSG_PERSISTENT), 0);
	assert_non_null(xmsg_serve_start(server, "work", 0, 1, handler, NULL));
	replies = 0;
	for (int i = 0; i < 200; i++) {
		broker_kill();
		broker_start();
		start_calls(caller, "work", i, i + 1);
		turn_until(caller, server, &replies, i + 1);
		if (i == 1)
			before = descriptors();
	}
	assert_int_equal(descriptors(), before);
	xmsg_close(caller);
	xmsg_close(server);
}

/* Sends the request back. */
static void
echo(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)arg;
	assert_int_equal(xmsg_reply(r, m->payload, NULL, NULL), 0);
}

/* What came back. */
struct back {
	int done, rc;
	bool same;
	struct xmsg_bytes sent;
};

static void
compare(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct back *b = arg;

	(void)x;
	b->rc = r->rc;
	b->same = r->rc == XMSG_OK && r->body.n == b->sent.n &&
	    memcmp(r->body.p, b->sent.p, r->body.n) == 0;
	b->done = 1;
}

/* All byte values, and the largest payload, there and back. */
static void
payloads_pass_unchanged(void **s)
{
	static const size_t sizes[] = {0, 1, 256, 65536, 16 * 1024 * 1024};
	struct xmsg *caller = client(), *server = client();
	char *p = malloc(sizes[4]);

	(void)s;
	assert_non_null(p);
	for (size_t i = 0; i < sizes[4]; i++)
		p[i] = (char)(i + i / 65536);
	assert_non_null(
	    xmsg_serve_start(server, "echo", XMSG_CREATE, 0, echo, NULL));
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct back b = {.sent = {p, sizes[i]}};
		assert_non_null(xmsg_call_start(caller, "echo", b.sent,
		    XMSG_CREATE, LIMIT_MS, compare, &b));
		turn_until(caller, server, &b.done, 1);
		assert_int_equal(b.rc, 0);
		assert_true(b.same);
	}
	free(p);
	xmsg_close(caller);
	xmsg_close(server);
}

/* One byte more than the broker takes is refused, and said to be too much. */
static void
too_large_is_refused(void **s)
{
	size_t n = 16 * 1024 * 1024 + 1;
	struct xmsg *x = client();
	char *p = calloc(1, n);

	(void)s;
	assert_non_null(p);
	assert_int_equal(
	    xmsg_send(x, "work", NULL, (struct xmsg_bytes){p, n}, NULL),
	    XMSG_ELIMIT);
	assert_int_equal(xmsg_create(x, "work", XMSG_PERSISTENT), 0);
	free(p);
	xmsg_close(x);
}

/* The failures of a call, from a real broker. */
static void
calls_fail_as_they_should(void **s)
{
	struct xmsg *x = client();
	struct xmsg_bytes r;

	(void)s;
	assert_int_equal(
	    xmsg_call(x, "nowhere", TEXT("x"), 0, 1000, &r), XMSG_ENOQUEUE);
	assert_int_equal(xmsg_call(x, "mute", TEXT("x"), XMSG_CREATE, 50, &r),
	    XMSG_ETIMEDOUT);
	assert_int_equal(xmsg_destroy(x, "mute"), 0);
	xmsg_close(x);
}

/* A request that somebody removed while the broker was away: the caller is not
 * left waiting. */
static void
call_for_a_removed_request_ends(void **s)
{
	struct xmsg *x = client(), *other = client();
	const char *q = "mute";
	struct back b = {.rc = 0};
	struct xmsg_messages m = {NULL, 0, 0};

	(void)s;
	assert_non_null(xmsg_call_start(
	    x, "mute", TEXT("x"), XMSG_CREATE, -1, compare, &b));
	while (m.n == 0) {
		xmsg_messages_free(&m);
		(void)xmsg_wait(x, 10);
		assert_int_equal(xmsg_transfer(other, &q, 1, -1, 0, &m), 0);
	}
	/* the answer to a later request shows that the id has come */
	assert_int_equal(xmsg_create(x, "later", XMSG_PERSISTENT), 0);
	assert_int_equal(xmsg_ack(other, "mute", m.v[0].id), 0);
	xmsg_messages_free(&m);
	broker_kill();
	broker_start();
	turn_until(x, other, &b.done, 1);
	assert_int_equal(b.rc, XMSG_ELOST);
	xmsg_close(x);
	xmsg_close(other);
}

/* The example of the manual page: one serves, one calls. */
static void
example_works(void **s)
{
	char example[4200], command[4400], line[64] = "";
	pid_t server;
	FILE *f;

	(void)s;
	snprintf(example, sizeof example, "%s/tests/xmsg_example",
	    getenv("XMSG_BUILDDIR"));
	server = fork();
	assert_true(server != -1);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(example, example, sock, NULL);
		_exit(127);
	}
	snprintf(
	    command, sizeof command, "%s %s 'hello, switch'", example, sock);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	assert_string_equal(line, "hello, switch\n");
	assert_int_equal(pclose(f), 0);
	assert_int_equal(kill(server, SIGKILL), 0);
	assert_int_equal(waitpid(server, NULL, 0), server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(calls_survive_kill_9),
	    cmocka_unit_test(nothing_is_left),
	    cmocka_unit_test(descriptors_stay_flat),
	    cmocka_unit_test(payloads_pass_unchanged),
	    cmocka_unit_test(too_large_is_refused),
	    cmocka_unit_test(calls_fail_as_they_should),
	    cmocka_unit_test(call_for_a_removed_request_ends),
	    cmocka_unit_test(example_works),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
