/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Payloads as remote calls.  The switch does not understand what it carries,
 * with two exceptions for the sake of people: which method a request calls, and
 * how to tell its caller, in the caller's own form, that nobody will answer.
 * Pure.
 */
#ifndef XMSG_RPC_H
#define XMSG_RPC_H

#include <stdbool.h>

#include "buf.h"
#include "str.h"

#define RPC_SCAN 4096 /* bytes of a payload looked at for its method */

struct rpc {
	bool v2; /* "jsonrpc": "2.0"; else the toolstack's form */
	struct str method; /* p == NULL: there is none */
	struct str id; /* JSON, as it is to stand in the answer */
	char id_text[256];
};

/* Take a payload apart.  text is changed, and the method points into it; with
 * `cut` it may end anywhere, and what came before counts.  What is no call has
 * no method, and 0 for its id. */
void rpc_read(struct rpc *r, char *text, size_t n, bool cut);

/* The method that a payload calls, at most max bytes of it (the rest is cut),
 * written to out; its length, 0 when there is none.  Looks at the first RPC_SCAN
 * bytes only. */
size_t rpc_method(char *out, size_t max, struct str payload);

/* Append the failure that answers a cancelled call: who did it, why (may be
 * empty), and both in a sentence. */
void rpc_cancelled(struct buf *b, const struct rpc *r, struct str by,
    struct str reason, struct str sentence);

#endif
