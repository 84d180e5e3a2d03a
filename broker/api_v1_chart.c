/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * GET /v1/chart: the last messages in the flight recorder as a sequence chart,
 * drawn by lib/chart.  The work is bounded however large the recorder is: so
 * many events are looked at, so many requests and replies are drawn.  What the
 * broker does not know, the scripts that a plugin ran, only `xmsg trace` draws.
 */
#include "api_v1.h"

#include "chart.h"
#include "clock.h"

#define LAST	50
#define MOST	1000 /* requests and replies in one chart */
#define EVENTS	8 /* that one of them may cause, and more */
#define LOOKED	20000 /* events that are looked at */
#define LANES	40 /* more cannot be read */
#define COLUMNS 120 /* of text */
#define GAP_MAX 86400

/* A browser that shows an answer runs nothing of it. */
#define POLICY                                                                 \
	"content-security-policy: default-src 'none'; style-src "              \
	"'unsafe-inline'; base-uri 'none'; form-action 'none'; "               \
	"frame-ancestors 'none'\r\n"                                           \
	"cache-control: no-store\r\n"

static void
add(struct events *l, const struct ring_event *e, int64_t missing)
{
	events_add(l,
	    &(struct event){
		.seq = (int64_t)e->seq,
		.time = (double)e->wall_ns / 1e9,
		.type = e->type,
		.id = e->id,
		.re_id = e->re_id,
		.size = e->size,
		.pid = e->pid,
		.took_s = e->dur_ns < 0 ? -1 : (double)e->dur_ns / 1e9,
		.missing = missing,
		.client = e->client,
		.queue = e->queue,
		.peer = e->peer,
		.text = e->text,
	    });
}

/* The last `most` events that are chosen, out of the last LOOKED. */
static void
collect(struct events *l, const struct ring *r, const struct event_filter *f,
    uint64_t most)
{
	uint64_t from = ring_first(r), next = ring_next(r), expected;
	struct ring_cursor at;
	struct ring_event e;
	int64_t missing = 0;

	if (next - from > LOOKED)
		from = next - LOOKED;
	expected = events_last(r, f, from, most);
	at = ring_seek(r, expected);
	while (ring_read(r, &at, &e)) {
		missing += (int64_t)(e.seq - expected);
		expected = e.seq + 1;
		if (!event_wanted(f, &e))
			continue;
		add(l, &e, missing);
		missing = 0;
	}
}

/* The form that is asked for; CHART_FORMS: answered. */
static enum chart_form
form_of(const struct v1 *v)
{
	struct str name = v1_param(v, "format");
	enum chart_form form = name.p ? chart_form(name) : CHART_TEXT;

	if (form == CHART_FORMS)
		api_error(v->p, 400, "bad_parameter", "format",
		    "text, mscgen, mermaid, svg, html or json");
	return form;
}

static void
reply(const struct v1 *v, enum chart_form form, const struct buf *b)
{
	if (!buf_ok(b))
		api_ms_error(v->p, MS_NO_MEMORY, NULL);
	else
		http_reply_with(v->p->conn, 200, chart_type(form), STR(POLICY),
		    (struct str){b->p, b->n});
}

/* GET /v1/chart */
void
v1_get_chart(const struct v1 *v)
{
	struct chart_options o = {
	    .now = (double)v->a->m->wall_ns / 1e9,
	    .columns = COLUMNS,
	    .lanes = LANES,
	    .utc = true,
	};
	enum chart_form form = form_of(v);
	struct event_filter f;
	struct events l = {0};
	int64_t last, gap;
	struct buf *b;

	if (form == CHART_FORMS ||
	    !v1_param_int(v, "last", LAST, 1, MOST, &last) ||
	    !v1_param_int(v, "gap", 1, 0, GAP_MAX, &gap) ||
	    !v1_event_filter(v, &f))
		return;
	o.last = (size_t)last;
	o.gap_s = (double)gap;
	collect(&l, &v->a->trace->ring, &f, (uint64_t)last * EVENTS + 1000);
	b = api_out(v->a);
	chart_put(b, form, &l, &o);
	reply(v, form, b);
	events_fini(&l);
}
