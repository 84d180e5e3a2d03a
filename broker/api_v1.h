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
#define V1_MOST_PARAMS	 16 /* of a query; more than any route knows */
#define V1_PAGE_BYTES	 ((size_t)4 * 1024 * 1024) /* a page is cut at */

struct purge;
struct undo;

/* A request under /v1, taken apart. */
struct v1 {
	struct peer *p;
	struct api *a;
	struct str seg[V1_MOST_SEGMENTS]; /* behind "v1", decoded */
	size_t nseg;
	struct v1_param {
		struct str name, value; /* decoded */
	} params[V1_MOST_PARAMS];
	size_t nparams;
	struct str body;
	struct str key; /* Idempotency-Key, n == 0: none */
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
/* A queue's name on its way in: by the rules of the stock protocol. */
bool v1_good_name(const struct v1 *v, struct str s);
/* May this peer see what is not redacted? */
bool v1_privileged(const struct peer *p);
/* Begin and send an answer that is one object. */
struct jsonw v1_start(const struct v1 *v);
void v1_finish(const struct v1 *v, struct jsonw *w);

/* Put a page of a ring from a place on, at most `limit` (above 0) of those that
 * `put` says yes to: how many.  The place moves to where the next page begins. */
typedef bool (*v1_put_fn)(
    struct jsonw *w, const struct ring_event *e, const void *arg);
size_t v1_put_ring(struct jsonw *w, const struct ring *r,
    struct ring_cursor *at, size_t limit, v1_put_fn put, const void *arg);

/* ---- choosing messages: api_v1_filter.c ---- */
#define FILTER_TEXT 255 /* bytes of a text to choose by */
struct msg_filter {
	int state; /* enum msg_state, 0: all */
	int64_t before_s; /* sent before this time, 0: all */
	int64_t min_size, max_size, up_to; /* bytes; id */
	char method[FILTER_TEXT], origin[FILTER_TEXT], grep[FILTER_TEXT];
	size_t method_n, origin_n, grep_n; /* 0: all */
	bool prefix; /* the method need only begin so */
};
/* The conditions as they come: not given when p == NULL, or a number below 0. */
struct msg_choice {
	struct str state, method, origin, grep;
	int64_t older_s, min_size, max_size, up_to;
};
#define MSG_CHOICE                                                             \
	(struct msg_choice)                                                    \
	{                                                                      \
		.older_s = -1, .min_size = -1, .max_size = -1, .up_to = -1     \
	}
enum msg_state { V1_READY = 1, V1_DELIVERED, V1_HELD, V1_LEAVING };
enum msg_state v1_state(const struct msg *msg);
const char *v1_state_name(enum msg_state s);
/* False when malformed: *bad names what is. */
bool filter_set(struct msg_filter *f, const struct api *a,
    const struct msg_choice *choice, const char **bad);
/* What the index knows, and what shows when the message has been read. */
bool filter_msg(const struct msg_filter *f, const struct msg *msg);
bool filter_read(const struct msg_filter *f, const struct store_msg *sm);
/* Must it be read?  How much of it, for one page; 0: as much as usual. */
bool filter_reads(const struct msg_filter *f);
int64_t filter_page_bytes(const struct msg_filter *f);

/* ---- choosing events: api_v1_events.c ---- */

/* The filter of a request; false when malformed (answered).  Its names point
 * into the request. */
bool v1_event_filter(const struct v1 *v, struct event_filter *f);
/* Does it choose this event? */
bool event_wanted(const struct event_filter *f, const struct ring_event *e);
/* Where the last `most` of those it chooses begin, from number `from` on. */
uint64_t events_last(const struct ring *r, const struct event_filter *f,
    uint64_t from, uint64_t most);

/* ---- acts on messages: api_v1_act.c ---- */

/* What an act carries along, until its call is freed. */
struct act {
	char *by, *reason, *note; /* who; why, may be empty; for the recorder */
	char *reply_to; /* cancel: the caller's queue */
	size_t reply_to_n;
	struct buf failure; /* cancel: what the caller gets */
	int64_t number;
	struct purge *purge;
	struct undo *undo;
};
/* done by the peer, or by who, if that is given. */
struct act *act_new(
    const struct v1 *v, const char *done, struct str who, struct str reason);
/* The failure for the caller of this request. */
void act_failure(
    const struct act *act, struct buf *failure, struct str payload);
/* A call for a change, with a copy of a name. */
struct call *v1_change(
    const struct v1 *v, void (*done)(struct change *), struct str name);

/* ---- a change, then a poll: api_v1_turn.c ---- */
/* The poll that is asked for after a reply; NULL: none.  false: answered. */
bool turn_after_reply(const struct v1 *v, struct turn **t);
/* The change of a call with a turn is durable; name is the message's queue. */
void turn_done(struct call *c, int64_t id, bool duplicate);
void v1_post_message(const struct v1 *v);

/* Handlers.  api_v1_look.c */
void v1_get_messages(const struct v1 *v);
void v1_get_message(const struct v1 *v);
void v1_get_clients(const struct v1 *v);
/* api_v1_events.c */
void v1_get_events(const struct v1 *v);
/* api_v1_chart.c */
void v1_get_chart(const struct v1 *v);
/* api_v1_acts.c */
void acts_asked(const struct v1 *v, const char *verb);
void v1_get_acts(const struct v1 *v);
/* api_v1_act.c */
void v1_put_queue(const struct v1 *v);
void v1_delete_queue(const struct v1 *v);
void v1_delete_message(const struct v1 *v);
void v1_post_reply(const struct v1 *v);
void v1_post_hold(const struct v1 *v);
void v1_post_release(const struct v1 *v);
void v1_post_requeue(const struct v1 *v);
void v1_post_cancel(const struct v1 *v);
void v1_post_pause(const struct v1 *v);
void v1_post_resume(const struct v1 *v);
/* api_v1_purge.c */
void v1_post_purge(const struct v1 *v);
void purge_free(struct purge *g);
/* api_v1_undo.c */
void v1_get_removed(const struct v1 *v);
void v1_post_restore(const struct v1 *v);
void v1_post_restore_all(const struct v1 *v);
void undo_free(struct undo *u);

#endif
