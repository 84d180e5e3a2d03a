/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Messages of a queue in chunks of entries in order of id.  A removed entry is
 * marked and stays until its chunk is empty. */
#include "msgq.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 4
#define CHUNK_MOST  128

struct msg_chunk {
	uint32_t n, cap, live;
	struct msg m[];
};

/* ---- bodies ---- */

/* One allocation with everything in it. */
struct body *
body_new(const struct body_from *f)
{
	const struct str part[] = {
	    f->origin, f->reply_to, f->re_queue, f->key, f->comm, f->payload};
	size_t n = 0;
	struct body *b;
	char *at;

	for (size_t i = 0; i < sizeof part / sizeof *part; i++)
		n += part[i].n;
	b = malloc(sizeof *b + n);
	if (b == NULL)
		return NULL;
	b->at_ns = f->at_ns;
	b->re_id = f->re_id;
	b->uid = f->uid;
	b->pid = f->pid;
	b->origin_n = (uint16_t)f->origin.n;
	b->reply_to_n = (uint16_t)f->reply_to.n;
	b->re_queue_n = (uint16_t)f->re_queue.n;
	b->key_n = (uint16_t)f->key.n;
	b->comm_n = (uint16_t)f->comm.n;
	b->payload_n = (uint32_t)f->payload.n;
	at = b->bytes;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		if (part[i].n != 0)
			memcpy(at, part[i].p, part[i].n);
		at += part[i].n;
	}
	return b;
}

/* Token of the sender. */
struct str
body_origin(const struct body *b)
{
	return (struct str){b->bytes, b->origin_n};
}

/* Where the answer goes. */
struct str
body_reply_to(const struct body *b)
{
	return (struct str){b->bytes + b->origin_n, b->reply_to_n};
}

/* Queue of the request that this answers. */
struct str
body_re_queue(const struct body *b)
{
	return (struct str){
	    b->bytes + b->origin_n + b->reply_to_n, b->re_queue_n};
}

/* Idempotency key. */
struct str
body_key(const struct body *b)
{
	return (struct str){
	    b->bytes + b->origin_n + b->reply_to_n + b->re_queue_n, b->key_n};
}

/* Name of the sender's process. */
struct str
body_comm(const struct body *b)
{
	return (struct str){
	    b->bytes + b->origin_n + b->reply_to_n + b->re_queue_n + b->key_n,
	    b->comm_n};
}

/* What the message says. */
struct str
body_payload(const struct body *b)
{
	return (struct str){b->bytes + b->origin_n + b->reply_to_n +
		b->re_queue_n + b->key_n + b->comm_n,
	    b->payload_n};
}

/* What it costs. */
size_t
body_size(const struct body *b)
{
	return sizeof *b + b->origin_n + b->reply_to_n + b->re_queue_n +
	    b->key_n + b->comm_n + b->payload_n + 16;
}

/* ---- the queue ---- */

static struct msg_chunk *
last_chunk(const struct msgq *q)
{
	return q->nchunks ? q->v[q->head + q->nchunks - 1] : NULL;
}

/* Room for one more chunk pointer. */
static bool
grow_vector(struct msgq *q)
{
	struct msg_chunk **v;
	size_t cap;

	if (q->head + q->nchunks < q->cap)
		return true;
	if (q->head > q->cap / 2) {
		memmove(q->v, q->v + q->head, q->nchunks * sizeof *q->v);
		q->head = 0;
		return true;
	}
	cap = q->cap ? q->cap * 2 : 1;
	v = reallocarray(q->v, cap, sizeof *v);
	if (v == NULL)
		return false;
	q->v = v;
	q->cap = cap;
	return true;
}

/* A chunk with room at its end. */
static struct msg_chunk *
open_chunk(struct msgq *q)
{
	struct msg_chunk *c = last_chunk(q);
	uint32_t cap = CHUNK_FIRST;
	bool fresh = c == NULL || c->cap == CHUNK_MOST;

	if (c != NULL && c->n < c->cap)
		return c;
	if (c != NULL && c->live == 0) {
		c->n = 0; /* only the last one may be empty: use it again */
		return c;
	}
	if (c != NULL)
		cap = fresh ? CHUNK_MOST : c->cap * 2;
	if (fresh && !grow_vector(q))
		return NULL;
	c = realloc(fresh ? NULL : c, sizeof *c + cap * sizeof c->m[0]);
	if (c == NULL)
		return NULL;
	if (fresh)
		c->n = c->live = 0;
	c->cap = cap;
	q->nchunks += fresh;
	q->v[q->head + q->nchunks - 1] = c;
	return c;
}

/* Append. */
struct msg *
msgq_append(struct msgq *q, int64_t id)
{
	struct msg_chunk *c = open_chunk(q);
	struct msg *m;

	if (c == NULL)
		return NULL;
	m = &c->m[c->n++];
	memset(m, 0, sizeof *m);
	m->id = id;
	c->live++;
	q->n++;
	return m;
}

/* Position of the first entry with an id above `after`. */
struct msgq_cursor
msgq_seek(const struct msgq *q, int64_t after)
{
	size_t lo = 0, hi = q->nchunks, mid;
	struct msg_chunk *c;
	struct msgq_cursor at = {0, 0};

	while (lo < hi) { /* first chunk whose last id is above */
		mid = (lo + hi) / 2;
		c = q->v[q->head + mid];
		if (c->n == 0 || c->m[c->n - 1].id > after)
			hi = mid;
		else
			lo = mid + 1;
	}
	at.chunk = lo;
	if (lo == q->nchunks)
		return at;
	c = q->v[q->head + lo];
	lo = 0;
	hi = c->n;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (c->m[mid].id > after)
			hi = mid;
		else
			lo = mid + 1;
	}
	at.pos = lo;
	return at;
}

/* The entry at the cursor or the next live one; the cursor goes behind it. */
struct msg *
msgq_next(const struct msgq *q, struct msgq_cursor *at)
{
	struct msg_chunk *c;
	struct msg *m;

	for (; at->chunk < q->nchunks; at->chunk++, at->pos = 0) {
		c = q->v[q->head + at->chunk];
		while (at->pos < c->n) {
			m = &c->m[at->pos++];
			if (!(m->flags & MSG_GONE))
				return m;
		}
	}
	return NULL;
}

/* The first one after an id. */
struct msg *
msgq_after(const struct msgq *q, int64_t id)
{
	struct msgq_cursor at = msgq_seek(q, id);

	return msgq_next(q, &at);
}

/* Position of the first entry with this id or a larger one. */
static struct msgq_cursor
seek_at(const struct msgq *q, int64_t id)
{
	return msgq_seek(q, id == INT64_MIN ? id : id - 1);
}

/* By id. */
struct msg *
msgq_find(const struct msgq *q, int64_t id)
{
	struct msgq_cursor at = seek_at(q, id);
	struct msg *m = msgq_next(q, &at);

	return m != NULL && m->id == id ? m : NULL;
}

/* Throw out of a chunk what is gone. */
static void
tidy(struct msg_chunk *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		if (!(c->m[i].flags & MSG_GONE))
			c->m[n++] = c->m[i];
	c->n = n;
}

/* Make two of the full chunk i; false when memory ran out. */
static bool
split(struct msgq *q, size_t i)
{
	struct msg_chunk *c, *d;
	uint32_t half;

	if (!grow_vector(q))
		return false;
	c = q->v[q->head + i];
	half = c->n / 2;
	d = malloc(sizeof *d + CHUNK_MOST * sizeof d->m[0]);
	if (d == NULL)
		return false;
	d->cap = CHUNK_MOST;
	d->n = d->live = c->n - half;
	memcpy(d->m, c->m + half, d->n * sizeof d->m[0]);
	c->n = c->live = half;
	memmove(q->v + q->head + i + 2, q->v + q->head + i + 1,
	    (q->nchunks - i - 1) * sizeof *q->v);
	q->v[q->head + i + 1] = d;
	q->nchunks++;
	return true;
}

/* Room for one more in chunk i, which has nothing that is gone; false when
 * memory ran out.  *i may become the next one, for this id. */
static bool
make_room(struct msgq *q, size_t *i, int64_t id)
{
	struct msg_chunk *c = q->v[q->head + *i], *larger;
	uint32_t cap = c->cap * 2;

	if (c->n < c->cap)
		return true;
	if (c->cap >= CHUNK_MOST) {
		if (!split(q, *i))
			return false;
		c = q->v[q->head + *i];
		*i += id > c->m[c->n - 1].id;
		return true;
	}
	larger = realloc(c, sizeof *c + cap * sizeof c->m[0]);
	if (larger == NULL)
		return false;
	larger->cap = cap;
	q->v[q->head + *i] = larger;
	return true;
}

/* Put in. */
struct msg *
msgq_insert(struct msgq *q, int64_t id)
{
	size_t i = seek_at(q, id).chunk; /* may hold it as gone */
	struct msg_chunk *c;
	uint32_t at = 0;

	if (i == q->nchunks)
		return msgq_append(q, id);
	tidy(q->v[q->head + i]);
	if (!make_room(q, &i, id))
		return NULL;
	c = q->v[q->head + i];
	while (at < c->n && c->m[at].id < id)
		at++;
	memmove(c->m + at + 1, c->m + at, (c->n - at) * sizeof c->m[0]);
	memset(&c->m[at], 0, sizeof c->m[at]);
	c->m[at].id = id;
	c->n++;
	c->live++;
	q->n++;
	return &c->m[at];
}

/* Take an empty chunk out, unless it is the last one and small. */
static void
drop_chunk(struct msgq *q, size_t i)
{
	struct msg_chunk *c = q->v[q->head + i];

	if (i == q->nchunks - 1 && c->cap <= 16) {
		c->n = 0;
		return;
	}
	free(c);
	if (i == 0) {
		q->head++;
	} else {
		memmove(q->v + q->head + i, q->v + q->head + i + 1,
		    (q->nchunks - i - 1) * sizeof *q->v);
	}
	if (--q->nchunks == 0) {
		free(q->v);
		q->v = NULL;
		q->head = q->cap = 0;
	}
}

/* Remove. */
void
msgq_remove(struct msgq *q, int64_t id)
{
	struct msgq_cursor at = seek_at(q, id);
	struct msg *m = msgq_next(q, &at);
	struct msg_chunk *c;

	if (m == NULL || m->id != id)
		return;
	free(m->body);
	m->body = NULL;
	m->flags |= MSG_GONE;
	q->n--;
	c = q->v[q->head + at.chunk];
	if (--c->live == 0)
		drop_chunk(q, at.chunk);
}

/* Free everything. */
void
msgq_fini(struct msgq *q)
{
	for (size_t i = 0; i < q->nchunks; i++) {
		struct msg_chunk *c = q->v[q->head + i];

		for (size_t j = 0; j < c->n; j++)
			free(c->m[j].body);
		free(c);
	}
	free(q->v);
	memset(q, 0, sizeof *q);
}

/* Invariants. */
bool
msgq_check(const struct msgq *q)
{
	int64_t last = INT64_MIN;
	size_t n = 0, live;

	for (size_t i = 0; i < q->nchunks; i++) {
		struct msg_chunk *c = q->v[q->head + i];

		live = 0;
		for (size_t j = 0; j < c->n; j++) {
			if (c->m[j].id <= last)
				return false;
			last = c->m[j].id;
			live += !(c->m[j].flags & MSG_GONE);
		}
		if (live != c->live || (live == 0 && i + 1 < q->nchunks))
			return false;
		n += live;
	}
	return n == q->n;
}
