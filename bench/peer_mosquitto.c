/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Mosquitto: MQTT with QoS 1, sessions that stay.  One connection each.
 *
 *   caller:  publish, wait for PUBACK; a reply is acknowledged by the library
 *   server:  publish the reply; the library acknowledges the request as soon as
 *            that was handed over, before it is confirmed
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "peer.h"
#include "xalloc.h"

#define KEEPALIVE_S 600
#define PACKETS	    64 /* to one turn */
#define READY_MS    10000

struct mqtt {
	struct source src;
	struct rig *rig;
	struct mosquitto *m;
	struct caller *caller; /* whose it is: one of the two */
	struct server *server;
	bool waits_to_write;
	bool ready; /* connected, or subscribed */
};

/* Something failed. */
static void
failed(struct mqtt *x, const char *what, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS)
		eng_fault(x->rig->eng, FAULT_STATUS, "mosquitto: %s: %s", what,
		    mosquitto_strerror(rc));
}

/* Write what waits, and watch for more. */
static void
flush(struct mqtt *x)
{
	bool want;

	if (mosquitto_want_write(x->m))
		failed(x, "write", mosquitto_loop_write(x->m, PACKETS));
	want = mosquitto_want_write(x->m);
	if (want != x->waits_to_write && mosquitto_socket(x->m) >= 0) {
		x->waits_to_write = want;
		rig_watch(x->rig, mosquitto_socket(x->m), &x->src, want, false);
	}
}

/* Publish to a queue's topic. */
static void
publish(struct mqtt *x, const char *topic, struct str payload)
{
	failed(x, "publish",
	    mosquitto_publish(
		x->m, NULL, topic, (int)payload.n, payload.p, 1, false));
}

/* A PUBACK. */
static void
on_publish(struct mosquitto *m, void *arg, int mid)
{
	struct mqtt *x = arg;

	(void)m;
	(void)mid;
	if (x->caller != NULL)
		rig_confirmed(x->caller);
}

/* A message. */
static void
on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *msg)
{
	struct str payload = {msg->payload, (size_t)msg->payloadlen};
	struct mqtt *x = arg;
	struct caller *c;

	(void)m;
	if (x->caller != NULL)
		rig_replied(x->caller, payload);
	else if ((c = rig_request(x->server, payload)) != NULL)
		publish(x, c->inbox, payload);
}

/* Connected. */
static void
on_connect(struct mosquitto *m, void *arg, int rc)
{
	struct mqtt *x = arg;

	(void)m;
	failed(x, "connect", rc);
	x->ready = true;
}

/* Subscribed. */
static void
on_subscribe(struct mosquitto *m, void *arg, int mid, int n, const int *granted)
{
	struct mqtt *x = arg;

	(void)m;
	(void)mid;
	(void)n;
	failed(x, "subscribe", granted[0] == 1 ? 0 : MOSQ_ERR_PROTOCOL);
	x->ready = true;
}

/* Something to read or write. */
static void
ready(struct source *s, uint32_t events)
{
	struct mqtt *x = (struct mqtt *)s;

	if (events & ~(uint32_t)EPOLLOUT)
		failed(x, "read", mosquitto_loop_read(x->m, PACKETS));
	flush(x);
}

/* Wait for what was asked, outside the loop. */
static void
wait_ready(struct mqtt *x, const char *what)
{
	int i;

	for (i = 0; i < READY_MS / 100 && !x->ready; i++)
		failed(x, what, mosquitto_loop(x->m, 100, 1));
	if (!x->ready)
		failed(x, what, MOSQ_ERR_TIMEOUT);
	x->ready = false;
}

/* Connect under a name, with a session that stays; subscribe. */
static struct mqtt *
mqtt_open(struct rig *g, const char *name, const char *topic)
{
	struct mqtt *x = xcalloc(1, sizeof *x);
	char host[100] = "";
	int port = 0;

	x->src.ready = ready;
	x->rig = g;
	x->m = mosquitto_new(name, false, x);
	if (x->m == NULL ||
	    sscanf(g->o->socket, "%99[^:]:%d", host, &port) != 2) {
		failed(x, "open", MOSQ_ERR_INVAL);
		return x;
	}
	mosquitto_connect_callback_set(x->m, on_connect);
	mosquitto_subscribe_callback_set(x->m, on_subscribe);
	mosquitto_publish_callback_set(x->m, on_publish);
	mosquitto_message_callback_set(x->m, on_message);
	mosquitto_max_inflight_messages_set(x->m, 0);
	failed(x, "set nodelay",
	    mosquitto_int_option(x->m, MOSQ_OPT_TCP_NODELAY, 1));
	failed(x, "connect", mosquitto_connect(x->m, host, port, KEEPALIVE_S));
	if (!g->eng->broken)
		wait_ready(x, "connect");
	if (topic != NULL && !g->eng->broken) {
		failed(
		    x, "subscribe", mosquitto_subscribe(x->m, NULL, topic, 1));
		wait_ready(x, "subscribe");
	}
	return x;
}

/* From now on the loop reads. */
static void
mqtt_begin(struct mqtt *x)
{
	if (!x->rig->eng->broken)
		rig_watch(x->rig, mosquitto_socket(x->m), &x->src, false, true);
}

static void
mqtt_close(struct mqtt *x)
{
	if (x->m != NULL)
		mosquitto_destroy(x->m);
	free(x);
}

static void
server_open(struct server *s)
{
	struct mqtt *x = s->own = mqtt_open(s->rig, s->queue, s->queue);

	x->server = s;
	mqtt_begin(x);
}

static void
server_close(struct server *s)
{
	mqtt_close(s->own);
}

/* A caller.  Who only sends needs somebody who is away and for whom the
 * messages are kept. */
static void
caller_open(struct caller *c)
{
	bool calls = c->rig->nservers > 0;
	struct mqtt *x;
	char away[100];

	if (!calls) {
		snprintf(away, sizeof away, "%s.away", c->queue);
		mqtt_close(mqtt_open(c->rig, away, c->queue));
	}
	if (c->rig->eng->broken)
		return;
	x = c->own = mqtt_open(c->rig, c->inbox, calls ? c->inbox : NULL);
	x->caller = c;
	mqtt_begin(x);
}

static void
caller_close(struct caller *c)
{
	mqtt_close(c->own);
}

/* Publish. */
static void
call(struct caller *c)
{
	struct mqtt *x = c->own;

	publish(x, c->queue, c->payload);
	flush(x);
}

/* The library's own state. */
static void
prepare(struct rig *g)
{
	(void)g;
	mosquitto_lib_init();
}

const struct peer peer_mosquitto = {
    .name = "mosquitto",
    .prepare = prepare,
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
