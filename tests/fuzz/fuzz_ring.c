/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Fuzz target: a ring that was written, poked and copied about as the input
 * says.  Looking at it ends, stays within its memory, and tells events in
 * order; writing to it goes on.
 */

#include "fuzz.h"

#include "ring.h"

#define SIZE RING_MIN_SIZE
#define MOST (SIZE / 80 + 1) /* more events do not fit */

struct in {
	const uint8_t *p;
	size_t n;
};

/* Next bytes of the input as a number; 0 at the end. */
static uint64_t
take(struct in *in, size_t n)
{
	uint64_t v = 0;

	for (; n > 0 && in->n > 0; n--, in->n--)
		v = v << 8 | *in->p++;
	return v;
}

/* A slice lies in [p, p + n). */
static void
within(struct str s, const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)s.p, lo = (uintptr_t)p;

	if (a < lo || a > lo + n || s.n > lo + n - a)
		abort();
}

/* Look at all events, in place or through a copy. */
static void
look(const struct ring *r, uint64_t from, struct ring_copy *copy)
{
	const void *p = copy ? (void *)copy : r->mem;
	size_t n = copy ? sizeof *copy : r->size, count = 0;
	struct ring_cursor c = ring_seek(r, from);
	struct ring_event e;
	uint64_t last = 0;

	while (copy ? ring_read_copy(r, &c, &e, copy) : ring_read(r, &c, &e)) {
		if (count++ > MOST || e.seq < from ||
		    (count > 1 && e.seq <= last))
			abort();
		last = e.seq;
		within(e.client, p, n);
		within(e.queue, p, n);
		within(e.peer, p, n);
		within(e.text, p, n);
	}
}

/* Everything one may ask. */
static void
look_at_all(unsigned char *mem, uint64_t from)
{
	struct ring_copy *copy = malloc(sizeof *copy);
	struct ring r;

	if (copy == NULL)
		abort();
	if (ring_attach(&r, mem, SIZE)) {
		(void)ring_first(&r);
		(void)ring_next(&r);
		look(&r, 0, NULL);
		look(&r, from, copy);
	}
	free(copy);
}

/* Put an event that the input describes. */
static void
put(struct ring *r, struct in *in)
{
	static const char filler[1024] = "filler";
	struct ring_event e = {.type = (enum ring_type)take(in, 1)};
	uint64_t seq;

	e.id = (int64_t)take(in, 8);
	e.queue = (struct str){filler, take(in, 1)};
	e.text = (struct str){filler, take(in, 2) % sizeof filler};
	if (in->n > 40 && take(in, 1) % 2)
		e.text = (struct str){(const char *)in->p, 40};
	seq = ring_put(r, &e);
	if (ring_next(r) != seq + 1)
		abort();
}

/* Change the memory. */
static void
harm(unsigned char *mem, struct in *in)
{
	size_t to = take(in, 2), from = take(in, 2), n = take(in, 1) * 8;
	uint64_t v;

	switch (take(in, 1) % 4) {
	case 0: mem[to] = (unsigned char)from; break;
	case 1: /* a field of the header: head, tail, next */
		v = take(in, 8);
		memcpy(mem + 64 + to % 3 * 8, &v, 8);
		break;
	case 2:
		if (to + n <= SIZE && from + n <= SIZE)
			memmove(mem + to, mem + from, n);
		break;
	default:
		if (to + n <= SIZE)
			memset(mem + to, (int)from, n);
		break;
	}
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned char *mem = aligned_alloc(8, SIZE);
	struct in in = {data, n};
	struct ring r;

	if (mem == NULL)
		abort();
	ring_format(&r, mem, SIZE, take(&in, 4));
	while (in.n > 0) {
		uint64_t op = take(&in, 1), k = op >> 3;
		if (op % 8 == 0) {
			harm(mem, &in);
			look_at_all(mem, take(&in, 2));
		} else if (op % 8 == 1) {
			if (!ring_attach(&r, mem, SIZE))
				ring_format(&r, mem, SIZE, op);
		} else {
			do
				put(&r, &in);
			while (k-- > 0);
		}
	}
	look_at_all(mem, 0);
	free(mem);
	return 0;
}
