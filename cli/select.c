/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Selectors: parsing them, and looking at messages with them. */
#include "select.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "text.h"
#include "xalloc.h"

#define SEEN_MOST  100000 /* messages that are followed at once */
#define GLOB_MARKS "*?[\\"

/* ---- parsing ---- */

/* "12", "4k", "1M", "2G"; -1 when it is none. */
static int64_t
bytes_of(const char *text)
{
	static const char units[] = "kMG";
	char *end;
	const char *unit;
	long long v = strtoll(text, &end, 10);

	if (end == text || v < 0 || v > 1LL << 40)
		return -1;
	if (*end == '\0')
		return v;
	unit = strchr(units, *end == 'K' ? 'k' : *end);
	if (unit == NULL || end[1] != '\0')
		return -1;
	return (int64_t)v << 10 * (unit - units + 1);
}

/* "+1M": more than, "-1M": less than, "1M": exactly. */
static bool
parse_size(struct selector *s, const char *text)
{
	int64_t n = bytes_of(text + (*text == '+' || *text == '-'));

	if (n < 0)
		return false;
	s->size_min = *text == '+' ? n + 1 : *text == '-' ? 0 : n;
	s->size_max = *text == '+' ? INT64_MAX : *text == '-' ? n - 1 : n;
	return true;
}

/* "5", "5-9", "5-", "-9" */
static bool
parse_ids(struct selector *s, const char *text)
{
	const char *dash = strchr(text, '-');
	size_t n = dash ? (size_t)(dash - text) : strlen(text);
	size_t rest = dash ? strlen(dash + 1) : 0;

	if (strspn(text, "0123456789") != n || n > 18 || rest > 18 ||
	    (dash && strspn(dash + 1, "0123456789") != rest) ||
	    (n == 0 && rest == 0))
		return false;
	s->id_min = n > 0 ? strtoll(text, NULL, 10) : 0;
	s->id_max = dash == NULL ? s->id_min
	    : rest > 0		 ? strtoll(dash + 1, NULL, 10)
				 : INT64_MAX;
	return s->id_min <= s->id_max;
}

/* The broker's word for a state, and whether that says all of it. */
static const char *
broker_state(const char *state)
{
	if (state == NULL || strcmp(state, "replied") == 0)
		return NULL;
	if (strcmp(state, "inflight") == 0)
		return "delivered";
	return strcmp(state, "dead") == 0 ? "held" : state;
}

/* Can the broker match this method: a name, or one with a star at its end? */
static bool
broker_method(const char *method)
{
	size_t n = strcspn(method, GLOB_MARKS);

	return n < 200 && (method[n] == '\0' || strcmp(method + n, "*") == 0);
}

/* Can it match this origin: no more than stars and question marks? */
static bool
broker_glob(const char *glob)
{
	return strlen(glob) <= LOOK_GREP_MOST && strpbrk(glob, "[\\") == NULL;
}

static void
prepare_filter(struct selector *s)
{
	s->filter = LOOK_FILTER;
	s->filter.state = broker_state(s->state);
	s->filter.older_s = (int64_t)s->older_s;
	s->filter.min_size = s->size_min;
	s->filter.max_size = s->size_max;
	s->filter.up_to = s->id_max;
	if (s->method != NULL && broker_method(s->method))
		s->filter.method = s->method;
	if (s->origin != NULL && broker_glob(s->origin))
		s->filter.origin = s->origin;
	s->filter.grep = s->grep;
}

/* From the options. */
int
select_parse(struct cli *c, struct selector *s)
{
	const struct opts *o = &c->opts;
	const char *size = opts_text(o, "size", NULL);
	const char *id = opts_text(o, "id", NULL);

	*s = (struct selector){
	    .queue = opts_text(o, "queue", NULL),
	    .method = opts_text(o, "method", NULL),
	    .state = opts_text(o, "state", NULL),
	    .origin = opts_text(o, "origin", NULL),
	    .grep = opts_text(o, "grep", NULL),
	    .older_s = (double)opts_ns(o, "older", 0) / 1e9,
	    .newer_s = (double)opts_ns(o, "newer", 0) / 1e9,
	    .size_max = INT64_MAX,
	    .id_max = INT64_MAX,
	    .limit = opts_number(o, "limit", INT64_MAX),
	};
	if (size != NULL && !parse_size(s, size))
		return cli_usage(c,
		    "--size takes N, +N or -N with k, M or G, not '%s'", size);
	if (s->grep != NULL && strlen(s->grep) > LOOK_GREP_MOST)
		return cli_usage(
		    c, "--grep takes %d bytes at most", LOOK_GREP_MOST);
	if (id != NULL && !parse_ids(s, id))
		return cli_usage(
		    c, "--id takes A-B, A-, -B or A, not '%s'", id);
	s->any = s->queue || s->method || s->state || s->origin || s->grep ||
	    s->older_s > 0 || s->newer_s > 0 || size || id ||
	    opts_has(o, "limit");
	prepare_filter(s);
	return 0;
}

/* ---- matching ---- */

/* fnmatch for text that has no NUL behind it. */
static bool
matches(const char *glob, struct str s)
{
	char text[512];

	if (s.n >= sizeof text)
		s.n = sizeof text - 1;
	if (s.n > 0)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return fnmatch(glob, text, 0) == 0;
}

/* The method. */
void
select_method(char *out, size_t max, const struct look_msg *m)
{
	if (m->method.p == NULL)
		text_summary(out, max, m->payload);
	else
		snprintf(out, max, "%.*s", (int)m->method.n, m->method.p);
}

static bool
takes_method(const struct selector *s, const struct look_msg *m)
{
	char what[256];

	if (s->method == NULL)
		return true;
	select_method(what, sizeof what, m);
	return fnmatch(s->method, what, 0) == 0;
}

/* A message that cannot go on by itself: its delivery killed, or a reboot. */
static bool
is_dead(const struct look_msg *m)
{
	return str_eq(m->state, STR("held")) &&
	    !str_eq(m->reason, STR("held by an operator"));
}

static bool
takes_state(const struct selector *s, const struct look_msg *m)
{
	if (s->state == NULL)
		return true;
	if (strcmp(s->state, "replied") == 0)
		return m->answered;
	if (strcmp(s->state, "dead") == 0)
		return is_dead(m);
	return str_eq(m->state, str_of(broker_state(s->state)));
}

static bool
holds(struct str text, const char *what)
{
	return text.p != NULL && memmem(text.p, text.n, what, strlen(what));
}

/* A message. */
bool
select_takes(const struct selector *s, const struct look_msg *m)
{
	if (m->id < s->id_min || m->id > s->id_max || m->size < s->size_min ||
	    m->size > s->size_max)
		return false;
	if (s->older_s > 0 && !(m->age_s >= s->older_s))
		return false;
	if (s->newer_s > 0 && !(m->age_s < s->newer_s))
		return false;
	if (s->origin != NULL && !matches(s->origin, m->origin) &&
	    !matches(s->origin, m->comm))
		return false;
	/* s->grep: both ways leave out those without it */
	return takes_state(s, m) && takes_method(s, m);
}

/* ---- events ---- */

struct select_seen {
	UT_hash_handle hh;
	int64_t id;
};

static void
remember(struct select_seen **seen, int64_t id)
{
	struct select_seen *k = NULL;

	HASH_FIND(hh, *seen, &id, sizeof id, k);
	if (k != NULL || id <= 0)
		return;
	if (HASH_COUNT(*seen) >= SEEN_MOST)
		select_forget(seen);
	k = xcalloc(1, sizeof *k);
	k->id = id;
	HASH_ADD(hh, *seen, id, sizeof k->id, k);
}

static bool
is_seen(struct select_seen *seen, int64_t id)
{
	struct select_seen *k = NULL;

	HASH_FIND(hh, seen, &id, sizeof id, k);
	return k != NULL;
}

/* Forget them. */
void
select_forget(struct select_seen **seen)
{
	struct select_seen *k, *next;

	HASH_ITER (hh, *seen, k, next) {
		HASH_DEL(*seen, k);
		free(k);
	}
}

/* By what the event itself tells. */
static bool
takes_event(const struct selector *s, const struct event *e)
{
	struct look_msg m = {.payload = e->text};

	if (s->queue != NULL && !matches(s->queue, e->queue) &&
	    !(e->re_id > 0 && matches(s->queue, e->peer)))
		return false;
	if (s->origin != NULL && !matches(s->origin, e->client))
		return false;
	if (s->grep != NULL && !holds(e->text, s->grep))
		return false;
	if (e->id < s->id_min || e->id > s->id_max)
		return false;
	if (e->type == RING_PUBLISH &&
	    (e->size < s->size_min || e->size > s->size_max))
		return false;
	return takes_method(s, &m);
}

/* An event. */
bool
select_event(
    const struct selector *s, struct select_seen **seen, const struct event *e)
{
	bool known =
	    is_seen(*seen, e->id) || (e->re_id > 0 && is_seen(*seen, e->re_id));

	if (!s->any)
		return true;
	if (!known && !takes_event(s, e))
		return false;
	if (e->type == RING_PUBLISH || e->type == RING_REPLY)
		remember(seen, e->id);
	return true;
}

struct sieve {
	const struct selector *s;
	struct select_seen *seen;
};

static bool
passes(void *arg, const struct event *e)
{
	struct sieve *v = arg;

	return select_event(v->s, &v->seen, e);
}

/* Of a list. */
void
select_events(const struct selector *s, struct events *l)
{
	struct sieve v = {s, NULL};

	events_filter(l, passes, &v);
	select_forget(&v.seen);
}

/* Only state, age, method and number of messages. */
bool
select_is_plain(const struct selector *s)
{
	if (s->state != NULL &&
	    (strcmp(s->state, "replied") == 0 || strcmp(s->state, "dead") == 0))
		return false;
	if (s->older_s != (double)s->filter.older_s)
		return false;
	if (s->method != NULL && s->filter.method == NULL)
		return false;
	return s->newer_s == 0 && !s->origin && !s->grep && s->size_min == 0 &&
	    s->size_max == INT64_MAX && s->id_min == 0 &&
	    s->id_max == INT64_MAX;
}

/* ---- going through queues ---- */

struct walk {
	struct cli *c;
	const struct selector *s;
	char **globs;
	int nglobs;
	char **names;
	size_t n, cap;
	int64_t left;
	look_msg_fn fn;
	void *arg;
};

static bool
is_named(const struct walk *w, struct str name)
{
	bool any = w->nglobs == 0;

	for (int i = 0; i < w->nglobs && !any; i++)
		any = matches(w->globs[i], name);
	return any && (w->s->queue == NULL || matches(w->s->queue, name));
}

static int
keep_name(void *arg, const struct look_queue *q)
{
	struct walk *w = arg;

	if (!is_named(w, q->name))
		return 0;
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->names = xreallocarray(w->names, w->cap, sizeof *w->names);
	}
	w->names[w->n++] = xstrndup(q->name.p, q->name.n);
	return 0;
}

static int
one(void *arg, const struct look_msg *m)
{
	struct walk *w = arg;

	if (!select_takes(w->s, m))
		return 0;
	w->left--;
	return w->fn(w->arg, m) != 0 || w->left <= 0;
}

/* What the names begin with, for the broker to begin with. */
static char *
prefix_of(const struct walk *w)
{
	const char *glob = w->s->queue;

	if (glob == NULL && w->nglobs == 1)
		glob = w->globs[0];
	return xstrndup(glob ? glob : "", glob ? strcspn(glob, GLOB_MARKS) : 0);
}

/* Messages of the names that were kept. */
static int
walk(struct walk *w)
{
	int rc = 0, got;

	for (size_t i = 0; i < w->n && rc == 0 && w->left > 0; i++) {
		got = look_messages(w->c, w->names[i], w->s->id_min - 1,
		    INT64_MAX, true, one, w);
		if (got != CLI_NONE) /* else the queue went meanwhile */
			rc = got;
	}
	return rc;
}

/* Every message that is chosen. */
int
select_each(struct cli *c, const struct selector *s, char **globs, int nglobs,
    int *queues, look_msg_fn fn, void *arg)
{
	struct walk w = {.c = c,
	    .s = s,
	    .globs = globs,
	    .nglobs = nglobs,
	    .left = s->limit,
	    .fn = fn,
	    .arg = arg};
	char *prefix = prefix_of(&w);
	int rc;

	rc = look_queues(c, prefix, keep_name, &w);
	c->filter = &s->filter;
	if (rc == 0)
		rc = walk(&w);
	c->filter = NULL;
	if (queues != NULL)
		*queues = (int)w.n;
	for (size_t i = 0; i < w.n; i++)
		free(w.names[i]);
	free(w.names);
	free(prefix);
	return rc;
}
