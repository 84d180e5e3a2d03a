/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The queue on which the adapter answers operators: JSON-RPC, one table of
 * methods (doc/adapter.md).  Nothing here changes anything, and no secret leaves
 * by it.
 */
#ifndef XMSG_CONTROL_H
#define XMSG_CONTROL_H

#include "err.h"
#include "str.h"

struct control;
struct ctx;

/* Serve ctx->set->control.  NULL with the reason. */
struct control *control_new(struct ctx *ctx, struct err *e);
void control_free(struct control *c);

/* The reply to one request, for free(3); NULL: out of memory. */
char *control_answer(struct control *c, struct str request);

#endif
