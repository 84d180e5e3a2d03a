/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* tail and mscgen of message-cli, from events as the stock protocol has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "look.h"
#include "map.h"
#include "old.h"
#include "text.h"
#include "units.h"
#include "wire.h"
#include "xalloc.h"

#define FOLDER_EVENTS 128
#define FOLLOW_MS     4000

/* ---- getting them ---- */

static void
add(struct old_events *l, const struct old_event *e)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof *l->v);
	}
	l->v[l->n++] = *e;
	if (e->seq >= l->next)
		l->next = e->seq + 1;
}

static int
add_wire(void *arg, const struct wire_event *w)
{
	struct old_event e = {
	    .seq = w->seq,
	    .time = (double)w->wall_ns / 1e9,
	    .input = w->input,
	    .output = w->output,
	    .queue = w->m.queue,
	    .id = w->m.id,
	    .payload = w->m.payload,
	    .is_ack = w->is_ack,
	    .is_reply = !w->is_ack && w->m.kind == WIRE_KIND_RESPONSE,
	    .took_s =
		w->processing_ns >= 0 ? (double)w->processing_ns / 1e9 : -1,
	};

	add(arg, &e);
	return 0;
}

/* What was published under an id. */
struct known {
	UT_hash_handle hh;
	int64_t id;
	const struct event *e;
};

/* The recorder's events, joined as the broker would do it: a delivery gets the
 * message that was published. */
static void
join(struct old_events *l, const struct events *from)
{
	struct known *known = NULL, *k, *next;

	for (size_t i = 0; i < from->n; i++) {
		const struct event *e = &from->v[i], *m = e;
		struct old_event o = {.seq = e->seq,
		    .time = e->time,
		    .queue = e->queue,
		    .id = e->id,
		    .took_s = -1};

		if (e->type == RING_PUBLISH || e->type == RING_REPLY) {
			k = xcalloc(1, sizeof *k);
			k->id = e->id;
			k->e = e;
			HASH_ADD(hh, known, id, sizeof k->id, k);
		} else if (e->type == RING_DELIVER) {
			HASH_FIND(hh, known, &e->id, sizeof e->id, k);
			m = k != NULL ? k->e : e;
			o.took_s = m->type == RING_REPLY ? m->took_s : -1;
		} else if (e->type != RING_ACK) {
			continue;
		}
		o.is_ack = e->type == RING_ACK;
		o.is_reply = m->type == RING_REPLY;
		o.payload = o.is_ack ? STR("") : m->text;
		*(e->type == RING_DELIVER ? &o.output : &o.input) = e->client;
		add(l, &o);
	}
	HASH_ITER (hh, known, k, next) {
		HASH_DEL(known, k);
		free(k);
	}
}

/* One piece for the text of all, as the events go. */
static void
own(struct old_events *l)
{
	size_t n = 0;
	char *at;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].input.n + l->v[i].output.n + l->v[i].queue.n +
		    l->v[i].payload.n;
	l->text = at = xmalloc(n + 1);
	for (size_t i = 0; i < l->n; i++) {
		struct str *s[] = {&l->v[i].input, &l->v[i].output,
		    &l->v[i].queue, &l->v[i].payload};

		for (size_t k = 0; k < 4; k++) {
			if (s[k]->n > 0)
				memcpy(at, s[k]->p, s[k]->n);
			s[k]->p = at;
			at += s[k]->n;
		}
	}
}

static int
from_folder(struct cli *c, struct old_events *l)
{
	struct events ev = {0};
	int rc = look_turn(c);

	if (rc == 0)
		rc = look_state.events(c, LOOK_LAST, FOLDER_EVENTS, 0, &ev);
	if (rc == 0) {
		join(l, &ev);
		own(l);
	}
	events_fini(&ev);
	return rc;
}

/* Get them. */
int
old_events_get(
    struct cli *c, int64_t from, int wait_ms, bool folder, struct old_events *l)
{
	struct xmsg *x = ask_xmsg(c);
	struct xmsg_bytes json = {NULL, 0};
	int rc;

	memset(l, 0, sizeof *l);
	l->next = from;
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	xmsg_set_timeout(x, cli_left_ms(c) / 2 + 1);
	rc = xmsg_trace(x, from, wait_ms, &json);
	if (rc != XMSG_OK) {
		rc = ask_failed(c, rc);
		if (rc == CLI_DEAD && folder)
			rc = from_folder(c, l);
		return cli_fail(c, rc);
	}
	l->text = (char *)(uintptr_t)json.p;
	if (wire_get_trace((struct str){json.p, json.n}, add_wire, l) == -1) {
		cli_say(c, "the broker's answer makes no sense");
		return CLI_REFUSED;
	}
	return 0;
}

/* Free them. */
void
old_events_fini(struct old_events *l)
{
	free(l->v);
	free(l->text);
	memset(l, 0, sizeof *l);
}

/* ---- tail ---- */

/* One column: padded, or its front cut off. */
static void
column(struct buf *b, struct str s, size_t width)
{
	struct buf t = BUF_INIT;
	size_t n, skip;

	text_put(&t, s);
	n = text_width((struct str){t.p, t.n});
	skip = 0;
	for (; n > width; n--) {
		do
			skip++;
		while (skip < t.n && ((unsigned char)t.p[skip] & 0xc0) == 0x80);
	}
	if (t.n > skip)
		buf_add(b, t.p + skip, t.n - skip);
	for (; n < width; n++)
		buf_addc(b, ' ');
	buf_addc(b, ' ');
	buf_fini(&t);
}

static struct str
endpoint(struct str s)
{
	return s.n > 0 ? s : STR("-");
}

static void
tail_row(struct buf *b, const struct old_event *e, double start)
{
	struct str left = e->is_reply ? e->output : e->input;
	struct str right = e->is_reply ? e->input : e->output;
	struct str arrow = e->is_reply ? STR("<-") : STR("->");
	char number[32];

	snprintf(number, sizeof number, "%.1f", e->time - start);
	column(b, str_of(number), 5);
	column(b, endpoint(left), 15);
	column(b, arrow, 4);
	column(b, e->queue, 30);
	column(b, e->is_ack ? STR("") : arrow, 4);
	column(b, e->is_ack ? STR("") : endpoint(right), 15);
	number[0] = '\0';
	if (e->took_s >= 0)
		snprintf(number, sizeof number, "%.1f", e->took_s);
	column(b, str_of(number), 5);
	text_put(b, e->queue);
	buf_addf(b, ".%lld:", (long long)e->id);
	text_put(b, e->is_ack ? STR("ack") : e->payload);
	buf_addc(b, ' ');
}

/* Rows. */
void
old_tail_put(struct buf *b, const struct old_events *l, double *start)
{
	for (size_t i = 0; i < l->n; i++) {
		if (*start < 0)
			*start = l->v[i].time;
		tail_row(b, &l->v[i], *start);
		buf_addc(b, '\n');
	}
}

static const struct opt tail_opts[] = {
    {"follow", 0, OPT_FLAG, NULL, "go on with new events", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run_tail(struct cli *c, int argc, char **argv)
{
	bool follow = opts_has(&c->opts, "follow");
	double start = -1;
	struct old_events l;
	int64_t from = 0;
	int rc;

	(void)argc, (void)argv;
	c->say_out = true;
	do {
		if (from > 0)
			ask_patiently(c);
		c->start_ns = clock_mono_ns();
		rc =
		    old_events_get(c, from, from > 0 ? FOLLOW_MS : 0, true, &l);
		old_tail_put(out_buf(&c->out), &l, &start);
		from = follow && l.next == 0 ? 1 : l.next;
		old_events_fini(&l);
		(void)out_flush(&c->out); /* remembered in c->out.failed */
	} while (rc == 0 && follow && !c->dead && !c->out.failed);
	return rc;
}

const struct cmd old_tail = {
    .name = "tail",
    .help = "Print the last events",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = tail_opts,
    .run = run_tail,
};

/* ---- mscgen ---- */

static int
by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void
quoted(struct buf *b, struct str s)
{
	struct buf t = BUF_INIT;

	text_put(&t, s);
	buf_addc(b, '"');
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '"' || t.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, t.p[i]);
	}
	buf_addc(b, '"');
	buf_fini(&t);
}

/* Clients and queues, each once, in byte order. */
static void
entities(struct buf *b, const struct old_events *l)
{
	struct str *v = xcalloc(3 * l->n + 1, sizeof *v);
	size_t n = 0, put = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct old_event *e = &l->v[i];

		v[n++] = e->queue;
		if (e->input.n > 0)
			v[n++] = e->input;
		if (e->output.n > 0)
			v[n++] = e->output;
	}
	qsort(v, n, sizeof *v, by_name);
	if (n == 0)
		v[n++] = STR("no messages"); /* mscgen wants one */
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && str_eq(v[i], v[i - 1]))
			continue;
		if (put++ > 0)
			buf_addc(b, ',');
		quoted(b, v[i]);
	}
	buf_adds(b, ";\n");
	free(v);
}

/* What travels, in a word, or its first ten bytes. */
static void
label(struct buf *b, const struct old_event *e)
{
	struct str s = e->payload;
	char what[64];

	text_summary(what, sizeof what, s);
	if (what[0] != '\0')
		s = str_of(what);
	else if (s.n > 10)
		s.n = 10;
	buf_adds(b, " [ label = ");
	quoted(b, s);
	buf_adds(b, " ] ;\n");
}

static void
arc(struct buf *b, struct str from, const char *arrow, struct str to,
    const struct old_event *e)
{
	quoted(b, from);
	buf_addf(b, " %s ", arrow);
	quoted(b, to);
	label(b, e);
}

/* The chart. */
void
old_mscgen_put(struct buf *b, const struct old_events *l)
{
	buf_adds(b, "msc {\n");
	entities(b, l);
	for (size_t i = 0; i < l->n; i++) {
		const struct old_event *e = &l->v[i];

		if (e->is_ack)
			continue;
		if (e->is_reply && e->input.n > 0)
			arc(b, e->queue, "<<", e->input, e);
		if (!e->is_reply && e->output.n > 0)
			arc(b, e->queue, "=>", e->output, e);
		if (!e->is_reply && e->input.n > 0)
			arc(b, e->input, "=>", e->queue, e);
	}
	buf_adds(b, "}\n");
}

static int
run_mscgen(struct cli *c, int argc, char **argv)
{
	struct old_events l;
	int rc;

	(void)argc, (void)argv;
	rc = old_events_get(c, 0, 0, true, &l);
	if (rc == 0)
		old_mscgen_put(out_buf(&c->out), &l);
	old_events_fini(&l);
	return rc;
}

const struct cmd old_mscgen = {
    .name = "mscgen",
    .help = "Print the last events as input for mscgen",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .run = run_mscgen,
};
