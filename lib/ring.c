/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The flight recorder's ring.
 *
 * A header page, then an area of records.  Positions (head, tail, a cursor's
 * pos) count bytes ever written, so they only grow; modulo the size of the
 * area they are places in it.  A record is a struct rec, its bytes, zeros up
 * to a multiple of 8, and a struct link that says how far back it begins.  A
 * record does not cross the end of the area: two links (or one, when there is
 * room for one only) fill what is left.
 *
 *   1  [head, tail) is whole records and fillers, oldest first.
 *   2  The writer moves head before it overwrites what head pointed to.
 *   3  The writer moves tail after all bytes of the record are written.
 *
 * So a writer that dies anywhere loses at most the event it was writing.  What
 * 1 to 3 cannot give (pages that reach the disk in any order, bits that flip,
 * a writer that laps a reader) the sum in each record gives: a reader believes
 * no length and no number that is not covered by a sum or by the bounds, and
 * finds the next whole record in steps of 8 bytes.
 */
#include "ring.h"

#include <string.h>

#include "sum.h"

#define MAGIC	0x676e697267736d78ULL /* "xmsgring" */
#define VERSION 1u
#define AREA	4096 /* where the records begin */
#define MARK	0x544e5645u /* "EVNT", begins a record */
#define BACK	0x4b434142u /* "BACK", ends one */
#define FILL	0x4c4c4946u /* "FILL", the rest of the area is empty */
#define SEQ_END (1ULL << 62) /* no event has such a number */
#define TRIES	1000 /* a live header may be caught in a change */

struct header {
	uint64_t magic;
	uint32_t version, area;
	uint64_t size;
	uint64_t pad[5];
	uint64_t head; /* 64: changed by the writer only */
	uint64_t tail;
	uint64_t next;
};

struct link {
	uint32_t mark, len;
};

struct rec {
	uint32_t mark, len; /* len: all of it, a multiple of 8 */
	uint64_t sum; /* of all that follows, and of the place */
	uint64_t seq;
	int64_t wall_ns, id, re_id, dur_ns;
	uint32_t size, pid;
	uint8_t type, nclient, nqueue, npeer;
	uint16_t ntext, zero;
};

#define REC_MIN (sizeof(struct rec) + sizeof(struct link))
#define REC_MAX (REC_MIN + 3 * RING_MAX_NAME + RING_MAX_PAYLOAD)

_Static_assert(sizeof(struct rec) == 72, "a record has no holes");
_Static_assert(RING_MAX_RECORD == (REC_MAX + 7) / 8 * 8, "the largest fits");
_Static_assert(RING_MAX_NAME <= UINT8_MAX && RING_MAX_PAYLOAD <= UINT16_MAX,
    "lengths fit");

static const char *const type_names[RING_NTYPES] = {
    [RING_START] = "start",
    [RING_STOP] = "stop",
    [RING_LOGIN] = "login",
    [RING_LOGOUT] = "logout",
    [RING_CREATE] = "create",
    [RING_DESTROY] = "destroy",
    [RING_PUBLISH] = "publish",
    [RING_REPLY] = "reply",
    [RING_DELIVER] = "deliver",
    [RING_ACK] = "ack",
    [RING_HOLD] = "hold",
    [RING_RELEASE] = "release",
    [RING_CANCEL] = "cancel",
    [RING_REFUSE] = "refuse",
};

/* Name of a type. */
const char *
ring_type_name(enum ring_type t)
{
	unsigned i = (unsigned)t;

	return i < RING_NTYPES && type_names[i] ? type_names[i] : "unknown";
}

/* ---- places and states ---- */

/* The header of the memory. */
static struct header *
header(const struct ring *r)
{
	return (struct header *)(void *)r->mem;
}

/* Bytes for records. */
static uint64_t
area_size(const struct ring *r)
{
	return (r->size - AREA) & ~(uint64_t)7;
}

/* Place of a position. */
static uint64_t
place(const struct ring *r, uint64_t pos)
{
	return pos % area_size(r);
}

/* Memory of a place. */
static unsigned char *
at(const struct ring *r, uint64_t where)
{
	return r->mem + AREA + where;
}

/* head and tail can be those of a ring. */
static bool
sane(const struct ring *r, const struct ring_state *s)
{
	return s->head <= s->tail && s->tail - s->head <= area_size(r) &&
	    s->tail < SEQ_END && s->head % 8 == 0 && s->tail % 8 == 0;
}

/* What the header says. */
static struct ring_state
header_state(const struct ring *r)
{
	const struct header *h = header(r);
	struct ring_state s;

	/* tail first: a head that moves meanwhile makes the stretch shorter */
	s.tail = __atomic_load_n(&h->tail, __ATOMIC_ACQUIRE);
	s.head = __atomic_load_n(&h->head, __ATOMIC_ACQUIRE);
	s.next = __atomic_load_n(&h->next, __ATOMIC_RELAXED);
	if (s.next >= SEQ_END)
		s.next = 0;
	return s;
}

/* The state to work with; an empty ring when the header makes no sense. */
static struct ring_state
load(const struct ring *r)
{
	struct ring_state s = r->recovered ? r->state : header_state(r);

	if (!sane(r, &s)) {
		s.tail = place(r, s.tail) & ~(uint64_t)7;
		s.head = s.tail;
	}
	return s;
}

/* ---- records ---- */

/* The sum a record of this length at this place should carry. */
static uint64_t
sum_of(const void *rec, uint32_t len, uint64_t where)
{
	size_t skip = offsetof(struct rec, seq);

	return sum_bytes(
	    where * 31 + len, (const char *)rec + skip, len - skip);
}

/* The first two words at a place; read once, as another process may write. */
static struct link
peek(const struct ring *r, uint64_t where)
{
	uint64_t w =
	    __atomic_load_n((uint64_t *)(void *)at(r, where), __ATOMIC_RELAXED);
	struct link l;

	memcpy(&l, &w, sizeof l);
	return l;
}

/* Length of the filler at a place, 0 when there is none. */
static uint64_t
fill_len(const struct ring *r, uint64_t where)
{
	struct link l = peek(r, where);

	return l.mark == FILL && where != 0 && l.len == area_size(r) - where
	    ? l.len
	    : 0;
}

/* Length of what looks like a record of at most `room` bytes, or 0. */
static uint32_t
rec_len(const struct ring *r, uint64_t where, uint64_t room)
{
	struct link l = peek(r, where);

	if (room > area_size(r) - where)
		room = area_size(r) - where;
	return l.mark == MARK && l.len >= REC_MIN && l.len <= room &&
		l.len <= RING_MAX_RECORD && l.len % 8 == 0
	    ? l.len
	    : 0;
}

/* The record that p holds, taken out of place `where`, is whole: its sum is
 * right and its lengths fit.  Copies its fixed part to *h. */
static bool
whole(const void *p, uint32_t len, uint64_t where, struct rec *h)
{
	memcpy(h, p, sizeof *h);
	return h->len == len && h->sum == sum_of(p, len, where) &&
	    h->seq < SEQ_END &&
	    REC_MIN + h->nclient + h->nqueue + h->npeer + h->ntext <= len;
}

/* Next slice of a record. */
static struct str
slice(const char **p, size_t n)
{
	struct str s = {*p, n};

	*p += n;
	return s;
}

/* Fill in an event; its bytes follow the fixed part at p. */
static void
decode(const struct rec *h, const void *p, struct ring_event *e)
{
	const char *bytes = (const char *)p + sizeof *h;

	e->seq = h->seq;
	e->wall_ns = h->wall_ns;
	e->type = (enum ring_type)h->type;
	e->id = h->id;
	e->re_id = h->re_id;
	e->dur_ns = h->dur_ns;
	e->size = h->size;
	e->pid = h->pid;
	e->client = slice(&bytes, h->nclient);
	e->queue = slice(&bytes, h->nqueue);
	e->peer = slice(&bytes, h->npeer);
	e->text = slice(&bytes, h->ntext);
}

/* ---- walking ---- */

/* Walk from c to the first whole record with number >= c->seq, decode it and
 * step behind it.  Every turn moves c->pos on, so this ends. */
static bool
walk(const struct ring *r, const struct ring_state *s, struct ring_cursor *c,
    struct ring_event *e, struct ring_copy *copy)
{
	struct rec h;
	uint64_t where, n;
	uint32_t len;
	void *p;

	if (c->pos < s->head || c->pos > s->tail || c->pos % 8 != 0)
		c->pos = s->head;
	for (; c->pos < s->tail; c->pos += n) {
		where = place(r, c->pos);
		n = fill_len(r, where);
		if (n != 0)
			continue;
		n = 8;
		len = rec_len(r, where, s->tail - c->pos);
		if (len == 0)
			continue;
		p = at(r, where);
		if (copy != NULL)
			p = memcpy(copy->words, p, len);
		if (!whole(p, len, where, &h))
			continue;
		n = len;
		if (h.seq < c->seq)
			continue;
		c->pos += len;
		c->seq = h.seq + 1;
		decode(&h, p, e);
		return true;
	}
	c->pos = s->tail; /* a filler may reach beyond a damaged tail */
	return false;
}

/* The record or filler that ends at pos: its length, 0 when that cannot be
 * told.  *seq is its number, or not changed for a filler. */
static uint64_t
back_len(const struct ring *r, const struct ring_state *s, uint64_t pos,
    uint64_t *seq)
{
	uint64_t end = place(r, pos);
	struct link l;
	struct rec h;

	if (end == 0)
		end = area_size(r);
	l = peek(r, end - 8);
	if (l.len > pos - s->head || l.len > end)
		return 0;
	if (l.mark == FILL)
		return end == area_size(r) && l.len != 0 ? l.len : 0;
	if (l.mark != BACK || l.len < REC_MIN ||
	    rec_len(r, end - l.len, l.len) != l.len)
		return 0;
	memcpy(&h, at(r, end - l.len), sizeof h);
	*seq = h.seq;
	return l.len;
}

/* The newest record, when it is whole: its seq. */
static bool
newest(const struct ring *r, const struct ring_state *s, uint64_t *seq)
{
	uint64_t n = s->tail == s->head ? 0 : back_len(r, s, s->tail, seq);
	struct rec h;

	return n >= REC_MIN &&
	    whole(at(r, place(r, s->tail - n)), (uint32_t)n,
		place(r, s->tail - n), &h);
}

/* The number of the next event.  The hint is written before tail: a writer
 * that died in between leaves it one ahead. */
static uint64_t
next_seq(const struct ring *r, const struct ring_state *s)
{
	uint64_t seq = 0;

	if (s->head == s->tail)
		return s->next;
	if (back_len(r, s, s->tail, &seq) != 0 && seq + 1 == s->next)
		return s->next;
	return newest(r, s, &seq) ? seq + 1 : s->next;
}

/* Sequence number after the newest. */
uint64_t
ring_next(const struct ring *r)
{
	struct ring_state s = load(r);

	return next_seq(r, &s);
}

/* Sequence number of the oldest. */
uint64_t
ring_first(const struct ring *r)
{
	struct ring_state s = load(r);
	struct ring_cursor c = {0, s.head};
	struct ring_event e;

	return walk(r, &s, &c, &e, NULL) ? e.seq : next_seq(r, &s);
}

/* From the end backwards: stop in front of the first record with a number
 * >= seq.  Where the way back is lost, walking forward has to find it. */
struct ring_cursor
ring_seek(const struct ring *r, uint64_t seq)
{
	struct ring_state s = load(r);
	struct ring_cursor c = {seq, s.tail};
	uint64_t n, got = 0, last = next_seq(r, &s);

	if (seq <= ring_first(r))
		c.pos = s.head;
	while (c.pos > s.head && last > seq) {
		got = last;
		n = back_len(r, &s, c.pos, &got);
		if (n == 0 || got > last) {
			c.pos = s.head;
			break;
		}
		if (got < seq)
			break;
		last = got;
		c.pos -= n;
	}
	return c;
}

/* Read in place. */
bool
ring_read(const struct ring *r, struct ring_cursor *c, struct ring_event *e)
{
	struct ring_state s = load(r);

	return walk(r, &s, c, e, NULL);
}

/* Read through a copy. */
bool
ring_read_copy(const struct ring *r, struct ring_cursor *c,
    struct ring_event *e, struct ring_copy *copy)
{
	struct ring_state s = load(r);

	return walk(r, &s, c, e, copy);
}

/* ---- making and taking up ---- */

/* An empty ring. */
void
ring_format(struct ring *r, void *mem, size_t size, uint64_t first_seq)
{
	struct header *h;

	memset(r, 0, sizeof *r);
	r->mem = mem;
	r->size = size;
	h = header(r);
	/* not a ring while it is being made */
	__atomic_store_n(&h->magic, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memset((char *)mem + 8, 0, size - 8);
	h->version = VERSION;
	h->area = AREA;
	h->size = size;
	h->next = first_seq;
	__atomic_store_n(&h->magic, MAGIC, __ATOMIC_RELEASE);
}

/* The header fits what the area holds: a whole record (or nothing, or a
 * filler) at head, and a whole one with the expected number before tail. */
static bool
consistent(const struct ring *r, const struct ring_state *s)
{
	uint64_t where = place(r, s->head), seq = 0;
	struct rec h;
	uint32_t len;

	if (!sane(r, s))
		return false;
	if (s->head == s->tail)
		return true;
	len = rec_len(r, where, s->tail - s->head);
	if (fill_len(r, where) == 0 &&
	    (len == 0 || !whole(at(r, where), len, where, &h)))
		return false;
	return newest(r, s, &seq) && (seq + 1 == s->next || seq + 2 == s->next);
}

/* Move head to the first whole record. */
static void
skip_junk(const struct ring *r, struct ring_state *s)
{
	struct rec h;
	uint64_t where;
	uint32_t len;

	for (; s->head < s->tail; s->head += 8) {
		where = place(r, s->head);
		len = rec_len(r, where, s->tail - s->head);
		if (len != 0 && whole(at(r, where), len, where, &h))
			return;
	}
}

/* Look at every place for the whole record with the highest number; the ring
 * ends with it.  What comes after it in the circle is older. */
static void
recover(struct ring *r)
{
	struct ring_state *s = &r->state;
	uint64_t size = area_size(r), where = 0, n;
	struct rec h;
	uint32_t len;

	*s = header_state(r);
	s->head = s->tail = 0;
	for (; where < size; where += n) {
		n = 8;
		len = rec_len(r, where, size);
		if (len == 0 || !whole(at(r, where), len, where, &h))
			continue;
		n = len;
		if (s->tail == 0 || h.seq >= s->next) {
			s->next = h.seq + 1;
			s->tail = size + where + len;
			s->head = where + len;
		}
	}
	skip_junk(r, s);
	r->recovered = true;
}

/* Take up a ring that is there. */
bool
ring_attach(struct ring *r, void *mem, size_t size)
{
	const struct header *h = mem;
	struct ring_state s, again;

	memset(r, 0, sizeof *r);
	if (size < RING_MIN_SIZE ||
	    __atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != MAGIC ||
	    h->version != VERSION || h->area != AREA || h->size != size)
		return false;
	r->mem = mem;
	r->size = size;
	for (int i = 0; i < TRIES; i++) {
		s = header_state(r);
		if (consistent(r, &s))
			return true;
		again = header_state(r);
		if (memcmp(&s, &again, sizeof s) == 0)
			break;
	}
	recover(r);
	return true;
}

/* ---- writing ---- */

/* Cut to max bytes, in front of the character that does not fit. */
static struct str
cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	s.n = max;
	for (int i = 0; i < 3 && s.n > 0 && (s.p[s.n] & 0xc0) == 0x80; i++)
		s.n--;
	return s;
}

/* Move head until [head, end) fits, before anything is overwritten. */
static void
make_room(struct ring *r, struct ring_state *s, uint64_t end)
{
	uint64_t head = s->head, where, n;

	if (end - head <= area_size(r))
		return;
	while (end - head > area_size(r) && head < s->tail) {
		where = place(r, head);
		n = fill_len(r, where);
		if (n == 0)
			n = rec_len(r, where, s->tail - head);
		head += n ? n : 8;
	}
	s->head = head < s->tail ? head : s->tail;
	__atomic_store_n(&header(r)->head, s->head, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Write a mark and a length as one word. */
static void
put_link(struct ring *r, uint64_t where, uint32_t mark, uint32_t len)
{
	struct link l = {mark, len};

	memcpy(at(r, where), &l, sizeof l);
}

/* What does not fit before the end of the area goes to its beginning; the
 * position where a record of len bytes is to be written. */
static uint64_t
place_record(struct ring *r, struct ring_state *s, uint32_t len)
{
	uint64_t where = place(r, s->tail), left = area_size(r) - where;

	if (len <= left) {
		make_room(r, s, s->tail + len);
		return s->tail;
	}
	make_room(r, s, s->tail + left + len);
	put_link(r, where, FILL, (uint32_t)left);
	put_link(r, where + left - 8, FILL, (uint32_t)left);
	return s->tail + left;
}

/* Append bytes of a record. */
static unsigned char *
put_bytes(unsigned char *p, struct str s)
{
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

/* All bytes of a record at a place. */
static void
encode(
    struct ring *r, uint64_t where, struct rec *h, const struct ring_event *e)
{
	unsigned char *to = at(r, where), *p = to + sizeof *h;
	unsigned char *end = to + h->len - sizeof(struct link);

	p = put_bytes(p, (struct str){e->client.p, h->nclient});
	p = put_bytes(p, (struct str){e->queue.p, h->nqueue});
	p = put_bytes(p, (struct str){e->peer.p, h->npeer});
	p = put_bytes(p, (struct str){e->text.p, h->ntext});
	memset(p, 0, (size_t)(end - p));
	put_link(r, where + h->len - sizeof(struct link), BACK, h->len);
	memcpy(to, h, sizeof *h);
	h->sum = sum_of(to, h->len, where);
	memcpy(to + offsetof(struct rec, sum), &h->sum, sizeof h->sum);
}

/* The fixed part of an event. */
static struct rec
fixed_part(const struct ring_event *e, uint64_t seq)
{
	struct rec h = {
	    .mark = MARK,
	    .seq = seq,
	    .wall_ns = e->wall_ns,
	    .id = e->id,
	    .re_id = e->re_id,
	    .dur_ns = e->dur_ns,
	    .size = e->size,
	    .pid = e->pid,
	    .type = (uint8_t)e->type,
	    .nclient = (uint8_t)cut(e->client, RING_MAX_NAME).n,
	    .nqueue = (uint8_t)cut(e->queue, RING_MAX_NAME).n,
	    .npeer = (uint8_t)cut(e->peer, RING_MAX_NAME).n,
	    .ntext = (uint16_t)cut(e->text, RING_MAX_PAYLOAD).n,
	};
	size_t n = REC_MIN + h.nclient + h.nqueue + h.npeer + h.ntext;

	h.len = (uint32_t)((n + 7) & ~(size_t)7);
	return h;
}

/* Append an event. */
uint64_t
ring_put(struct ring *r, const struct ring_event *e)
{
	struct ring_state s = load(r);
	struct header *h = header(r);
	uint64_t seq = next_seq(r, &s), pos;
	struct rec rec = fixed_part(e, seq);

	if (r->recovered || s.head != h->head || s.tail != h->tail) {
		/* dying in here makes the next one recover again */
		__atomic_store_n(&h->head, s.head, __ATOMIC_RELEASE);
		__atomic_store_n(&h->tail, s.tail, __ATOMIC_RELEASE);
		r->recovered = false;
	}
	pos = place_record(r, &s, rec.len);
	encode(r, place(r, pos), &rec, e);
	__atomic_store_n(&h->next, seq + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&h->tail, pos + rec.len, __ATOMIC_RELEASE);
	return seq;
}
