/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Connections as they come: listening, who is there, and how many each user may
 * have.  A client that finds no room is told so; for the case that there are no
 * descriptors left, one is kept in reserve.
 */
#include "http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "wire.h"
#include "xalloc.h"

#define ACCEPT_BURST 64 /* connections taken in one turn */
#define RETRY_NS     (100 * NS_PER_MS) /* accept again after EMFILE */
#define RETRY_MOST   (5 * NS_PER_SEC) /* when that fails again and again */

static struct uid_ent *
uid_get(struct http *h, uid_t uid)
{
	struct uid_ent *u = map_find(h->uids, &uid, sizeof uid);

	if (u == NULL) {
		u = xcalloc(1, sizeof *u);
		u->uid = uid;
		h->uids = map_add(h->uids, u, &u->uid, sizeof u->uid);
	}
	return u;
}

void
http_uid_drop(struct http *h, uid_t uid)
{
	struct uid_ent *u = uid_get(h, uid);

	if (--u->n > 0)
		return;
	h->uids = map_del(h->uids, u);
	free(u);
}

/* Tell a client that it cannot be served, and why. */
static void
turn_away(struct http *h, int fd, const char *why)
{
	struct buf b = BUF_INIT, head = BUF_INIT;

	h->n.refused++;
	wire_put_error(&b, "too_many_connections", why,
	    "close connections that are not needed, or raise the limit");
	http1_put_reply(&head, 503, "application/json", true, b.n);
	buf_add(&head, b.p, b.n);
	/* it may be gone already: that is its own business */
	if (buf_ok(&head) &&
	    send(fd, head.p, head.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
	}
	buf_fini(&b);
	buf_fini(&head);
	close(fd);
}

/* Is there room for one more of this user? NULL, or why not. */
static const char *
no_room(const struct http *h, uid_t uid)
{
	const struct uid_ent *u = map_find(h->uids, &uid, sizeof uid);

	if ((int64_t)h->n.connections >= h->c.max_connections)
		return "limits.connections is reached";
	if (uid != 0 && (u ? u->n : 0) >= h->c.max_connections_per_uid)
		return "limits.connections_per_uid is reached";
	return NULL;
}

static void
take(struct http *h, int fd)
{
	struct usock_peer peer;
	struct http_conn *c;
	const char *why;

	if (usock_peer(fd, &peer) == -1) {
		close(fd);
		return;
	}
	why = no_room(h, peer.uid);
	if (why != NULL) {
		turn_away(h, fd, why);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->http = h;
	c->fd = fd;
	c->uid = peer.uid;
	c->since = h->now_ns;
	TAILQ_INSERT_TAIL(&h->all, c, all);
	uid_get(h, peer.uid)->n++;
	h->n.connections++;
	h->n.accepted++;
	c->user = h->c.handler->open(h->c.ctx, c, &peer);
	if (c->user == NULL)
		http_drop(c);
	http_arm(c);
}

/* Accept again after a while without descriptors. */
static void
retry(struct deadline *d, int64_t now)
{
	struct http *h =
	    (struct http *)((char *)d - offsetof(struct http, retry));

	if (h->listener == NULL)
		return;
	if (h->spare == -1)
		h->spare = dup(event_get_fd(h->listener));
	if (event_add(h->listener, NULL) == 0)
		return;
	log_error("http", "cannot watch the listening socket yet");
	h->retry_ns =
	    h->retry_ns < RETRY_MOST / 2 ? 2 * h->retry_ns : RETRY_MOST;
	deadline_set(h->c.deadlines, &h->retry, now + h->retry_ns);
}

/* No descriptors left: use the spare one to say so, then pause. */
static void
exhausted(struct http *h, int fd)
{
	int c;

	if (!h->told)
		log_error("http",
		    "no file descriptors left: connections"
		    " wait; raise LimitNOFILE");
	h->told = true;
	if (h->spare != -1) {
		close(h->spare);
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c != -1)
			turn_away(h, c, "the broker is out of descriptors");
		h->spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	event_del(h->listener);
	h->retry.fn = retry;
	h->retry_ns = RETRY_NS;
	deadline_set(h->c.deadlines, &h->retry, h->now_ns + RETRY_NS);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;
	int c;

	(void)what;
	h->c.handler->wake(h->c.ctx);
	for (int i = 0; i < ACCEPT_BURST; i++) {
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c != -1) {
			take(h, c);
			h->told = h->told && h->spare == -1;
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			exhausted(h, fd);
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* Begin to accept. */
int
http_listen(struct http *h, int fd, struct err *e)
{
	h->listener =
	    event_new(h->c.base, fd, EV_READ | EV_PERSIST, on_accept, h);
	h->spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (h->listener == NULL || event_add(h->listener, NULL) == -1)
		return err_set(e, ENOMEM, "cannot watch the listening socket");
	return 0;
}

/* No more connections. */
void
http_stop_listening(struct http *h)
{
	if (h->listener != NULL)
		event_free(h->listener);
	h->listener = NULL;
	deadline_clear(h->c.deadlines, &h->retry);
	if (h->spare != -1)
		close(h->spare);
	h->spare = -1;
}
