/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* show: one message whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cmd.h"
#include "msgs.h"
#include "runs.h"
#include "text.h"
#include "units.h"

#define LINE   69 /* columns left for the payload */
#define EVENTS 1000

static const struct opt opts[] = {
    {"raw", 0, OPT_FLAG, NULL,
	"the bytes of the payload, unmasked; for root, and logged", NULL},
    {"show-secrets", 0, OPT_FLAG, NULL,
	"the payload unmasked, at a terminal; for root, and logged", NULL},
    {"adapter-state", 0, OPT_TEXT, "DIR",
	"scripts: the adapter's state folder [" ADAPTER_STATE "]", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static void
line(struct cli *c, const char *name, struct str value)
{
	struct buf *b = out_buf(&c->out);

	if (value.n == 0)
		return;
	buf_addf(b, "%-10s ", name);
	text_put(b, value);
	out_line(&c->out, false);
}

static void
line_id(struct cli *c, const char *name, struct str queue, int64_t id)
{
	struct buf *b = out_buf(&c->out);

	buf_addf(b, "%-10s ", name);
	msgid_put(b, queue, id);
	out_line(&c->out, false);
}

static void
line_number(struct cli *c, const char *name, int64_t v)
{
	if (v < 0)
		return;
	buf_addf(out_buf(&c->out), "%-10s %lld", name, (long long)v);
	out_line(&c->out, false);
}

/* The payload: what is JSON and too long for a line, one member a line. */
static void
put_payload(struct cli *c, struct str payload)
{
	json_t *j = payload.n > LINE
	    ? json_loadb(payload.p, payload.n, JSON_ALLOW_NUL, NULL)
	    : NULL;
	char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL, *rest = text;
	char *next;

	if (text == NULL)
		line(c, "payload", payload);
	for (const char *name = "payload"; rest != NULL; name = "") {
		next = strchr(rest, '\n');
		if (next != NULL)
			*next++ = '\0';
		line(c, name, str_of(rest));
		rest = next;
	}
	free(text);
	json_decref(j);
}

/* A client, or what stands for one that has not logged in. */
static void
put_client(struct buf *b, const char *word, const struct event *e)
{
	buf_adds(b, word);
	if (e->client.n > 0)
		text_put(b, e->client);
	else
		buf_addf(b, "pid %lld", (long long)e->pid);
}

/* What happened, in words: "delivered to zfs", "answered by zfs after 3ms". */
static void
put_happened(struct buf *b, const struct event *e, int64_t id)
{
	char took[UNITS_MAX];
	bool answer = e->id != id;

	switch (e->type) {
	case RING_PUBLISH: put_client(b, "published by ", e); break;
	case RING_REPLY:
		put_client(b, answer ? "answered by " : "sent by ", e);
		if (e->took_s >= 0 && answer) {
			units_took(took, e->took_s);
			buf_addf(b, " after %s", took);
		}
		buf_adds(b, ": ");
		msgid_put(b, e->queue, e->id);
		break;
	case RING_DELIVER:
		put_client(b,
		    answer ? "its answer delivered to " : "delivered to ", e);
		break;
	case RING_ACK:
		put_client(b,
		    answer ? "its answer acknowledged by " : "acknowledged by ",
		    e);
		break;
	default:
		buf_adds(b,
		    e->type == RING_HOLD	  ? "held"
			: e->type == RING_RELEASE ? "released"
						  : "cancelled");
		if (e->text.n > 0)
			buf_adds(b, ": ");
		text_put(b, e->text);
		break;
	}
}

/* What the recorder still knows of it. */
static int
put_timeline(struct cli *c, int64_t id)
{
	struct buf *b = out_buf(&c->out);
	struct events l = {0};
	char when[UNITS_MAX];
	size_t from;
	int rc;

	c->event_id = id;
	rc = look_events(c, LOOK_LAST, EVENTS, 0, &l);
	c->event_id = 0;
	for (size_t i = 0; i < l.n; i++) {
		from = b->n;
		units_time(when, l.v[i].time, c->out.now, c->utc);
		buf_addf(b, "%-10s %s  ", i == 0 ? "timeline" : "", when);
		put_happened(b, &l.v[i], id);
		out_fold(&c->out, from, 25);
		out_line(&c->out, false);
	}
	events_fini(&l);
	return rc;
}

/* The scripts that ran for it, and run; none when there is no adapter here. */
static void
put_scripts(struct cli *c, int64_t id)
{
	const char *dir = opts_text(&c->opts, "adapter-state", ADAPTER_STATE);
	struct buf *b = out_buf(&c->out);
	struct runs r = {0};
	struct err e = {0, ""};
	char took[UNITS_MAX];
	const char *label = "scripts";

	if (runs_read(&r, dir, 0, &e) == -1 &&
	    opts_has(&c->opts, "adapter-state"))
		cli_say(c, "%s", e.text);
	for (size_t i = 0; i < r.n; i++) {
		if (r.v[i].id != id)
			continue;
		buf_addf(b, "%-10s ", label);
		text_put(b, r.v[i].script);
		if (r.v[i].took_s < 0) {
			buf_adds(b, ", running");
		} else {
			units_took(took, r.v[i].took_s);
			buf_addf(b, ", %s", took);
		}
		if (r.v[i].end.n > 0)
			buf_adds(b, ", ");
		text_put(b, r.v[i].end);
		out_line(&c->out, false);
		label = "";
	}
	runs_fini(&r);
}

/* For people. */
static void
put(struct cli *c, const struct look_msg *m)
{
	char when[UNITS_MAX], age[UNITS_MAX], text[UNITS_MAX * 2 + 8];

	line_id(c, "message", m->queue, m->id);
	line(c, "kind", str_of(m->reply ? "reply" : "request"));
	line(c, "state", m->state);
	line(c, "reason", m->reason);
	units_time(when, m->time, c->out.now, c->utc);
	units_age(age, m->age_s);
	snprintf(text, sizeof text, "%s, %s ago", when, age);
	line(c, "published", str_of(text));
	line(c, "from", m->origin);
	line(c, "reply to", m->reply_to);
	if (m->reply)
		line_id(c, "answers", m->re_queue, m->re_id);
	else if (m->answered)
		line(c, "answered", STR("yes"));
	line_number(c, "deliveries", m->deliveries);
	line(c, "consumer", m->consumer);
	line_number(c, "size", m->size);
	put_payload(c, m->payload);
}

static int
show(void *arg, const struct look_msg *m)
{
	struct cli *c = arg;

	if (m->raw && opts_has(&c->opts, "show-secrets")) {
		put(c, m);
	} else if (m->raw && c->json) {
		(void)msgs_add(c, m);
	} else if (m->raw) {
		buf_add(out_buf(&c->out), m->payload.p, m->payload.n);
		if (isatty(STDOUT_FILENO))
			out_line(&c->out, false);
	} else if (c->json) {
		(void)msgs_add(c, m);
	} else {
		put(c, m);
	}
	return 0;
}

/* One id. */
static int
one(struct cli *c, const char *word)
{
	char queue[256];
	bool raw =
	    opts_has(&c->opts, "raw") || opts_has(&c->opts, "show-secrets");
	int64_t id;
	int rc = msgs_id(c, word, queue, &id);

	if (rc != 0)
		return rc;
	rc = look_message(c, queue, id, raw, show, c);
	if (rc == 0 && !c->json && !opts_has(&c->opts, "raw")) {
		if (put_timeline(c, id) != 0)
			c->why.text[0] = '\0'; /* the message has been shown */
		put_scripts(c, id);
	}
	if (rc != 0 && c->why.text[0] != '\0')
		(void)err_prefix(&c->why, "%s:%lld", queue, (long long)id);
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (msgs_table(c) == -1)
		return cli_fail(c, CLI_USAGE);
	if (opts_has(&c->opts, "show-secrets") &&
	    (!isatty(STDOUT_FILENO) || c->json)) {
		cli_say(c,
		    "--show-secrets is for a terminal, so that they do"
		    " not end up in a file; --raw gives the bytes");
		return CLI_REFUSED;
	}
	if ((opts_has(&c->opts, "raw") || opts_has(&c->opts, "show-secrets")) &&
	    c->offline)
		cli_say(c, "this is not logged: there is no broker");
	t = cli_each(c, argc, argv, one);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_show = {
    .name = "show",
    .args = "QUEUE:ID... | -",
    .help = "Show messages: where they come from, their state, the payload",
    .flags = CMD_READS,
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
