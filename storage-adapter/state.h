/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the adapter must not forget: which SRs are attached, under which name
 * the plugin knows them, and which datapath plugin an epoch was opened with.
 * SQLite; a change is on disk when the function returns.  All of it is true
 * for one boot of the machine only, and is dropped at the first start after
 * another.
 */
#ifndef XMSG_STATE_H
#define XMSG_STATE_H

#include <stdint.h>

#include "err.h"

struct state;

/* Open or make state.db in the folder `dir`.  A file that is damaged is set
 * aside as state.db.bad-TIME, and said.  boot: id of this boot.  NULL with the
 * reason when there can be no file at all. */
struct state *state_open(const char *dir, const char *boot, struct err *e);
void state_close(struct state *st);

/* An attached SR. */
struct state_sr {
	const char *queue, *sr, *handle;
	const char *config; /* device config as JSON, secrets masked */
	const char *uids; /* RRD sources: a JSON array */
	int64_t at_ns; /* since 1970 */
};

/* 1 with *out (borrowed until the next call of any of these), 0 when it is not
 * attached, -1 with the reason. */
int state_sr_get(struct state *st, const char *queue, const char *sr,
    struct state_sr *out, struct err *e);
int state_sr_put(struct state *st, const struct state_sr *in, struct err *e);
/* Fine when there is none. */
int state_sr_del(
    struct state *st, const char *queue, const char *sr, struct err *e);
/* Those of a queue, and those of no queue yet (NULL: all), in order. */
int state_sr_each(struct state *st, const char *queue,
    void (*fn)(const struct state_sr *sr, void *arg), void *arg, struct err *e);

/* The datapath plugin of a volume's epoch: 1, 0 when none, -1. */
int state_epoch_get(struct state *st, const char *queue, const char *sr,
    const char *vdi, const char **scheme, struct err *e);
/* NULL scheme: forget. */
int state_epoch_set(struct state *st, const char *queue, const char *sr,
    const char *vdi, const char *scheme, struct err *e);

/* Take over the state file of the original, an s-expression (contract 1.9), for
 * SRs attached before: they belong to no queue yet, and are handed out to
 * whichever queue asks first.  How many, or -1 with the reason. */
int state_import(struct state *st, const char *path, struct err *e);

#endif
