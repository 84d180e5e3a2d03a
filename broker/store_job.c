/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Carrying the rows of a read from one thread to another. */
#include "store_job.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
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

/* The packed form of every row: what is kept of a removed message, which holds
 * all that the others do, with offsets for pointers. */
static int
collect(struct buf *b, struct store_gone g)
{
	struct str *const texts[] = {&g.msg.queue, &g.msg.origin,
	    &g.msg.reply_to, &g.msg.re_queue, &g.msg.key, &g.msg.comm,
	    &g.msg.payload, &g.by};
	size_t at;

	while (b->n % 8 != 0)
		buf_addc(b, 0);
	at = b->n;
	buf_add(b, &g, sizeof g);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = pack(b, *texts[i]);
	if (buf_ok(b))
		memcpy(b->p + at, &g, sizeof g);
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
	if (m->damaged)
		log_error("store",
		    "message %lld is damaged on the disk: it is not delivered",
		    (long long)m->id);
	return collect(job_rows(op), (struct store_gone){.msg = *m});
}

static int
collect_gone(struct store_op *op, const struct store_gone *g)
{
	return collect(job_rows(op), *g);
}

static int
collect_queue(struct store_op *op, struct str name, struct str owner)
{
	return collect(job_rows(op),
	    (struct store_gone){.msg = {.queue = name, .origin = owner},
		.why = op->u.list.paused});
}

static int
collect_answer(struct store_op *op, int64_t re_id, int64_t id)
{
	return collect(job_rows(op),
	    (struct store_gone){.msg = {.re_id = re_id, .id = id}});
}

/* Hand one collected row to the user; non-zero stops. */
static int
replay_row(struct store_op *u, struct store_gone *g)
{
	struct store_msg *m = &g->msg;

	switch (u->kind) {
	case STORE_GET: return u->u.get.row(u, m);
	case STORE_SCAN: u->u.scan.upto = m->id; return u->u.scan.row(u, m);
	case STORE_LIST:
		u->u.list.paused = g->why != 0;
		return u->u.list.row(u, m->queue, m->origin);
	case STORE_ANSWERS: return u->u.answers.row(u, m->re_id, m->id);
	case STORE_REMOVED: return u->u.removed.row(u, g);
	default: return 0;
	}
}

/* In the loop thread: give the rows to the op they are for. */
static void
replay(struct job *j)
{
	const struct buf *b = &j->rows;
	struct store_gone g;
	struct str *const texts[] = {&g.msg.queue, &g.msg.origin,
	    &g.msg.reply_to, &g.msg.re_queue, &g.msg.key, &g.msg.comm,
	    &g.msg.payload, &g.by};
	size_t at = 0, end;

	while (at + sizeof g <= b->n) {
		memcpy(&g, b->p + at, sizeof g);
		end = at + sizeof g;
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
			end += texts[i]->p ? texts[i]->n : 0;
			*texts[i] = unpack(b, *texts[i]);
		}
		if (replay_row(j->user, &g) != 0)
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
	case STORE_REMOVED: j->op.u.removed.row = collect_gone; break;
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

/* Answer; when there was no memory for all rows, the last one is not whole. */
void
job_finish(struct job *j)
{
	copy_results(j);
	if (buf_ok(&j->rows))
		replay(j);
	buf_fini(&j->rows);
	j->user->done(j->user);
	free(j);
}
