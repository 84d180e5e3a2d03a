/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Histograms of durations, with fixed bounds from 100 us to 60 s, for the metrics.
 * To add one costs a few nanoseconds and no memory.
 */
#ifndef XMSG_HIST_H
#define XMSG_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_BOUNDS 18

/* Upper bounds, ns, ascending, inclusive; above the last is one bucket more. */
extern const int64_t hist_bounds[HIST_BOUNDS];

struct hist {
	uint64_t n[HIST_BOUNDS + 1]; /* in each bucket, not summed up */
	uint64_t sum_ns;
};

/* Negative durations count as 0. */
void hist_add(struct hist *h, int64_t ns);

#endif
