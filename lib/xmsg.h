/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * libxmsg: the client side of the message switch.
 *
 * WHAT IT IS.  A `struct xmsg` is one client identity (a token) at one broker.
 * It opens its connections when they are first needed, logs in, and when the
 * broker goes away it comes back by itself and finishes what was under way.
 * The same engine serves programs that block and programs with an event loop.
 *
 * THE PROCESS.  The library never ends it, never raises SIGPIPE, installs no
 * signal handler, starts no thread and prints nothing.  It needs libc only.
 *
 * THREADS.  One struct xmsg belongs to one thread at a time; different ones are
 * independent.  xmsg_stop alone may be called from any thread and from a signal
 * handler.  After fork(2) the child must not use the parent's objects.
 *
 * ERRORS.  Functions return XMSG_OK (0) or a negative enum xmsg_rc; functions
 * that return a pointer return NULL.  After a failure xmsg_error(x) is one line
 * for a person and xmsg_rc(x) the code.  On failure results are zeroed, nothing
 * has to be freed, and no callback will come.
 *
 * CALLBACKS run inside xmsg_dispatch, and so inside xmsg_wait and every
 * blocking function; also inside xmsg_cancel and xmsg_close, with
 * XMSG_ECANCELED.  Every operation that was started gets exactly one.  In a
 * callback everything may be called but the blocking functions and
 * xmsg_dispatch: those return XMSG_EBUSY.  xmsg_close in a callback takes
 * effect as soon as the callback returns.
 *
 * OWNERSHIP.  What goes in is copied or sent before the function returns.  What
 * comes out by a pointer to the caller's variable is the caller's, released
 * with the function that its type names.  What a callback is shown is borrowed
 * until the callback returns.
 *
 * UNITS.  Times are milliseconds on a clock that does not jump; a time limit
 * below 0 is none.  Sizes are bytes.  Message ids are >= 0.
 *
 * NAMES of queues and tokens: 1 to 255 bytes, none below 0x20 and not 0x7f.
 * PAYLOADS are bytes, any value, up to what the broker takes (16 MiB by
 * default; more is XMSG_ELIMIT).
 *
 * WHEN THE BROKER GOES AWAY.  A broken connection is opened again at once, then
 * after 10 ms, doubling to 100 ms, after half a minute to 1 s (each +-25%).
 * What was sent but not answered is sent again, because all of it may be:
 *  - create, destroy, ack, list, transfer: doing it twice changes nothing;
 *  - a request carries an idempotency key, and our broker answers a repeated
 *    key with the id it gave the first time;
 *  - the broker enqueues one reply for each request, a repeat gets the first;
 *  - xmsg_http repeats GET, PUT and DELETE (and a DELETE may then hear that
 *    there is nothing to delete); anything else, and xmsg_shutdown, end with
 *    XMSG_ELOST: done or not done, nobody knows.
 * An operation whose connection broke 16 times in a row with it as the oldest
 * unanswered one ends with XMSG_ELOST too; it may be what breaks it.
 * With the original broker, which knows no idempotency key, a request may run
 * twice when the broker is killed between taking it and answering.
 */
#ifndef XMSG_H
#define XMSG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- results ---- */

enum xmsg_rc {
	XMSG_OK = 0,
	XMSG_ENOMEM = -1, /* out of memory; try again later */
	XMSG_EINVAL = -2, /* an argument is not allowed; nothing was sent */
	XMSG_ESYS = -3, /* a system call failed */
	XMSG_ECONNECT = -4, /* no broker answers (xmsg_set_patience) */
	XMSG_ETIMEDOUT = -5, /* the time limit passed */
	XMSG_ENOQUEUE = -6, /* there is no such queue */
	XMSG_ENOENT = -7, /* there is no such message (any more) */
	XMSG_EDENIED = -8, /* the broker does not allow it */
	XMSG_ELIMIT = -9, /* too large, too many, or no room */
	XMSG_EREFUSED = -10, /* the broker refused for another reason */
	XMSG_ELOST = -11, /* connection or reply lost: outcome unknown */
	XMSG_EPROTO = -12, /* the answer makes no sense */
	XMSG_ECANCELED = -13, /* xmsg_cancel, xmsg_stop or xmsg_close */
	XMSG_EBUSY = -14, /* a blocking function inside a callback */
};

/* A few words for a code; static, never NULL. */
const char *xmsg_strerror(int rc);

/* The version of the library: "0.1.0". */
const char *xmsg_version(void);

/* Bytes with a length.  Where the library hands them out there is a NUL byte
 * behind them that n does not count, and p is never NULL after success. */
struct xmsg_bytes {
	const char *p; /* may be NULL when n is 0 */
	size_t n;
};

/* Release bytes that the library handed over; b is empty afterwards. */
void xmsg_bytes_free(struct xmsg_bytes *b);

/* ---- the object ---- */

struct xmsg;

#define XMSG_SOCKET "/var/run/message-switch/sock"

/* Make *x for the broker at this socket (NULL: XMSG_SOCKET) under this token.
 * NULL gives "PROGRAM:PID", from the second object of the process on
 * "PROGRAM:PID.2" and so on.  No two living clients may share a token: it names
 * the queue their replies come to.  Nothing is connected yet; the broker need
 * not be there.  XMSG_ENOMEM, XMSG_EINVAL, XMSG_ESYS (descriptors).  Release
 * with xmsg_close. */
int xmsg_open(struct xmsg **x, const char *socket, const char *token);

/* Close the connections, complete what is under way with XMSG_ECANCELED, free
 * everything, open requests of servers too.  Acks and replies that were not
 * answered yet may be lost: xmsg_flush first.  x may be NULL. */
void xmsg_close(struct xmsg *x);

/* The token; lives as long as x. */
const char *xmsg_token(const struct xmsg *x);

/* The last failure on x: a line for a person, and its code.  In a callback:
 * those of the operation it reports.  Never NULL; valid until the next use of
 * x. */
const char *xmsg_error(const struct xmsg *x);
int xmsg_rc(const struct xmsg *x);

/* Time limit of the functions below that take none; 30000 at first. */
void xmsg_set_timeout(struct xmsg *x, int timeout_ms);

/* How long operations may wait for a broker that is not there before they end
 * with XMSG_ECONNECT, or with XMSG_ELOST when they were on their way already.
 * 0: the first failed attempt is enough.  Below 0, as at first: only their own
 * time limits count.  Servers and their replies wait for ever. */
void xmsg_set_patience(struct xmsg *x, int patience_ms);

/* Largest answer to accept, 128 MiB at first; a larger one is XMSG_ELIMIT. */
void xmsg_set_max_answer(struct xmsg *x, size_t bytes);

/* ---- driving it ---- */

/* A descriptor that becomes readable whenever xmsg_dispatch has something to
 * do, time limits included.  The same one as long as x lives; only to be polled
 * for reading, level-triggered. */
int xmsg_fd(const struct xmsg *x);

/* Do what can be done without waiting, and run callbacks.  XMSG_OK, XMSG_EBUSY,
 * or XMSG_ECANCELED after xmsg_stop (once). */
int xmsg_dispatch(struct xmsg *x);

/* Wait until there is something to do, then dispatch once.  XMSG_ETIMEDOUT when
 * there was nothing; else as xmsg_dispatch. */
int xmsg_wait(struct xmsg *x, int timeout_ms);

/* Wait until every ack, reply and send that was started has been answered. */
int xmsg_flush(struct xmsg *x, int timeout_ms);

/* Make the blocking function that is running, or the next one, return
 * XMSG_ECANCELED.  From any thread and from a signal handler. */
void xmsg_stop(struct xmsg *x);

/* ---- queues, blocking ---- */

enum xmsg_kind { XMSG_PERSISTENT, XMSG_TRANSIENT };

/* Make a queue; fine if it is there already, its kind then does not change.  A
 * transient queue goes with the last connection of its owner's token. */
int xmsg_create(struct xmsg *x, const char *queue, enum xmsg_kind kind);

/* Remove a queue and what is in it; fine if there is none. */
int xmsg_destroy(struct xmsg *x, const char *queue);

enum {
	XMSG_LIST_ALIVE = 1, /* only queues that somebody has polled */
};

/* Names of the queues that begin with prefix ("" or NULL: all), in the order
 * of the broker.  *names is one allocation for free(3), NULL-terminated; n, if
 * not NULL, gets their number. */
int xmsg_list(struct xmsg *x, const char *prefix, unsigned flags, char ***names,
    size_t *n);

/* ---- messages, blocking ---- */

enum xmsg_message_kind { XMSG_REQUEST, XMSG_REPLY };

struct xmsg_message {
	const char *queue;
	int64_t id;
	enum xmsg_message_kind kind;
	const char *reply_to; /* XMSG_REQUEST: where the reply goes, or "" */
	const char *re_queue; /* XMSG_REPLY: the request it answers; else "" */
	int64_t re_id; /* XMSG_REPLY; else -1 */
	struct xmsg_bytes payload;
};

struct xmsg_messages {
	const struct xmsg_message *v;
	size_t n;
	int64_t next; /* cursor for the next xmsg_transfer */
};

/* Publish a request.  Its reply goes to the queue reply_to (NULL: a queue named
 * as the token, which need not exist).  *id, if not NULL, gets its id.
 * XMSG_ENOQUEUE when there is no such queue. */
int xmsg_send(struct xmsg *x, const char *queue, const char *reply_to,
    struct xmsg_bytes payload, int64_t *id);

/* Answer the request `id` of `queue`: enqueue the reply in reply_to, without
 * acknowledging the request.  XMSG_ENOQUEUE when nobody waits for it.  Servers
 * use xmsg_reply. */
int xmsg_respond(struct xmsg *x, const char *reply_to, const char *queue,
    int64_t id, struct xmsg_bytes payload);

/* Unacknowledged messages of these queues with an id above `from` (-1: all),
 * ascending; waits up to timeout_ms (no more than 300000, also when below 0)
 * for the first.  Time passing without one is success with n == 0.  Messages
 * stay in the queue until they are acknowledged.  Give `next` as `from` the
 * next time, and go on giving it after the broker restarted. */
int xmsg_transfer(struct xmsg *x, const char *const *queues, size_t nqueues,
    int64_t from, int timeout_ms, struct xmsg_messages *m);
void xmsg_messages_free(struct xmsg_messages *m);

/* Take a message out of its queue; fine if it is not there. */
int xmsg_ack(struct xmsg *x, const char *queue, int64_t id);

/* ---- calls ---- */

enum {
	XMSG_CREATE = 1, /* make the queue (persistent) first */
};

/* Publish a request and wait for its reply.  XMSG_ENOQUEUE when there is no
 * such queue (and no XMSG_CREATE); XMSG_ETIMEDOUT: the request may still be
 * carried out, its late reply is acknowledged and dropped.  A broker that
 * restarts meanwhile is no failure: the reply comes.  XMSG_ELOST: the request
 * was taken, but neither it nor a reply is there any more.  reply may be NULL;
 * release with xmsg_bytes_free. */
int xmsg_call(struct xmsg *x, const char *queue, struct xmsg_bytes request,
    unsigned flags, int timeout_ms, struct xmsg_bytes *reply);

/* ---- the same without waiting ---- */

/* How an operation ended. */
struct xmsg_result {
	int rc; /* XMSG_OK or why not; text: xmsg_error */
	int status; /* xmsg_http_start: HTTP status; else 0 */
	int64_t id; /* send, call: id of the request, else -1 */
	struct xmsg_bytes body; /* call: the reply; http: the answer */
};

typedef void (*xmsg_done_fn)(
    struct xmsg *x, const struct xmsg_result *r, void *arg);

/* An operation under way; gone as soon as its callback has been called. */
struct xmsg_op;

/* Start an operation.  fn is called once when it ends, never from within these
 * functions; it may be NULL (for send and ack) when nobody cares.  Any number
 * can be under way.  NULL on failure. */
struct xmsg_op *xmsg_call_start(struct xmsg *x, const char *queue,
    struct xmsg_bytes request, unsigned flags, int timeout_ms, xmsg_done_fn fn,
    void *arg);
struct xmsg_op *xmsg_send_start(struct xmsg *x, const char *queue,
    const char *reply_to, struct xmsg_bytes payload, xmsg_done_fn fn,
    void *arg);
struct xmsg_op *xmsg_ack_start(
    struct xmsg *x, const char *queue, int64_t id, xmsg_done_fn fn, void *arg);

/* End an operation now: its callback is called with XMSG_ECANCELED before this
 * returns.  What the broker has been told already stays so: a request may still
 * be carried out, its reply is dropped. */
void xmsg_cancel(struct xmsg_op *op);

/* ---- serving a queue ---- */

/* A queue being served, and one request in the hands of the program. */
struct xmsg_server;
struct xmsg_request;

/* Gets one message.  The request is the program's until it calls one of
 * xmsg_reply, xmsg_discard or xmsg_leave with it: right here, or any time later
 * from anywhere in the thread.  m is borrowed until then. */
typedef void (*xmsg_serve_fn)(
    struct xmsg_request *r, const struct xmsg_message *m, void *arg);

/* Serve a queue (XMSG_CREATE: make it first): fn gets every message of it, in
 * the order of ids, at most `limit` at a time (0: no limit); further ones wait.
 * A message that the broker delivers again while it is in the program's hands
 * is not handed out twice.  A queue may be served before it exists.  NULL on
 * failure. */
struct xmsg_server *xmsg_serve_start(struct xmsg *x, const char *queue,
    unsigned flags, unsigned limit, xmsg_serve_fn fn, void *arg);

/* No more requests from here.  Requests in the program's hands stay valid and
 * can still be answered.  What was not handed out stays in the queue. */
void xmsg_serve_stop(struct xmsg_server *s);

/* How many requests of this server are in the program's hands. */
unsigned xmsg_serve_busy(const struct xmsg_server *s);

/* Serve until xmsg_stop (XMSG_ECANCELED), then wait, within the time limit of
 * xmsg_set_timeout, until the replies given so far have been taken. */
int xmsg_serve(struct xmsg *x, const char *queue, unsigned flags,
    unsigned limit, xmsg_serve_fn fn, void *arg);

/* What the handler was given. */
const struct xmsg_message *xmsg_request_message(const struct xmsg_request *r);

/* Answer a request and acknowledge it, in one transaction where the broker can.
 * The library sees to it that the reply arrives, over broker restarts too.
 * When XMSG_OK is returned r is gone; after XMSG_ENOMEM it is still yours.  fn,
 * if not NULL, is told the outcome:
 *  XMSG_OK        both are durable;
 *  XMSG_ENOENT    somebody removed the request meanwhile;
 *  XMSG_ENOQUEUE  acknowledged, but nobody waits for the reply any more;
 *  XMSG_ELIMIT    the broker does not take a reply this large.  The request is
 *                 still in the queue; answer it with xmsg_respond, xmsg_ack;
 *  XMSG_EREFUSED, XMSG_EDENIED  the same for another reason. */
int xmsg_reply(struct xmsg_request *r, struct xmsg_bytes payload,
    xmsg_done_fn fn, void *arg);

/* Acknowledge without an answer.  As xmsg_reply. */
int xmsg_discard(struct xmsg_request *r);

/* Let go of it: it stays in the queue, for another consumer or for this program
 * after a restart; this server does not see it again. */
void xmsg_leave(struct xmsg_request *r);

/* ---- looking, and the broker itself ---- */

/* The broker's own JSON, as it comes: contents of all queues; events. */
int xmsg_diagnostics(struct xmsg *x, struct xmsg_bytes *json);

/* Events with a number >= from (-1: all there are); waits up to timeout_ms
 * while there are none.  The JSON is {"events":[[NUMBER,EVENT],...]}. */
int xmsg_trace(
    struct xmsg *x, int64_t from, int timeout_ms, struct xmsg_bytes *json);

/* End the broker.  XMSG_OK: it said yes. */
int xmsg_shutdown(struct xmsg *x);

/* Any HTTP request to the broker, for the JSON routes under /v1.  target is
 * encoded already (xmsg_encode), and begins with '/'.  XMSG_OK means that there
 * was an answer; *status (may be NULL) says what it was worth.  It goes without
 * a login.  answer may be NULL. */
int xmsg_http(struct xmsg *x, const char *method, const char *target,
    struct xmsg_bytes body, int *status, struct xmsg_bytes *answer);
struct xmsg_op *xmsg_http_start(struct xmsg *x, const char *method,
    const char *target, struct xmsg_bytes body, int timeout_ms, xmsg_done_fn fn,
    void *arg);

/* Percent-encode one segment of a target or one value of a query; for free(3),
 * NULL when out of memory. */
char *xmsg_encode(const char *s);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
