/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Looking at the switch through its state folder.  The database gives queues
 * and messages, the recorder's file the events.  Payloads are redacted here,
 * as the broker would do it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../broker/sqldb.h"
#include "clock.h"
#include "look.h"
#include "map.h"
#include "recorder.h"
#include "redact.h"
#include "state.h"
#include "xalloc.h"

#define TEXT_MAX 512 /* of a payload that is shown */
#define GREP_MAX (64 * 1024) /* of one that is searched, as the broker does */

struct state {
	struct sqldb *db; /* NULL: cannot be read */
	struct err no_db, no_ring, no_acts;
	struct recorder events, acts; /* p == NULL: cannot be read */
};

/* ---- opening ---- */

/* Open what there is. */
int
state_open(struct cli *c, struct err *e)
{
	struct state *s;
	char *path;

	if (c->state != NULL)
		return 0;
	s = xcalloc(1, sizeof *s);
	path = xasprintf("%s/switch.db", c->state_dir);
	if (access(path, R_OK) == -1)
		(void)err_errno(&s->no_db, "%s", path);
	else
		s->db = sqldb_open(path, SQLDB_INSPECTOR, "", 0, &s->no_db);
	free(path);
	(void)recorder_open(&s->acts, c->state_dir, "acts.ring", &s->no_acts);
	if (recorder_open(
		&s->events, c->state_dir, RECORDER_FILE, &s->no_ring) == -1 &&
	    s->db == NULL) {
		*e = s->no_db;
		recorder_close(&s->acts);
		free(s);
		return -1;
	}
	c->state = s;
	return 0;
}

/* Close it. */
void
state_close(struct cli *c)
{
	if (c->state == NULL)
		return;
	if (c->state->db != NULL)
		sqldb_close(c->state->db);
	recorder_close(&c->state->events);
	recorder_close(&c->state->acts);
	free(c->state);
	c->state = NULL;
}

/* The database, or why not. */
static struct sqldb *
db_of(struct cli *c)
{
	if (c->state->db == NULL)
		c->why = c->state->no_db;
	return c->state->db;
}

static int
db_failed(struct cli *c, enum store_rc rc)
{
	(void)err_set(&c->why, rc, "%s/switch.db: %s", c->state_dir,
	    sqldb_errmsg(c->state->db));
	return CLI_REFUSED;
}

/* ---- queues ---- */

/* Totals of one queue. */
struct total {
	UT_hash_handle hh;
	struct total *older; /* in a list, too */
	int64_t n, bytes, held, dead, first, first_ns;
	size_t name_n;
	char name[];
};

/* A read under way: the op comes first, so that rows find the rest. */
struct totals {
	struct store_op op;
	struct total *by_name, *newest;
	int64_t now_ns;
	look_queue_fn fn;
	void *arg;
};

/* Count one message. */
static int
count(struct store_op *op, const struct store_msg *m)
{
	struct totals *t = (struct totals *)op;
	struct total *q = NULL;

	HASH_FIND(hh, t->by_name, m->queue.p, m->queue.n, q);
	if (q == NULL) {
		q = xcalloc(1, sizeof *q + m->queue.n);
		q->name_n = m->queue.n;
		memcpy(q->name, m->queue.p, m->queue.n);
		q->older = t->newest;
		t->newest = q;
		q->first = m->id;
		q->first_ns = m->at_ns;
		HASH_ADD_KEYPTR(hh, t->by_name, q->name, q->name_n, q);
	}
	q->n++;
	q->bytes += (int64_t)m->payload.n;
	q->held += m->held > 0;
	q->dead += m->held > STORE_HELD_OPERATOR;
	return 0;
}

/* Report one queue. */
static int
report(struct store_op *op, struct str name, struct str owner)
{
	struct totals *t = (struct totals *)op;
	struct total *q = NULL;
	struct look_queue lq = {.name = name,
	    .owner = owner,
	    .oldest_id = -1,
	    .delivered = -1,
	    .consumers = -1,
	    .parked = -1,
	    .in = -1,
	    .out = -1,
	    .in_s = -1,
	    .out_s = -1,
	    .oldest_age_s = -1,
	    .last_poll_age_s = -1};

	HASH_FIND(hh, t->by_name, name.p, name.n, q);
	if (q != NULL) {
		lq.messages = q->n;
		lq.bytes = q->bytes;
		lq.held = q->held;
		lq.dead = q->dead;
		lq.ready = q->n - q->held;
		lq.oldest_id = q->first;
		lq.oldest_age_s = (double)(t->now_ns - q->first_ns) / 1e9;
	}
	return t->fn(t->arg, &lq);
}

static int
queues(struct cli *c, const char *prefix, look_queue_fn fn, void *arg)
{
	struct totals t = {.fn = fn, .arg = arg, .now_ns = clock_wall_ns()};
	struct sqldb *db = db_of(c);
	struct total *q;
	enum store_rc rc;

	if (db == NULL)
		return CLI_NONE;
	t.op.kind = STORE_SCAN;
	t.op.u.scan.after = INT64_MIN;
	t.op.u.scan.heads = true;
	t.op.u.scan.row = count;
	rc = sqldb_read(db, &t.op);
	if (rc == STORE_OK) {
		memset(&t.op, 0, sizeof t.op);
		t.op.kind = STORE_LIST;
		t.op.u.list.prefix = str_of(prefix);
		t.op.u.list.row = report;
		rc = sqldb_read(db, &t.op);
	}
	HASH_CLEAR(hh, t.by_name);
	while ((q = t.newest) != NULL) {
		t.newest = q->older;
		free(q);
	}
	return rc == STORE_OK ? 0 : db_failed(c, rc);
}

/* ---- messages ---- */

struct msgs {
	struct store_op op;
	struct str queue;
	int64_t now_ns;
	bool payload, raw, found;
	const char *grep; /* NULL: all */
	look_msg_fn fn;
	void *arg;
};

/* Is the text in the masked payload? */
static bool
holds(const char *grep, struct str payload)
{
	char *text;
	bool yes;

	if (grep == NULL)
		return true;
	text = xmalloc(GREP_MAX);
	yes = memmem(text, redact(text, GREP_MAX, payload), grep,
		  strlen(grep)) != NULL;
	free(text);
	return yes;
}

/* As the broker says it; what is damaged it finds out when it reads, as we. */
static const char *
held_text(const struct store_msg *sm)
{
	if (sm->damaged)
		return "damaged";
	switch (sm->held) {
	case STORE_HELD_OPERATOR: return "held by an operator";
	case STORE_HELD_POISON: return "its delivery ended its consumer";
	default: return NULL;
	}
}

static int
msg_row(struct store_op *op, const struct store_msg *sm)
{
	struct msgs *t = (struct msgs *)op;
	char text[TEXT_MAX];
	struct look_msg m = {
	    .queue = sm->queue,
	    .id = sm->id,
	    .state = str_of(held_text(sm) != NULL ? "held" : "ready"),
	    .reason = str_of(held_text(sm)),
	    .origin = sm->origin,
	    .reply_to = sm->reply_to,
	    .comm = sm->comm,
	    .pid = sm->pid,
	    .uid = sm->uid,
	    .re_queue = sm->re_queue,
	    .re_id = sm->re_queue.p ? sm->re_id : -1,
	    .reply = sm->re_queue.p != NULL,
	    .size = (int64_t)sm->payload.n,
	    .deliveries = -1,
	    .time = (double)sm->at_ns / 1e9,
	    .age_s = (double)(t->now_ns - sm->at_ns) / 1e9,
	    .raw = t->raw,
	};

	if (!str_eq(sm->queue, t->queue))
		return 0; /* of another queue: an id was asked for */
	if (!holds(t->grep, sm->payload))
		return 0;
	t->found = true;
	if (t->raw)
		m.payload = sm->payload;
	else if (t->payload)
		m.payload =
		    (struct str){text, redact(text, sizeof text, sm->payload)};
	return t->fn(t->arg, &m);
}

/* Is there such a queue? */
struct named {
	struct store_op op;
	struct str name;
	bool found;
};

static int
is_named(struct store_op *op, struct str name, struct str owner)
{
	struct named *t = (struct named *)op;

	(void)owner;
	t->found |= str_eq(name, t->name);
	return 0;
}

static int
must_exist(struct cli *c, struct sqldb *db, const char *queue)
{
	struct named t = {.name = str_of(queue)};
	enum store_rc rc;

	t.op.kind = STORE_LIST;
	t.op.u.list.prefix = t.name;
	t.op.u.list.row = is_named;
	rc = sqldb_read(db, &t.op);
	if (rc != STORE_OK)
		return db_failed(c, rc);
	if (t.found)
		return 0;
	(void)err_set(&c->why, 1, "there is no such queue");
	return CLI_NONE;
}

static int
messages(struct cli *c, const char *queue, int64_t after, int64_t most,
    bool payload, look_msg_fn fn, void *arg)
{
	struct msgs t = {.queue = str_of(queue),
	    .payload = payload,
	    .grep = c->filter != NULL ? c->filter->grep : NULL,
	    .fn = fn,
	    .arg = arg,
	    .now_ns = clock_wall_ns()};
	struct sqldb *db = db_of(c);
	enum store_rc rc;
	int code;

	if (db == NULL)
		return CLI_NONE;
	code = must_exist(c, db, queue);
	if (code != 0)
		return code;
	t.op.kind = STORE_SCAN;
	t.op.u.scan.queues = &t.queue;
	t.op.u.scan.n = 1;
	t.op.u.scan.after = after;
	t.op.u.scan.max_msgs = most < UINT32_MAX ? (uint32_t)most : 0;
	t.op.u.scan.heads = !payload && t.grep == NULL;
	t.op.u.scan.row = msg_row;
	rc = sqldb_read(db, &t.op);
	return rc == STORE_OK ? 0 : db_failed(c, rc);
}

static int
message(struct cli *c, const char *queue, int64_t id, bool raw, look_msg_fn fn,
    void *arg)
{
	struct msgs t = {.queue = str_of(queue),
	    .payload = true,
	    .raw = raw,
	    .fn = fn,
	    .arg = arg,
	    .now_ns = clock_wall_ns()};
	struct sqldb *db = db_of(c);
	enum store_rc rc;

	if (db == NULL)
		return CLI_NONE;
	t.op.kind = STORE_GET;
	t.op.u.get.ids = &id;
	t.op.u.get.n = 1;
	t.op.u.get.row = msg_row;
	rc = sqldb_read(db, &t.op);
	if (rc != STORE_OK)
		return db_failed(c, rc);
	if (t.found)
		return 0;
	(void)err_set(&c->why, 1, "there is no such message");
	return CLI_NONE;
}

/* ---- events ---- */

static int
events(struct cli *c, int64_t after, int64_t most, int wait_s, struct events *l)
{
	(void)wait_s; /* nobody writes */
	if (c->state->events.p == NULL) {
		c->why = c->state->no_ring;
		return CLI_NONE;
	}
	recorder_events(&c->state->events, c, after, most, l);
	return 0;
}

static int
acts(struct cli *c, int64_t after, int64_t most, int64_t *next, look_act_fn fn,
    void *arg)
{
	const struct ring *r = &c->state->acts.ring;
	struct ring_cursor at;
	struct ring_copy copy;
	struct ring_event e;

	if (c->state->acts.p == NULL) {
		c->why = c->state->no_acts;
		return CLI_NONE;
	}
	at = ring_seek(r, recorder_from(&c->state->acts, after, most));
	while (most-- > 0 && ring_read_copy(r, &at, &e, &copy)) {
		struct look_act a = {.verb = e.peer,
		    .queue = e.queue,
		    .comm = e.client,
		    .text = e.text,
		    .seq = (int64_t)e.seq,
		    .id = e.id,
		    .uid = e.size,
		    .pid = e.pid,
		    .done = e.re_id < 300,
		    .time = (double)e.wall_ns / 1e9};

		fn(arg, &a);
	}
	*next = (int64_t)at.seq;
	return 0;
}

/* How it ended. */
double
state_last_event(struct cli *c, const char **how)
{
	struct events l = {0};
	double time = -1;

	*how = NULL;
	if (events(c, LOOK_LAST, 1, 0, &l) == 0 && l.n > 0) {
		time = l.v[l.n - 1].time;
		*how = l.v[l.n - 1].type == RING_STOP ? "ended in order"
						      : "was killed";
	}
	events_fini(&l);
	return time;
}

const struct look_vt look_state = {
    .queues = queues,
    .messages = messages,
    .message = message,
    .events = events,
    .acts = acts,
};
