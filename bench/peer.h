/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Callers and servers of remote calls, whatever the broker between them speaks.
 *
 * The closed loop, the stamps on the payloads, the checks and the figures are
 * here; a back end (a row of the table in peer.c) only knows how its broker is
 * told things.  All back ends have the same shape: a queue for each server, the
 * callers dealt out over them, a queue of replies for each caller.  A call is
 * durable at every step: the caller has the request confirmed, the server
 * acknowledges the request only after its reply was confirmed (unless the back
 * end says otherwise), the caller acknowledges the reply.  The acknowledgement
 * of a reply and the next call run side by side.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "stage.h"
#include "str.h"

struct rig;

/* A program that calls, or only sends. */
struct caller {
	struct rig *rig;
	unsigned no;
	char queue[64]; /* where its requests go */
	char inbox[64]; /* where its replies come */
	struct str payload; /* of this call */
	int64_t began_ns;
	unsigned long long calls; /* so far; the number of this one */
	bool calling, confirmed, replied;
	void *own; /* the back end's */
};

/* A program that answers one queue. */
struct server {
	struct rig *rig;
	unsigned no;
	char queue[64];
	void *own; /* the back end's */
};

/* A kind of broker.  What goes wrong is told to the engine (eng_fault), which
 * ends the run.  Open functions may block. */
struct peer {
	const char *name;
	/* queues, tables, and whatever else has to be there; may be NULL */
	void (*prepare)(struct rig *g);
	void (*caller_open)(struct caller *c);
	void (*server_open)(struct server *s);
	void (*call)(struct caller *c); /* c->payload to c->queue */
	void (*caller_close)(struct caller *c);
	void (*server_close)(struct server *s);
};

struct rig {
	const struct opts *o;
	const struct peer *peer;
	struct worker *w;
	struct eng *eng;
	struct caller *callers;
	struct server *servers; /* none when only sending */
	unsigned ncallers, nservers;
	unsigned calling; /* calls not ended */
	unsigned long long *served; /* last call served, for each caller */
	void *own; /* the back end's */
};

/* The broker took the caller's message. */
void rig_confirmed(struct caller *c);

/* A reply came to the caller's inbox. */
void rig_replied(struct caller *c, struct str payload);

/* A request came to a server: the caller to be answered, NULL when it cannot
 * be (counted as a fault). */
struct caller *rig_request(struct server *s, struct str payload);

/* Watch a descriptor for reading, and for writing; `first` the first time. */
void rig_watch(struct rig *g, int fd, struct source *s, bool write, bool first);

extern const struct peer peer_beanstalkd, peer_redis, peer_nats, peer_postgres,
    peer_rabbitmq, peer_mosquitto;

#endif
