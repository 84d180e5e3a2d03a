/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The volatile store: for tests, and for queues that need not survive.  It keeps
 * what the interface can read back, in lists, and nothing clever: `kick` applies
 * what is pending and calls done.
 */
#include "map.h"
#include "store.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "xalloc.h"

struct mqueue {
	UT_hash_handle hh;
	struct str name, owner;
	bool paused;
	char bytes[];
};

/* What was removed by hand. */
struct mgone {
	UT_hash_handle hh; /* by g.msg.id */
	struct store_gone g;
	struct mmsg *m; /* owned */
	char by[];
};

struct mmsg {
	UT_hash_handle hh; /* by m.id; insertion order = id order */
	struct store_msg m;
	char bytes[];
};

struct manswer {
	UT_hash_handle hh;
	int64_t re_id, id;
};

struct store_mem {
	struct store base;
	struct mqueue *queues;
	struct mmsg *msgs;
	struct manswer *answers;
	struct mgone *gone;
	struct store_op *head, **tail; /* pending ops */
	int64_t last_id, first_id, last_act, undo_ns;
	uint64_t undo_bytes;
	uint64_t ops, bytes, max_ops, max_bytes;
	uint64_t commits, commit_ops;
};

static struct mqueue *
find_queue(struct store_mem *s, struct str name)
{
	return map_find(s->queues, name.p, name.n);
}

/* Copy v to *at and step on. */
static struct str
keep(char **at, struct str v)
{
	struct str kept = {*at, v.n};

	if (v.p == NULL)
		return v;
	memcpy(*at, v.p, v.n);
	*at += v.n;
	return kept;
}

static void
mem_create(struct store_mem *s, struct store_op *op)
{
	struct str name = op->u.create.name, owner = op->u.create.owner;
	struct mqueue *q;
	char *at;

	op->u.create.created = find_queue(s, name) == NULL;
	if (!op->u.create.created)
		return;
	q = xcalloc(1, sizeof *q + name.n + owner.n);
	at = q->bytes;
	q->name = keep(&at, name);
	q->owner = owner.n ? keep(&at, owner) : (struct str){NULL, 0};
	s->queues = map_add(s->queues, q, q->name.p, q->name.n);
}

static void
mem_destroy(struct store_mem *s, struct store_op *op)
{
	struct mqueue *q = find_queue(s, op->u.destroy.name);
	struct mmsg *m, *next;

	if (q == NULL)
		return;
	HASH_ITER (hh, s->msgs, m, next)
		if (str_eq(m->m.queue, q->name)) {
			s->msgs = map_del(s->msgs, m);
			free(m);
		}
	s->queues = map_del(s->queues, q);
	free(q);
}

/* The row for one more message, or NULL when memory ran out. */
static struct mmsg *
copy_msg(const struct store_msg *m)
{
	struct mmsg *c = calloc(1,
	    sizeof *c + m->queue.n + m->origin.n + m->reply_to.n +
		m->re_queue.n + m->key.n + m->comm.n + m->payload.n);
	char *at;

	if (c == NULL)
		return NULL;
	at = c->bytes;
	c->m = *m;
	c->m.queue = keep(&at, m->queue);
	c->m.origin = keep(&at, m->origin);
	c->m.reply_to = keep(&at, m->reply_to);
	c->m.re_queue = keep(&at, m->re_queue);
	c->m.key = keep(&at, m->key);
	c->m.comm = m->comm.n ? keep(&at, m->comm) : (struct str){NULL, 0};
	c->m.payload = keep(&at, m->payload);
	if (c->m.payload.p == NULL)
		c->m.payload.p = "";
	return c;
}

static void
mem_send(struct store_mem *s, struct store_op *op)
{
	struct store_msg *m = &op->u.send.msg;
	struct manswer *a;
	struct mmsg *c;

	if (find_queue(s, m->queue) == NULL) {
		op->rc = STORE_NO_QUEUE;
		return;
	}
	m->id = s->last_id + 1;
	c = copy_msg(m);
	if (c == NULL) {
		op->rc = STORE_FULL;
		return;
	}
	s->last_id++;
	s->msgs = map_add(s->msgs, c, &c->m.id, sizeof c->m.id);
	if (!op->u.send.answers)
		return;
	a = map_find(s->answers, &m->re_id, sizeof m->re_id);
	if (a != NULL)
		return;
	a = xcalloc(1, sizeof *a);
	a->re_id = m->re_id;
	a->id = m->id;
	s->answers = map_add(s->answers, a, &a->re_id, sizeof a->re_id);
}

static struct mmsg *
find_msg(struct store_mem *s, int64_t id)
{
	return map_find(s->msgs, &id, sizeof id);
}

static void
mem_ack(struct store_mem *s, struct store_op *op)
{
	struct mmsg *m = find_msg(s, op->u.ack.id);

	if (m == NULL || !str_eq(m->m.queue, op->u.ack.queue))
		return;
	s->msgs = map_del(s->msgs, m);
	free(m);
}

static void
mem_pause(struct store_mem *s, struct store_op *op)
{
	struct mqueue *q = find_queue(s, op->u.pause.name);

	if (q == NULL)
		op->rc = STORE_NO_QUEUE;
	else
		q->paused = op->u.pause.paused;
}

static struct mgone *
find_gone(struct store_mem *s, int64_t id)
{
	return map_find(s->gone, &id, sizeof id);
}

static void
drop_gone(struct store_mem *s, struct mgone *k)
{
	s->gone = map_del(s->gone, k);
	free(k->m);
	free(k);
}

/* Drop what was removed long ago, and the oldest of what is too much. */
static void
prune(struct store_mem *s, int64_t now_ns)
{
	struct mgone *k, *next;
	uint64_t bytes = 0;

	HASH_ITER (hh, s->gone, k, next)
		bytes += k->g.size + 256;
	HASH_ITER (hh, s->gone, k, next) { /* in the order of removal */
		if (bytes <= s->undo_bytes &&
		    k->g.gone_ns >= now_ns - s->undo_ns)
			continue;
		bytes -= k->g.size + 256;
		drop_gone(s, k);
	}
}

static void
mem_remove(struct store_mem *s, struct store_op *op)
{
	struct mmsg *m = find_msg(s, op->u.remove.id);
	struct mgone *k;

	if (m == NULL || !str_eq(m->m.queue, op->u.remove.queue))
		return;
	s->msgs = map_del(s->msgs, m);
	k = xcalloc(1, sizeof *k + op->u.remove.by.n);
	k->m = m;
	k->g.msg = m->m;
	k->g.size = m->m.payload.n;
	k->g.act = op->u.remove.act;
	k->g.gone_ns = op->u.remove.gone_ns;
	k->g.why = op->u.remove.why;
	if (op->u.remove.by.n != 0)
		memcpy(k->by, op->u.remove.by.p, op->u.remove.by.n);
	k->g.by = (struct str){k->by, op->u.remove.by.n};
	s->gone = map_add(s->gone, k, &k->g.msg.id, sizeof k->g.msg.id);
	if (k->g.act > s->last_act)
		s->last_act = k->g.act;
	prune(s, k->g.gone_ns);
}

static int
by_id(const void *va, const void *vb)
{
	const struct mmsg *a = va, *b = vb;

	return (a->m.id > b->m.id) - (a->m.id < b->m.id);
}

static void
mem_restore(struct store_mem *s, struct store_op *op)
{
	struct mgone *k = find_gone(s, op->u.restore.id);
	struct manswer *a;
	struct mmsg *m;

	op->u.restore.found = false;
	if (find_queue(s, op->u.restore.queue) == NULL)
		op->rc = STORE_NO_QUEUE;
	if (op->rc != STORE_OK || k == NULL ||
	    !str_eq(k->m->m.queue, op->u.restore.queue))
		return;
	m = k->m;
	k->m = NULL;
	drop_gone(s, k);
	op->u.restore.found = true;
	op->u.restore.at_ns = m->m.at_ns;
	op->u.restore.size = m->m.payload.n;
	op->u.restore.held = m->m.held;
	op->u.restore.reply = m->m.re_queue.p != NULL;
	a = map_find(s->answers, &m->m.id, sizeof m->m.id);
	op->u.restore.answered = a != NULL;
	if (a != NULL && a->id > 0)
		a->id = -a->id;
	s->msgs = map_add(s->msgs, m, &m->m.id, sizeof m->m.id);
	s->msgs = map_sort(s->msgs, by_id);
}

static void
mem_removed(struct store_mem *s, struct store_op *op)
{
	uint32_t n = 0;
	struct mgone *k;
	struct store_gone g;
	int64_t after = op->u.removed.after, best;

	for (;;) { /* the next id; slow, but there are few */
		best = INT64_MAX;
		for (k = s->gone; k != NULL; k = k->hh.next)
			if (k->g.msg.id > after && k->g.msg.id < best &&
			    (op->u.removed.act == 0 ||
				k->g.act == op->u.removed.act) &&
			    (op->u.removed.queue.n == 0 ||
				str_eq(k->g.msg.queue, op->u.removed.queue)))
				best = k->g.msg.id;
		k = find_gone(s, best);
		if (k == NULL ||
		    (op->u.removed.max != 0 && n++ == op->u.removed.max))
			return;
		g = k->g;
		if (g.msg.payload.n > STORE_BEGINNING)
			g.msg.payload.n = STORE_BEGINNING;
		if (op->u.removed.row(op, &g) != 0)
			return;
		after = best;
	}
}

static void
mem_mark(struct store_mem *s, struct store_op *op)
{
	struct mmsg *m = find_msg(s, op->u.mark.id);

	if (m != NULL)
		m->m.held = op->u.mark.held;
}

static void
mem_get(struct store_mem *s, struct store_op *op)
{
	for (uint32_t i = 0; i < op->u.get.n; i++) {
		struct mmsg *m = find_msg(s, op->u.get.ids[i]);
		if (m != NULL && op->u.get.row(op, &m->m) != 0)
			return;
	}
}

static bool
wanted(const struct store_op *op, struct str name)
{
	for (uint32_t i = 0; i < op->u.scan.n; i++)
		if (str_eq(op->u.scan.queues[i], name))
			return true;
	return op->u.scan.n == 0;
}

static void
mem_scan(struct store_mem *s, struct store_op *op)
{
	uint64_t bytes = 0, n = 0;
	struct mmsg *m, *next;
	struct store_msg row;

	op->u.scan.upto = op->u.scan.after;
	op->u.scan.more = false;
	HASH_ITER (hh, s->msgs, m, next) {
		if (m->m.id <= op->u.scan.after || !wanted(op, m->m.queue))
			continue;
		bytes += m->m.payload.n;
		op->u.scan.more =
		    (op->u.scan.max_msgs != 0 && n == op->u.scan.max_msgs) ||
		    (op->u.scan.max_bytes != 0 && n > 0 &&
			bytes > op->u.scan.max_bytes);
		if (op->u.scan.more)
			return;
		row = m->m;
		if (op->u.scan.heads)
			row.payload.p = NULL;
		op->u.scan.upto = row.id;
		n++;
		if (op->u.scan.row(op, &row) != 0)
			return;
	}
}

static int
by_name(const void *va, const void *vb)
{
	const struct mqueue *a = va, *b = vb;

	return str_cmp(a->name, b->name);
}

static void
mem_list(struct store_mem *s, struct store_op *op)
{
	struct mqueue *q, *next;
	uint32_t n = 0;

	s->queues = map_sort(s->queues, by_name);
	HASH_ITER (hh, s->queues, q, next) {
		if (!str_starts(q->name, op->u.list.prefix) ||
		    (op->u.list.after.n != 0 &&
			str_cmp(q->name, op->u.list.after) <= 0))
			continue;
		if (op->u.list.max != 0 && n++ == op->u.list.max)
			return;
		op->u.list.paused = q->paused;
		if (op->u.list.row(op, q->name, q->owner) != 0)
			return;
	}
}

static void
mem_stat(struct store_mem *s, struct store_op *op)
{
	struct mmsg *m, *next;

	op->u.stat.count = op->u.stat.bytes = 0;
	op->u.stat.first = op->u.stat.last = 0;
	HASH_ITER (hh, s->msgs, m, next) {
		if (!str_eq(m->m.queue, op->u.stat.queue))
			continue;
		if (op->u.stat.count++ == 0)
			op->u.stat.first = m->m.id;
		op->u.stat.last = m->m.id;
		op->u.stat.bytes += (int64_t)m->m.payload.n;
	}
}

static int
by_request(const void *va, const void *vb)
{
	const struct manswer *a = va, *b = vb;

	return (a->re_id > b->re_id) - (a->re_id < b->re_id);
}

static void
mem_answers(struct store_mem *s, struct store_op *op)
{
	struct manswer *a, *next;
	uint32_t n = 0;

	op->u.answers.more = false;
	s->answers = map_sort(s->answers, by_request);
	HASH_ITER (hh, s->answers, a, next) {
		if (a->re_id <= op->u.answers.after)
			continue;
		if (op->u.answers.max != 0 && n++ == op->u.answers.max) {
			op->u.answers.more = true;
			return;
		}
		if (op->u.answers.row(op, a->re_id, a->id) != 0)
			return;
	}
}

static void
mem_nothing(struct store_mem *s, struct store_op *op)
{
	(void)s, (void)op;
}

static void (*const table[])(struct store_mem *, struct store_op *) = {
    [STORE_CREATE] = mem_create,
    [STORE_DESTROY] = mem_destroy,
    [STORE_SEND] = mem_send,
    [STORE_ACK] = mem_ack,
    [STORE_MARK] = mem_mark,
    [STORE_PAUSE] = mem_pause,
    [STORE_REMOVE] = mem_remove,
    [STORE_RESTORE] = mem_restore,
    [STORE_REMOVED] = mem_removed,
    [STORE_GET] = mem_get,
    [STORE_SCAN] = mem_scan,
    [STORE_LIST] = mem_list,
    [STORE_STAT] = mem_stat,
    [STORE_ANSWERS] = mem_answers,
    [STORE_BARRIER] = mem_nothing,
};

static uint64_t
op_bytes(const struct store_op *op)
{
	return op->kind == STORE_SEND ? op->u.send.msg.payload.n : 0;
}

static void
mem_submit(struct store *base, struct store_op *chain)
{
	struct store_mem *s = (struct store_mem *)base;
	struct store_op *op, *next;
	uint64_t n = 0, bytes = 0;
	bool over;

	for (op = chain; op != NULL; op = next) {
		next = op->flags & STORE_LINK ? op->link : NULL;
		n++;
		bytes += op_bytes(op);
	}
	over = s->ops + n > s->max_ops || s->bytes + bytes > s->max_bytes;
	if (!over) {
		s->ops += n;
		s->bytes += bytes;
	}
	for (op = chain; op != NULL; op = next) {
		next = op->flags & STORE_LINK ? op->link : NULL;
		op->rc = over ? STORE_BUSY : STORE_OK;
		op->link = NULL;
		*s->tail = op;
		s->tail = &op->link;
	}
}

/* A chain fails as a whole when its send has no queue; the only write that can
 * fail comes first in the chains there are, but look at all of it. */
static bool
chain_fails(struct store_mem *s, struct store_op *op, enum store_rc *why)
{
	for (;; op = op->link) {
		if (op->rc == STORE_BUSY) {
			*why = STORE_BUSY;
			return true;
		}
		if (op->kind == STORE_SEND &&
		    find_queue(s, op->u.send.msg.queue) == NULL) {
			*why = STORE_NO_QUEUE;
			return true;
		}
		if (!(op->flags & STORE_LINK) || op->link == NULL)
			return false;
	}
}

static void
mem_kick(struct store *base)
{
	struct store_mem *s = (struct store_mem *)base;
	struct store_op *op = s->head, *next, *o;
	enum store_rc why = STORE_OK;
	bool start = true, fails = false;

	s->head = NULL;
	s->tail = &s->head;
	s->ops = s->bytes = 0;
	s->commits += op != NULL;
	for (o = op; o != NULL; o = o->link) {
		if (start)
			fails = chain_fails(s, o, &why);
		if (fails)
			o->rc = why;
		else
			table[o->kind](s, o);
		start = !(o->flags & STORE_LINK);
		s->commit_ops++;
	}
	for (; op != NULL; op = next) {
		next = op->link;
		op->done(op);
	}
}

static void
mem_info(const struct store *base, struct store_info *i)
{
	const struct store_mem *s = (const struct store_mem *)base;

	i->last_id = s->last_id;
	i->boot_first = s->first_id;
	i->last_act = s->last_act;
	i->commits = s->commits;
	i->commit_ops = s->commit_ops;
	i->pending_ops = s->ops;
	i->pending_bytes = s->bytes;
	i->scheme = "memory";
	i->path = "";
}

static void
mem_close(struct store *base, void (*closed)(void *), void *arg)
{
	struct store_mem *s = (struct store_mem *)base;
	struct mqueue *q, *qn;
	struct manswer *a, *an;
	struct mmsg *m, *mn;
	struct mgone *k, *kn;

	while (s->head != NULL)
		mem_kick(base);
	HASH_ITER (hh, s->gone, k, kn)
		drop_gone(s, k);
	HASH_ITER (hh, s->msgs, m, mn) {
		s->msgs = map_del(s->msgs, m);
		free(m);
	}
	HASH_ITER (hh, s->queues, q, qn) {
		s->queues = map_del(s->queues, q);
		free(q);
	}
	HASH_ITER (hh, s->answers, a, an) {
		s->answers = map_del(s->answers, a);
		free(a);
	}
	free(s);
	closed(arg);
}

static struct store *
mem_open(const struct store_config *c, struct err *e)
{
	struct store_mem *s = xcalloc(1, sizeof *s);

	(void)e;
	s->base.vt = &store_mem_vt;
	s->tail = &s->head;
	s->last_id = store_first_id(c->wall_ns);
	s->first_id = s->last_id + 1;
	s->undo_ns = c->undo_ns;
	s->undo_bytes = c->undo_bytes;
	s->max_ops = c->max_ops ? c->max_ops : 100000;
	s->max_bytes = c->max_bytes ? c->max_bytes : 256ULL << 20;
	return &s->base;
}

const struct store_vt store_mem_vt = {
    .scheme = "memory",
    .open = mem_open,
    .submit = mem_submit,
    .kick = mem_kick,
    .info = mem_info,
    .close = mem_close,
};
