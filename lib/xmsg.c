/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The object of libxmsg and its turn.  All descriptors, a timer and a counter
 * for xmsg_stop are in one epoll set, which is the descriptor programs poll.  A
 * turn reads and writes what can be, fires due timers, and only then runs
 * callbacks of the program; whatever they free is freed at the end of it.
 */
#include "xmsg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "version.h"
#include "xmsg_impl.h"

#define EVENTS		 32 /* descriptors a look */
#define MAX_ANSWER_BYTES (128 * 1024 * 1024)
#define TIMEOUT_MS	 30000

static const struct {
	int rc;
	const char *text;
} texts[] = {
    {XMSG_OK, "success"},
    {XMSG_ENOMEM, "out of memory"},
    {XMSG_EINVAL, "invalid argument"},
    {XMSG_ESYS, "system call failed"},
    {XMSG_ECONNECT, "no broker answers"},
    {XMSG_ETIMEDOUT, "time limit reached"},
    {XMSG_ENOQUEUE, "no such queue"},
    {XMSG_ENOENT, "no such message"},
    {XMSG_EDENIED, "not allowed by the broker"},
    {XMSG_ELIMIT, "too large, too many, or no room"},
    {XMSG_EREFUSED, "refused by the broker"},
    {XMSG_ELOST, "connection or reply lost, outcome unknown"},
    {XMSG_EPROTO, "the broker's answer makes no sense"},
    {XMSG_ECANCELED, "cancelled"},
    {XMSG_EBUSY, "not allowed inside a callback"},
};

/* ---- small things ---- */

/* A few words for a code. */
const char *
xmsg_strerror(int rc)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].rc == rc)
			return texts[i].text;
	return "unknown code";
}

/* The version. */
const char *
xmsg_version(void)
{
	return XMSG_VERSION;
}

/* Release bytes. */
void
xmsg_bytes_free(struct xmsg_bytes *b)
{
	free((char *)b->p);
	b->p = NULL;
	b->n = 0;
}

/* A copy with a NUL behind it. */
struct xmsg_bytes
xm_copy(struct str s)
{
	struct xmsg_bytes b = {NULL, 0};
	char *p = malloc(s.n + 1);

	if (p == NULL)
		return b;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	b.p = p;
	b.n = s.n;
	return b;
}

/* Note a failure. */
int
xm_set(struct xmsg *x, int rc, const char *fmt, ...)
{
	va_list ap;

	x->rc = x->err.code = rc;
	va_start(ap, fmt);
	vsnprintf(x->err.text, sizeof x->err.text, fmt, ap);
	va_end(ap);
	return rc;
}

/* Note that memory ran out. */
int
xm_nomem(struct xmsg *x)
{
	return xm_set(x, XMSG_ENOMEM, "out of memory");
}

/* May an operation be started? */
int
xm_may_start(struct xmsg *x)
{
	if (x->closing)
		return xm_set(x, XMSG_ECANCELED, "the object is being closed");
	return 0;
}

/* May a function wait here? */
int
xm_may_block(struct xmsg *x)
{
	if (x->depth > 0)
		return xm_set(x, XMSG_EBUSY,
		    "a function that waits was called inside a callback");
	return xm_may_start(x);
}

/* Is this a name that a queue or a client can have? */
static bool
good_name(const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return n >= 1 && n <= WIRE_MAX_NAME;
}

/* The same with an error for the caller of the library. */
int
xm_name(struct xmsg *x, const char *name)
{
	if (good_name(name))
		return 0;
	return xm_set(x, XMSG_EINVAL,
	    "a name has 1 to %d bytes, no control characters", WIRE_MAX_NAME);
}

/* Are these bytes? */
int
xm_bytes(struct xmsg *x, struct xmsg_bytes b)
{
	if (b.p != NULL || b.n == 0)
		return 0;
	return xm_set(x, XMSG_EINVAL, "a length without bytes");
}

/* When a time limit that starts now ends. */
int64_t
xm_deadline(int timeout_ms)
{
	if (timeout_ms < 0)
		return INT64_MAX;
	return clock_mono_ns() + timeout_ms * NS_PER_MS;
}

/* Random enough for jitter (xorshift). */
uint64_t
xm_random(struct xmsg *x)
{
	x->rng ^= x->rng << 13;
	x->rng ^= x->rng >> 7;
	x->rng ^= x->rng << 17;
	return x->rng;
}

/* A key that no other request anywhere has. */
void
xm_key(struct xmsg *x, char out[64])
{
	snprintf(out, 64, "%s-%llu", x->key, (unsigned long long)++x->nkeys);
}

/* ---- timers ---- */

/* Put a timer in, off. */
int
xm_timer_init(struct xmsg *x, struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->node.pos = 0;
	t->node.key = INT64_MAX;
	return heap_add(&x->timers, &t->node) ? 0 : XMSG_ENOMEM;
}

/* Take it out for good. */
void
xm_timer_fini(struct xmsg *x, struct timer *t)
{
	heap_remove(&x->timers, &t->node);
}

/* Set it; at_ns in the past is now.  It was in the heap, so there is room. */
void
xm_timer_set(struct xmsg *x, struct timer *t, int64_t at_ns)
{
	if (t->node.key == at_ns)
		return;
	heap_remove(&x->timers, &t->node);
	t->node.key = at_ns;
	if (heap_add(&x->timers, &t->node) && x->depth == 0)
		xm_arm(x);
}

/* Switch it off. */
void
xm_timer_off(struct xmsg *x, struct timer *t)
{
	xm_timer_set(x, t, INT64_MAX);
}

/* Have timerfd tell about the next deadline, or at once when there is work. */
void
xm_arm(struct xmsg *x)
{
	struct itimerspec its = {{0, 0}, {0, 0}};
	struct heap_node *first = heap_min(&x->timers);
	int64_t at = first != NULL ? first->key : INT64_MAX;

	if (x->kicked || !TAILQ_EMPTY(&x->finished) || at < 1)
		at = 1;
	if (at == x->armed_ns)
		return;
	if (at != INT64_MAX) {
		its.it_value.tv_sec = (time_t)(at / NS_PER_SEC);
		its.it_value.tv_nsec = (long)(at % NS_PER_SEC);
	}
	if (timerfd_settime(x->timerfd, TFD_TIMER_ABSTIME, &its, NULL) == 0)
		x->armed_ns = at;
}

/* See to it that there is another turn soon. */
void
xm_kick(struct xmsg *x)
{
	x->kicked = true;
	if (x->depth == 0)
		xm_arm(x);
}

/* Fire what is due, each timer once. */
static void
fire(struct xmsg *x)
{
	int64_t now = clock_mono_ns();
	struct heap_node *e;
	struct timer *t;

	while ((e = heap_min(&x->timers)) != NULL && e->key <= now) {
		t = (struct timer *)(void *)e;
		xm_timer_off(x, t);
		t->fn(t);
	}
}

/* ---- the turn ---- */

/* What the descriptors have to say.  True when there may be more. */
static bool
look(struct xmsg *x, const struct epoll_event *ev, int n)
{
	uint64_t count;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == &x->timerfd) {
			/* EAGAIN: it was set again meanwhile */
			if (read(x->timerfd, &count, sizeof count) > 0)
				x->armed_ns = INT64_MAX;
		} else if (ev[i].data.ptr == &x->stopfd) {
			if (read(x->stopfd, &count, sizeof count) > 0)
				x->stopped = true;
		} else {
			xm_conn_event(ev[i].data.ptr, ev[i].events);
		}
	}
	return n == EVENTS;
}

/* Tell the program about what has finished up to now; what finishes through
 * that is for the next turn. */
static void
finish_some(struct xmsg *x)
{
	struct xmsg_op *op;
	size_t n = 0;

	TAILQ_FOREACH (op, &x->finished, fin)
		n++;
	while (
	    n-- > 0 && !x->closing && (op = TAILQ_FIRST(&x->finished)) != NULL)
		xm_op_run(op);
}

/* One turn.  False when x has been freed by its end. */
static bool
turn(struct xmsg *x, const struct epoll_event *ev, int n)
{
	x->depth++;
	x->kicked = false;
	if (look(x, ev, n))
		x->kicked = true;
	fire(x);
	finish_some(x);
	xm_serve_some(x);
	return xm_leave(x);
}

/* Before a callback. */
void
xm_enter(struct xmsg *x)
{
	x->depth++;
}

static void destroy(struct xmsg *x);

/* After a callback or a turn: the outermost one cleans up. */
bool
xm_leave(struct xmsg *x)
{
	if (--x->depth > 0)
		return true;
	if (x->closing) {
		destroy(x);
		return false;
	}
	xm_conn_pump(x);
	if (x->reap) {
		x->reap = false;
		xm_serve_reap(x, false);
		xm_conn_reap(x);
	}
	xm_arm(x);
	return true;
}

/* Do what can be done without waiting. */
int
xmsg_dispatch(struct xmsg *x)
{
	struct epoll_event ev[EVENTS];

	if (x->depth > 0)
		return xm_may_block(x);
	if (!turn(x, ev, epoll_wait(x->epfd, ev, EVENTS, 0)))
		return XMSG_ECANCELED;
	if (!x->stopped)
		return XMSG_OK;
	x->stopped = false;
	return xm_set(x, XMSG_ECANCELED, "stopped");
}

/* Wait, then one turn. */
int
xm_turn(struct xmsg *x, int64_t deadline_ns)
{
	struct epoll_event ev[EVENTS];
	int64_t left = -1;
	int n;

	if (deadline_ns != INT64_MAX) {
		left = deadline_ns - clock_mono_ns();
		left = left <= 0 ? 0 : (left + NS_PER_MS - 1) / NS_PER_MS;
	}
	n = epoll_wait(x->epfd, ev, EVENTS, (int)left);
	if (n == 0)
		return XMSG_ETIMEDOUT;
	return turn(x, ev, n) ? XMSG_OK : XMSG_ECANCELED;
}

/* Wait, then dispatch. */
int
xmsg_wait(struct xmsg *x, int timeout_ms)
{
	int rc = xm_may_block(x);

	if (rc == XMSG_OK)
		rc = xm_turn(x, xm_deadline(timeout_ms));
	if (rc == XMSG_ETIMEDOUT)
		return xm_set(x, rc, "nothing happened within the time limit");
	if (rc != XMSG_OK || !x->stopped)
		return rc;
	x->stopped = false;
	return xm_set(x, XMSG_ECANCELED, "stopped");
}

/* Wait until nothing is left that was to be taken by the broker. */
int
xmsg_flush(struct xmsg *x, int timeout_ms)
{
	int64_t deadline_ns = xm_deadline(timeout_ms);
	int rc = xm_may_block(x);

	while (rc == XMSG_OK && x->nflush > 0) {
		rc = xm_turn(x, deadline_ns);
		if (rc == XMSG_ETIMEDOUT)
			return xm_set(x, rc,
			    "%u acks and replies are not "
			    "through within the time limit",
			    x->nflush);
		if (rc == XMSG_OK && x->stopped) {
			x->stopped = false;
			return xm_set(x, XMSG_ECANCELED, "stopped");
		}
	}
	return rc;
}

/* End a wait, from anywhere.  A full counter is a stop as well. */
void
xmsg_stop(struct xmsg *x)
{
	int saved = errno;
	uint64_t one = 1;

	if (write(x->stopfd, &one, sizeof one) < 0)
		errno = saved;
	errno = saved;
}

/* ---- the connection that most things use ---- */

/* The connection for requests, made when first asked for. */
struct conn *
xm_requests(struct xmsg *x)
{
	if (x->requests != NULL)
		return x->requests;
	x->requests = xm_conn_new(x, true);
	if (x->requests != NULL) {
		x->requests->hello = xm_calls_hello;
		x->requests->up = xm_calls_up;
	}
	return x->requests;
}

/* An ack that nobody asked for is through, or will never be. */
static void
acked(struct req *r, int rc, int status, struct str body)
{
	struct xmsg *x = r->arg;

	(void)rc; /* the queue goes with us; a leftover does no harm */
	(void)status;
	(void)body;
	x->nflush--;
	xm_req_free(r);
}

/* Acknowledge for the library's own sake. */
void
xm_ack(struct xmsg *x, struct str queue, int64_t id)
{
	struct wire_req w = {.op = WIRE_ACK, .name = queue, .id = id};
	struct conn *c = xm_requests(x);
	struct req *r = c != NULL ? xm_req_new(acked, x) : NULL;

	if (r == NULL || xm_req_wire(r, &w) != 0) {
		xm_req_free(r);
		return;
	}
	x->nflush++;
	xm_req_submit(c, r);
}

/* ---- life ---- */

/* "PROGRAM:PID", and a number from the second one on. */
static char *
default_token(void)
{
	static atomic_uint made;
	const char *prog = program_invocation_short_name;
	unsigned n = atomic_fetch_add(&made, 1) + 1;
	char *s = NULL;
	int len;

	if (!good_name(prog))
		prog = "xmsg";
	if (n == 1)
		len = asprintf(&s, "%.200s:%ld", prog, (long)getpid());
	else
		len = asprintf(&s, "%.200s:%ld.%u", prog, (long)getpid(), n);
	return len < 0 ? NULL : s;
}

/* Watch one of the object's own descriptors. */
static int
watch(struct xmsg *x, int *fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	ev.data.ptr = fd;
	return *fd == -1 ? -1 : epoll_ctl(x->epfd, EPOLL_CTL_ADD, *fd, &ev);
}

/* Descriptors and random numbers. */
static int
equip(struct xmsg *x)
{
	unsigned char raw[sizeof x->key / 2 + sizeof x->rng];

	x->epfd = epoll_create1(EPOLL_CLOEXEC);
	x->timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	x->stopfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (x->epfd == -1 || watch(x, &x->timerfd) == -1 ||
	    watch(x, &x->stopfd) == -1)
		return XMSG_ESYS;
	if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		return XMSG_ESYS;
	for (size_t i = 0; i < sizeof x->key / 2; i++)
		snprintf(x->key + 2 * i, 3, "%02x", raw[i]);
	memcpy(&x->rng, raw + sizeof x->key / 2, sizeof x->rng);
	x->rng |= 1;
	return XMSG_OK;
}

/* Free everything; nothing is under way any more. */
static void
destroy(struct xmsg *x)
{
	struct xmsg_op *op;
	struct conn *c;

	x->depth++; /* callbacks must not come back to here */
	while ((op = TAILQ_FIRST(&x->ops)) != NULL)
		xmsg_cancel(op);
	xm_serve_reap(x, true);
	xm_calls_fini(x);
	TAILQ_FOREACH (c, &x->conns, link)
		xm_conn_free(c);
	xm_conn_reap(x);
	heap_fini(&x->timers);
	if (x->epfd != -1)
		close(x->epfd);
	if (x->timerfd != -1)
		close(x->timerfd);
	if (x->stopfd != -1)
		close(x->stopfd);
	free(x->socket);
	free(x->token);
	free(x);
}

/* Make an object. */
int
xmsg_open(struct xmsg **out, const char *socket, const char *token)
{
	struct xmsg *x;
	int rc;

	*out = NULL;
	if (token != NULL && !good_name(token))
		return XMSG_EINVAL;
	x = calloc(1, sizeof *x);
	if (x == NULL)
		return XMSG_ENOMEM;
	x->epfd = x->timerfd = x->stopfd = -1;
	x->armed_ns = INT64_MAX;
	x->timeout_ms = TIMEOUT_MS;
	x->patience_ms = -1;
	x->limits = (struct http1_limits){
	    .max_line = 8192,
	    .max_head = 65536,
	    .max_fields = 100,
	    .max_body = MAX_ANSWER_BYTES,
	};
	TAILQ_INIT(&x->conns);
	TAILQ_INIT(&x->ops);
	TAILQ_INIT(&x->finished);
	TAILQ_INIT(&x->servers);
	xm_calls_init(x);
	x->socket = strdup(socket != NULL ? socket : XMSG_SOCKET);
	x->token = token != NULL ? strdup(token) : default_token();
	rc = x->socket == NULL || x->token == NULL ? XMSG_ENOMEM : equip(x);
	if (rc != XMSG_OK) {
		destroy(x);
		return rc;
	}
	*out = x;
	return XMSG_OK;
}

/* End everything. */
void
xmsg_close(struct xmsg *x)
{
	if (x == NULL || x->closing)
		return;
	x->closing = true;
	if (x->depth == 0)
		destroy(x);
}

/* Who we are. */
const char *
xmsg_token(const struct xmsg *x)
{
	return x->token;
}

/* The last failure in words. */
const char *
xmsg_error(const struct xmsg *x)
{
	return x->err.text;
}

/* The last failure as a code. */
int
xmsg_rc(const struct xmsg *x)
{
	return x->rc;
}

/* What to poll. */
int
xmsg_fd(const struct xmsg *x)
{
	return x->epfd;
}

/* The common time limit. */
void
xmsg_set_timeout(struct xmsg *x, int timeout_ms)
{
	x->timeout_ms = timeout_ms;
}

/* How long to wait for a broker. */
void
xmsg_set_patience(struct xmsg *x, int patience_ms)
{
	x->patience_ms = patience_ms;
}

/* How much to accept. */
void
xmsg_set_max_answer(struct xmsg *x, size_t bytes)
{
	x->limits.max_body = bytes;
}
