/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * How often something happens: events a second over the last seconds, without a
 * timer.  Two windows are counted, the one under way and the one before; of the
 * latter counts what is not yet longer ago than a window.
 */
#ifndef XMSG_RATE_H
#define XMSG_RATE_H

#include <stdint.h>

#define RATE_WINDOW_NS 5000000000LL

struct rate {
	int64_t began_ns; /* of the window under way */
	uint32_t now, before; /* events in it, and in the one before */
};

/* Begin new windows as time goes on. */
static inline void
rate_roll(struct rate *r, int64_t now_ns)
{
	int64_t windows = (now_ns - r->began_ns) / RATE_WINDOW_NS;

	if (windows <= 0)
		return;
	r->before = windows == 1 ? r->now : 0;
	r->now = 0;
	r->began_ns += windows * RATE_WINDOW_NS;
}

/* It has happened. */
static inline void
rate_add(struct rate *r, int64_t now_ns)
{
	rate_roll(r, now_ns);
	r->now++;
}

/* Events a second. */
static inline double
rate_get(struct rate *r, int64_t now_ns)
{
	double left;

	rate_roll(r, now_ns);
	left = (double)(r->began_ns + RATE_WINDOW_NS - now_ns);
	return (r->now + r->before * left / RATE_WINDOW_NS) * 1e9 /
	    RATE_WINDOW_NS;
}

#endif
