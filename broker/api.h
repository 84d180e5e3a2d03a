/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What clients can ask for: the stock protocol (api.c, api_look.c) and /v1
 * (api_v1.c), each a table of operations and their handlers.  A handler gets the
 * decoded request and either answers or leaves a struct call behind that will.
 */
#ifndef XMSG_API_H
#define XMSG_API_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "http.h"
#include "mswitch.h"
#include "wire.h"

struct api {
	struct mswitch *m;
	struct trace *trace;
	struct store *store;
	struct http *http;
	struct deadlines *deadlines;
	int64_t start_ns, start_wall_ns; /* of the process */
	int64_t trace_entries; /* events in an answer to /trace */
	int64_t poll_max_ns; /* longest poll */
	int64_t max_queues_per_poll;
	bool degraded;
	char boot_id[37];
	const char *socket;
	uid_t uid; /* ours: may see what root may */
	/* limits, for the status page: name, value, use */
	const struct http_config *http_config;
	void (*wake)(void *ctx);
	void (*shutdown)(void *ctx, const char *by);
	void *ctx;
	/* private */
	struct buf out; /* bodies of answers are built here */
	struct str *names;
	struct call *spare; /* one call kept for the next request */
	uint64_t nrequests, nerrors;
};

/* A connection, for the api. */
struct peer {
	struct client client; /* first member */
	struct http_conn *conn;
	struct api *api;
	struct call *call; /* the request under way, or NULL */
	gid_t gid;
};

/* Which events are wanted. */
struct event_filter {
	uint32_t kinds; /* bits 1 << ring_type, 0: all */
	int64_t id; /* of a message, or of the request it answers; 0: all */
	struct str queue; /* p == NULL: all */
	struct str prefix; /* of the queue */
};

/* What an act on messages carries along; which messages are meant. */
struct act;
struct msg_filter;

/* A request that is not answered yet. */
struct call {
	union {
		struct change change;
		struct poll poll;
		struct trace_wait wait;
	} u; /* first member */
	struct api *api;
	struct peer *peer; /* NULL: the client has left */
	enum { CALL_CHANGE, CALL_POLL, CALL_WAIT } kind;
	enum wire_op op;
	int64_t arg, until_ns;
	uint64_t after;
	size_t count, limit;
	bool flag;
	int64_t n1;
	char *name; /* owned, NUL-terminated, or NULL */
	size_t name_n;
	struct diag_item *items;
	struct event_filter filter; /* its names are in body */
	struct act *act; /* owned, or NULL */
	struct msg_filter *chosen; /* owned, or NULL */
	struct buf body;
};

void api_init(struct api *a);
void api_fini(struct api *a);
extern const struct http_handler api_handler; /* ctx: struct api */

/* End the connection in place of an answer, for want of memory. */
void api_drop(struct peer *p);

/* ---- shared by the api's files ---- */
struct call *call_new(struct peer *p, int kind);
/* Free a call that has been answered or abandoned. */
void call_free(struct call *c);
/* The answer of a call; frees it. */
void call_reply(struct call *c, int status, const char *type, struct str body);
/* {"error":..} with a status. */
void api_error(struct peer *p, int status, const char *code,
    const char *message, const char *hint);
/* The error for a change that did not work out. */
void api_ms_error(struct peer *p, enum ms_rc rc, const char *limit);
void api_reply(struct peer *p, int status, const char *type, struct str body);
struct buf *api_out(struct api *a); /* empty */

/* api_v1_act.c */
void act_free(struct act *act);
/* api_look.c */
void api_diagnostics(struct peer *p);
void api_trace(struct peer *p, const struct wire_req *r);
/* api_metrics.c: false when the target is not /metrics. */
bool api_metrics(struct peer *p, const struct http_request *r);
/* api_v1.c: false when the target is not under /v1. */
bool api_v1(struct peer *p, struct http_request *r);

#endif
