/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Carrying the rows of a read from one thread to another. */
#include "store_job.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

/* Copy one string of a row into the arena; p becomes an offset. */
static struct str
pack(struct buf *b, struct str v)
{
	size_t at = b->n;

	if (v.p == NULL)
		return v;
	buf_add(b, v.p, v.n);
	return (struct str){(const char *)at + 1, v.n};
}

static struct str
unpack(const struct buf *b, struct str v)
{
	if (v.p != NULL)
		v.p = b->p + ((size_t)v.p - 1);
	return v;
}

/* The packed form of every row: a message with offsets for pointers. */
static int
collect(struct buf *b, struct store_msg m)
{
	size_t at;

	while (b->n % 8 != 0)
		buf_addc(b, 0);
	at = b->n;
	buf_add(b, &m, sizeof m);
	m.queue = pack(b, m.queue);
	m.origin = pack(b, m.origin);
	m.reply_to = pack(b, m.reply_to);
	m.re_queue = pack(b, m.re_queue);
	m.key = pack(b, m.key);
	m.payload = pack(b, m.payload);
	if (buf_ok(b))
		memcpy(b->p + at, &m, sizeof m);
	return buf_ok(b) ? 0 : -1;
}

static struct buf *
job_rows(struct store_op *op)
{
	return &((struct job *)(void *)op)->rows;
}

static int
collect_msg(struct store_op *op, const struct store_msg *m)
{
	return collect(job_rows(op), *m);
}

static int
collect_queue(struct store_op *op, struct str name, struct str owner)
{
	return collect(
	    job_rows(op), (struct store_msg){.queue = name, .origin = owner});
}

static int
collect_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	return collect(
	    job_rows(op), (struct store_msg){.re_id = re_id, .id = id});
}

/* Hand one collected row to the user; non-zero stops. */
static int
replay_row(struct store_op *u, struct store_msg *m)
{
	switch (u->kind) {
	case STORE_GET: return u->u.get.row(u, m);
	case STORE_SCAN: u->u.scan.upto = m->id; return u->u.scan.row(u, m);
	case STORE_LIST: return u->u.list.row(u, m->queue, m->origin);
	case STORE_ANSWERS: return u->u.answers.row(u, m->re_id, m->id);
	default: return 0;
	}
}

/* In the loop thread: give the rows to the op they are for. */
static void
replay(struct job *j)
{
	struct store_op *u = j->user;
	const struct buf *b = &j->rows;
	struct store_msg m;
	size_t at = 0, end;

	while (at + sizeof m <= b->n) {
		memcpy(&m, b->p + at, sizeof m);
		end = at + sizeof m + (m.queue.p ? m.queue.n : 0) +
		    (m.origin.p ? m.origin.n : 0) +
		    (m.reply_to.p ? m.reply_to.n : 0) +
		    (m.re_queue.p ? m.re_queue.n : 0) +
		    (m.key.p ? m.key.n : 0) + (m.payload.p ? m.payload.n : 0);
		m.queue = unpack(b, m.queue);
		m.origin = unpack(b, m.origin);
		m.reply_to = unpack(b, m.reply_to);
		m.re_queue = unpack(b, m.re_queue);
		m.key = unpack(b, m.key);
		m.payload = unpack(b, m.payload);
		if (replay_row(u, &m) != 0)
			return;
		at = (end + 7) & ~(size_t)7;
	}
}

/* Results that are no rows. */
static void
copy_results(struct job *j)
{
	struct store_op *u = j->user, *o = &j->op;

	u->rc = buf_ok(&j->rows) ? o->rc : STORE_IO;
	switch (u->kind) {
	case STORE_SCAN:
		u->u.scan.upto = u->u.scan.after;
		u->u.scan.more = o->u.scan.more;
		break;
	case STORE_STAT: u->u.stat = o->u.stat; break;
	case STORE_ANSWERS: u->u.answers.more = o->u.answers.more; break;
	default: break;
	}
}

/* Start: rows go to the collector. */
struct job *
job_new(struct store_op *op)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->op = *op;
	j->user = op;
	switch (op->kind) {
	case STORE_GET: j->op.u.get.row = collect_msg; break;
	case STORE_SCAN: j->op.u.scan.row = collect_msg; break;
	case STORE_LIST: j->op.u.list.row = collect_queue; break;
	case STORE_ANSWERS: j->op.u.answers.row = collect_answer; break;
	default: break;
	}
	return j;
}

/* Read. */
enum store_rc
job_run(struct job *j, struct sqldb *db)
{
	j->op.rc = sqldb_read(db, &j->op);
	return j->op.rc;
}

/* Answer. */
void
job_finish(struct job *j)
{
	copy_results(j);
	replay(j);
	buf_fini(&j->rows);
	j->user->done(j->user);
	free(j);
}
