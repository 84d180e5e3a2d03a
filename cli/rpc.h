/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A remote call that notices when the broker stops answering, and serving a
 * queue with a program. */
#ifndef XMSG_CLI_RPC_H
#define XMSG_CLI_RPC_H

#include "cli.h"
#include "xmsg.h"

struct rpc {
	const char *queue;
	struct xmsg_bytes request;
	unsigned flags; /* XMSG_CREATE */
	int64_t limit_ns; /* 0: none */
	/* results */
	struct xmsg_bytes reply; /* release with xmsg_bytes_free */
	int64_t id; /* of the request, -1 unknown */
	double took_s;
};

/* An exit status, with c->why when it is not 0. */
int rpc_call(struct cli *c, struct rpc *r);

struct serve {
	const char *queue;
	char **argv; /* the program and its arguments; NULL: ask a person */
	unsigned jobs; /* how many at a time */
	bool exact; /* keep the newline at the end of its output */
};

/* Serve until a signal says stop. */
int serve_run(struct cli *c, const struct serve *s);

#endif
