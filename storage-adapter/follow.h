/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What happens to requests at the switch while they are in hand here: an
 * operator cancels one, and its script must end.  Cancellations are followed as
 * they come; and from time to time every request that takes long, and every
 * folder in the spool that nobody has in hand, is asked for: what the switch
 * does not know any more is ended and cleared.  With a switch that has no /v1
 * nothing is ended.
 */
#ifndef XMSG_FOLLOW_H
#define XMSG_FOLLOW_H

#include "err.h"

struct ctx;
struct follow;

/* Begin.  NULL with the reason. */
struct follow *follow_new(struct ctx *ctx, struct err *e);
void follow_free(struct follow *f);

#endif
