/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Histograms of durations. */
#include "hist.h"

#define US 1000LL
#define MS (1000 * US)
#define S  (1000 * MS)

const int64_t hist_bounds[HIST_BOUNDS] = {100 * US, 250 * US, 500 * US, 1 * MS,
    2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
    1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S, 60 * S};

/* Count one. */
void
hist_add(struct hist *h, int64_t ns)
{
	size_t i = 0;

	if (ns < 0)
		ns = 0;
	while (i < HIST_BOUNDS && ns > hist_bounds[i])
		i++;
	h->n[i]++;
	h->sum_ns += (uint64_t)ns;
}
