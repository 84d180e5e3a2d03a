/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The bodies of replies in the message-switch protocol: what the broker writes
 * and, below it, the client's reading of the same.  The writers are compact and
 * keep the order of fields that stock clients see today; the readers take any
 * order and skip what they don't know.
 */
#include "wire.h"

#include "json.h"

#define MAX_WALL_S 9e9 /* seconds that fit into int64 nanoseconds */

/* ---- out ---- */

/* ["q",3] */
static void
put_id(struct buf *b, struct str queue, int64_t id)
{
	buf_addc(b, '[');
	json_put_str(b, queue);
	buf_addc(b, ',');
	buf_addi(b, id);
	buf_addc(b, ']');
}

/* Begin an answer of list. */
void
wire_put_names_begin(struct buf *b)
{
	buf_addc(b, '[');
}

/* One name of it. */
void
wire_put_name(struct buf *b, struct str name, bool first)
{
	if (!first)
		buf_addc(b, ',');
	json_put_str(b, name);
}

/* End it. */
void
wire_put_names_end(struct buf *b)
{
	buf_addc(b, ']');
}

/* Answer of send: it is in the queue. */
void
wire_put_sent(struct buf *b, struct str queue, int64_t id)
{
	buf_addc(b, '[');
	put_id(b, queue, id);
	buf_addc(b, ']');
}

/* Answer of send: there is no such queue. */
void
wire_put_not_sent(struct buf *b)
{
	buf_adds(b, "[]");
}

/* Begin an answer of transfer. */
void
wire_put_transfer_begin(struct buf *b)
{
	buf_adds(b, "{\"messages\":[");
}

/* One message of it. */
void
wire_put_transfer_message(
    struct buf *b, const struct wire_message *m, bool first)
{
	buf_adds(b, first ? "[" : ",[");
	put_id(b, m->queue, m->id);
	buf_addc(b, ',');
	wire_put_message_body(b, m);
	buf_addc(b, ']');
}

/* End it, with the cursor for the next one. */
void
wire_put_transfer_end(struct buf *b, int64_t next)
{
	buf_adds(b, "],\"next\":\"");
	buf_addi(b, next);
	buf_adds(b, "\"}");
}

/* A message without queue and id. */
void
wire_put_message_body(struct buf *b, const struct wire_message *m)
{
	buf_adds(b, "{\"payload\":");
	json_put_str(b, m->payload);
	if (m->kind == WIRE_KIND_REQUEST) {
		buf_adds(b, ",\"kind\":[\"Request\",");
		json_put_str(b, m->reply_to);
	} else {
		buf_adds(b, ",\"kind\":[\"Response\",");
		put_id(b, m->reply_to, m->re_id);
	}
	buf_adds(b, "]}");
}

/* An error for people and programs. */
void
wire_put_error(
    struct buf *b, const char *code, const char *message, const char *hint)
{
	buf_adds(b, "{\"error\":{\"code\":");
	json_put_str(b, str_of(code));
	buf_adds(b, ",\"message\":");
	json_put_str(b, str_of(message));
	if (hint != NULL) {
		buf_adds(b, ",\"hint\":");
		json_put_str(b, str_of(hint));
	}
	buf_adds(b, "}}");
}

/* A field that is left out when empty. */
static void
put_token(struct buf *b, const char *key, struct str token)
{
	if (token.n == 0)
		return;
	buf_adds(b, key);
	json_put_str(b, token);
}

/* One event of a trace. */
void
wire_put_event(struct buf *b, const struct wire_event *e, bool first)
{
	buf_adds(b, first ? "[" : ",[");
	buf_addi(b, e->seq);
	buf_adds(b, ",{\"time\":");
	json_put_float(b, (double)(e->wall_ns / 1000) / 1e6);
	put_token(b, ",\"input\":", e->input);
	buf_adds(b, ",\"queue\":");
	json_put_str(b, e->m.queue);
	put_token(b, ",\"output\":", e->output);
	buf_adds(b,
	    e->is_ack ? ",\"message\":[\"Ack\","
		      : ",\"message\":[\"Message\",");
	put_id(b, e->m.queue, e->m.id);
	if (!e->is_ack) {
		buf_addc(b, ',');
		wire_put_message_body(b, &e->m);
	}
	buf_addc(b, ']');
	if (e->processing_ns >= 0) {
		buf_adds(b, ",\"processing_time\":");
		buf_addi(b, e->processing_ns);
	}
	buf_adds(b, "}]");
}

/* ---- in ---- */

/* The array just entered is a queue and an id: ["q",3]. */
static bool
get_id(struct json_in *j, struct str *queue, int64_t *id)
{
	if (json_item(j) != JSON_STR)
		return false;
	*queue = j->str;
	if (json_item(j) != JSON_INT)
		return false;
	*id = j->integer;
	return json_item(j) == JSON_END;
}

/* The same, as the next element of an array. */
static bool
get_id_item(struct json_in *j, struct str *queue, int64_t *id)
{
	return json_item(j) == JSON_ARRAY && get_id(j, queue, id);
}

/* Answer of send. */
int
wire_get_sent(struct str body, int64_t *id)
{
	struct str queue;
	struct json_in j;
	enum json_type t;

	json_in_init(&j, (char *)body.p, body.n);
	if (json_value(&j) != JSON_ARRAY)
		return -1;
	t = json_item(&j);
	if (t == JSON_END)
		return json_finish(&j) ? 0 : -1;
	if (t != JSON_ARRAY || !get_id(&j, &queue, id) ||
	    json_item(&j) != JSON_END || !json_finish(&j))
		return -1;
	return 1;
}

/* Answer of list. */
int
wire_get_names(
    struct str body, int (*name)(void *arg, struct str name), void *arg)
{
	struct json_in j;
	enum json_type t;
	int n = 0;

	json_in_init(&j, (char *)body.p, body.n);
	if (json_value(&j) != JSON_ARRAY)
		return -1;
	for (; (t = json_item(&j)) == JSON_STR; n++)
		if (name(arg, j.str) != 0)
			return -1;
	return t == JSON_END && json_finish(&j) ? n : -1;
}

/* ["Request","r"] or ["Response",["q",3]]. */
static bool
get_kind(struct json_in *j, struct wire_message *m)
{
	if (json_value(j) != JSON_ARRAY || json_item(j) != JSON_STR)
		return false;
	if (str_eq(j->str, STR("Response"))) {
		m->kind = WIRE_KIND_RESPONSE;
		return get_id_item(j, &m->reply_to, &m->re_id) &&
		    json_item(j) == JSON_END;
	}
	if (!str_eq(j->str, STR("Request")) || json_item(j) != JSON_STR)
		return false;
	m->kind = WIRE_KIND_REQUEST;
	m->re_id = 0;
	m->reply_to = j->str;
	return json_item(j) == JSON_END;
}

/* The object just entered is a message: payload and kind. */
static bool
get_message_body(struct json_in *j, struct wire_message *m)
{
	bool payload = false, kind = false, ok = true;
	struct str key;

	while (ok && json_key(j, &key)) {
		if (str_eq(key, STR("payload"))) {
			payload = ok = json_value(j) == JSON_STR;
			m->payload = j->str;
		} else if (str_eq(key, STR("kind"))) {
			kind = ok = get_kind(j, m);
		} else {
			ok = json_skip(j, json_value(j));
		}
	}
	return ok && j->reason == NULL && payload && kind;
}

/* The value of "messages": [[["q",3],{..}],..]; false also when msg says so. */
static bool
get_messages(struct json_in *j, int (*msg)(void *, const struct wire_message *),
    void *arg, int *n)
{
	struct wire_message m;
	enum json_type t;

	if (json_value(j) != JSON_ARRAY)
		return false;
	while ((t = json_item(j)) == JSON_ARRAY) {
		if (!get_id_item(j, &m.queue, &m.id) ||
		    json_item(j) != JSON_OBJECT || !get_message_body(j, &m) ||
		    json_item(j) != JSON_END || msg(arg, &m) != 0)
			return false;
		++*n;
	}
	return t == JSON_END;
}

/* Answer of transfer. */
int
wire_get_transfer(struct str body,
    int (*msg)(void *arg, const struct wire_message *m), void *arg,
    int64_t *next)
{
	bool have_next = false, have_messages = false, ok = true;
	struct json_in j;
	struct str key;
	int n = 0;

	json_in_init(&j, (char *)body.p, body.n);
	if (json_value(&j) != JSON_OBJECT)
		return -1;
	while (ok && json_key(&j, &key)) {
		if (str_eq(key, STR("messages"))) {
			have_messages = ok = get_messages(&j, msg, arg, &n);
		} else if (str_eq(key, STR("next"))) {
			have_next = ok = json_value(&j) == JSON_STR &&
			    wire_int64(j.str, next);
		} else {
			ok = json_skip(&j, json_value(&j));
		}
	}
	ok = ok && have_next && have_messages && json_finish(&j);
	return ok ? n : -1;
}

/* ["Message",["q",3],{..}] or ["Ack",["q",3]]. */
static bool
get_event_message(struct json_in *j, struct wire_event *e)
{
	if (json_value(j) != JSON_ARRAY || json_item(j) != JSON_STR)
		return false;
	e->is_ack = str_eq(j->str, STR("Ack"));
	if (!e->is_ack && !str_eq(j->str, STR("Message")))
		return false;
	if (!get_id_item(j, &e->m.queue, &e->m.id))
		return false;
	if (!e->is_ack &&
	    (json_item(j) != JSON_OBJECT || !get_message_body(j, &e->m)))
		return false;
	return json_item(j) == JSON_END;
}

/* A string, as the value of a field. */
static bool
get_token(struct json_in *j, struct str *s)
{
	bool ok = json_value(j) == JSON_STR;

	*s = j->str;
	return ok;
}

/* Seconds since 1970; the original writes microseconds. */
static bool
get_wall(struct json_in *j, int64_t *ns)
{
	enum json_type t = json_value(j);

	if ((t != JSON_INT && t != JSON_FLOAT) || j->number < 0 ||
	    j->number > MAX_WALL_S)
		return false;
	*ns = (int64_t)(j->number * 1e6 + 0.5) * 1000;
	return true;
}

/* One field of an event; "queue" says again what "message" says. */
static bool
get_event_field(struct json_in *j, struct str key, struct wire_event *e)
{
	if (str_eq(key, STR("time")))
		return get_wall(j, &e->wall_ns);
	if (str_eq(key, STR("input")))
		return get_token(j, &e->input);
	if (str_eq(key, STR("output")))
		return get_token(j, &e->output);
	if (str_eq(key, STR("message")))
		return get_event_message(j, e);
	if (!str_eq(key, STR("processing_time")))
		return json_skip(j, json_value(j));
	if (json_value(j) != JSON_INT)
		return false;
	e->processing_ns = j->integer;
	return true;
}

/* The array just entered is an event: [7,{..}]. */
static bool
get_event(struct json_in *j, struct wire_event *e)
{
	static const struct wire_event none = {.processing_ns = -1};
	struct str key;

	*e = none;
	if (json_item(j) != JSON_INT)
		return false;
	e->seq = j->integer;
	if (json_item(j) != JSON_OBJECT)
		return false;
	while (json_key(j, &key))
		if (!get_event_field(j, key, e))
			return false;
	return e->m.queue.p != NULL && json_item(j) == JSON_END;
}

/* The value of "events". */
static bool
get_events(struct json_in *j, int (*ev)(void *, const struct wire_event *),
    void *arg, int *n)
{
	struct wire_event e;
	enum json_type t;

	if (json_value(j) != JSON_ARRAY)
		return false;
	while ((t = json_item(j)) == JSON_ARRAY) {
		if (!get_event(j, &e) || ev(arg, &e) != 0)
			return false;
		++*n;
	}
	return t == JSON_END;
}

/* Answer of trace. */
int
wire_get_trace(struct str body,
    int (*ev)(void *arg, const struct wire_event *e), void *arg)
{
	bool have = false, ok = true;
	struct json_in j;
	struct str key;
	int n = 0;

	json_in_init(&j, (char *)body.p, body.n);
	if (json_value(&j) != JSON_OBJECT)
		return -1;
	while (ok && json_key(&j, &key)) {
		if (str_eq(key, STR("events")))
			have = ok = get_events(&j, ev, arg, &n);
		else
			ok = json_skip(&j, json_value(&j));
	}
	return ok && have && json_finish(&j) ? n : -1;
}
