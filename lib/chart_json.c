/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A plan as one JSON object, for programs that draw themselves.  The fields are
 * in doc/openapi.yaml, under Chart. */
#include "chart_plan.h"

#include "text.h"

static const char *const kinds[] = {
    [STEP_REQUEST] = "request",
    [STEP_DELIVERY] = "delivery",
    [STEP_REPLY] = "reply",
    [STEP_SCRIPT] = "script",
    [STEP_EXIT] = "exit",
    [STEP_NOTE] = "note",
    [STEP_GAP] = "gap",
};

static void
put_bool(struct buf *b, const char *name, bool v)
{
	buf_addf(b, ",\"%s\":%s", name, v ? "true" : "false");
}

static void
put_lane(struct buf *b, const struct lane *l)
{
	buf_adds(b, "{\"name\":");
	text_json(b, str_of(l->text));
	put_bool(b, "client", l->client);
	put_bool(b, "queue", l->queue);
	put_bool(b, "script", l->script);
	buf_addc(b, '}');
}

/* A number that may not be there. */
static void
put_number(struct buf *b, const char *name, bool there, double v)
{
	if (there)
		buf_addf(b, ",\"%s\":%.6f", name, v);
	else
		buf_addf(b, ",\"%s\":null", name);
}

static void
put_index(struct buf *b, const char *name, bool there, int64_t v)
{
	if (there)
		buf_addf(b, ",\"%s\":%lld", name, (long long)v);
	else
		buf_addf(b, ",\"%s\":null", name);
}

static void
put_step(struct buf *b, const struct step *s)
{
	bool arrow = step_is_arrow(s);

	buf_addf(b, "{\"kind\":\"%s\"", kinds[s->kind]);
	put_number(b, "time", s->time > 0, s->time);
	put_index(b, "from", arrow, (int64_t)s->from);
	put_index(b, "to", arrow, (int64_t)s->to);
	put_index(b, "id", s->id > 0, s->id);
	put_number(b, "duration_s", s->took_s >= 0, s->took_s);
	put_bool(b, "open", s->open);
	put_bool(b, "failed", s->failed);
	buf_adds(b, ",\"label\":");
	text_json(b, str_of(s->label));
	buf_addc(b, '}');
}

/* {"lanes":[..],"steps":[..]} */
void
chart_json(struct buf *b, const struct plan *p)
{
	buf_adds(b, "{\"lanes\":[");
	for (size_t i = 0; i < p->nlanes; i++) {
		buf_adds(b, i > 0 ? "," : "");
		put_lane(b, p->order[i]);
	}
	buf_adds(b, "],\"steps\":[");
	for (size_t i = 0; i < p->nsteps; i++) {
		buf_adds(b, i > 0 ? "," : "");
		put_step(b, &p->steps[i]);
	}
	buf_adds(b, "]}\n");
}
