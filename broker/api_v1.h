/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the handlers under /v1 share.
 */
#ifndef XMSG_API_V1_H
#define XMSG_API_V1_H

#include "api.h"
#include "jsonw.h"

#define V1_JSON		 "application/json"
#define V1_MOST_SEGMENTS 6

/* A request under /v1, taken apart. */
struct v1 {
	struct peer *p;
	struct api *a;
	struct str seg[V1_MOST_SEGMENTS]; /* behind "v1", decoded */
	size_t nseg;
	struct str query, body;
};

/* The value of a query parameter, decoded; p == NULL: it is not there. */
struct str v1_param(const struct v1 *v, const char *name);
/* A number from the query, def when absent; false when malformed (answered). */
bool v1_param_int(const struct v1 *v, const char *name, int64_t def,
    int64_t min, int64_t max, int64_t *out);
/* The queue and the id that the path names; NULL and false: answered. */
struct queue *v1_queue(const struct v1 *v);
bool v1_id(const struct v1 *v, int64_t *id);
/* May this peer see what is not redacted? */
bool v1_privileged(const struct peer *p);
/* Begin and send an answer that is one object. */
struct jsonw v1_start(const struct v1 *v);
void v1_finish(const struct v1 *v, struct jsonw *w);

/* api_v1_look.c: handlers. */
void v1_get_messages(const struct v1 *v);
void v1_get_message(const struct v1 *v);
void v1_get_events(const struct v1 *v);
void v1_get_clients(const struct v1 *v);

#endif
