/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Messages whose handling ends the adapter (promises R16).  Which message is in
 * hand is noted in a mapped file while our own code works on it, and not while
 * its scripts run: whoever ends the adapter then is to blame.  A few stores to
 * memory; the kernel keeps them when the process dies.
 *
 * A crash (a signal that we see) is our own doing and counts fully.  A SIGKILL
 * may be somebody else's, at a bad moment, or the kernel's, because of the
 * memory that the message needs: it takes many to condemn a message.
 */
#ifndef XMSG_POISON_H
#define XMSG_POISON_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define POISON_CRASHES 3 /* crashes that condemn a message */
#define POISON_KILLS   24 /* kills with it in hand that do */

struct poison;

/* Map or make in_hand in `dir`; what was in hand at the end of the process
 * before counts one more.  NULL with the reason. */
struct poison *poison_open(const char *dir, struct err *e);
void poison_close(struct poison *p);

/* Work on this message begins; ends. */
void poison_enter(struct poison *p, const char *queue, int64_t id);
void poison_leave(struct poison *p);

/* The process is about to end by a signal; from its handler. */
void poison_crash(struct poison *p);

/* Has it ended the adapter too often? */
bool poison_is(const struct poison *p, const char *queue, int64_t id);
/* It has been answered. */
void poison_forget(struct poison *p, const char *queue, int64_t id);

#endif
