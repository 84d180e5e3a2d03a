/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A remote call.  It may take long, so its own time limit cannot tell a slow
 * server from a dead broker; a question asked every second does.  A broker that
 * is restarted meanwhile is no failure.
 */
#include "rpc.h"

#include "ask.h"
#include "clock.h"
#include "text.h"

#define BEAT_MS	    1000 /* between two questions */
#define BEAT_MAX_MS ASK_PATIENCE_MS /* so long may an answer take */

/* A call under way. */
struct waiting {
	struct xmsg_op *call;
	struct rpc *rpc;
	bool over, asking, dead;
	int rc;
	int64_t beat_ns; /* when to ask next */
};

/* The answer has come, or something else has. */
static void
answered(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct waiting *w = arg;

	(void)x;
	w->over = true;
	w->rc = r->rc;
	w->rpc->id = r->id;
	if (r->rc == XMSG_OK) {
		w->rpc->reply.p = text_copy((struct str){r->body.p, r->body.n});
		w->rpc->reply.n = r->body.n;
	}
}

/* The broker is alive, or not. */
static void
beat_done(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct waiting *w = arg;

	(void)x;
	w->asking = false;
	w->dead = r->rc == XMSG_ETIMEDOUT;
	w->beat_ns = clock_mono_ns() + BEAT_MS * NS_PER_MS;
}

/* One turn: ask when it is time, then wait for whatever comes. */
static int
turn(struct xmsg *x, struct waiting *w)
{
	int64_t left = (w->beat_ns - clock_mono_ns()) / NS_PER_MS;
	int rc;

	if (!w->asking && left <= 0) {
		w->asking = xmsg_http_start(x, "GET", "/v1/health",
				(struct xmsg_bytes){NULL, 0}, BEAT_MAX_MS,
				beat_done, w) != NULL;
		w->beat_ns = clock_mono_ns() + BEAT_MS * NS_PER_MS;
		left = BEAT_MS;
	}
	rc = xmsg_wait(x, w->asking ? BEAT_MS : (int)left + 1);
	return rc == XMSG_ETIMEDOUT ? XMSG_OK : rc;
}

/* Why it did not work out, where a call means more than the code says. */
static int
explain(struct cli *c, const struct waiting *w, double limit_s)
{
	if (w->dead)
		return ask_failed(c, XMSG_ETIMEDOUT);
	if (w->rc == XMSG_ETIMEDOUT) {
		(void)err_set(&c->why, w->rc,
		    "no answer from %s within %.3g s; the request is still"
		    " there: %s:%lld",
		    w->rpc->queue, limit_s, w->rpc->queue,
		    (long long)w->rpc->id);
		return CLI_TIME;
	}
	return ask_failed(c, w->rc);
}

/* Call. */
int
rpc_call(struct cli *c, struct rpc *r)
{
	struct waiting w = {.rpc = r};
	struct xmsg *x = ask_xmsg(c);
	int64_t start = clock_mono_ns();
	int rc = ask_alive(c);

	r->id = -1;
	if (rc != 0)
		return rc;
	ask_patiently(c);
	w.beat_ns = start + BEAT_MS * NS_PER_MS;
	w.call = xmsg_call_start(x, r->queue, r->request, r->flags,
	    r->limit_ns > 0 ? (int)(r->limit_ns / NS_PER_MS) : -1, answered,
	    &w);
	if (w.call == NULL)
		return ask_failed(c, xmsg_rc(x));
	while (!w.over && !w.dead && rc == XMSG_OK)
		rc = turn(x, &w);
	r->took_s = (double)(clock_mono_ns() - start) / 1e9;
	if (w.over && w.rc == XMSG_OK)
		return 0;
	if (!w.over) {
		xmsg_cancel(w.call); /* calls answered() */
		w.rc = rc;
	}
	return explain(c, &w, (double)r->limit_ns / 1e9);
}
