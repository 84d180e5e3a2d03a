/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* diagnostics of message-cli: who serves, who waits, what is queued. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "json.h"
#include "look.h"
#include "old.h"
#include "redact.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define DEAD_NS	  (30 * NS_PER_SEC) /* late by so much: crashed or stuck */
#define CUT	  70 /* columns of a parameter or payload */
#define PER_QUEUE 100

/* ---- the broker's answer ---- */

static bool
number(struct json_in *j, int64_t *v)
{
	if (json_value(j) != JSON_INT)
		return false;
	*v = j->integer;
	return true;
}

/* ["Tag","text"] or ["Tag",["queue",id]]; the text, or "". */
static bool
variant(struct json_in *j, struct str *tag, struct str *text)
{
	enum json_type t;

	if (json_value(j) != JSON_ARRAY || json_item(j) != JSON_STR)
		return false;
	*tag = j->str;
	t = json_item(j);
	*text = t == JSON_STR ? j->str : STR("");
	if (!json_skip(j, t))
		return false;
	while ((t = json_item(j)) != JSON_END)
		if (t == JSON_BAD || !json_skip(j, t))
			return false;
	return true;
}

static bool
message(struct json_in *j, struct old_entry *e)
{
	struct str key, tag;

	if (json_value(j) != JSON_OBJECT)
		return false;
	while (json_key(j, &key)) {
		if (str_eq(key, STR("kind"))) {
			if (!variant(j, &tag, &e->reply_to))
				return false;
			e->is_reply = !str_eq(tag, STR("Request"));
		} else {
			enum json_type t = json_value(j);

			if (str_eq(key, STR("payload")) && t == JSON_STR)
				e->payload = j->str;
			if (!json_skip(j, t))
				return false;
		}
	}
	return j->reason == NULL;
}

/* The fields of {"origin":..,"time":..,"message":..}. */
static bool
entry_fields(struct json_in *j, struct old_entry *e)
{
	struct str key, tag;
	bool good = true;

	while (good && json_key(j, &key)) {
		if (str_eq(key, STR("origin")))
			good = variant(j, &tag, &e->origin);
		else if (str_eq(key, STR("time")))
			good = number(j, &e->time_ns);
		else if (str_eq(key, STR("message")))
			good = message(j, e);
		else
			good = json_skip(j, json_value(j));
	}
	return good && j->reason == NULL;
}

static struct old_entry *
new_entry(struct old_queue *q)
{
	if (q->n == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 16;
		q->v = xreallocarray(q->v, q->cap, sizeof *q->v);
	}
	memset(&q->v[q->n], 0, sizeof *q->v);
	return &q->v[q->n++];
}

static bool
is_next(struct json_in *j, enum json_type t)
{
	return json_item(j) == t;
}

/* The rest of [["q",id],{..}], which has been entered. */
static bool
entry(struct json_in *j, struct old_entry *e)
{
	if (!is_next(j, JSON_ARRAY) || !is_next(j, JSON_STR) ||
	    !is_next(j, JSON_INT))
		return false;
	e->id = j->integer;
	return is_next(j, JSON_END) && is_next(j, JSON_OBJECT) &&
	    entry_fields(j, e) && is_next(j, JSON_END);
}

/* {"next_transfer_expected":NS,"queue_contents":[..]} */
static bool
queue(struct json_in *j, struct old_queue *q)
{
	struct str key;
	enum json_type t;

	if (json_value(j) != JSON_OBJECT)
		return false;
	while (json_key(j, &key)) {
		t = json_value(j);
		if (str_eq(key, STR("next_transfer_expected")) && t == JSON_INT)
			q->next_ns = j->integer;
		if (!str_eq(key, STR("queue_contents")) || t != JSON_ARRAY) {
			if (!json_skip(j, t))
				return false;
			continue;
		}
		while ((t = json_item(j)) == JSON_ARRAY)
			if (!entry(j, new_entry(q)))
				return false;
		if (t != JSON_END)
			return false;
	}
	return j->reason == NULL;
}

/* Room for one more. */
static struct old_queue *
new_queue(struct old_queue **v, size_t *n, struct str name)
{
	struct old_queue *q;

	*v = xreallocarray(*v, *n + 1, sizeof **v);
	q = &(*v)[(*n)++];
	memset(q, 0, sizeof *q);
	q->name = name;
	q->next_ns = -1;
	return q;
}

static bool
queues(struct json_in *j, struct old_queue **v, size_t *n)
{
	struct str key;

	if (json_value(j) != JSON_OBJECT)
		return false;
	while (json_key(j, &key))
		if (!queue(j, new_queue(v, n, key)))
			return false;
	return j->reason == NULL;
}

/* Take it apart. */
bool
old_diag_parse(struct old_diag *d, char *json, size_t n)
{
	struct json_in j;
	struct str key;
	bool good = true;

	memset(d, 0, sizeof *d);
	json_in_init(&j, json, n);
	if (json_value(&j) != JSON_OBJECT)
		return false;
	while (good && json_key(&j, &key)) {
		if (str_eq(key, STR("start_time")))
			good = number(&j, &d->start_ns);
		else if (str_eq(key, STR("current_time")))
			good = number(&j, &d->now_ns);
		else if (str_eq(key, STR("permanent_queues")))
			good = queues(&j, &d->permanent, &d->npermanent);
		else if (str_eq(key, STR("transient_queues")))
			good = queues(&j, &d->transient, &d->ntransient);
		else
			good = json_skip(&j, json_value(&j));
	}
	return good && j.reason == NULL;
}

static void
free_queues(struct old_queue *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].v);
	free(v);
}

/* Free it. */
void
old_diag_fini(struct old_diag *d)
{
	free_queues(d->permanent, d->npermanent);
	free_queues(d->transient, d->ntransient);
	memset(d, 0, sizeof *d);
}

/* ---- the report ---- */

enum health { NEVER, LATE, FINE };

static enum health
health(const struct old_diag *d, const struct old_queue *q)
{
	if (q->next_ns < 0)
		return NEVER;
	return q->next_ns + DEAD_NS < d->now_ns ? LATE : FINE;
}

/* "2 mins and 3 seconds ago" */
static void
ago(struct buf *b, const struct old_diag *d, int64_t at_ns)
{
	char words[UNITS_MAX * 2];

	units_words(words, (d->now_ns - at_ns) / NS_PER_SEC);
	buf_addf(b, "%s ago", words);
}

/* A line of text, cut unless everything is wanted. */
static void
put_cut(struct buf *b, struct str s, bool whole)
{
	struct buf t = BUF_INIT;

	text_put(&t, s);
	if (whole)
		buf_add(b, t.p, t.n);
	else
		text_fit(b, (struct str){t.p, t.n}, CUT, false);
	buf_addc(b, '\n');
	buf_fini(&t);
}

/* The parameters of a call, one a line; false when there are none to see.  The
 * payload is a copy that may be changed. */
static bool
put_params(struct buf *b, struct buf *copy, bool whole)
{
	struct json_in j;
	struct str key;
	enum json_type t;
	size_t from;

	json_in_init(&j, copy->p, copy->n);
	if (json_value(&j) != JSON_OBJECT)
		return false;
	while (json_key(&j, &key)) {
		t = json_value(&j);
		if (!str_eq(key, STR("params")) || t != JSON_ARRAY) {
			if (!json_skip(&j, t))
				return false;
			continue;
		}
		for (from = j.pos; (t = json_item(&j)) != JSON_END;) {
			if (t == JSON_BAD || !json_skip(&j, t))
				return false;
			buf_adds(b, "        - ");
			from += strspn(copy->p + from, ", \t\r\n");
			put_cut(b, (struct str){copy->p + from, j.pos - from},
			    whole);
			from = j.pos;
		}
		return true;
	}
	return false;
}

/* Is this summary that of a call? */
static bool
is_call(const char *what)
{
	return what[0] != '\0' && strcmp(what, "OK") != 0 &&
	    strcmp(what, "FAILURE") != 0;
}

static void
put_payload(struct buf *b, struct str payload, bool whole)
{
	struct buf copy = BUF_INIT, params = BUF_INIT;
	char what[128];

	text_summary(what, sizeof what, payload);
	buf_add(&copy, payload.p, payload.n);
	buf_addc(&copy, '\0');
	copy.n -= copy.n > 0;
	buf_adds(b, "      - ");
	if (buf_ok(&copy) && is_call(what)) {
		(void)put_params(&params, &copy, whole); /* as far as it goes */
		buf_addf(b, "%s\n", what);
		buf_add(b, params.p, params.n);
	} else {
		put_cut(b, payload, whole);
	}
	buf_fini(&params);
	buf_fini(&copy);
}

/* What became of the one who waits for the answer. */
static void
put_caller(struct buf *b, const struct old_diag *d, struct str name)
{
	const struct old_queue *q = NULL;

	for (size_t i = 0; i < d->ntransient && q == NULL; i++)
		if (str_eq(d->transient[i].name, name))
			q = &d->transient[i];
	buf_adds(b, "      - ");
	text_put(b, name);
	if (q == NULL) {
		buf_adds(b, " appears to have crashed");
	} else if (health(d, q) == NEVER) {
		buf_adds(b, " has not started");
	} else if (health(d, q) == LATE) {
		buf_adds(b, " crashed or deadlocked ");
		ago(b, d, q->next_ns);
	} else {
		buf_adds(b, " is waiting for a response");
	}
	buf_addc(b, '\n');
}

static void
put_queue(struct buf *b, const struct old_diag *d, const struct old_queue *q,
    bool whole)
{
	buf_adds(b, "- ");
	text_put(b, q->name);
	if (!d->offline && health(d, q) == LATE) {
		buf_adds(b, ": service crashed or deadlocked ");
		ago(b, d, q->next_ns);
	}
	buf_addc(b, '\n');
	for (size_t i = 0; i < q->n; i++) {
		const struct old_entry *e = &q->v[i];

		buf_addf(b, "    %lld: request from: ", (long long)e->id);
		text_put(b, e->origin);
		buf_adds(b, " sent ");
		ago(b, d, e->time_ns);
		buf_addc(b, '\n');
		put_payload(b, e->payload, whole);
		if (!e->is_reply && !d->offline)
			put_caller(b, d, e->reply_to);
	}
}

/* The permanent queues in this state, under a title. */
static size_t
put_group(struct buf *b, const struct old_diag *d, enum health h,
    const char *title, bool whole)
{
	size_t n = 0;

	for (size_t i = 0; i < d->npermanent; i++) {
		if (!d->offline && health(d, &d->permanent[i]) != h)
			continue;
		if (n++ == 0)
			buf_addf(b, "\n%s\n", title);
		put_queue(b, d, &d->permanent[i], whole);
	}
	return n;
}

/* Somebody waits for an answer in this queue. */
static bool
is_expected(const struct old_diag *d, struct str name)
{
	for (size_t i = 0; i < d->npermanent; i++)
		for (size_t k = 0; k < d->permanent[i].n; k++)
			if (!d->permanent[i].v[k].is_reply &&
			    str_eq(d->permanent[i].v[k].reply_to, name))
				return true;
	return false;
}

/* Reply queues, but those that are empty because the answer is awaited. */
static void
put_transient(struct buf *b, const struct old_diag *d, bool whole)
{
	size_t n = 0;

	for (size_t i = 0; i < d->ntransient; i++) {
		const struct old_queue *q = &d->transient[i];

		if (q->n == 0 && is_expected(d, q->name))
			continue;
		if (n++ == 0)
			buf_adds(b, "\nTemporary queues for replies:\n");
		put_queue(b, d, q, whole);
	}
}

/* The report. */
void
old_diag_put(struct buf *b, const struct old_diag *d, bool verbose)
{
	if (d->offline) {
		put_group(b, d, FINE, "Queues in the state folder:", verbose);
		put_transient(b, d, verbose);
		return;
	}
	buf_adds(b, "Switch started ");
	ago(b, d, d->start_ns);
	buf_addc(b, '\n');
	if (d->npermanent == 0)
		buf_adds(b, "No services are known.\n");
	else if (put_group(b, d, FINE, "Services that are running:", verbose) ==
	    0)
		buf_adds(b, "No service is running.\n");
	put_group(b, d, NEVER,
	    "Services that were called but never started:", verbose);
	put_group(
	    b, d, LATE, "Services that crashed or are deadlocked:", verbose);
	put_transient(b, d, verbose);
}

/* ---- from the folder ---- */

/* Queues and messages as they are read; text is kept in pieces. */
struct gather {
	struct cli *c;
	struct old_diag *d;
	struct old_queue *q;
	char **text;
	size_t ntext;
};

static struct str
keep(struct gather *g, struct str s)
{
	g->text = xreallocarray(g->text, g->ntext + 1, sizeof *g->text);
	g->text[g->ntext] = text_copy(s);
	return (struct str){g->text[g->ntext++], s.n};
}

static int
gather_queue(void *arg, const struct look_queue *lq)
{
	struct gather *g = arg;

	if (lq->owner.p != NULL)
		new_queue(
		    &g->d->transient, &g->d->ntransient, keep(g, lq->name));
	else
		new_queue(
		    &g->d->permanent, &g->d->npermanent, keep(g, lq->name));
	return 0;
}

static int
gather_message(void *arg, const struct look_msg *m)
{
	struct gather *g = arg;
	struct old_entry *e = new_entry(g->q);

	e->id = m->id;
	e->time_ns = (int64_t)(m->time * 1e9);
	e->origin = keep(g, m->origin);
	e->payload = keep(g, m->payload);
	e->reply_to = keep(g, m->reply_to);
	e->is_reply = m->reply;
	return 0;
}

static int
gather_messages(struct gather *g, struct old_queue *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		g->q = &v[i];
		rc = look_state.messages(
		    g->c, v[i].name.p, -1, PER_QUEUE, true, gather_message, g);
	}
	return rc;
}

static int
from_folder(struct cli *c)
{
	struct old_diag d = {.offline = true, .now_ns = clock_wall_ns()};
	struct gather g = {.c = c, .d = &d};
	int rc = look_turn(c);

	if (rc == 0)
		rc = look_state.queues(c, "", gather_queue, &g);
	if (rc == 0)
		rc = gather_messages(&g, d.permanent, d.npermanent);
	if (rc == 0)
		rc = gather_messages(&g, d.transient, d.ntransient);
	if (rc == 0)
		old_diag_put(out_buf(&c->out), &d, c->verbose);
	old_diag_fini(&d);
	for (size_t i = 0; i < g.ntext; i++)
		free(g.text[i]);
	free(g.text);
	return rc;
}

/* ---- the command ---- */

static int
run(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = ask_xmsg(c);
	struct xmsg_bytes json = {NULL, 0};
	struct old_diag d;
	int rc;

	(void)argc, (void)argv;
	c->say_out = true; /* support archives keep this and nothing else */
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	xmsg_set_timeout(x, cli_left_ms(c) / 2 + 1);
	rc = xmsg_diagnostics(x, &json);
	if (rc != XMSG_OK) {
		rc = ask_failed(c, rc);
		return cli_fail(c, rc == CLI_DEAD ? from_folder(c) : rc);
	}
	if (old_diag_parse(&d, (char *)(uintptr_t)json.p, json.n)) {
		old_diag_put(out_buf(&c->out), &d, c->verbose);
	} else {
		cli_say(c, "the broker's answer makes no sense");
		rc = CLI_REFUSED;
	}
	old_diag_fini(&d);
	xmsg_bytes_free(&json);
	return rc;
}

const struct cmd old_diagnostics = {
    .name = "diagnostics",
    .help = "Print what the broker holds and who serves it",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .run = run,
};
