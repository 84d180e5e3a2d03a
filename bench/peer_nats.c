/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * NATS JetStream: a work queue stream of requests and one of replies, both in
 * files; a push consumer with explicit acknowledgement for each server and each
 * caller.  One connection each.
 *
 *   caller:  publish to the queue's subject, wait for the stream's answer
 *   server:  publish the reply, wait for the stream's answer, acknowledge the
 *            request (an acknowledgement is not confirmed)
 *   caller:  acknowledge the reply
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "xalloc.h"

#define SID_TAKEN 1 /* answers to what was published */
#define SID_CAME  2 /* messages of the consumer */

struct nats {
	struct link l;
	struct tasks_line line; /* servers */
};

/* One MSG. */
struct msg {
	int sid;
	char reply[128]; /* "" for none */
	struct str payload;
};

/* Take a message.  PING is answered, other control lines are passed over. */
static size_t
take_msg(struct link *l, const char *p, size_t n, struct msg *m)
{
	const char *end = memchr(p, '\n', n);
	char head[400], subject[128], a[128], b[128];
	size_t line, body;
	int words;

	m->sid = 0;
	if (end == NULL)
		return 0;
	line = (size_t)(end - p) + 1;
	if (strncmp(p, "PING", 4) == 0) {
		link_addf(l, "PONG\r\n");
		link_flush(l);
	}
	if (strncmp(p, "-ERR", 4) == 0)
		eng_fault(
		    l->rig->eng, FAULT_STATUS, "nats: %.*s", (int)line, p);
	if (strncmp(p, "MSG ", 4) != 0)
		return line;
	snprintf(head, sizeof head, "%.*s", (int)line, p);
	words =
	    sscanf(head, "MSG %127s %d %127s %127s", subject, &m->sid, a, b);
	body = strtoul(words == 4 ? b : a, NULL, 10);
	snprintf(m->reply, sizeof m->reply, "%s", words == 4 ? a : "");
	if (words < 3)
		eng_fault(l->rig->eng, FAULT_MALFORMED, "nats: %s", head);
	if (n < line + body + 2) {
		m->sid = 0;
		return 0;
	}
	m->payload = (struct str){p + line, body};
	return line + body + 2;
}

/* The stream's answer to something published. */
static bool
was_taken(struct link *l, const struct msg *m)
{
	if (str_starts(m->payload, STR("{\"stream\":")))
		return true;
	eng_fault(l->rig->eng, FAULT_STATUS, "nats: %.*s",
	    (int)(m->payload.n > 200 ? 200 : m->payload.n), m->payload.p);
	return false;
}

/* Publish with an answer. */
static void
add_pub(
    struct link *l, const char *to, const char *who, unsigned no, struct str p)
{
	link_addf(l, "PUB %s _T.%s%u %zu\r\n", to, who, no, p.n);
	link_add(l, p.p, p.n);
	link_add(l, "\r\n", 2);
}

/* Acknowledge. */
static void
add_ack(struct link *l, const char *ref)
{
	link_addf(l, "PUB %s 4\r\n+ACK\r\n", ref);
}

/* A request of the management interface, and its answer. */
static void
manage(struct link *l, const char *what, const char *json)
{
	link_addf(
	    l, "PUB $JS.API.%s _M %zu\r\n%s\r\n", what, strlen(json), json);
	link_ask(l, 1, "MSG _M");
	link_ask(l, 1, "\"config\":");
}

/* Connect, and hear what is published to us. */
static bool
open_link(struct nats *x, struct rig *g, link_fn *take, void *arg,
    const char *who, unsigned no)
{
	if (!link_open(&x->l, g, take, arg))
		return false;
	link_ask(&x->l, 1, "INFO ");
	link_addf(&x->l,
	    "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"
	    "SUB _M 3\r\nSUB _T.%s%u %d\r\nSUB _D.%s%u %d\r\nPING\r\n",
	    who, no, SID_TAKEN, who, no, SID_CAME);
	link_ask(&x->l, 1, "PONG");
	return x->l.fd >= 0 && !g->eng->broken;
}

/* A consumer of one subject of a stream. */
static void
consume(struct link *l, const char *stream, const char *subject,
    const char *who, unsigned no)
{
	char json[500], what[200];

	snprintf(what, sizeof what, "CONSUMER.DURABLE.CREATE.%s.%s%u", stream,
	    who, no);
	snprintf(json, sizeof json,
	    "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"%s%u\","
	    "\"deliver_subject\":\"_D.%s%u\",\"ack_policy\":\"explicit\","
	    "\"deliver_policy\":\"all\",\"replay_policy\":\"instant\","
	    "\"filter_subject\":\"%s\",\"max_ack_pending\":100000,"
	    "\"ack_wait\":600000000000}}",
	    stream, who, no, who, no, subject);
	manage(l, what, json);
}

/* A stream for each direction. */
static void
prepare(struct rig *g)
{
	/* requests, replies, what is only sent; queue names begin so */
	static const char *const kinds[] = {"q", "r", "s"};
	struct nats x;
	char json[500], what[100];
	unsigned i;

	if (!open_link(&x, g, NULL, NULL, "p", 0))
		return;
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		snprintf(what, sizeof what, "STREAM.CREATE.%s-%s", g->o->prefix,
		    kinds[i]);
		snprintf(json, sizeof json,
		    "{\"name\":\"%s-%s\",\"subjects\":[\"%s.%s.*\"],"
		    "\"retention\":\"workqueue\",\"storage\":\"file\","
		    "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,"
		    "\"num_replicas\":1,\"discard\":\"new\"}",
		    g->o->prefix, kinds[i], g->o->prefix, kinds[i]);
		manage(&x.l, what, json);
	}
	link_close(&x.l);
}

/* ---- servers ---- */

/* Send what may be sent. */
static void
replies_go(struct nats *x, struct server *s)
{
	struct task *t;

	while ((t = line_next(&x->line, s->rig->o->window)) != NULL)
		add_pub(&x->l, t->to->inbox, "s", s->no, t->payload);
	link_flush(&x->l);
}

/* A request, or a reply was taken. */
static size_t
server_take(struct link *l, const char *p, size_t n)
{
	struct server *s = l->arg;
	struct nats *x = s->own;
	struct caller *c;
	struct task *t;
	struct msg m;
	size_t used = take_msg(l, p, n, &m);

	if (m.sid == SID_CAME) {
		c = rig_request(s, m.payload);
		if (c != NULL)
			line_add(&x->line, c, str_of(m.reply), m.payload);
	} else if (m.sid == SID_TAKEN && was_taken(l, &m)) {
		t = line_confirmed(&x->line);
		if (t != NULL)
			add_ack(l, t->ref);
		free(t);
	}
	if (m.sid != 0)
		replies_go(x, s);
	return used;
}

static void
server_open(struct server *s)
{
	struct nats *x = s->own = xcalloc(1, sizeof *x);
	char stream[64];

	line_init(&x->line);
	snprintf(stream, sizeof stream, "%s-q", s->rig->o->prefix);
	if (open_link(x, s->rig, server_take, s, "s", s->no))
		consume(&x->l, stream, s->queue, "s", s->no);
}

static void
server_close(struct server *s)
{
	struct nats *x = s->own;

	link_close(&x->l);
	line_fini(&x->line);
	free(x);
}

/* ---- callers ---- */

/* Publish. */
static void
call(struct caller *c)
{
	struct nats *x = c->own;

	add_pub(&x->l, c->queue, "c", c->no, c->payload);
	link_flush(&x->l);
}

/* The request was taken, or the reply came. */
static size_t
caller_take(struct link *l, const char *p, size_t n)
{
	struct caller *c = l->arg;
	struct msg m;
	size_t used = take_msg(l, p, n, &m);

	if (m.sid == SID_CAME) {
		add_ack(l, m.reply); /* goes with the next call, or now */
		rig_replied(c, m.payload);
		link_flush(l);
	} else if (m.sid == SID_TAKEN && was_taken(l, &m))
		rig_confirmed(c);
	return used;
}

static void
caller_open(struct caller *c)
{
	struct nats *x = c->own = xcalloc(1, sizeof *x);
	char stream[64];

	line_init(&x->line);
	snprintf(stream, sizeof stream, "%s-r", c->rig->o->prefix);
	if (open_link(x, c->rig, caller_take, c, "c", c->no) &&
	    c->rig->nservers > 0)
		consume(&x->l, stream, c->inbox, "c", c->no);
}

static void
caller_close(struct caller *c)
{
	struct nats *x = c->own;

	link_close(&x->l);
	free(x);
}

const struct peer peer_nats = {
    .name = "nats",
    .prepare = prepare,
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
