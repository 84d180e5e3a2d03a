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
#define V1_PAGE_BYTES	 ((size_t)4 * 1024 * 1024) /* a page is cut at */

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
/* A field of a request's body. */
struct v1_field {
	const char *name;
	enum { V1_TEXT, V1_NUMBER, V1_BOOL } type;
	void *to; /* struct str, int64_t, bool; as it was when absent */
	int64_t min, max; /* of the number; of the text's length */
};
/* Read the body: empty, or an object with these fields and no others.  false:
 * answered.  Texts point into the body. */
bool v1_body(const struct v1 *v, const struct v1_field *f, size_t n);
/* The queue and the id that the path names; NULL and false: answered. */
struct queue *v1_queue(const struct v1 *v);
bool v1_id(const struct v1 *v, int64_t *id);
/* May this peer see what is not redacted? */
bool v1_privileged(const struct peer *p);
/* Begin and send an answer that is one object. */
struct jsonw v1_start(const struct v1 *v);
void v1_finish(const struct v1 *v, struct jsonw *w);

/* Handlers.  api_v1_look.c */
void v1_get_messages(const struct v1 *v);
void v1_get_message(const struct v1 *v);
void v1_get_clients(const struct v1 *v);
/* api_v1_events.c */
void v1_get_events(const struct v1 *v);
/* api_v1_act.c */
void v1_put_queue(const struct v1 *v);
void v1_delete_queue(const struct v1 *v);
void v1_delete_message(const struct v1 *v);
void v1_post_reply(const struct v1 *v);
void v1_post_hold(const struct v1 *v);
void v1_post_release(const struct v1 *v);
void v1_post_requeue(const struct v1 *v);
void v1_post_cancel(const struct v1 *v);

#endif
