/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Connections over real Unix sockets, with a handler that does what the target
 * says and a clock that the test moves: bytes cut anywhere, requests in a row,
 * clients that leave, dawdle, do not read, or are too many.
 */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "http.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/tempdir.h"

#define BIG (3 * 1024 * 1024)

enum { SEEN_MOST = 64, CLIENTS = 12 };

/* A request that came up. */
struct seen {
	struct http_conn *conn;
	char method[16], target[300], key[32];
	char *body;
	size_t body_n;
	uint32_t number; /* on its connection */
	bool open; /* not answered yet */
};

struct fix {
	char dir[TEMPDIR_MAX];
	struct event_base *base;
	struct deadlines ds;
	struct http_config cfg;
	struct http *h;
	int fd;
	int64_t now;
	struct seen seen[SEEN_MOST];
	size_t nseen;
	int opens, closes, wakes;
	bool refuse; /* open says no */
	char *big;
};

/* ---- who is at the other end ---- */

int __real_usock_peer(int fd, struct usock_peer *peer);
int __wrap_usock_peer(int fd, struct usock_peer *peer);
int __real_accept4(int fd, struct sockaddr *a, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *a, socklen_t *n, int flags);

static uid_t peer_uid;
static int accepts, fd_limit, accept_fails; /* with this, once */

/* Everybody is the user that the test wants. */
int
__wrap_usock_peer(int fd, struct usock_peer *peer)
{
	int rc = __real_usock_peer(fd, peer);

	if (rc == 0) {
		assert_int_equal(peer->pid, getpid());
		assert_int_equal(peer->uid, geteuid());
		peer->uid = peer_uid;
	}
	return rc;
}

/* Counted, as a broker without descriptors must not spin on it; and none is
 * given from fd_limit on, as the kernel would with a limit (which valgrind
 * takes for itself). */
int
__wrap_accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	int next = dup(fd);

	accepts++;
	assert_true(next != -1);
	close(next);
	if (accept_fails != 0) {
		errno = accept_fails;
		accept_fails = 0;
		return -1;
	}
	if (fd_limit != 0 && next >= fd_limit) {
		errno = EMFILE;
		return -1;
	}
	return __real_accept4(fd, a, n, flags);
}

/* ---- the handler ---- */

static void
h_wake(void *ctx)
{
	struct fix *f = ctx;

	f->wakes++;
	http_now(f->h, f->now);
}

static void *
h_open(void *ctx, struct http_conn *c, const struct usock_peer *peer)
{
	struct fix *f = ctx;

	(void)c;
	assert_int_equal(peer->uid, peer_uid);
	if (f->refuse)
		return NULL;
	f->opens++;
	return f;
}

static void
h_close(void *ctx, struct http_conn *c)
{
	struct fix *f = ctx;

	assert_ptr_equal(http_user(c), f);
	f->closes++;
	for (size_t i = 0; i < f->nseen; i++)
		if (f->seen[i].conn == c)
			f->seen[i].conn = NULL; /* nobody to answer */
}

/* Answer the i-th request with its body. */
static void
answer(struct fix *f, size_t i)
{
	struct seen *s = &f->seen[i];

	assert_true(i < f->nseen && s->open);
	s->open = false;
	if (s->conn != NULL)
		http_reply_to(s->conn, s->number, 200, NULL,
		    (struct str){s->body, s->body_n});
}

/* Forget the requests that were answered, or need not be. */
static void
drop_answered(struct fix *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->nseen; i++) {
		if (f->seen[i].open && f->seen[i].conn != NULL)
			f->seen[kept++] = f->seen[i];
		else
			free(f->seen[i].body);
	}
	f->nseen = kept;
}

/* The target says what is to be done: /now, /hold, /park, /drop, /big, and /over
 * or /ovr for what overlaps. */
static void
h_request(void *ctx, struct http_conn *c, struct http_request *r)
{
	struct fix *f = ctx;
	struct seen *s;

	if (f->nseen == SEEN_MOST)
		drop_answered(f);
	assert_true(f->nseen < SEEN_MOST);
	s = &f->seen[f->nseen];
	assert_true(http_busy(c));
	s->conn = c;
	s->number = http_number(c);
	s->open = true;
	snprintf(
	    s->method, sizeof s->method, "%.*s", (int)r->method.n, r->method.p);
	snprintf(
	    s->target, sizeof s->target, "%.*s", (int)r->target.n, r->target.p);
	snprintf(s->key, sizeof s->key, "%.*s", (int)r->key.n,
	    r->key.n ? r->key.p : "");
	s->body = malloc(r->body.n + 1);
	assert_non_null(s->body);
	if (r->body.n != 0)
		memcpy(s->body, r->body.p, r->body.n);
	s->body_n = r->body.n;
	f->nseen++;
	if (strcmp(s->target, "/now") == 0)
		answer(f, f->nseen - 1);
	if (strncmp(s->target, "/ov", 3) == 0)
		http_overlap(c);
	if (strcmp(s->target, "/park") == 0)
		http_park(c);
	if (strcmp(s->target, "/drop") == 0)
		http_drop(c);
	if (strcmp(s->target, "/big") == 0) {
		s->open = false;
		http_reply(c, 200, NULL, (struct str){f->big, BIG});
	}
}

static bool
h_overlaps(void *ctx, const struct http_request *r)
{
	(void)ctx;
	return str_starts(r->target, STR("/ov"));
}

static const struct http_handler handler = {
    h_wake, h_open, h_request, h_close, h_overlaps};

/* ---- life ---- */

static void
listen_on(struct fix *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct err e;

	snprintf(a.sun_path, sizeof a.sun_path, "%.90s/sock", f->dir);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(f->fd != -1);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(f->fd, 128), 0);
	assert_int_equal(http_listen(f->h, f->fd, &e), 0);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	tempdir_make(f->dir);
	logtest_clear();
	f->base = event_base_new();
	f->now = 1000 * NS_PER_SEC;
	f->big = malloc(BIG);
	assert_non_null(f->big);
	for (int i = 0; i < BIG; i++)
		f->big[i] = (char)('a' + i % 26);
	f->cfg = (struct http_config){.base = f->base,
	    .deadlines = &f->ds,
	    .handler = &handler,
	    .ctx = f,
	    .parse = {1024, 2048, 16, 1024 * 1024},
	    .max_connections = 100,
	    .max_connections_per_uid = 100,
	    .head_ns = 10 * NS_PER_SEC,
	    .body_rate = 100,
	    .max_pending = 4096};
	peer_uid = 1000;
	fd_limit = 0;
	f->h = http_new(&f->cfg);
	listen_on(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	http_free(f->h);
	assert_int_equal(f->opens, f->closes);
	assert_int_equal(deadlines_next(&f->ds), -1);
	deadlines_fini(&f->ds);
	close(f->fd);
	event_base_free(f->base);
	for (size_t i = 0; i < f->nseen; i++)
		free(f->seen[i].body);
	free(f->big);
	tempdir_remove(f->dir);
	free(f);
	return logtest_left() == 0 ? 0 : -1;
}

/* Forget the requests that were answered. */
static void
forget(struct fix *f)
{
	for (size_t i = 0; i < f->nseen; i++)
		free(f->seen[i].body);
	f->nseen = 0;
}

/* One turn: what is ready, what is due, what was left. */
static void
turn(struct fix *f)
{
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	deadlines_run(&f->ds, f->now);
	while (http_more(f->h))
		http_turn(f->h);
}

/* Sockets of one machine are quick: a few turns see everything through. */
static void
turns(struct fix *f)
{
	for (int i = 0; i < 4; i++)
		turn(f);
}

static void
pass(struct fix *f, int64_t ns)
{
	f->now += ns;
	http_now(f->h, f->now);
	turns(f);
}

/* ---- the client's side ---- */

static int
client_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd != -1);
	return fd;
}

static void
client_connect(struct fix *f, int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof a.sun_path, "%.90s/sock", f->dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
}

/* A connection that has been accepted. */
static int
client(struct fix *f)
{
	int fd = client_socket();

	client_connect(f, fd);
	turns(f);
	return fd;
}

/* Send all of it. */
static void
put(int fd, const char *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static void
puts_(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

/* What has come, NUL-terminated in a buffer of its own; -1: the end is there,
 * too. */
static char got[BIG + 65536];

static ssize_t
take(int fd, bool *end)
{
	size_t n = 0;
	ssize_t k;

	while (n < BIG && (k = recv(fd, got + n, 65535, 0)) > 0)
		n += (size_t)k;
	if (n < BIG)
		*end = k == 0 || (k == -1 && errno == ECONNRESET);
	got[n] = '\0';
	return (ssize_t)n;
}

/* What has come must be exactly this, and the connection open or at its end. */
static void
expect(int fd, const char *want, bool want_end)
{
	bool end = false;

	(void)take(fd, &end);
	assert_string_equal(got, want);
	assert_int_equal(end, want_end);
}

/* The status of what has come, 0 when nothing. */
static int
status(int fd, bool *end)
{
	int code = 0;

	*end = false;
	if (take(fd, end) > 0)
		assert_int_equal(sscanf(got, "HTTP/1.1 %d ", &code), 1);
	return code;
}

#define GET(t) "GET " t " HTTP/1.1\r\nhost: x\r\n\r\n"
#define POST(t)                                                                \
	"POST " t " HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"          \
	"hello"
#define PUT(t, body)                                                           \
	"PUT " t " HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n" body
#define ONE(body) "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" body
#define EMPTY	  "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
#define HELLO	  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

/* ---- requests and replies ---- */

static void
one_request_one_reply(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	assert_int_equal(f->opens, 1);
	for (int i = 0; i < 3; i++) {
		puts_(fd, POST("/now"));
		turns(f);
		expect(fd, HELLO, false);
	}
	assert_int_equal(http_counters(f->h)->requests, 3);
	assert_string_equal(f->seen[0].method, "POST");
	assert_true(f->wakes > 0);
	close(fd);
	turns(f);
	assert_int_equal(f->closes, 1);
	assert_int_equal(http_counters(f->h)->connections, 0);
}

/* A key comes up with its request; without one it is empty. */
static void
idempotency_key_comes_up(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd,
	    "PUT /now HTTP/1.1\r\nhost: x\r\n"
	    "Idempotency-Key: \t abc \r\n\r\n" GET("/now"));
	turns(f);
	assert_int_equal(f->nseen, 2);
	assert_string_equal(f->seen[0].key, "abc");
	assert_string_equal(f->seen[1].key, "");
	close(fd);
}

/* Two requests cut at each place, and byte by byte, are two requests. */
static void
cut_at_each_byte(void **state)
{
	static const char text[] = POST("/now") GET("/now");
	struct fix *f = *state;
	size_t n = sizeof text - 1;

	for (size_t cut = 1; cut <= n; cut++) {
		int fd = client(f);

		if (cut < n) {
			put(fd, text, cut);
			turns(f);
			put(fd, text + cut, n - cut);
			turns(f);
		} else {
			for (size_t i = 0; i < n; i++) {
				put(fd, text + i, 1);
				turn(f);
			}
			turns(f);
		}
		expect(fd, HELLO EMPTY, false);
		assert_int_equal(f->nseen, 2);
		forget(f);
		close(fd);
		turns(f);
	}
}

#define ROW POST("/hold") GET("/now") POST("/hold") POST("/now")

/* Requests in one packet are handled one after the other: the second comes up
 * when the first is answered, and answers keep the order. */
static void
requests_in_a_row(void **state)
{
	struct fix *f = *state;
	const struct http_use *use;
	int fd = client(f);

	puts_(fd, ROW);
	turns(f);
	assert_int_equal(f->nseen, 1);
	expect(fd, "", false);
	answer(f, 0);
	turns(f);
	assert_int_equal(f->nseen, 3);
	expect(fd, HELLO EMPTY, false);
	answer(f, 2);
	turns(f);
	expect(fd, HELLO HELLO, false);
	use = http_use_of(http_next(f->h, NULL));
	assert_int_equal(use->requests, 4);
	assert_int_equal(use->bytes_in, strlen(ROW));
	assert_int_equal(use->bytes_out, strlen(HELLO EMPTY HELLO HELLO));
	close(fd);
}

/* What waits behind a request under way is bounded, and is all handled in the
 * end. */
static void
waiting_requests_are_bounded(void **state)
{
	struct fix *f = *state;
	int fd = client(f), size = 1 << 20;
	size_t sent = 0, n = strlen(GET("/now")), replies = 0;
	bool end = false;
	ssize_t k;

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	puts_(fd, GET("/hold"));
	turns(f);
	while ((k = send(fd, GET("/now"), n, MSG_NOSIGNAL)) == (ssize_t)n) {
		sent++;
		turn(f);
		assert_true(sent < 1000000);
	}
	assert_int_equal(f->nseen, 1);
	answer(f, 0);
	for (int i = 0; i < 100000 && replies < sent + 1; i++) {
		turn(f);
		forget(f);
		replies += (size_t)take(fd, &end) / strlen(EMPTY);
		assert_false(end);
	}
	assert_int_equal(replies, sent + 1);
	close(fd);
}

/* The connection ends when asked: after the answer, and with what follows
 * ignored. */
static void
connection_close(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd,
	    "GET /hold HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" GET(
		"/now"));
	turns(f);
	assert_int_equal(f->nseen, 1);
	expect(fd, "", false);
	answer(f, 0);
	turns(f);
	expect(fd, EMPTY, true);
	assert_int_equal(f->nseen, 1);
	assert_int_equal(f->closes, 1);
	close(fd);
}

/* What cannot be understood gets a reason and the end; requests before it are
 * answered. */
static void
nonsense_is_refused(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
	    {"nonsense\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n",
		413},
	    {"GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505},
	    {"GET / HTTP/1.1\nhost: x\n\n", 400},
	    {"\0\0\0\0", 0},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = client(f);
		bool end;

		if (cases[i].status == 0) {
			put(fd, "\0\r\n\r\n", 5);
			turns(f);
			assert_int_equal(status(fd, &end), 400);
		} else {
			puts_(fd, POST("/now"));
			puts_(fd, cases[i].text);
			turns(f);
			(void)take(fd, &end);
			assert_int_equal(strncmp(got, HELLO, strlen(HELLO)), 0);
			assert_int_equal(
			    atoi(got + strlen(HELLO) + 9), cases[i].status);
			assert_non_null(strstr(got, "\"error\""));
			assert_non_null(strstr(got, "connection: close"));
		}
		assert_true(end);
		assert_int_equal(http_counters(f->h)->bad, i + 1);
		close(fd);
	}
	turns(f);
	assert_int_equal(http_counters(f->h)->connections, 0);
}

/* The handler may end any connection, also one it is called for. */
static void
handler_may_drop(void **state)
{
	struct fix *f = *state;
	int a = client(f), b = client(f);
	struct http_conn *of_b;

	puts_(b, GET("/hold"));
	turns(f);
	of_b = f->seen[0].conn;
	puts_(a, GET("/drop") GET("/now"));
	turns(f);
	expect(a, "", true);
	assert_int_equal(f->closes, 1);
	http_drop(of_b);
	http_drop(of_b); /* harmless */
	http_reply(of_b, 200, NULL, STR("too late"));
	turns(f);
	expect(b, "", true);
	assert_int_equal(f->closes, 2);
	close(a);
	close(b);
}

/* A handler that wants none: closed, and close is not called. */
static void
handler_may_refuse(void **state)
{
	struct fix *f = *state;
	int fd;

	f->refuse = true;
	fd = client(f);
	expect(fd, "", true);
	assert_int_equal(f->closes, 0);
	assert_int_equal(http_counters(f->h)->connections, 0);
	close(fd);
}

/* ---- clients that leave ---- */

/* A parked client that goes is noticed at once, others stay. */
static void
parked_client_that_leaves(void **state)
{
	struct fix *f = *state;
	int a = client(f), b = client(f);

	puts_(a, GET("/park"));
	puts_(b, GET("/park"));
	turns(f);
	close(a);
	turns(f);
	assert_int_equal(f->closes, 1);
	assert_int_equal(http_counters(f->h)->connections, 1);
	answer(f, f->seen[0].conn != NULL ? 0 : 1);
	expect(b, EMPTY, false);
	close(b);
}

/* Half a close of one that is parked, or idle, is a close. */
static void
half_close_is_a_close(void **state)
{
	struct fix *f = *state;
	int a = client(f), b = client(f);

	puts_(a, GET("/park"));
	turns(f);
	assert_int_equal(shutdown(a, SHUT_WR), 0);
	turns(f);
	assert_int_equal(f->closes, 1);
	expect(a, "", true);
	assert_int_equal(shutdown(b, SHUT_WR), 0);
	turns(f);
	assert_int_equal(f->closes, 2);
	expect(b, "", true);
	close(a);
	close(b);
}

/* A change on its way to the disk is answered, then the connection ends; the
 * loop does not spin meanwhile. */
static void
half_close_with_a_change_under_way(void **state)
{
	struct fix *f = *state;
	int fd = client(f), wakes;

	puts_(fd, POST("/hold"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turns(f);
	assert_int_equal(f->closes, 0);
	wakes = f->wakes;
	turns(f);
	turns(f);
	assert_int_equal(f->wakes, wakes);
	answer(f, 0);
	turns(f);
	expect(fd, HELLO, true);
	assert_int_equal(f->closes, 1);
	close(fd);
}

/* The same with a long answer: it is finished. */
static void
half_close_with_a_long_answer(void **state)
{
	struct fix *f = *state;
	int fd = client(f);
	size_t n = 0;
	bool end = false;

	puts_(fd, GET("/big"));
	turns(f);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 10000 && !end; i++) {
		turn(f);
		n += (size_t)take(fd, &end);
	}
	assert_true(end);
	assert_true(n > BIG);
	turns(f);
	assert_int_equal(f->closes, 1);
	close(fd);
}

/* A client that is gone altogether while its change is under way. */
static void
whole_close_with_a_change_under_way(void **state)
{
	struct fix *f = *state;
	int fd = client(f), wakes;

	puts_(fd, GET("/hold"));
	turns(f);
	close(fd);
	turns(f);
	wakes = f->wakes;
	turns(f);
	assert_int_equal(f->wakes, wakes);
	answer(f, 0);
	turns(f);
	assert_int_equal(f->closes, 1);
}

/* ---- requests that overlap ---- */

/* Those in a row begin together, others wait for all of them; answers keep the
 * order, whatever the order in which they are given. */
static void
overlapping_requests(void **state)
{
	static const size_t orders[][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct fix *f = *state;
	int fd = client(f);

	for (size_t k = 0; k < 6; k++) {
		puts_(fd,
		    PUT("/over", "1") PUT("/ovr", "2") PUT("/over", "3")
			PUT("/now", "4") PUT("/over", "5"));
		turns(f);
		assert_int_equal(f->nseen, 3);
		expect(fd, "", false);
		answer(f, orders[k][0]);
		answer(f, orders[k][1]);
		turns(f);
		assert_int_equal(f->nseen, 3);
		expect(fd,
		    orders[k][2] == 0	    ? ""
			: orders[k][2] == 1 ? ONE("1")
					    : ONE("1") ONE("2"),
		    false);
		answer(f, orders[k][2]);
		turns(f);
		assert_int_equal(f->nseen, 5);
		answer(f, 4);
		turns(f);
		expect(fd,
		    orders[k][2] == 0 ? ONE("1") ONE("2") ONE("3") ONE("4")
					    ONE("5")
			: orders[k][2] == 1 ? ONE("2") ONE("3") ONE("4")
						  ONE("5")
					    : ONE("3") ONE("4") ONE("5"),
		    false);
		forget(f);
	}
	close(fd);
}

/* One that waits for something else stops the row. */
static void
overlap_ends_with_others(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd, PUT("/over", "1") PUT("/hold", "2") PUT("/over", "3"));
	turns(f);
	assert_int_equal(f->nseen, 1);
	answer(f, 0);
	turns(f);
	assert_int_equal(f->nseen, 2);
	answer(f, 1);
	turns(f);
	assert_int_equal(f->nseen, 3);
	answer(f, 2);
	turns(f);
	expect(fd, ONE("1") ONE("2") ONE("3"), false);
	close(fd);
}

/* Not more than 64 at a time; the others follow. */
static void
overlap_is_bounded(void **state)
{
	struct fix *f = *state;
	int fd = client(f);
	size_t n = 0;
	bool end;

	for (int i = 0; i < 100; i++)
		puts_(fd, POST("/over"));
	turns(f);
	assert_int_equal(f->nseen, SEEN_MOST);
	for (size_t i = SEEN_MOST; i-- > 0;)
		answer(f, i);
	forget(f);
	turns(f);
	assert_int_equal(f->nseen, 36);
	for (size_t i = 0; i < 36; i++)
		answer(f, i);
	turns(f);
	n = (size_t)take(fd, &end) / strlen(HELLO);
	assert_int_equal(n, 100);
	assert_false(end);
	close(fd);
}

/* The end comes after the answers: when it was asked for, when something behind
 * them cannot be understood, and when the client has left. */
static void
overlap_and_the_end(void **state)
{
	struct fix *f = *state;
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = client(f);
	puts_(fd[0],
	    PUT("/over", "1") "POST /over HTTP/1.1\r\nhost: x\r\n"
			      "connection: close\r\n\r\n");
	puts_(fd[1], PUT("/over", "1") "NONSENSE\r\n\r\n");
	puts_(fd[2], PUT("/over", "1") PUT("/over", "2"));
	assert_int_equal(shutdown(fd[2], SHUT_WR), 0);
	turns(f);
	assert_int_equal(f->nseen, 5);
	assert_int_equal(f->closes, 0);
	for (size_t i = 5; i-- > 0;)
		answer(f, i);
	turns(f);
	expect(fd[0], ONE("1") EMPTY, true);
	expect(fd[2], ONE("1") ONE("2"), true);
	assert_true(take(fd[1], &(bool){false}) > (ssize_t)strlen(ONE("1")));
	assert_memory_equal(got, ONE("1"), strlen(ONE("1")));
	assert_memory_equal(
	    got + strlen(ONE("1")), "HTTP/1.1 400 ", strlen("HTTP/1.1 400 "));
	assert_int_equal(f->closes, 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* A client that is gone with answers that came before their turn. */
static void
overlap_and_gone(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd, PUT("/over", "1") PUT("/over", "2") PUT("/over", "3"));
	turns(f);
	answer(f, 1);
	close(fd);
	turns(f);
	assert_int_equal(f->closes, 0);
	answer(f, 2);
	answer(f, 0);
	turns(f);
	assert_int_equal(f->closes, 1);
}

/* ---- clients that dawdle ---- */

/* The head must be there in time: refused at the bound, not before; what was
 * complete is not counted. */
static void
slow_head(void **state)
{
	struct fix *f = *state;
	int fd = client(f), idle = client(f);
	bool end;

	puts_(fd, GET("/now") "GET /n");
	turns(f);
	expect(fd, EMPTY, false);
	pass(f, f->cfg.head_ns / 2);
	puts_(fd, "o");
	turns(f);
	pass(f, f->cfg.head_ns / 2 - 1);
	expect(fd, "", false);
	pass(f, 1);
	assert_int_equal(status(fd, &end), 408);
	assert_true(end);
	assert_int_equal(http_counters(f->h)->slow, 1);
	pass(f, 100 * f->cfg.head_ns); /* nothing begun: no limit */
	expect(idle, "", false);
	puts_(idle, GET("/now"));
	turns(f);
	expect(idle, EMPTY, false);
	close(fd);
	close(idle);
}

/* A request that is complete in time has no limit any more. */
static void
head_in_time(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd, "GET /ho");
	turns(f);
	pass(f, f->cfg.head_ns - 1);
	puts_(fd, "ld HTTP/1.1\r\nhost: x\r\n\r\nGET /n");
	turns(f);
	assert_int_equal(deadlines_next(&f->ds), -1); /* it is our turn */
	pass(f, 10 * f->cfg.head_ns);
	answer(f, 0);
	turns(f);
	expect(fd, EMPTY, false);
	pass(f, f->cfg.head_ns - 1); /* the second one has its own time */
	puts_(fd, "ow HTTP/1.1\r\nhost: x\r\n\r\n");
	turns(f);
	expect(fd, EMPTY, false);
	close(fd);
}

/* A body may take as long as its bytes give it. */
static void
slow_body(void **state)
{
	struct fix *f = *state;
	int fd = client(f);
	char piece[200];
	bool end;

	memset(piece, 'x', sizeof piece);
	puts_(fd,
	    "POST /now HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n"
	    "\r\n");
	turns(f);
	for (int i = 0; i < 9; i++) { /* 200 bytes in two seconds: just so */
		put(fd, piece, sizeof piece);
		turns(f);
		pass(f, 2 * NS_PER_SEC);
		expect(fd, "", false);
	}
	pass(f, 20 * NS_PER_SEC);
	assert_int_equal(status(fd, &end), 408);
	assert_true(end);
	close(fd);
}

/* ---- clients that do not read ---- */

/* A long answer waits for its reader, whole; others are served meanwhile. */
static void
long_answer_waits(void **state)
{
	struct fix *f = *state;
	int fd = client(f), other = client(f);
	size_t n = 0, head;
	char *all = malloc(BIG + 1000);

	assert_non_null(all);
	puts_(fd, GET("/big") GET("/now"));
	turns(f);
	assert_int_equal(f->nseen, 1); /* the next one is not begun */
	puts_(other, GET("/now"));
	turns(f);
	expect(other, EMPTY, false);
	forget(f);
	for (int i = 0; i < 10000 && f->nseen == 0; i++) {
		ssize_t k = recv(fd, all + n, 10000, 0);

		if (k > 0)
			n += (size_t)k;
		turn(f);
	}
	for (int idle = 0; idle < 100 && n < BIG + 1000;) {
		ssize_t k = recv(fd, all + n, BIG + 1000 - n, 0);

		idle = k > 0 ? 0 : idle + 1;
		if (k > 0)
			n += (size_t)k;
		else
			turn(f);
	}
	all[n] = '\0';
	head = (size_t)(strstr(all, "\r\n\r\n") + 4 - all);
	assert_memory_equal(all + head, f->big, BIG);
	assert_string_equal(all + head + BIG, EMPTY);
	free(all);
	close(fd);
	close(other);
}

/* One that sends and never reads: what is kept for it is bounded. */
static void
never_reads(void **state)
{
	struct fix *f = *state;
	int fd = client(f);
	size_t sent = 0, n = strlen(GET("/now"));

	puts_(fd, GET("/big"));
	turns(f);
	for (int i = 0; i < 100000; i++) {
		ssize_t k = send(fd, GET("/now"), n, MSG_NOSIGNAL);

		if (k > 0)
			sent += (size_t)k;
		turn(f);
		if (k != (ssize_t)n)
			break;
	}
	/* the socket's buffer, the read-ahead, one read */
	assert_true(sent < 1024 * 1024);
	assert_int_equal(f->nseen, 1);
	close(fd);
	turns(f);
	assert_int_equal(f->closes, 1);
}

/* One that leaves with an answer under way. */
static void
leaves_with_an_answer_under_way(void **state)
{
	struct fix *f = *state;
	int fd = client(f);

	puts_(fd, GET("/big"));
	turns(f);
	assert_int_equal(f->closes, 0);
	close(fd);
	turns(f);
	assert_int_equal(f->closes, 1);
}

/* ---- too many ---- */

/* The bound, and one beyond: told so and closed; room comes back. */
static void
connections_are_bounded(void **state)
{
	struct fix *f = *state;
	int fd[4];
	bool end;

	f->cfg.max_connections = 3;
	http_set_limits(f->h, &f->cfg);
	for (int i = 0; i < 4; i++)
		fd[i] = client(f);
	assert_int_equal(status(fd[3], &end), 503);
	assert_true(end);
	assert_non_null(strstr(got, "limits.connections is reached"));
	assert_int_equal(http_counters(f->h)->refused, 1);
	assert_int_equal(f->opens, 3);
	close(fd[0]);
	close(fd[3]);
	turns(f);
	fd[0] = client(f);
	puts_(fd[0], GET("/now"));
	turns(f);
	expect(fd[0], EMPTY, false);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* Per user; root has none, others do not suffer. */
static void
connections_of_one_user_are_bounded(void **state)
{
	struct fix *f = *state;
	int fd[8], n = 0;
	bool end;

	f->cfg.max_connections_per_uid = 2;
	http_set_limits(f->h, &f->cfg);
	fd[n++] = client(f);
	fd[n++] = client(f);
	fd[n++] = client(f);
	assert_int_equal(status(fd[2], &end), 503);
	assert_non_null(strstr(got, "connections_per_uid"));
	peer_uid = 1001;
	fd[n++] = client(f);
	assert_int_equal(status(fd[3], &end), 0);
	assert_false(end);
	peer_uid = 0;
	for (int i = 0; i < 3; i++)
		fd[n++] = client(f);
	assert_int_equal(f->opens, 6);
	peer_uid = 1000;
	close(fd[0]);
	turns(f);
	fd[0] = client(f);
	assert_int_equal(f->opens, 7);
	while (n-- > 0)
		close(fd[n]);
}

/* No descriptors left: one is told, nobody spins, the others wait and are
 * served when there are some again; those who are connected notice nothing. */
static void
out_of_descriptors(void **state)
{
	struct fix *f = *state;
	int connected = client(f), c[3], fill[256], n = 0;
	bool end;

	for (int i = 0; i < 3; i++)
		c[i] = client_socket();
	while (n < 4 || fill[n - 1] != fill[n - 2] + 1)
		fill[n++] = dup(f->fd); /* until there are no gaps */
	fd_limit = fill[n - 1] + 1;
	for (int i = 0; i < 3; i++)
		client_connect(f, c[i]);
	accepts = 0;
	turns(f);
	turns(f);
	assert_true(logtest_take("no file descriptors left"));
	assert_int_equal(accepts, 2); /* one failed, one with the spare */
	assert_int_equal(status(c[0], &end), 503);
	assert_true(end);
	puts_(connected, GET("/now"));
	turns(f);
	expect(connected, EMPTY, false);
	pass(f, NS_PER_SEC); /* again: told once only */
	assert_int_equal(accepts, 4);
	assert_int_equal(status(c[1], &end), 503);
	while (n > 0)
		close(fill[--n]);
	fd_limit = 0;
	pass(f, NS_PER_SEC);
	puts_(c[2], GET("/now"));
	turns(f);
	expect(c[2], EMPTY, false);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	close(connected);
}

/* Whatever accepting fails with, whoever waits is served: at once, or after a
 * pause when something was lacking. */
static void
accepting_that_fails(void **state)
{
	static const struct {
		int code;
		bool lacking;
	} cases[] = {{EINTR, false}, {ECONNABORTED, false}, {EPROTO, false},
	    {EMFILE, true}, {ENFILE, true}, {ENOMEM, true}, {ENOBUFS, true}};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int c = client_socket(), other = client_socket();
		bool end;

		client_connect(f, c);
		client_connect(f, other);
		accept_fails = cases[i].code;
		turns(f);
		if (cases[i].lacking) { /* the first is told */
			assert_int_equal(status(c, &end), 503);
			assert_true(end);
			(void)logtest_take("no file descriptors left");
			pass(f, NS_PER_SEC);
		} else {
			puts_(c, GET("/now"));
			turns(f);
			expect(c, EMPTY, false);
		}
		puts_(other, GET("/now"));
		turns(f);
		expect(other, EMPTY, false);
		close(c);
		close(other);
		turns(f);
	}
}

/* No longer listening: who is connected is served, others wait. */
static void
stop_listening(void **state)
{
	struct fix *f = *state;
	int a = client(f), b;

	http_stop_listening(f->h);
	b = client(f);
	puts_(a, GET("/now"));
	turns(f);
	expect(a, EMPTY, false);
	expect(b, "", false);
	assert_int_equal(f->opens, 1);
	close(a);
	close(b);
}

/* ---- everything at once ---- */

/* A client of the random run: what it has sent and what it has had back. */
struct rc {
	int fd; /* -1: none */
	size_t sent, at; /* of the text */
	size_t asked, had; /* whole requests sent, replies seen */
};

static void
rc_send(struct rc *c, struct rnd *r)
{
	static const char text[] = POST("/over") POST("/ovr") POST("/hold");
	size_t n = 1 + rnd_below(r, 120), hold = strlen(POST("/hold"));
	ssize_t k;

	c->at %= sizeof text - 1;
	if (n > sizeof text - 1 - c->at)
		n = sizeof text - 1 - c->at;
	k = send(c->fd, text + c->at, n, MSG_NOSIGNAL);
	if (k > 0) {
		c->at += (size_t)k;
		c->sent += (size_t)k;
	}
	c->asked = c->sent / (sizeof text - 1) * 3 + (c->at >= hold) +
	    (c->at >= 2 * hold - 1);
	if (c->at == sizeof text - 1)
		c->asked -= 2; /* the whole of it is counted already */
}

static void
rc_read(struct rc *c)
{
	bool end = false;
	ssize_t n = take(c->fd, &end);

	assert_int_equal(n % (ssize_t)strlen(HELLO), 0);
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(HELLO))
		assert_memory_equal(got + i, HELLO, strlen(HELLO));
	c->had += (size_t)n / strlen(HELLO);
	assert_false(end);
}

/* Answer one request that waits, if any, and forget the old ones. */
static void
answer_some(struct fix *f, struct rnd *r)
{
	for (size_t i = 0; i < f->nseen; i++)
		if (f->seen[i].open && rnd_below(r, 3) == 0)
			answer(f, i);
	drop_answered(f);
}

static void
random_clients(void **state)
{
	struct fix *f = *state;
	struct rnd r = rnd_start("http");
	struct rc c[CLIENTS];
	size_t had = 0;

	memset(c, 0, sizeof c);
	for (int i = 0; i < CLIENTS; i++)
		c[i].fd = -1;
	for (int step = 0; step < 20000; step++) {
		struct rc *x = &c[rnd_below(&r, CLIENTS)];
		uint32_t what = rnd_below(&r, 40);

		if (x->fd == -1) {
			memset(x, 0, sizeof *x);
			x->fd = client(f);
		} else if (what < 25) {
			rc_send(x, &r);
		} else if (what < 38) {
			rc_read(x);
		} else {
			if (what == 38)
				(void)shutdown(x->fd, SHUT_WR);
			had += x->had;
			close(x->fd);
			x->fd = -1;
		}
		answer_some(f, &r);
		turn(f);
	}
	for (int i = 0; i < CLIENTS; i++) {
		for (int k = 0; k < 1000 && c[i].fd != -1; k++) {
			answer_some(f, &r);
			turn(f);
			rc_read(&c[i]);
		}
		if (c[i].fd == -1)
			continue;
		assert_int_equal(c[i].had, c[i].asked);
		close(c[i].fd);
	}
	turns(f);
	assert_true(had > 500);
	assert_int_equal(http_counters(f->h)->connections, 0);
	assert_int_equal(http_counters(f->h)->bad, 0);
	forget(f);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(one_request_one_reply),
	    T(idempotency_key_comes_up),
	    T(cut_at_each_byte),
	    T(requests_in_a_row),
	    T(waiting_requests_are_bounded),
	    T(connection_close),
	    T(nonsense_is_refused),
	    T(handler_may_drop),
	    T(handler_may_refuse),
	    T(parked_client_that_leaves),
	    T(half_close_is_a_close),
	    T(half_close_with_a_change_under_way),
	    T(half_close_with_a_long_answer),
	    T(whole_close_with_a_change_under_way),
	    T(overlapping_requests),
	    T(overlap_ends_with_others),
	    T(overlap_is_bounded),
	    T(overlap_and_the_end),
	    T(overlap_and_gone),
	    T(slow_head),
	    T(head_in_time),
	    T(slow_body),
	    T(long_answer_waits),
	    T(never_reads),
	    T(leaves_with_an_answer_under_way),
	    T(connections_are_bounded),
	    T(connections_of_one_user_are_bounded),
	    T(out_of_descriptors),
	    T(accepting_that_fails),
	    T(stop_listening),
	    T(random_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
