/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * As much of the broker's answers as a measurement needs: status and body of an
 * HTTP response, and the messages in the body of a transfer.  Written apart
 * from lib/wire, so that the two check each other; it takes the compact form
 * both known brokers print, and payloads and names without escapes, which is
 * all our own messages have.  Pure; nothing is copied.
 */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

enum reply_rc { REPLY_OK, REPLY_MORE, REPLY_BAD };

struct reply {
	int status;
	struct str body;
	size_t total; /* bytes of head and body; with REPLY_MORE 0 = unknown */
};

/* Look at the n bytes received so far. */
enum reply_rc reply_parse(struct reply *r, const char *p, size_t n);

struct message {
	struct str queue;
	int64_t id;
	struct str payload;
	bool response;
	struct str to; /* reply queue, or the queue of the request answered */
	int64_t re_id; /* response: id of the request */
};

struct scan {
	const char *p, *end;
	bool bad; /* not in the form expected */
	int64_t next; /* the cursor, once the messages are through */
};

/* Walk over the body of a transfer's answer: reply_scan, then reply_message
 * until it says false; then look at bad and next. */
void reply_scan(struct scan *s, struct str body);
bool reply_message(struct scan *s, struct message *m);

/* Answer of a send: 1 and *id; 0: no such queue; -1: something else. */
int reply_sent(struct str body, int64_t *id);

#endif
