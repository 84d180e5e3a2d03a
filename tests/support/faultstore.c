/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Passing chains on at kick, all but those that are to fail; done comes in
 * the order of submit.  The store behind must finish within its kick. */
#include "faultstore.h"

#include "unit.h"

#include "xalloc.h"

struct faultstore_op {
	struct store_op *op;
	void (*done)(struct store_op *);
	bool head; /* of a chain */
	bool fails;
};

static void
nothing(struct store_op *op)
{
	(void)op;
}

/* Note one op; what it is done with comes later. */
static void
note(struct faultstore *f, struct store_op *op, bool head)
{
	for (size_t i = 0; i < f->n; i++)
		assert_ptr_not_equal(f->v[i].op, op);
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->v = xreallocarray(f->v, f->cap, sizeof *f->v);
	}
	assert_non_null(op->done);
	f->v[f->n++] = (struct faultstore_op){op, op->done, head, false};
}

static void
fs_submit(struct store *s, struct store_op *chain)
{
	struct faultstore *f = (struct faultstore *)s;
	size_t first = f->n;
	bool fails;

	f->chains++;
	fails = f->at != 0 &&
	    (f->lasting ? f->chains >= f->at : f->chains == f->at);
	f->failed += fails;
	for (struct store_op *op = chain; op != NULL;
	     op = op->flags & STORE_LINK ? op->link : NULL)
		note(f, op, op == chain);
	for (size_t i = first; i < f->n; i++)
		f->v[i].fails = fails;
}

/* Give to the store behind what does not fail. */
static void
pass_on(struct faultstore *f, struct faultstore_op *v, size_t n)
{
	bool all = false;

	for (size_t i = 0; i < n && f->batch; i++)
		all |= v[i].fails;
	for (size_t i = 0; i < n; i++) {
		v[i].fails |= all;
		if (v[i].fails)
			v[i].op->rc = f->rc;
		else
			v[i].op->done = nothing;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].head && !v[i].fails)
			store_submit(f->inner, v[i].op);
	store_kick(f->inner); /* rows may submit others */
}

static void
fs_kick(struct store *s)
{
	struct faultstore *f = (struct faultstore *)s;
	struct faultstore_op *v = f->v;
	size_t n = f->n;

	if (n == 0)
		return;
	f->v = NULL;
	f->n = f->cap = 0;
	f->batches++;
	pass_on(f, v, n);
	for (size_t i = 0; i < n; i++)
		v[i].op->done = v[i].done;
	for (size_t i = 0; i < n; i++)
		v[i].done(v[i].op); /* may free op and submit others */
	free(v);
}

static void
fs_info(const struct store *s, struct store_info *i)
{
	const struct faultstore *f = (const struct faultstore *)s;

	store_info(f->inner, i);
	if (f->boot_first != 0)
		i->boot_first = f->boot_first;
}

static void
fs_close(struct store *s, void (*closed)(void *), void *arg)
{
	struct faultstore *f = (struct faultstore *)s;

	while (f->n > 0)
		fs_kick(s);
	free(f->v);
	f->v = NULL;
	store_close(f->inner, closed, arg);
}

static const struct store_vt vt = {
    .scheme = "fault",
    .submit = fs_submit,
    .kick = fs_kick,
    .info = fs_info,
    .close = fs_close,
};

/* Before inner. */
void
faultstore_init(struct faultstore *f, struct store *inner)
{
	memset(f, 0, sizeof *f);
	f->base.vt = &vt;
	f->inner = inner;
}

/* A new plan. */
void
faultstore_plan(
    struct faultstore *f, long at, bool batch, bool lasting, enum store_rc rc)
{
	f->at = at;
	f->batch = batch;
	f->lasting = lasting;
	f->rc = rc;
	f->chains = f->failed = f->batches = 0;
}

/* Under way? */
bool
faultstore_pending(const struct faultstore *f)
{
	return f->n > 0;
}
