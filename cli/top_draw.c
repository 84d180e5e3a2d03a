/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The screen of top. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "msgs.h"
#include "text.h"
#include "top.h"
#include "units.h"
#include "xalloc.h"

#define SCRIPTS 4
#define METHODS 4

/* End a line: no wider than the screen, the rest of it blank. */
static void
end(struct top *t, struct buf *to, struct buf *line, bool live)
{
	text_fit(to, (struct str){line->p, line->n}, t->width, false);
	buf_adds(to, live ? "\033[K\r\n" : "\n");
	buf_reset(line);
}

/* Safe text in a column. */
static void
column(struct buf *b, const char *text, size_t width)
{
	struct buf safe = BUF_INIT;
	size_t used;

	text_put(&safe, str_of(text));
	used = text_width((struct str){safe.p, safe.n});
	text_fit(b, (struct str){safe.p, safe.n}, width, true);
	for (; used < width; used++)
		buf_addc(b, ' ');
	buf_fini(&safe);
}

static void
draw_head(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const json_t *j = t->now.status;
	struct str version = ask_str(j, "version");
	char up[UNITS_MAX];
	double in = 0, out = 0;

	for (size_t i = 0; i < t->now.n; i++) {
		in += t->now.v[i].in_s;
		out += t->now.v[i].out_s;
	}
	units_age(up, ask_real(j, "uptime_s", 0));
	buf_addf(line, "xmsgd %.*s up %s: %lld queues, %lld messages, ",
	    (int)version.n, version.p ? version.p : "", up,
	    (long long)ask_int(j, "queues", 0),
	    (long long)ask_int(j, "messages", 0));
	buf_addf(line, "%.0f/s in, %.0f/s out, %lld connections", in, out,
	    (long long)ask_int(j, "connections", 0));
	end(t, to, line, live);
}

static void
draw_queues(struct top *t, struct buf *to, struct buf *line, bool live)
{
	size_t fixed = TOP_MESSAGES + SCRIPTS + METHODS + 9, n = t->now.n;
	size_t room = t->height > fixed + 3 ? t->height - fixed : 3;
	size_t name = t->width < 74 ? 16 : t->width > 100 ? 42 : t->width - 58;
	char state[64], age[UNITS_MAX];

	end(t, to, line, live);
	column(line, "QUEUE", name);
	buf_adds(line, "   IN/s  OUT/s  READY  DELIV   HELD  OLDEST  STATE");
	end(t, to, line, live);
	for (size_t i = 0; i < n && i < room; i++) {
		const struct row *r = &t->now.v[i];

		(void)queue_judge(&r->q, state);
		strcpy(age, "-");
		if (r->q.oldest_age_s >= 0)
			units_age(age, r->q.oldest_age_s);
		column(line, r->name, name);
		buf_addf(line, " %6.0f %6.0f %6lld %6lld %6lld %7s  %s",
		    r->in_s, r->out_s, (long long)r->q.ready,
		    (long long)r->q.delivered, (long long)r->q.held, age,
		    state);
		end(t, to, line, live);
	}
	if (n > room) {
		buf_addf(line, "... and %zu more", n - room);
		end(t, to, line, live);
	}
}

static void
draw_messages(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const struct chosen_list *l = &t->now.oldest;
	char age[UNITS_MAX];

	if (l->n == 0)
		return;
	end(t, to, line, live);
	buf_adds(line, "OLDEST MESSAGES");
	end(t, to, line, live);
	for (size_t i = 0; i < l->n && i < TOP_MESSAGES; i++) {
		char *ref =
		    xasprintf("%s:%lld", l->v[i].queue, (long long)l->v[i].id);

		buf_adds(line, live && i == t->mark ? "> " : "  ");
		column(line, ref, 44);
		units_age(age, l->v[i].age_s);
		buf_addf(line, " %7s  ", age);
		text_put(line, str_of(l->v[i].what));
		end(t, to, line, live);
		free(ref);
	}
}

static void
draw_scripts(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const json_t *s;
	char age[UNITS_MAX];
	size_t i;

	if (json_array_size(t->now.scripts) == 0)
		return;
	end(t, to, line, live);
	buf_adds(line, "SCRIPTS");
	end(t, to, line, live);
	json_array_foreach(t->now.scripts, i, s)
	{
		if (i == SCRIPTS)
			break;
		buf_adds(line, "  ");
		column(line, ask_str(s, "queue").p, 34);
		units_age(age, ask_real(s, "elapsed", 0));
		buf_addf(
		    line, " %9lld %7s  ", (long long)ask_int(s, "pid", 0), age);
		text_put(line, ask_str(s, "method"));
		buf_addc(line, ' ');
		text_put(line, ask_str(s, "state"));
		end(t, to, line, live);
	}
}

static void
draw_methods(struct top *t, struct buf *to, struct buf *line, bool live)
{
	char p50[UNITS_MAX], p99[UNITS_MAX];

	if (t->now.nmethods == 0 || t->now.methods[0].p99_s < 0)
		return;
	end(t, to, line, live);
	column(line, "SLOWEST METHODS", 36);
	buf_adds(line, "  CALLS    P50    P99  QUEUE");
	end(t, to, line, live);
	for (size_t i = 0; i < t->now.nmethods && i < METHODS; i++) {
		const struct callstat *m = &t->now.methods[i];

		if (m->p99_s < 0)
			break;
		units_took(p50, m->p50_s);
		units_took(p99, m->p99_s);
		buf_adds(line, "  ");
		column(line, m->method, 34);
		buf_addf(
		    line, " %6lld %6s %6s  ", (long long)m->calls, p50, p99);
		text_put(line, str_of(m->queue));
		end(t, to, line, live);
	}
}

/* Draw. */
void
top_draw(struct top *t, struct buf *to, bool live)
{
	struct buf line = BUF_INIT;

	if (live)
		buf_adds(to, "\033[H");
	draw_head(t, to, &line, live);
	draw_queues(t, to, &line, live);
	draw_messages(t, to, &line, live);
	draw_scripts(t, to, &line, live);
	draw_methods(t, to, &line, live);
	if (live) {
		end(t, to, &line, live);
		buf_adds(&line,
		    *t->note ? t->note
			     : "up/down mark  c cancel  h hold  r requeue  "
			       "k kill its script  q quit");
		end(t, to, &line, live);
		buf_adds(to, "\033[J");
	}
	buf_fini(&line);
}
