/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * RabbitMQ: durable classic queues, persistent messages, publisher confirms.
 * One connection with one channel each.
 *
 *   caller:  publish, wait for the confirm; acknowledge the reply
 *   server:  publish the reply, and acknowledge the request when that was
 *            confirmed; --window replies unconfirmed
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "xalloc.h"

#define CHANNEL	  1
#define FRAME_MAX 131072

struct rabbit {
	struct source src;
	struct rig *rig;
	amqp_connection_state_t c;
	struct caller *caller; /* whose it is: one of the two */
	struct server *server;
	struct tasks_line line;
	uint64_t delivery; /* of the message that is coming in */
	uint64_t want; /* bytes of its body */
	struct buf body;
};

/* Something failed. */
static void
failed(struct rabbit *x, const char *what, const char *why)
{
	eng_fault(x->rig->eng, FAULT_STATUS, "rabbitmq: %s: %s", what, why);
}

/* Publish to a queue. */
static void
publish(struct rabbit *x, const char *queue, struct str payload)
{
	amqp_basic_properties_t props = {
	    ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
	    .delivery_mode = AMQP_DELIVERY_PERSISTENT};
	amqp_bytes_t body = {payload.n, (void *)payload.p};
	int rc = amqp_basic_publish(x->c, CHANNEL, amqp_empty_bytes,
	    amqp_cstring_bytes(queue), 0, 0, &props, body);

	if (rc != AMQP_STATUS_OK)
		failed(x, "publish", amqp_error_string2(rc));
}

/* Acknowledge a message. */
static void
acknowledge(struct rabbit *x, uint64_t delivery)
{
	int rc = amqp_basic_ack(x->c, CHANNEL, delivery, 0);

	if (rc != AMQP_STATUS_OK)
		failed(x, "ack", amqp_error_string2(rc));
}

/* ---- servers ---- */

/* Send what may be sent. */
static void
replies_go(struct rabbit *x)
{
	struct task *t;

	while ((t = line_next(&x->line, x->rig->o->window)) != NULL)
		publish(x, t->to->inbox, t->payload);
}

/* A request is whole. */
static void
server_request(struct rabbit *x, struct str payload)
{
	struct caller *c = rig_request(x->server, payload);
	char ref[32];

	snprintf(ref, sizeof ref, "%llu", (unsigned long long)x->delivery);
	if (c != NULL)
		line_add(&x->line, c, str_of(ref), payload);
	replies_go(x);
}

/* The replies with these numbers were confirmed: those up to `tag`, or it
 * alone.  Replies go to several queues, so confirms come in any order. */
static void
server_confirmed(struct rabbit *x, uint64_t tag, bool multiple)
{
	struct task *t;

	while ((t = line_take(&x->line, tag, multiple)) != NULL) {
		acknowledge(x, strtoull(t->ref, NULL, 10));
		free(t);
		if (!multiple)
			break;
	}
	replies_go(x);
}

/* ---- both ---- */

/* A confirm; a caller has one publication outstanding. */
static void
confirm(struct rabbit *x, const amqp_basic_ack_t *ack)
{
	if (x->server != NULL)
		server_confirmed(x, ack->delivery_tag, ack->multiple != 0);
	else
		rig_confirmed(x->caller);
}

/* A message is whole. */
static void
came(struct rabbit *x)
{
	struct str payload = {x->body.p, x->body.n};

	if (x->server != NULL) {
		server_request(x, payload);
		return;
	}
	acknowledge(x, x->delivery);
	rig_replied(x->caller, payload);
}

/* A method that is not part of a message. */
static void
method(struct rabbit *x, const amqp_method_t *m)
{
	const amqp_basic_deliver_t *d = m->decoded;

	switch (m->id) {
	case AMQP_BASIC_ACK_METHOD: confirm(x, m->decoded); break;
	case AMQP_BASIC_DELIVER_METHOD: x->delivery = d->delivery_tag; break;
	default: failed(x, "method", amqp_method_name(m->id));
	}
}

/* One frame. */
static void
frame(struct rabbit *x, const amqp_frame_t *f)
{
	if (f->frame_type == AMQP_FRAME_METHOD)
		method(x, &f->payload.method);
	else if (f->frame_type == AMQP_FRAME_HEADER) {
		x->want = f->payload.properties.body_size;
		buf_reset(&x->body);
		x->body.n = 0;
	} else if (f->frame_type == AMQP_FRAME_BODY) {
		buf_add(&x->body, f->payload.body_fragment.bytes,
		    f->payload.body_fragment.len);
		if (x->body.n >= x->want)
			came(x);
	}
}

/* Something came. */
static void
ready(struct source *s, uint32_t events)
{
	struct rabbit *x = (struct rabbit *)s;
	struct timeval now = {0, 0};
	amqp_frame_t f;
	int rc;

	(void)events;
	do {
		rc = amqp_simple_wait_frame_noblock(x->c, &f, &now);
		if (rc == AMQP_STATUS_OK)
			frame(x, &f);
		else if (rc != AMQP_STATUS_TIMEOUT)
			failed(x, "read", amqp_error_string2(rc));
		amqp_maybe_release_buffers(x->c);
	} while (rc == AMQP_STATUS_OK && !x->rig->eng->broken);
}

/* What a blocking request of the library came to. */
static bool
good(struct rabbit *x, const char *what)
{
	amqp_rpc_reply_t r = amqp_get_rpc_reply(x->c);

	if (r.reply_type == AMQP_RESPONSE_NORMAL)
		return true;
	failed(x, what,
	    r.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION
		? amqp_error_string2(r.library_error)
		: "refused");
	return false;
}

/* A durable queue. */
static void
declare(struct rabbit *x, const char *queue)
{
	amqp_queue_declare(x->c, CHANNEL, amqp_cstring_bytes(queue), 0, 1, 0, 0,
	    amqp_empty_table);
	good(x, "declare");
}

/* Hear what comes to a queue. */
static void
consume(struct rabbit *x, const char *queue, int prefetch)
{
	amqp_basic_qos(x->c, CHANNEL, 0, (uint16_t)prefetch, 0);
	if (!good(x, "qos"))
		return;
	amqp_basic_consume(x->c, CHANNEL, amqp_cstring_bytes(queue),
	    amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
	good(x, "consume");
}

/* Connect, log in, a channel with confirms. */
static struct rabbit *
rabbit_open(struct rig *g)
{
	struct rabbit *x = xcalloc(1, sizeof *x);
	char host[100] = "";
	amqp_socket_t *s;
	int port = 0, on = 1;

	x->src.ready = ready;
	x->rig = g;
	line_init(&x->line);
	x->c = amqp_new_connection();
	s = x->c != NULL ? amqp_tcp_socket_new(x->c) : NULL;
	if (s == NULL || sscanf(g->o->socket, "%99[^:]:%d", host, &port) != 2 ||
	    amqp_socket_open(s, host, port) != AMQP_STATUS_OK) {
		failed(x, "connect", g->o->socket);
		return x;
	}
	setsockopt(amqp_socket_get_sockfd(s), IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof on);
	if (amqp_login(x->c, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN,
		"guest", "guest")
		.reply_type != AMQP_RESPONSE_NORMAL) {
		failed(x, "login", "refused");
		return x;
	}
	amqp_channel_open(x->c, CHANNEL);
	if (good(x, "channel")) {
		amqp_confirm_select(x->c, CHANNEL);
		good(x, "confirm");
	}
	return x;
}

/* From now on the loop reads. */
static void
rabbit_begin(struct rabbit *x)
{
	if (!x->rig->eng->broken)
		rig_watch(x->rig, amqp_get_sockfd(x->c), &x->src, false, true);
}

static void
rabbit_close(struct rabbit *x)
{
	amqp_destroy_connection(x->c);
	line_fini(&x->line);
	buf_fini(&x->body);
	free(x);
}

static void
server_open(struct server *s)
{
	struct rabbit *x = s->own = rabbit_open(s->rig);
	int window = s->rig->o->window;

	x->server = s;
	if (!s->rig->eng->broken)
		declare(x, s->queue);
	if (!s->rig->eng->broken)
		consume(x, s->queue, window > 1 ? window : 0);
	rabbit_begin(x);
}

static void
server_close(struct server *s)
{
	rabbit_close(s->own);
}

static void
caller_open(struct caller *c)
{
	struct rabbit *x = c->own = rabbit_open(c->rig);
	bool calls = c->rig->nservers > 0;

	x->caller = c;
	if (!c->rig->eng->broken)
		declare(x, calls ? c->inbox : c->queue);
	if (calls && !c->rig->eng->broken)
		consume(x, c->inbox, 0);
	rabbit_begin(x);
}

static void
caller_close(struct caller *c)
{
	rabbit_close(c->own);
}

/* Publish. */
static void
call(struct caller *c)
{
	publish(c->own, c->queue, c->payload);
}

const struct peer peer_rabbitmq = {
    .name = "rabbitmq",
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
