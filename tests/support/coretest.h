/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The core under test: over the volatile store behind one that can fail, with a
 * clock that the test moves and no sockets.  mswitch_check runs after every
 * step.
 */
#ifndef XMSG_TESTS_CORETEST_H
#define XMSG_TESTS_CORETEST_H

#include "mswitch.h"
#include "support/faultstore.h"

#define CT_MOST 64

struct ct {
	struct faultstore fs;
	struct deadlines deadlines;
	struct trace trace;
	void *ring_mem;
	struct ms_limits limits; /* what ct_start uses */
	struct mswitch *m;
	int64_t now_ns, wall_ns;
	int loaded; /* 1: well, -1: not */
};

/* A message that a poll gave. */
struct ct_msg {
	int64_t id, at_ns, re_id;
	char queue[32], payload[32], reply_to[32], re_queue[32], origin[32];
	bool reply;
	int held, deliveries;
};

/* A connection and its poll. */
struct ct_client {
	struct client client;
	struct poll poll;
	struct ct *t;
	struct ct_msg got[CT_MOST];
	size_t ngot; /* may be larger than CT_MOST */
	int done;
	enum ms_rc rc;
	int64_t next;
};

/* A change and what came of it. */
struct ct_change {
	struct change ch; /* first member */
	int done;
	enum ms_rc rc;
};

/* For cmocka: *state is a struct ct. */
int ct_setup(void **state);
int ct_teardown(void **state);

/* A core over what the store holds; ends it again. */
void ct_start(struct ct *t);
void ct_stop(struct ct *t);
void ct_restart(struct ct *t);
/* Store and index hold the same. */
void ct_same(struct ct *t);

/* End of turn: until nothing is left to do. */
void ct_turn(struct ct *t);
/* Only commit, or only hand out. */
void ct_kick(struct ct *t);
/* Let time pass and do what is due. */
void ct_pass(struct ct *t, int64_t ns);

/* Connections. */
void ct_open(struct ct *t, struct ct_client *c, const char *token);
void ct_close(struct ct *t, struct ct_client *c);

/* Start a change; ct_end gives what it came to, having run a turn when it was
 * under way. */
struct ct_change *ct_new(void);
enum ms_rc ct_end(struct ct *t, struct ct_change *x, enum ms_rc rc);
void ct_free(struct ct_change *x);

/* Whole ways. c may be NULL. */
enum ms_rc ct_create(
    struct ct *t, struct ct_client *c, const char *name, bool transient);
enum ms_rc ct_destroy(struct ct *t, const char *name);
/* The id, or -1 - rc. */
int64_t ct_publish(struct ct *t, const char *queue, const char *payload);
enum ms_rc ct_ack(struct ct *t, const char *queue, int64_t id);
enum ms_rc ct_mark(struct ct *t, const char *queue, int64_t id, int held);

enum ms_rc ct_pause(struct ct *t, const char *queue, bool paused);

/* Begin one; the change must live until it is done. */
enum ms_rc ct_begin_publish(
    struct ct *t, struct ct_change *x, const char *queue, const char *payload);
enum ms_rc ct_begin_keyed(
    struct ct *t, struct ct_change *x, const char *queue, const char *key);
enum ms_rc ct_begin_reply(struct ct *t, struct ct_change *x, const char *queue,
    const char *re_queue, int64_t re_id);

/* Poll; names end with NULL.  Parks for 10 s when there is nothing. */
enum ms_rc ct_poll(
    struct ct *t, struct ct_client *c, int64_t from, const char *const *names);
/* The same, of one queue, whole way and no parking; how many came. */
size_t ct_get(
    struct ct *t, struct ct_client *c, int64_t from, const char *queue);
/* Look at messages of a queue. */
enum ms_rc ct_look(struct ct *t, struct ct_client *c, const char *queue,
    int64_t from, size_t most);

#endif
