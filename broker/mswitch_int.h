/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the files of the core share, and nobody else uses.
 */
#ifndef XMSG_MSWITCH_INT_H
#define XMSG_MSWITCH_INT_H

#include "mswitch.h"

/* mswitch.c: an event of the recorder, with its payload or p == NULL; and one
 * that is only a type, a client, a queue and an id. */
void ms_record_event(
    struct mswitch *m, struct ring_event *e, struct str payload);
void ms_record(struct mswitch *m, enum ring_type t, const struct session *s,
    uint32_t pid, struct str queue, int64_t id);

/* mswitch_change.c: every change begins with init, and ends with end (done is
 * called) or not (it is not). */
struct change *change_of(struct store_op *op);
void change_init(struct mswitch *m, struct change *ch, const struct client *c);
void change_end(struct change *ch, enum ms_rc rc);
enum ms_rc change_not(struct change *ch, enum ms_rc rc);
/* A `done` for a change that nobody waits for: it frees itself. */
void change_free(struct change *ch);
enum ms_rc change_limit(struct change *ch, const char *name);
/* Point two names to a copy that lives as long as the change. */
void change_names(struct change *ch, struct str *a, struct str *b);
/* The last connection of a session is gone. */
void ms_session_ended(void *ctx, struct session *s);
enum ms_rc ms_from_store(enum store_rc rc);

/* mswitch_send.c: fill the first op of a change with a send. */
enum ms_rc send_start(struct mswitch *m, struct change *ch,
    const struct ms_send *s, struct queue *q);
void send_linked_done(struct store_op *op);
/* Wait for the publish under way with this key, or with ch->answer_to, and end
 * with its id. */
enum ms_rc send_wait(struct mswitch *m, struct change *ch, struct str key);
struct kent *keys_add(struct mswitch *m, struct str queue, struct str key);
void keys_del(struct mswitch *m, struct kent *k);

/* mswitch_ack.c */
void ack_fill(struct store_op *op, struct queue *q, struct msg *msg);
void ack_done(struct store_op *op);
void ack_finish(struct mswitch *m, struct change *ch, struct str queue,
    int64_t id, bool ok);
void mswitch_ack_lazy(
    struct mswitch *m, struct client *c, struct queue *q, struct msg *msg);

/* mswitch_poison.c: what a consumer was handed last, and what its end says about
 * that. */
struct batch;
void batch_note(struct mswitch *m, struct poll *p, struct queue *q, int64_t id);
/* The client polls again: it has read its last answer. */
void batch_read(const struct client *c);
void batch_judge(struct mswitch *m, struct session *s);
void batch_free(void *ctx, struct session *s);

/* mswitch_mark.c: a mark of the core's own; takes a copy of the note. */
void mark_hold(struct mswitch *m, struct queue *q, struct msg *msg, int held,
    const char *note);

/* The disk has changed it: keep it from delivery, in memory only, as every read
 * finds it out again. */
void mark_damaged(struct mswitch *m, struct queue *q, struct msg *msg);

/* mswitch.c: the index. */
void msg_again(struct queue *q, struct msg *msg, bool on);
struct queue *queue_add(struct mswitch *m, struct str name, struct str owner);
void queue_remove(struct mswitch *m, struct queue *q);
void queue_unref(struct queue *q);
/* A durable message enters the index; it ends the process when there is no
 * memory for it: an index that lacks what the store has would tell lies. */
struct msg *queue_append(struct mswitch *m, struct queue *q,
    const struct store_msg *sm, struct body *body);
/* The same, at its place among the others, for one that was removed. */
struct msg *queue_put_back(
    struct mswitch *m, struct queue *q, const struct store_op *op);
void queue_drop_msg(struct mswitch *m, struct queue *q, int64_t id);
void queue_note_answered(struct mswitch *m, int64_t request, int64_t reply);
void mswitch_dirty(struct mswitch *m, struct queue *q);

/* Kept from being handed out? */
static inline bool
msg_is_held(const struct msg *msg)
{
	return msg->held > 0;
}

#endif
