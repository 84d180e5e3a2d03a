/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Looking at the switch through the broker, page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ask.h"
#include "clock.h"
#include "look.h"
#include "wire.h"

#define PAGE_QUEUES   1000
#define PAGE_MESSAGES 1000
#define PAGE_FIRST    100 /* something to show, soon */
#define MOST_ACTS     10000

static struct look_queue
queue_of(const json_t *j)
{
	return (struct look_queue){
	    .name = ask_str(j, "name"),
	    .owner = ask_str(j, "owner"),
	    .messages = ask_int(j, "messages", -1),
	    .bytes = ask_int(j, "bytes", -1),
	    .ready = ask_int(j, "ready", -1),
	    .delivered = ask_int(j, "delivered", -1),
	    .held = ask_int(j, "held", -1),
	    .dead = ask_int(j, "dead", -1),
	    .oldest_id = ask_int(j, "oldest_id", -1),
	    .consumers = ask_int(j, "consumers", -1),
	    .parked = ask_int(j, "parked", -1),
	    .in = ask_int(j, "in", -1),
	    .out = ask_int(j, "out", -1),
	    .oldest_age_s = ask_real(j, "oldest_age_s", -1),
	    .last_poll_age_s = ask_real(j, "last_poll_age_s", -1),
	    .in_s = ask_real(j, "in_s", -1),
	    .out_s = ask_real(j, "out_s", -1),
	    .paused = ask_int(j, "paused", 0),
	};
}

/* One page; *next gets the name to go on after, "" at the end. */
static int
queue_page(struct cli *c, const char *prefix, struct buf *next,
    look_queue_fn fn, void *arg)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL, *q;
	int rc, stop = 0;
	size_t i;

	ask_path(&t, "queues");
	buf_addf(&t, "?limit=%d&prefix=", PAGE_QUEUES);
	wire_put_segment(&t, str_of(prefix));
	buf_adds(&t, "&after=");
	wire_put_segment(&t, (struct str){next->p, next->n});
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	buf_reset(next);
	for (i = 0; (q = ask_item(j, "queues", i)) != NULL; i++) {
		struct look_queue lq = queue_of(q);

		if ((stop = fn(arg, &lq)) != 0)
			break;
	}
	if (rc == 0 && stop == 0) {
		struct str s = ask_str(j, "next");
		buf_add(next, s.p, s.n);
	}
	json_decref(j);
	return rc;
}

static int
queues(struct cli *c, const char *prefix, look_queue_fn fn, void *arg)
{
	struct buf next = BUF_INIT;
	int rc;

	do
		rc = queue_page(c, prefix, &next, fn, arg);
	while (rc == 0 && next.n > 0 && buf_ok(&next));
	buf_fini(&next);
	return rc;
}

/* Undo base64 in place; other characters are passed over. */
static size_t
unbase64(char *p, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t x = 0;
	unsigned bits = 0;
	size_t o = 0;
	const char *at;

	for (size_t i = 0; i < n; i++) {
		at = p[i] != '\0' ? strchr(set, p[i]) : NULL;
		if (at == NULL)
			continue;
		x = x << 6 | (uint32_t)(at - set);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			p[o++] = (char)(x >> bits & 0xff);
		}
	}
	return o;
}

static struct look_msg
msg_of(const json_t *j)
{
	const json_t *re = json_object_get(j, "request");
	struct str kind = ask_str(j, "kind");
	struct look_msg m = {
	    .queue = ask_str(j, "queue"),
	    .id = ask_int(j, "id", -1),
	    .state = ask_str(j, "state"),
	    .reason = ask_str(j, "reason"),
	    .origin = ask_str(j, "origin"),
	    .consumer = ask_str(j, "consumer"),
	    .reply_to = ask_str(j, "reply_to"),
	    .method = ask_str(j, "method"),
	    .comm = ask_str(j, "comm"),
	    .pid = ask_int(j, "pid", -1),
	    .uid = ask_int(j, "uid", -1),
	    .re_queue = ask_str(re, "queue"),
	    .re_id = ask_int(re, "id", -1),
	    .size = ask_int(j, "size", -1),
	    .deliveries = ask_int(j, "deliveries", -1),
	    .answered = ask_int(j, "answered", 0),
	    .time = ask_real(j, "time", -1),
	    .age_s = ask_real(j, "age_s", -1),
	    .payload = ask_str(j, "payload"),
	};
	struct str raw = ask_str(j, "payload_base64");

	m.reply = str_eq(kind, STR("reply"));
	if (raw.p != NULL) {
		m.raw = true;
		m.payload = (struct str){
		    raw.p, unbase64((char *)(uintptr_t)raw.p, raw.n)};
	}
	return m;
}

static void
put_text(struct buf *t, const char *name, const char *v)
{
	if (v == NULL)
		return;
	buf_addf(t, "&%s=", name);
	wire_put_segment(t, str_of(v));
}

static void
put_number(struct buf *t, const char *name, int64_t v, int64_t any)
{
	if (v != any)
		buf_addf(t, "&%s=%lld", name, (long long)v);
}

/* What the broker may leave out. */
static void
put_filter(struct buf *t, const struct look_filter *f)
{
	if (f == NULL)
		return;
	put_text(t, "state", f->state);
	put_text(t, "method", f->method);
	put_text(t, "origin", f->origin);
	put_text(t, "grep", f->grep);
	put_number(t, "older", f->older_s, 0);
	put_number(t, "min_size", f->min_size, 0);
	put_number(t, "max_size", f->max_size, INT64_MAX);
	put_number(t, "up_to", f->up_to, INT64_MAX);
}

/* One page; *after moves on, -2 at the end; *got counts them. */
static int
msg_page(struct cli *c, const char *queue, int64_t *after, int64_t limit,
    int64_t *got, bool payload, look_msg_fn fn, void *arg)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL, *m;
	int rc, stop = 0;
	size_t i;

	ask_path(&t, "queues", queue, "messages");
	buf_addf(&t, "?limit=%lld&after=%lld&payload=%d", (long long)limit,
	    (long long)*after, payload);
	put_filter(&t, c->filter);
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	for (i = 0; (m = ask_item(j, "messages", i)) != NULL; i++) {
		struct look_msg lm = msg_of(m);

		if ((stop = fn(arg, &lm)) != 0)
			break;
	}
	*after = stop != 0 ? -2 : ask_int(j, "next", -2);
	*got = (int64_t)i;
	json_decref(j);
	return rc;
}

static int
messages(struct cli *c, const char *queue, int64_t after, int64_t most,
    bool payload, look_msg_fn fn, void *arg)
{
	int64_t limit = PAGE_FIRST, got = 0;
	int rc = 0;

	while (rc == 0 && most > 0 && after != -2) {
		if (limit > most)
			limit = most;
		rc = msg_page(c, queue, &after, limit, &got, payload, fn, arg);
		most -= got;
		c->start_ns = clock_mono_ns(); /* it goes on: so do we */
		limit = PAGE_MESSAGES;
	}
	return rc;
}

static int
message(struct cli *c, const char *queue, int64_t id, bool raw, look_msg_fn fn,
    void *arg)
{
	struct buf t = BUF_INIT;
	struct look_msg m;
	json_t *j = NULL;
	char number[24];
	int rc;

	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number);
	if (raw)
		buf_adds(&t, "?payload=raw");
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	if (rc == 0) {
		m = msg_of(j);
		(void)fn(arg, &m);
	}
	json_decref(j);
	return rc;
}

static int
acts(struct cli *c, int64_t after, int64_t most, int64_t *next, look_act_fn fn,
    void *arg)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL, *a;
	size_t i;
	int rc;

	ask_path(&t, "acts");
	buf_addf(&t, "?limit=%lld",
	    (long long)(most < MOST_ACTS ? most : MOST_ACTS));
	if (after != LOOK_LAST)
		buf_addf(&t, "&after=%lld", (long long)after);
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	for (i = 0; (a = ask_item(j, "acts", i)) != NULL; i++) {
		struct look_act la = {
		    .verb = ask_str(a, "verb"),
		    .queue = ask_str(a, "queue"),
		    .comm = ask_str(a, "comm"),
		    .text = ask_str(a, "text"),
		    .seq = ask_int(a, "seq", 0),
		    .id = ask_int(a, "id", 0),
		    .uid = ask_int(a, "uid", -1),
		    .pid = ask_int(a, "pid", 0),
		    .done = ask_int(a, "done", 1),
		    .time = ask_real(a, "time", 0),
		};

		fn(arg, &la);
	}
	*next = ask_int(j, "next", after);
	json_decref(j);
	return rc;
}

const struct look_vt look_broker = {
    .queues = queues,
    .messages = messages,
    .message = message,
    .events = look_broker_events,
    .acts = acts,
};
