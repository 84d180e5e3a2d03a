/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * beanstalkd: a tube for each queue.
 *
 *   caller, requests:  put
 *   server, reading:   reserve (one job); when its reply was taken, delete and
 *                      the next reserve in one write
 *   server, replies:   use inbox and put, in one write
 *   caller, replies:   reserve; delete and the next reserve in one write
 *
 * Two connections each, because one that waits can do nothing else, and because
 * a job can only be deleted by the connection that reserved it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "xalloc.h"

/* A connection pair: one for putting, one for reserving. */
struct pair {
	struct link put, get;
	char job[32]; /* reserved and not deleted */
};

/* Bytes of the first line, its end included; 0 when there is none. */
static size_t
line_of(const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);

	return end == NULL ? 0 : (size_t)(end - p) + 1;
}

/* Not what was asked for. */
static void
bad_answer(struct link *l, const char *p, size_t n)
{
	eng_fault(l->rig->eng, FAULT_STATUS, "beanstalkd: %.*s",
	    (int)(n > 100 ? 100 : n), p);
}

/* Take one answer off a connection that reserves: a job (true: its number is in
 * `job`), or that one was deleted. */
static bool
take_job(struct link *l, struct str in, size_t *used, char job[32],
    struct str *payload)
{
	char head[64];
	size_t n = line_of(in.p, in.n), body = 0;

	*used = 0;
	if (n == 0)
		return false;
	memcpy(head, in.p, n < sizeof head ? n : sizeof head - 1);
	head[n < sizeof head ? n : sizeof head - 1] = '\0';
	if (strcmp(head, "DELETED\r\n") == 0) {
		*used = n;
		return false;
	}
	if (sscanf(head, "RESERVED %31s %zu", job, &body) != 2) {
		bad_answer(l, in.p, in.n);
		return false;
	}
	if (in.n < n + body + 2)
		return false;
	*payload = (struct str){in.p + n, body};
	*used = n + body + 2;
	return true;
}

/* Put this into the tube in use. */
static void
add_put(struct link *l, struct str payload)
{
	link_addf(l, "put 0 0 120 %zu\r\n", payload.n);
	link_add(l, payload.p, payload.n);
	link_add(l, "\r\n", 2);
}

/* Done with the job; the next one. */
static void
next_job(struct pair *b)
{
	link_addf(&b->get, "delete %s\r\nreserve\r\n", b->job);
	link_flush(&b->get);
}

/* Watch a tube, and wait for its first job. */
static void
watch_tube(struct link *l, const char *tube)
{
	link_addf(l, "watch %s\r\nignore default\r\n", tube);
	link_ask(l, 2, "WATCHING");
	link_addf(l, "reserve\r\n");
	link_flush(l);
}

/* ---- servers ---- */

/* A request came: reply. */
static size_t
request_came(struct link *l, const char *p, size_t n)
{
	struct server *s = l->arg;
	struct pair *b = s->own;
	struct str payload;
	struct caller *c;
	size_t used;

	if (!take_job(l, (struct str){p, n}, &used, b->job, &payload))
		return used;
	c = rig_request(s, payload);
	if (c != NULL) {
		link_addf(&b->put, "use %s\r\n", c->inbox);
		add_put(&b->put, payload);
		link_flush(&b->put);
	}
	return used;
}

/* The reply is taken: done with the request. */
static size_t
reply_taken(struct link *l, const char *p, size_t n)
{
	struct server *s = l->arg;
	size_t used = line_of(p, n);

	if (used == 0 || strncmp(p, "USING ", 6) == 0)
		return used;
	if (strncmp(p, "INSERTED ", 9) != 0)
		bad_answer(l, p, n);
	else
		next_job(s->own);
	return used;
}

static void
server_open(struct server *s)
{
	struct pair *b = s->own = xcalloc(1, sizeof *b);

	if (link_open(&b->get, s->rig, request_came, s) &&
	    link_open(&b->put, s->rig, reply_taken, s))
		watch_tube(&b->get, s->queue);
}

static void
server_close(struct server *s)
{
	struct pair *b = s->own;

	link_close(&b->get);
	link_close(&b->put);
	free(b);
}

/* ---- callers ---- */

/* Publish. */
static void
call(struct caller *c)
{
	struct pair *b = c->own;

	add_put(&b->put, c->payload);
	link_flush(&b->put);
}

/* The request is taken. */
static size_t
request_taken(struct link *l, const char *p, size_t n)
{
	size_t used = line_of(p, n);

	if (used == 0)
		return 0;
	if (strncmp(p, "INSERTED ", 9) != 0)
		bad_answer(l, p, n);
	else
		rig_confirmed(l->arg);
	return used;
}

/* A reply came. */
static size_t
reply_came(struct link *l, const char *p, size_t n)
{
	struct caller *c = l->arg;
	struct pair *b = c->own;
	struct str payload;
	size_t used;

	if (!take_job(l, (struct str){p, n}, &used, b->job, &payload))
		return used;
	next_job(b);
	rig_replied(c, payload);
	return used;
}

static void
caller_open(struct caller *c)
{
	struct pair *b = c->own = xcalloc(1, sizeof *b);

	b->get.fd = -1;
	if (!link_open(&b->put, c->rig, request_taken, c))
		return;
	link_addf(&b->put, "use %s\r\n", c->queue);
	link_ask(&b->put, 1, "USING");
	if (c->rig->nservers > 0 && link_open(&b->get, c->rig, reply_came, c))
		watch_tube(&b->get, c->inbox);
}

static void
caller_close(struct caller *c)
{
	struct pair *b = c->own;

	link_close(&b->put);
	link_close(&b->get);
	free(b);
}

const struct peer peer_beanstalkd = {
    .name = "beanstalkd",
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
