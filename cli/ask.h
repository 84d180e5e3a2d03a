/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Asking the broker: its JSON routes, and the translation of everything that
 * can go wrong into an exit status and a sentence (in c->why).
 */
#ifndef XMSG_CLI_ASK_H
#define XMSG_CLI_ASK_H

#include "buf.h"
#include "cli.h"
#include "str.h"
#include "xmsg.h"

struct json_t; /* of jansson, which not all who ask need */

/* "/v1/SEGMENT/SEGMENT...", each encoded. */
#define ask_path(b, ...)                                                       \
	ask_segments(b, (const char *const[]){__VA_ARGS__, NULL})
void ask_segments(struct buf *b, const char *const *segments);

/* One request.  0 and *answer (may be NULL; release with json_decref), or an
 * exit status with c->why.  The target is NUL-terminated by this. */
int ask(struct cli *c, const char *method, struct buf *target, struct str body,
    struct json_t **answer);

/* The same when the broker may wait so long before it answers. */
int ask_wait(struct cli *c, const char *method, struct buf *target,
    struct str body, int wait_ms, struct json_t **answer);

/* A GET whose answer is wanted as it comes (xmsg_bytes_free). */
int ask_bytes(
    struct cli *c, struct buf *target, int wait_ms, struct xmsg_bytes *answer);

/* How much longer an act on so many messages may take the broker. */
int ask_bulk_ms(int64_t messages);

/* The connection, opened when it is first needed; NULL with c->why. */
struct xmsg *ask_xmsg(struct cli *c);

/* From now on a broker that is restarted is waited for, so long. */
#define ASK_PATIENCE_MS 7000
void ask_patiently(struct cli *c);

/* Is there a broker that answers?  0 or CLI_DEAD with c->why. */
int ask_alive(struct cli *c);

/* The exit status of a failed function of libxmsg, with c->why. */
int ask_failed(struct cli *c, int rc);

/* Element i of an array that is a field, NULL behind the last. */
struct json_t *ask_item(const struct json_t *o, const char *key, size_t i);

/* Fields of an answer; absent or of another type: {NULL,0}, def. */
struct str ask_str(const struct json_t *o, const char *key);
int64_t ask_int(const struct json_t *o, const char *key, int64_t def);
double ask_real(const struct json_t *o, const char *key, double def);

#endif
