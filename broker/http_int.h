/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the files of the HTTP connections share, and nobody else uses.
 */
#ifndef XMSG_HTTP_INT_H
#define XMSG_HTTP_INT_H

#include "http.h"

#include <sys/queue.h>

#include <event2/event_struct.h>

#include "buf.h"
#include "map.h"

/* An answer that must wait for those before it. */
struct early {
	struct early *next; /* with a higher number */
	uint32_t number;
	struct buf bytes;
};

struct http_conn {
	struct event ev; /* first: most of the size */
	struct deadline slow;
	struct http *http;
	void *user;
	struct http1 *parser; /* of an incomplete request, else NULL */
	struct buf in, out;
	size_t out_at;
	struct early *early;
	uint32_t begun, answered; /* number of the last request, so far */
	int64_t since, began_ns;
	struct http_use use;
	uid_t uid;
	int fd;
	short armed;
	bool busy, closing, dead, queued, parsing;
	bool held; /* what comes next must wait for all that is under way */
	bool gathering; /* `out` is written at the end of the turn */
	bool parked; /* the request under way may take long */
	bool half; /* the peer has left; one answer is still due */
	TAILQ_ENTRY(http_conn) all;
	TAILQ_ENTRY(http_conn) todo; /* to go on with, or to be freed */
};

TAILQ_HEAD(conn_list, http_conn);

/* Connections per user. */
struct uid_ent {
	UT_hash_handle hh;
	uid_t uid;
	int64_t n;
};

struct http {
	struct http_config c;
	struct event *listener;
	struct deadline retry;
	int64_t retry_ns; /* how long it waits, the next time longer */
	struct conn_list all, todo;
	struct uid_ent *uids;
	struct http_counters n;
	int64_t now_ns;
	int spare; /* descriptor given up to tell a client that there is none */
	bool told;
	char *scratch;
};

/* http.c: requests that were begun and are not answered? */
bool http_pending(const struct http_conn *c);
/* Must the next request wait? */
bool http_blocked(const struct http_conn *c);
/* Has the peer left so much unread that it gets no more? */
bool http_choked(const struct http_conn *c);
/* Watch for what matters now. */
void http_arm(struct http_conn *c);
/* Look at it again at the end of the turn. */
void http_enqueue(struct http_conn *c);

/* http_out.c: send what is left; drops the connection when the peer is gone. */
void http_flush(struct http_conn *c);
/* Let go of the first early answer; its bytes go to `out`, if it is given. */
void http_drop_early(struct http_conn *c, struct buf *out);

/* http_accept.c: a user has one connection less. */
void http_uid_drop(struct http *h, uid_t uid);

#endif
