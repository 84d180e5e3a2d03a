/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Looking at the events of a broker that is at work.  This is what followers do
 * all day and what reports do in bulk, so it is to cost little: answers are read
 * where they lie, and a long list comes from the recorder's file when we may
 * read it, and not from the broker, which has other things to do.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "json.h"
#include "look.h"
#include "recorder.h"

#define PAGE_EVENTS 1000 /* that many fit one answer for sure */
#define FEW_EVENTS  100 /* quickly asked for */

/* ---- answers ---- */

/* The fields of an event. */
enum field {
	F_SEQ,
	F_TIME,
	F_TYPE,
	F_CLIENT,
	F_PID,
	F_QUEUE,
	F_ID,
	F_PEER,
	F_RE_ID,
	F_SIZE,
	F_DURATION,
	F_TEXT,
	F_OTHER
};

static const char *const names[] = {
    [F_SEQ] = "seq",
    [F_TIME] = "time",
    [F_TYPE] = "type",
    [F_CLIENT] = "client",
    [F_PID] = "pid",
    [F_QUEUE] = "queue",
    [F_ID] = "id",
    [F_PEER] = "peer",
    [F_RE_ID] = "re_id",
    [F_SIZE] = "size",
    [F_DURATION] = "duration_s",
    [F_TEXT] = "text",
};

/* Which field is it?  They come in this order, each behind the last one. */
static enum field
field_of(struct str key, enum field guess)
{
	if (guess < F_OTHER && str_eq(key, str_of(names[guess])))
		return guess;
	for (int f = F_SEQ; f < F_OTHER; f++)
		if (str_eq(key, str_of(names[f])))
			return (enum field)f;
	return F_OTHER;
}

/* The kind of event of this name. */
static enum ring_type
type_of(struct str name)
{
	char text[32] = "";

	if (name.n < sizeof text)
		memcpy(text, name.p, name.n);
	return event_type(text);
}

/* Set what can be a text. */
static void
set_text(struct event *e, enum field f, struct str v)
{
	switch (f) {
	case F_TYPE: e->type = type_of(v); break;
	case F_CLIENT: e->client = v; break;
	case F_QUEUE: e->queue = v; break;
	case F_PEER: e->peer = v; break;
	case F_TEXT: e->text = v; break;
	default: break;
	}
}

/* Set what can be a whole number. */
static void
set_number(struct event *e, enum field f, int64_t v)
{
	switch (f) {
	case F_SEQ: e->seq = v; break;
	case F_PID: e->pid = v; break;
	case F_ID: e->id = v; break;
	case F_RE_ID: e->re_id = v; break;
	case F_SIZE: e->size = v; break;
	default: break;
	}
}

/* Set what has been read as `t`; false when it is malformed. */
static bool
set(struct event *e, enum field f, struct json_in *j, enum json_type t)
{
	bool number = t == JSON_INT || t == JSON_FLOAT;

	if (t == JSON_STR)
		set_text(e, f, j->str);
	else if (number && f == F_TIME)
		e->time = j->number;
	else if (number && f == F_DURATION)
		e->took_s = j->number;
	else if (t == JSON_INT)
		set_number(e, f, j->integer);
	else
		return json_skip(j, t);
	return true;
}

/* One event, entered; false when it is malformed. */
static bool
take_event(struct json_in *j, struct events *l)
{
	struct event e = {.type = RING_NTYPES, .took_s = -1};
	enum field f = F_OTHER;
	struct str key;

	while (json_key(j, &key)) {
		f = field_of(key, f == F_OTHER ? F_SEQ : f + 1);
		if (!set(&e, f, j, json_value(j)))
			return false;
	}
	if (j->reason != NULL)
		return false;
	events_append(l, &e);
	return true;
}

/* A list of them; false when it is malformed. */
static bool
take_events(struct json_in *j, struct events *l)
{
	enum json_type t;

	while ((t = json_item(j)) != JSON_END)
		if (t == JSON_OBJECT ? !take_event(j, l) : !json_skip(j, t))
			return false;
	return true;
}

/* A whole answer. */
static bool
take_answer(struct json_in *j, struct events *l, int64_t *lost)
{
	enum json_type t = json_value(j);
	struct str key;
	bool ok = t == JSON_OBJECT;

	while (ok && json_key(j, &key)) {
		t = json_value(j);
		if (t == JSON_ARRAY && str_eq(key, STR("events")))
			ok = take_events(j, l);
		else if (t == JSON_INT && str_eq(key, STR("next")))
			l->next = j->integer;
		else if (t == JSON_INT && str_eq(key, STR("lost")))
			*lost = j->integer;
		else
			ok = json_skip(j, t);
	}
	return ok && j->reason == NULL;
}

/* The texts stay where they came to, in the list's own room. */
static int
read_answer(
    struct cli *c, const struct xmsg_bytes *a, struct events *l, int64_t *lost)
{
	char *own = events_room(l, a->n);
	struct json_in j;

	memcpy(own, a->p, a->n);
	json_in_init(&j, own, a->n);
	if (take_answer(&j, l, lost))
		return 0;
	(void)err_set(&c->why, 1, "the broker's answer is no JSON: %s",
	    j.reason ? j.reason : "not an object");
	return CLI_REFUSED;
}

/* One page; it may be cut before `most` by its size. */
static int
event_page(
    struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l)
{
	struct xmsg_bytes answer = {NULL, 0};
	struct buf t = BUF_INIT;
	int64_t lost = 0;
	int rc;

	ask_path(&t, "events");
	buf_addf(&t, "?limit=%lld&wait=%d", (long long)most, wait_s);
	if (after != LOOK_LAST)
		buf_addf(&t, "&after=%lld", (long long)after);
	if (c->event_id != 0)
		buf_addf(&t, "&id=%lld", (long long)c->event_id);
	if (c->event_kinds != NULL)
		buf_addf(&t, "&kind=%s", c->event_kinds);
	rc = ask_bytes(c, &t, wait_s * 1000, &answer);
	buf_fini(&t);
	l->next = after;
	if (rc == 0)
		rc = read_answer(c, &answer, l, &lost);
	if (after >= 0)
		l->lost += lost;
	xmsg_bytes_free(&answer);
	return rc;
}

/* ---- the file ---- */

/* The recorder of the broker that answers, when its file can be read here: it
 * is in the folder, and has the last event that the broker knows of. */
bool
look_find_recorder(struct cli *c, struct recorder *r)
{
	const char *kinds = c->event_kinds;
	int64_t id = c->event_id;
	struct events last = {0};
	struct err e;
	bool same;

	if (recorder_open(r, c->state_dir, RECORDER_FILE, &e) == -1)
		return false;
	c->event_kinds = NULL;
	c->event_id = 0;
	same = event_page(c, LOOK_LAST, 1, 0, &last) == 0 && last.n == 1 &&
	    recorder_has(r, &last.v[0]);
	c->event_kinds = kinds;
	c->event_id = id;
	events_fini(&last);
	if (!same)
		recorder_close(r);
	return same;
}

/* All of them by way of the file; false: it cannot be had. */
static bool
by_file(struct cli *c, int64_t after, int64_t most, struct events *l)
{
	struct recorder r;

	if (!look_find_recorder(c, &r))
		return false;
	recorder_events(&r, c, after, most, l);
	recorder_close(&r);
	return true;
}

/* Events of a broker. */
int
look_broker_events(
    struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l)
{
	size_t before, all;
	int rc;

	if (most > LOOK_MOST_EVENTS)
		most = LOOK_MOST_EVENTS;
	if (most > FEW_EVENTS && wait_s == 0 && by_file(c, after, most, l))
		return 0;
	all = l->n + (size_t)most;
	rc = event_page(c, after, most, wait_s, l);
	for (before = 0;
	     rc == 0 && most > PAGE_EVENTS && l->n > before && l->n < all;) {
		before = l->n;
		rc = event_page(c, l->next, (int64_t)(all - l->n), 0, l);
	}
	return rc;
}
