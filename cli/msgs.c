/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Queues, messages and events as tables. */
#include "msgs.h"

#include <stdio.h>
#include <string.h>

#include "select.h"
#include "text.h"
#include "units.h"

#define STALLED_S 60 /* a message older than this means trouble */
#define WIDTH	  48 /* of what travels, in a line for people */
#define FRONT	  (4 * (WIDTH + 1)) /* bytes that are more than that, for sure */

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- queues ---- */

enum {
	Q_NAME,
	Q_KIND,
	Q_MESSAGES,
	Q_READY,
	Q_DELIVERED,
	Q_HELD,
	Q_DEAD,
	Q_BYTES,
	Q_OLDEST,
	Q_OLDEST_ID,
	Q_IN,
	Q_OUT,
	Q_IN_S,
	Q_OUT_S,
	Q_CONSUMERS,
	Q_PARKED,
	Q_POLL,
	Q_OWNER,
	Q_STATE
};

static const struct col queue_cols[] = {
    [Q_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [Q_KIND] = {"kind", "KIND", COL_TEXT, false, "persistent or transient"},
    [Q_MESSAGES] = {"messages", "MESSAGES", COL_INT, true, "messages in it"},
    [Q_READY] = {"ready", "READY", COL_INT, false, "not yet delivered"},
    [Q_DELIVERED] = {"delivered", "INFLIGHT", COL_INT, false,
	"delivered, not acknowledged"},
    [Q_HELD] = {"held", "HELD", COL_INT, false, "held back"},
    [Q_DEAD] = {"dead", "DEAD", COL_INT, false,
	"of those, dead letters: no operator held them"},
    [Q_BYTES] = {"bytes", "BYTES", COL_SIZE, true, "payload in it"},
    [Q_OLDEST] = {"oldest_age_s", "OLDEST", COL_AGE, false,
	"age of the oldest message"},
    [Q_OLDEST_ID] = {"oldest_id", "OLDEST-ID", COL_INT, true, "its id"},
    [Q_IN] = {"in", "IN", COL_INT, true, "messages that came since start"},
    [Q_OUT] = {"out", "OUT", COL_INT, true, "messages that left since start"},
    [Q_IN_S] = {"in_s", "IN/s", COL_RATE, false,
	"messages that come, a second"},
    [Q_OUT_S] = {"out_s", "OUT/s", COL_RATE, false,
	"messages that leave, a second"},
    [Q_CONSUMERS] = {"consumers", "CONSUMERS", COL_INT, false,
	"polls that name it now"},
    [Q_PARKED] = {"parked", "PARKED", COL_INT, true, "those that wait"},
    [Q_POLL] = {"last_poll_age_s", "POLLED", COL_AGE, true,
	"since the last poll; null: never"},
    [Q_OWNER] = {"owner", "OWNER", COL_TEXT, true,
	"token that a transient queue belongs to"},
    [Q_STATE] = {"state", "STATE", COL_TEXT, false, "how it does, in words"},
};

/* A number that nobody knows stays null. */
static void
known(struct out *o, size_t col, int64_t v)
{
	if (v >= 0)
		out_int(o, col, v);
}

static void
known_real(struct out *o, size_t col, double v)
{
	if (v >= 0)
		out_real(o, col, v);
}

/* QUEUE:ID as it is; the writer makes it safe. */
static void
put_ref(struct buf *b, struct str queue, int64_t id)
{
	buf_add(b, queue.p, queue.n);
	buf_addc(b, ':');
	buf_addi(b, id);
}

/* How does it do? */
enum paint
queue_judge(const struct look_queue *q, char out[64])
{
	bool polled = q->consumers > 0;
	char age[UNITS_MAX];

	if (q->paused) {
		strcpy(out, "paused");
		return PAINT_WARN;
	}
	if (q->messages > 0 && q->held == q->messages) {
		strcpy(out, "held");
		return PAINT_WARN;
	}
	if (q->messages == 0) {
		strcpy(out, polled ? "ok" : "idle");
		return polled ? PAINT_GOOD : PAINT_NONE;
	}
	if (!polled && q->last_poll_age_s < 0) {
		strcpy(out, "no consumer");
		return PAINT_BAD;
	}
	if (!polled && q->last_poll_age_s >= STALLED_S) {
		units_age(age, q->last_poll_age_s);
		snprintf(out, 64, "no consumer for %s", age);
		return PAINT_BAD;
	}
	if (q->oldest_age_s >= STALLED_S) {
		units_age(age, q->oldest_age_s);
		snprintf(out, 64, "stalled %s", age);
		return PAINT_BAD;
	}
	strcpy(out, "ok");
	return PAINT_GOOD;
}

/* Begin. */
int
queues_table(struct cli *c)
{
	static const unsigned char spare[] = {
	    Q_KIND, Q_OUT_S, Q_IN_S, Q_CONSUMERS, Q_DEAD, Q_HELD};

	if (out_table(&c->out, "queue", queue_cols, N(queue_cols), &c->why) ==
	    -1)
		return -1;
	out_spare(&c->out, spare, N(spare));
	return 0;
}

/* One more. */
int
queues_add(void *arg, const struct look_queue *q)
{
	struct cli *c = arg;
	struct out *o = &c->out;
	char state[64];
	enum paint p;

	out_text(o, Q_NAME, q->name);
	out_text(o, Q_KIND, str_of(q->owner.p ? "transient" : "persistent"));
	known(o, Q_MESSAGES, q->messages);
	known(o, Q_READY, q->ready);
	known(o, Q_DELIVERED, q->delivered);
	known(o, Q_HELD, q->held);
	known(o, Q_DEAD, q->dead);
	known(o, Q_BYTES, q->bytes);
	known_real(o, Q_OLDEST, q->oldest_age_s);
	known(o, Q_OLDEST_ID, q->oldest_id);
	known(o, Q_IN, q->in);
	known(o, Q_OUT, q->out);
	known_real(o, Q_IN_S, q->in_s);
	known_real(o, Q_OUT_S, q->out_s);
	known(o, Q_CONSUMERS, q->consumers);
	known(o, Q_PARKED, q->parked);
	known_real(o, Q_POLL, q->last_poll_age_s);
	out_text(o, Q_OWNER, q->owner);
	if (!c->offline) {
		p = queue_judge(q, state);
		out_text(o, Q_STATE, str_of(state));
		out_paint(o, Q_STATE, p);
	}
	out_row(o);
	return 0;
}

/* ---- messages ---- */

enum {
	M_REF,
	M_QUEUE,
	M_ID,
	M_KIND,
	M_STATE,
	M_AGE,
	M_WHAT,
	M_FROM,
	M_ORIGIN,
	M_CONSUMER,
	M_REPLY_TO,
	M_SIZE,
	M_TRIES,
	M_ERROR,
	M_ANSWERED,
	M_RE_QUEUE,
	M_RE_ID,
	M_TIME,
	M_REASON,
	M_PID,
	M_COMM,
	M_PAYLOAD
};

static const struct col msg_cols[] = {
    [M_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID, as commands take it"},
    [M_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue it is in"},
    [M_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [M_KIND] = {"kind", "KIND", COL_TEXT, true, "request or reply"},
    [M_STATE] = {"state", "STATE", COL_TEXT, false,
	"ready, delivered, held or leaving"},
    [M_AGE] = {"age_s", "AGE", COL_AGE, false, "since it was published"},
    [M_WHAT] = {"what", "METHOD", COL_TEXT, false,
	"method of a call, outcome of an answer"},
    [M_FROM] = {"from", "FROM", COL_TEXT, false,
	"program and process of the sender, or its token"},
    [M_ORIGIN] = {"origin", "ORIGIN", COL_TEXT, true, "token of the sender"},
    [M_CONSUMER] = {"consumer", "CONSUMER", COL_TEXT, true,
	"token of whom it was delivered to last"},
    [M_TRIES] = {"deliveries", "TRIES", COL_INT, false, "deliveries so far"},
    [M_SIZE] = {"size", "SIZE", COL_SIZE, false, "bytes of payload"},
    [M_REPLY_TO] = {"reply_to", "REPLY-TO", COL_TEXT, false,
	"queue for the answer"},
    [M_ERROR] = {"last_error", "LAST-ERROR", COL_TEXT, false,
	"why it is held, or what became of its last delivery"},
    [M_ANSWERED] = {"answered", "ANSWERED", COL_BOOL, true,
	"has its answer been enqueued"},
    [M_RE_QUEUE] = {"re_queue", "RE-QUEUE", COL_TEXT, true,
	"queue of the request that it answers"},
    [M_RE_ID] = {"re_id", "RE-ID", COL_INT, true, "id of that request"},
    [M_TIME] = {"time", "TIME", COL_TIME, true, "when it was published"},
    [M_REASON] = {"reason", "REASON", COL_TEXT, true, "why it is held"},
    [M_PID] = {"pid", "PID", COL_INT, true, "process of the sender"},
    [M_COMM] = {"comm", "PROGRAM", COL_TEXT, true, "its name"},
    [M_PAYLOAD] = {"payload", "PAYLOAD", COL_TEXT, true,
	"front of the payload, secrets masked"},
};

/* Begin. */
int
msgs_table(struct cli *c)
{
	static const unsigned char spare[] = {
	    M_REPLY_TO, M_SIZE, M_TRIES, M_FROM, M_ERROR};

	if (out_table(&c->out, "message", msg_cols, N(msg_cols), &c->why) == -1)
		return -1;
	out_spare(&c->out, spare, N(spare));
	return 0;
}

/* Who sent it: "xapi[812]", or the token that it logged in with. */
static void
put_from(struct out *o, const struct look_msg *m)
{
	struct buf from = BUF_INIT;

	buf_add(&from, m->comm.p, m->comm.n);
	if (m->comm.n > 0 && m->pid > 0)
		buf_addf(&from, "[%lld]", (long long)m->pid);
	out_text(
	    o, M_FROM, from.n > 0 ? (struct str){from.p, from.n} : m->origin);
	buf_fini(&from);
}

/* What went wrong with it so far; nothing: p == NULL. */
static struct str
last_error(const struct look_msg *m)
{
	if (m->reason.n > 0)
		return m->reason;
	if (str_eq(m->state, STR("delivered")) &&
	    str_eq(m->consumer, STR("(gone)")))
		return STR("its consumer went away");
	if (m->deliveries > 1 && !m->answered)
		return STR("delivered again");
	return (struct str){NULL, 0};
}

/* One more. */
int
msgs_add(void *arg, const struct look_msg *m)
{
	struct cli *c = arg;
	struct out *o = &c->out;
	struct buf ref = BUF_INIT;
	char what[64];

	put_ref(&ref, m->queue, m->id);
	out_text(o, M_REF, (struct str){ref.p, ref.n});
	buf_fini(&ref);
	out_text(o, M_QUEUE, m->queue);
	out_int(o, M_ID, m->id);
	out_text(o, M_KIND, str_of(m->reply ? "reply" : "request"));
	out_text(o, M_STATE, m->state);
	out_paint(o, M_STATE,
	    str_eq(m->state, STR("held")) ? PAINT_WARN : PAINT_NONE);
	known_real(o, M_AGE, m->age_s);
	select_method(what, sizeof what, m);
	out_text(o, M_WHAT, str_of(what));
	if (m->pid > 0)
		out_int(o, M_PID, m->pid);
	if (m->comm.n > 0)
		out_text(o, M_COMM, m->comm);
	put_from(o, m);
	out_text(o, M_ORIGIN, m->origin);
	out_text(o, M_ERROR, last_error(m));
	out_paint(o, M_ERROR, PAINT_WARN);
	out_text(o, M_CONSUMER, m->consumer);
	known(o, M_TRIES, m->deliveries);
	known(o, M_SIZE, m->size);
	out_text(o, M_REPLY_TO, m->reply_to);
	if (!m->reply && !c->offline)
		out_int(o, M_ANSWERED, m->answered);
	if (m->reply) {
		out_text(o, M_RE_QUEUE, m->re_queue);
		out_int(o, M_RE_ID, m->re_id);
	}
	known_real(o, M_TIME, m->time);
	out_text(o, M_REASON, m->reason);
	out_text(o, M_PAYLOAD, m->payload);
	out_row(o);
	return 0;
}

/* QUEUE:ID from an operand, or from the front of a line that a listing wrote. */
int
msgs_id(struct cli *c, const char *word, char queue[256], int64_t *id)
{
	struct str s = str_of(word);
	struct msgid m;

	if (!msgid_parse(&m, s)) {
		s.n = strcspn(word, " \t");
		if (!msgid_parse(&m, s) || m.queue.n > 255)
			return cli_usage(c, "'%s' is not QUEUE:ID", word);
	}
	if (m.queue.n > 255)
		return cli_usage(c, "the name in '%s' is too long", word);
	memcpy(queue, m.queue.p, m.queue.n);
	queue[m.queue.n] = '\0';
	*id = m.id;
	return 0;
}

/* ---- ids ---- */

enum { R_REF, R_QUEUE, R_ID };

static const struct col ref_cols[] = {
    [R_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [R_QUEUE] = {"queue", "QUEUE", COL_TEXT, false, "queue it is in"},
    [R_ID] = {"id", "NUMBER", COL_INT, false, "number of the message"},
};

/* Begin. */
int
ref_table(struct cli *c, const char *object)
{
	return out_table(&c->out, object, ref_cols, N(ref_cols), &c->why);
}

/* One: an object for programs, the id on a line for people. */
void
ref_add(struct cli *c, const char *queue, int64_t id)
{
	struct buf ref = BUF_INIT;

	put_ref(&ref, str_of(queue), id);
	if (c->json) {
		out_text(&c->out, R_REF, (struct str){ref.p, ref.n});
		out_text(&c->out, R_QUEUE, str_of(queue));
		out_int(&c->out, R_ID, id);
		out_row(&c->out);
	} else {
		text_put(out_buf(&c->out), (struct str){ref.p, ref.n});
		out_line(&c->out, false);
	}
	buf_fini(&ref);
}

/* ---- events ---- */

enum {
	E_SEQ,
	E_TIME,
	E_TYPE,
	E_CLIENT,
	E_PID,
	E_REF,
	E_QUEUE,
	E_ID,
	E_PEER,
	E_RE_ID,
	E_SIZE,
	E_TOOK,
	E_WHAT,
	E_TEXT
};

static const struct col event_cols[] = {
    [E_SEQ] = {"seq", "SEQ", COL_INT, true, "number of the event"},
    [E_TIME] = {"time", "TIME", COL_TIME, false, "when"},
    [E_TYPE] = {"type", "TYPE", COL_TEXT, false, "what happened"},
    [E_CLIENT] = {"client", "CLIENT", COL_TEXT, false, "token of who did it"},
    [E_PID] = {"pid", "PID", COL_INT, true, "its process"},
    [E_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [E_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue"},
    [E_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [E_PEER] = {"peer", "PEER", COL_TEXT, true,
	"reply queue; for a reply the queue of its request"},
    [E_RE_ID] = {"re_id", "RE-ID", COL_INT, true, "request that it answers"},
    [E_SIZE] = {"size", "SIZE", COL_SIZE, true, "bytes of payload"},
    [E_TOOK] = {"duration_s", "TOOK", COL_TOOK, false,
	"from the request to its reply"},
    [E_WHAT] = {"what", "WHAT", COL_TEXT, false,
	"method of a call, outcome of an answer"},
    [E_TEXT] = {"text", "TEXT", COL_TEXT, true,
	"front of the payload, secrets masked; or why"},
};

/* Begin. */
int
events_table(struct cli *c)
{
	return out_table(&c->out, "event", event_cols, N(event_cols), &c->why);
}

/* One more. */
void
events_put(struct cli *c, const struct event *e)
{
	struct out *o = &c->out;
	struct buf ref = BUF_INIT;
	char what[64];

	out_int(o, E_SEQ, e->seq);
	out_real(o, E_TIME, e->time);
	out_text(o, E_TYPE, str_of(ring_type_name(e->type)));
	out_text(o, E_CLIENT, e->client);
	out_int(o, E_PID, e->pid);
	out_text(o, E_QUEUE, e->queue);
	if (e->id != 0) {
		put_ref(&ref, e->queue, e->id);
		out_text(o, E_REF, (struct str){ref.p, ref.n});
		out_int(o, E_ID, e->id);
	}
	buf_fini(&ref);
	out_text(o, E_PEER, e->peer);
	if (e->re_id != 0)
		out_int(o, E_RE_ID, e->re_id);
	out_int(o, E_SIZE, e->size);
	known_real(o, E_TOOK, e->took_s);
	text_summary(what, sizeof what, e->text);
	out_text(o, E_WHAT, str_of(what));
	out_text(o, E_TEXT, e->text);
	out_row(o);
}

/* What travels: its name in a word, or its front. */
static void
put_what(struct buf *b, const struct event *e)
{
	struct str front = e->text;
	struct buf t = BUF_INIT;
	char what[64];

	if (front.n > FRONT)
		front.n = FRONT;
	text_summary(what, sizeof what, e->text);
	if (what[0] != '\0')
		buf_adds(&t, what);
	else
		text_put(&t, front);
	if (t.n > 0)
		buf_adds(b, "  ");
	text_fit(b, (struct str){t.p, t.n}, WIDTH, false);
	buf_fini(&t);
}

static void
put_name(struct buf *b, struct str name)
{
	if (name.n == 0)
		buf_addc(b, '-');
	text_put(b, name);
}

/* A line for people, without its newline. */
void
event_line(struct buf *b, const struct event *e, double now, bool utc)
{
	bool in = e->type == RING_PUBLISH || e->type == RING_REPLY;
	char tmp[UNITS_MAX];

	units_time(tmp, e->time, now, utc);
	buf_adds(b, tmp);
	buf_adds(b, "  ");
	if (e->type == RING_DELIVER) {
		msgid_put(b, e->queue, e->id);
		buf_adds(b, " -> ");
		put_name(b, e->client);
		return;
	}
	if (in || e->client.n > 0)
		put_name(b, e->client);
	buf_adds(b, in ? " -> " : e->client.n > 0 ? " " : "");
	if (!in)
		buf_adds(b, ring_type_name(e->type));
	if (!in && e->queue.n > 0)
		buf_addc(b, ' ');
	if (e->id != 0)
		msgid_put(b, e->queue, e->id);
	else
		text_put(b, e->queue);
	put_what(b, e);
	if (e->type == RING_REPLY && e->re_id != 0) {
		buf_adds(b, "  answers ");
		msgid_put(b, e->peer, e->re_id);
	}
	if (e->took_s >= 0) {
		units_took(tmp, e->took_s);
		buf_adds(b, " after ");
		buf_adds(b, tmp);
	}
}
