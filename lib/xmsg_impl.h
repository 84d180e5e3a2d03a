/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The inside of libxmsg, three layers, each using only what stands above it:
 *
 *   timer, conn, req   one HTTP exchange over a connection that comes back by
 *                      itself (xmsg_conn.c)
 *   op                 what a program started and hears about once (xmsg_op.c)
 *   call, server       made of several exchanges (xmsg_call.c, xmsg_serve.c)
 *
 * Callbacks of the program run at one place, finish_some in xmsg.c, never while
 * a list is being walked.  Nothing here is installed.
 */
#ifndef XMSG_IMPL_H
#define XMSG_IMPL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "buf.h"
#include "err.h"
#include "heap.h"
#include "http1.h"
#include "str.h"
#include "wire.h"
#include "xmsg.h"

/* ---- timers ---- */

/* A deadline.  It is in the heap from xm_timer_init to xm_timer_fini, "never"
 * being a time too: so setting one cannot fail for lack of memory. */
struct timer {
	struct heap_node node; /* first, so that one is the other */
	void (*fn)(struct timer *t);
};

int xm_timer_init(struct xmsg *x, struct timer *t, void (*fn)(struct timer *));
void xm_timer_fini(struct xmsg *x, struct timer *t);
void xm_timer_set(struct xmsg *x, struct timer *t, int64_t at_ns);
void xm_timer_off(struct xmsg *x, struct timer *t);

/* ---- exchanges and connections ---- */

struct conn;
struct req;

/* The end of an exchange: rc is XMSG_OK and an HTTP status with its body, or a
 * code and status 0.  The body is borrowed and may be changed in place.  It is
 * the callee's to free r, or to submit it again. */
typedef void (*req_fn)(struct req *r, int rc, int status, struct str body);

struct req {
	TAILQ_ENTRY(req) link;
	struct conn *conn; /* NULL while not submitted */
	struct buf out; /* the request, whole */
	size_t head; /* where its body begins */
	size_t sent; /* bytes of it written on this connection */
	bool touched; /* some of it was written, on whatever connection */
	bool repeated; /* and it is sent again */
	bool again; /* may be sent again */
	bool hello; /* part of the greeting, not of the work */
	unsigned breaks; /* connections lost with this as the oldest */
	req_fn done; /* NULL: nobody wants to know any more */
	void *arg;
};
TAILQ_HEAD(reqs, req);

enum conn_state {
	CONN_IDLE, /* closed, nothing to do */
	CONN_WAIT, /* closed, try_ns says when to try again */
	CONN_HELLO, /* connected, login under way */
	CONN_UP,
};

struct conn {
	TAILQ_ENTRY(conn) link; /* in xmsg.conns */
	struct xmsg *x;
	enum conn_state state;
	int fd; /* -1 when closed */
	bool keep; /* comes back even with nothing to do */
	bool login; /* says who it is */
	bool aux; /* of the pool for long and raw exchanges */
	bool reading; /* the reader is at work: close only by `doomed` */
	bool doomed; /* to be closed when the reader returns */
	bool want_out; /* epoll is to say when it can be written */
	bool gone; /* to be freed at the end of the turn */
	bool late; /* has something to write at the end of the turn */
	int64_t up_ns; /* connected since */
	int64_t down_ns; /* no broker since; 0 while there is one */
	int64_t wait_ns; /* the back-off after the next one */
	int64_t try_ns; /* the next attempt */
	struct err why; /* why there is no broker */
	struct timer timer;
	struct reqs reqs; /* greeting, then those sent, then the others */
	struct req *next; /* the first one not wholly written */
	unsigned nsent; /* how many are written at least in part */
	unsigned nhello; /* answers missing to the greeting */
	struct buf in;
	struct http1 parse;
	int (*hello)(struct conn *c); /* more of the greeting; or NULL */
	void (*up)(struct conn *c); /* greeted; or NULL */
	void *arg; /* for these two */
};
TAILQ_HEAD(conns, conn);

struct conn *xm_conn_new(struct xmsg *x, bool login);
void xm_conn_free(struct conn *c); /* at the end of the turn */
void xm_conn_reap(struct xmsg *x); /* that end */
void xm_conn_pump(struct xmsg *x); /* the same end: write what came up */
void xm_conn_event(struct conn *c, unsigned events);
void xm_conn_open(struct conn *c); /* connect now if it is closed */
void xm_conn_fail(struct conn *c); /* close; come back after a while */
int xm_conn_greet(struct conn *c, const struct wire_req *w); /* in hello() */
struct conn *xm_conn_aux(struct xmsg *x, bool login); /* a free one, or NULL */

struct req *xm_req_new(req_fn done, void *arg);
void xm_req_free(struct req *r);
/* Fill it; 0 or XMSG_ENOMEM.  key: its idempotency key, or NULL. */
int xm_req_wire(struct req *r, const struct wire_req *w);
int xm_req_http(struct req *r, const char *method, struct str target,
    const char *key, struct str body);
void xm_req_submit(struct conn *c, struct req *r); /* takes r */
void xm_req_drop(struct req *r); /* done will not be called; r may be NULL */

/* ---- operations ---- */

struct xmsg_op {
	struct xmsg *x;
	TAILQ_ENTRY(xmsg_op) all;
	TAILQ_ENTRY(xmsg_op) fin;
	bool finished;
	bool running; /* its callback is */
	bool stubborn; /* waits for a broker for ever */
	bool flush; /* xmsg_flush waits for it */
	bool told; /* the broker knows of it */
	bool repeated; /* what was answered last had been sent before */
	int64_t born_ns;
	struct timer limit;
	struct req *req; /* under way, or NULL */
	xmsg_done_fn fn;
	void *arg;
	struct xmsg_result res;
	struct xmsg_bytes body; /* owned; res.body shows it */
	struct err why;
	/* an answer came: finish it or go on */
	void (*answer)(struct xmsg_op *op, int status, struct str body);
	void (*fini)(struct xmsg_op *op); /* what a kind has besides; or NULL */
};
TAILQ_HEAD(ops, xmsg_op);

/* Whom to tell. */
struct op_call {
	xmsg_done_fn fn;
	void *arg;
};

/* An op of `size` bytes, an xmsg_op first, zeroed, its time limit running.
 * NULL with the error set in x. */
void *xm_op_new(struct xmsg *x, size_t size, struct op_call cb, int timeout_ms);
void xm_op_free(struct xmsg_op *op); /* tells nobody */
/* What the stock protocol says, to `c`; op->answer gets the answer.  0 or -1
 * with the op freed and the error set: for starting. */
int xm_op_start(struct xmsg_op *op, struct conn *c, const struct wire_req *w);
/* The same from inside, when failure is the end of the op. */
void xm_op_next(struct xmsg_op *op, struct conn *c, const struct wire_req *w);
void xm_op_submit(struct xmsg_op *op, struct conn *c, struct req *r);
struct req *xm_op_req(struct xmsg_op *op); /* for op; NULL: no memory */
/* It ends; the callback comes later, at the right place. */
void xm_op_finish(struct xmsg_op *op, int rc);
void xm_op_fail(struct xmsg_op *op, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void xm_op_refused(struct xmsg_op *op, int status, struct str body);
void xm_op_take(struct xmsg_op *op, struct str body); /* copy, end with it */
void xm_op_run(struct xmsg_op *op); /* call back and free */
bool xm_op_is_v1(struct str body); /* from /v1, not the stock "Not found" */
/* There is no broker on c: end what waited long enough.  When to ask again. */
int64_t xm_op_patience(struct conn *c, int64_t now);

/* Blocking: a callback that keeps the result, and waiting for it.  op may be
 * NULL: it was not started.  body may be NULL. */
struct op_wait {
	bool done;
	struct xmsg_result res;
	struct xmsg_bytes body;
};
#define OP_WAIT(w) ((struct op_call){xm_op_waited, w})
void xm_op_waited(struct xmsg *x, const struct xmsg_result *r, void *arg);
int xm_op_wait(struct xmsg *x, struct xmsg_op *op, struct op_wait *w);
int xm_op_wait_body(struct xmsg *x, struct xmsg_op *op, struct op_wait *w,
    struct xmsg_bytes *body);

/* ---- calls (xmsg_call.c) ---- */

struct stray;
TAILQ_HEAD(strays, stray);
struct call;
LIST_HEAD(call_list, call);
TAILQ_HEAD(call_fifo, call);

#define CALL_BUCKETS 256

struct calls {
	bool started; /* there is a reply queue */
	struct conn *events; /* where replies are polled */
	struct req *poll;
	int64_t cursor;
	uint64_t seq; /* of the last call */
	struct call_list by_id[CALL_BUCKETS]; /* published, no reply yet */
	struct call_fifo publishing; /* in the order of seq */
	struct strays strays; /* replies that came before their id */
	uint64_t epoch; /* how often the broker has come back */
};

void xm_calls_init(struct xmsg *x);
void xm_calls_fini(struct xmsg *x);
int xm_calls_hello(struct conn *c); /* of the requests connection */
void xm_calls_up(struct conn *c);

/* ---- servers (xmsg_serve.c) ---- */

TAILQ_HEAD(servers, xmsg_server);
LIST_HEAD(request_list, xmsg_request);
TAILQ_HEAD(request_fifo, xmsg_request);

#define SERVE_BUCKETS 64

enum request_state {
	REQUEST_WAITING, /* to be handed out */
	REQUEST_HANDED, /* in the program's hands */
	REQUEST_ANSWERING, /* what settles it is on its way */
	REQUEST_LEFT, /* known, so that it is not handed out again */
};

struct xmsg_request {
	struct xmsg_server *s;
	enum request_state state;
	bool stale; /* from another life of the broker; not in `known` */
	LIST_ENTRY(xmsg_request) hash;
	TAILQ_ENTRY(xmsg_request) link; /* waiting: in the order of ids */
	struct xmsg_message m;
	char bytes[]; /* what m points to */
};

struct xmsg_server {
	TAILQ_ENTRY(xmsg_server) link;
	struct xmsg *x;
	struct conn *conn;
	struct req *poll;
	char *queue;
	int64_t cursor;
	unsigned flags, limit;
	unsigned busy; /* requests in the program's hands */
	size_t alive; /* requests that are not freed */
	bool stopped;
	xmsg_serve_fn fn;
	void *arg;
	struct request_fifo waiting;
	struct request_list known[SERVE_BUCKETS];
	struct request_list stale;
};

void xm_request_free(struct xmsg_request *r); /* whatever its state */
void xm_serve_some(struct xmsg *x); /* hand out what there is */
void xm_serve_reap(struct xmsg *x, bool all);

/* ---- the object ---- */

struct xmsg {
	char *socket, *token;
	char key[33]; /* makes idempotency keys unique */
	uint64_t nkeys;
	uint64_t rng;
	int timeout_ms, patience_ms;
	struct http1_limits limits;
	int epfd, timerfd, stopfd;
	int64_t armed_ns; /* what timerfd is set to */
	struct heap timers;
	struct conns conns;
	struct conn *requests;
	struct ops ops; /* all */
	struct ops finished; /* to be told */
	unsigned nflush; /* acks, replies, sends under way */
	struct calls calls;
	struct servers servers;
	bool no_v1; /* the broker is the original */
	int depth; /* of callbacks, and of dispatch */
	bool closing;
	bool stopped; /* xmsg_stop */
	bool kicked;
	bool reap; /* something waits for the end of the turn */
	int rc;
	struct err err;
};

int xm_set(struct xmsg *x, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int xm_nomem(struct xmsg *x); /* XMSG_ENOMEM, set */
int xm_may_start(struct xmsg *x); /* 0, or a code when nothing may begin */
int xm_may_block(struct xmsg *x); /* the same for blocking functions */
int xm_name(struct xmsg *x, const char *name); /* 0, or XMSG_EINVAL set */
int xm_bytes(struct xmsg *x, struct xmsg_bytes b);
/* Wait and dispatch once.  XMSG_ETIMEDOUT when nothing came; XMSG_ECANCELED
 * when x has been closed and freed. */
int xm_turn(struct xmsg *x, int64_t deadline_ns);
void xm_kick(struct xmsg *x); /* dispatch has something to do */
void xm_arm(struct xmsg *x);
void xm_enter(struct xmsg *x); /* into a callback */
bool xm_leave(struct xmsg *x); /* out of it; false when x is freed */
struct conn *xm_requests(struct xmsg *x); /* NULL when out of memory */
void xm_key(struct xmsg *x, char out[64]); /* a new idempotency key */
/* Fill r with the publication of a request; 0 or XMSG_ENOMEM. */
int xm_req_publish(struct xmsg *x, struct req *r, const char *queue,
    const char *reply_to, struct str payload);
uint64_t xm_random(struct xmsg *x);
int64_t xm_deadline(int timeout_ms); /* in ns, INT64_MAX for none */
/* An ack whose outcome matters to nobody but xmsg_flush. */
void xm_ack(struct xmsg *x, struct str queue, int64_t id);
struct xmsg_bytes xm_copy(struct str s); /* p is NULL when out of memory */

/* Bytes as the layers below know them. */
static inline struct str
xm_str(struct xmsg_bytes b)
{
	return (struct str){b.p, b.n};
}

#endif
