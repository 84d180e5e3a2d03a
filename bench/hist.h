/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A histogram of durations in fixed memory: 64 steps for each power of two, so
 * that a percentile is at most 1.6 % too long, from 1 ns to 18 minutes.
 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

#define HIST_STEPS   64 /* for each power of two */
#define HIST_OCTAVES 35
#define HIST_SLOTS   (HIST_STEPS * HIST_OCTAVES)

struct hist {
	uint64_t slot[HIST_SLOTS];
	uint64_t n;
	int64_t max; /* exact */
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, int64_t ns);
void hist_merge(struct hist *to, const struct hist *from);

/* The duration that `share` (0..1) of all do not exceed; 0 when empty. */
int64_t hist_at(const struct hist *h, double share);

#endif
