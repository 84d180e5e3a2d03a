/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Answers on their way out: at once when the socket takes them, in order, and
 * those that come together in one write.  What the socket does not take is kept
 * with the connection.
 */
#include "http_int.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "log.h"
#include "xalloc.h"

/* Send what is left; drops the connection when the peer is gone. */
void
http_flush(struct http_conn *c)
{
	ssize_t n;

	while (!c->dead && c->out_at < c->out.n) {
		n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN) {
			http_drop(c);
			return;
		}
		if (n == -1)
			break;
		c->out_at += (size_t)n;
		c->use.bytes_out += (uint64_t)n;
	}
	if (c->out_at == c->out.n) {
		buf_fini(&c->out);
		c->out_at = 0;
		if (c->closing && !http_pending(c))
			http_drop(c);
	} else if (c->out_at >= c->http->c.max_pending &&
	    c->out_at >= c->out.n / 2) { /* or a long reply is moved often */
		buf_drain(&c->out, c->out_at);
		c->out_at = 0;
	}
	if (!c->dead && c->in.n > 0 && !http_choked(c))
		http_enqueue(c);
	http_arm(c);
}

/* Keep what the socket did not take. */
static void
keep(struct http_conn *c, const struct iovec v[2], size_t sent)
{
	for (int i = 0; i < 2; i++) {
		size_t skip = sent < v[i].iov_len ? sent : v[i].iov_len;

		buf_add(
		    &c->out, (char *)v[i].iov_base + skip, v[i].iov_len - skip);
		sent -= skip;
	}
	if (!buf_ok(&c->out)) {
		log_warn(
		    "http", "no memory for a reply of %zu bytes", v[1].iov_len);
		http_drop(c);
	}
}

/* Head and body in one system call when the socket takes them. */
static void
send_reply(struct http_conn *c, const struct iovec v[2])
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v,
	    .msg_iovlen = v[1].iov_len ? 2 : 1};
	ssize_t n = 0;

	if (c->out.n == c->out_at) {
		do
			n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (n == -1 && errno == EINTR);
		if (n == -1 && errno != EAGAIN) {
			http_drop(c);
			return;
		}
		if (n == -1)
			n = 0;
		c->use.bytes_out += (uint64_t)n;
		if ((size_t)n == v[0].iov_len + v[1].iov_len) {
			if (c->closing)
				http_drop(c);
			return;
		}
	}
	keep(c, v, (size_t)n);
	http_arm(c);
}

/* An answer before its turn. */
static void
keep_early(struct http_conn *c, uint32_t number, const struct iovec v[2])
{
	struct early *e = xcalloc(1, sizeof *e), **at = &c->early;

	while (*at != NULL && (int32_t)((*at)->number - number) < 0)
		at = &(*at)->next;
	e->next = *at;
	e->number = number;
	buf_add(&e->bytes, v[0].iov_base, v[0].iov_len);
	buf_add(&e->bytes, v[1].iov_base, v[1].iov_len);
	*at = e;
}

/* Let go of the first early answer; its bytes go to `out`, if it is given. */
void
http_drop_early(struct http_conn *c, struct buf *out)
{
	struct early *e = c->early;

	c->early = e->next;
	if (out != NULL && buf_ok(&e->bytes))
		buf_add(out, e->bytes.p, e->bytes.n);
	else if (out != NULL)
		out->failed = true;
	buf_fini(&e->bytes);
	free(e);
}

/* The answer to a request, when it is its turn; with it those that waited for
 * it.  Is another one due soon, they are written together. */
static void
answer(struct http_conn *c, uint32_t number, const struct iovec v[2])
{
	if (number != c->answered + 1) {
		keep_early(c, number, v);
		return;
	}
	c->answered++;
	if (!http_pending(c) && !c->gathering) {
		send_reply(c, v);
		return;
	}
	c->gathering = true;
	http_enqueue(c);
	keep(c, v, 0);
	while (!c->dead && c->early != NULL &&
	    c->early->number == c->answered + 1) {
		c->answered++;
		http_drop_early(c, &c->out);
	}
	if (!c->dead && !buf_ok(&c->out))
		http_drop(c);
}

/* Answer a request that is under way, with fields of its own. */
static void
reply(struct http_conn *c, uint32_t number, int status, const char *type,
    struct str fields, struct str body)
{
	struct buf head = BUF_INIT;
	struct iovec v[2];

	if (c->dead)
		return;
	if (number == c->begun)
		c->busy = c->parked = false;
	http1_put_reply(&head, status, type,
	    c->closing && type != NULL && number == c->begun, body.n);
	if (buf_ok(&head) && fields.n > 0) {
		head.n -= 2; /* the empty line comes behind them */
		buf_add(&head, fields.p, fields.n);
		buf_adds(&head, "\r\n");
	}
	v[0] = (struct iovec){head.p, head.n};
	v[1] = (struct iovec){(void *)(uintptr_t)body.p, body.n};
	if (buf_ok(&head))
		answer(c, number, v);
	else
		http_drop(c);
	buf_fini(&head);
	if (c->dead || c->parsing)
		return;
	if (c->in.n > 0 && !http_blocked(c))
		http_enqueue(c);
	http_arm(c);
}

/* Answer the request that was begun last, with fields of its own. */
void
http_reply_with(struct http_conn *c, int status, const char *type,
    struct str fields, struct str body)
{
	reply(c, c->begun, status, type, fields, body);
}

/* Answer one that was begun before it, too. */
void
http_reply_to(struct http_conn *c, uint32_t number, int status,
    const char *type, struct str body)
{
	reply(c, number, status, type, (struct str){NULL, 0}, body);
}

/* Answer the request that was begun last. */
void
http_reply(struct http_conn *c, int status, const char *type, struct str body)
{
	http_reply_with(c, status, type, (struct str){NULL, 0}, body);
}
