/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Durations by slot.  The first HIST_STEPS slots are exact; above them a slot
 * is named by the position of the highest bit and the six bits after it.
 */
#include "hist.h"

#include <string.h>

#define STEP_BITS 6 /* log2 of HIST_STEPS */

/* Which slot a duration belongs to. */
static unsigned
slot_of(uint64_t ns)
{
	unsigned shift, slot;

	if (ns < HIST_STEPS)
		return (unsigned)ns;
	shift = 63u - (unsigned)__builtin_clzll(ns) - STEP_BITS;
	slot = (shift + 1) * HIST_STEPS +
	    ((unsigned)(ns >> shift) & (HIST_STEPS - 1));
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The longest duration in a slot. */
static int64_t
slot_end(unsigned slot)
{
	unsigned shift = slot / HIST_STEPS;
	uint64_t step = slot % HIST_STEPS;

	if (shift == 0)
		return (int64_t)step;
	shift--;
	return (int64_t)(((HIST_STEPS + step + 1) << shift) - 1);
}

/* An empty one. */
void
hist_init(struct hist *h)
{
	memset(h, 0, sizeof *h);
}

/* Count one duration; a negative one counts as 0. */
void
hist_add(struct hist *h, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	h->slot[slot_of((uint64_t)ns)]++;
	h->n++;
	if (ns > h->max)
		h->max = ns;
}

/* Add all of another. */
void
hist_merge(struct hist *to, const struct hist *from)
{
	unsigned i;

	for (i = 0; i < HIST_SLOTS; i++)
		to->slot[i] += from->slot[i];
	to->n += from->n;
	if (from->max > to->max)
		to->max = from->max;
}

/* A percentile. */
int64_t
hist_at(const struct hist *h, double share)
{
	uint64_t want = (uint64_t)(share * (double)h->n + 0.999999), seen = 0;
	unsigned i;

	if (want == 0)
		want = 1;
	for (i = 0; i < HIST_SLOTS; i++) {
		seen += h->slot[i];
		if (seen >= want)
			return slot_end(i) < h->max ? slot_end(i) : h->max;
	}
	return h->max;
}
