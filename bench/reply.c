/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Answers of the broker, parsed no further than needed. */
#include "reply.h"

#include <strings.h>

/* The number after "content-length:" in the head, or -1. */
static int64_t
content_length(const char *p, const char *end)
{
	static const char name[] = "\r\ncontent-length:";
	int64_t v = 0;

	for (; (p = memchr(p, '\r', (size_t)(end - p))) != NULL; p++) {
		if ((size_t)(end - p) < sizeof name)
			return -1;
		if (strncasecmp(p, name, sizeof name - 1) == 0)
			break;
	}
	if (p == NULL)
		return -1;
	for (p += sizeof name - 1; *p == ' '; p++)
		;
	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9' && v < INT64_MAX / 20; p++)
		v = v * 10 + (*p - '0');
	return *p == '\r' ? v : -1;
}

/* An HTTP response, when it is all there. */
enum reply_rc
reply_parse(struct reply *r, const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	int64_t length;
	size_t head;

	r->total = 0;
	if (end == NULL)
		return n > 65536 ? REPLY_BAD : REPLY_MORE;
	head = (size_t)(end + 4 - p);
	if (head < 16 || memcmp(p, "HTTP/1.", 7) != 0)
		return REPLY_BAD;
	r->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	length = content_length(p, end + 4);
	if (length < 0)
		return REPLY_BAD;
	r->total = head + (size_t)length;
	r->body = (struct str){p + head, (size_t)length};
	return n < r->total ? REPLY_MORE : REPLY_OK;
}

/* Step over exactly these bytes. */
static bool
eat(struct scan *s, const char *lit)
{
	size_t n = strlen(lit);

	if (s->bad || (size_t)(s->end - s->p) < n || memcmp(s->p, lit, n) != 0)
		return false;
	s->p += n;
	return true;
}

/* The same, where nothing else is allowed. */
static void
must_eat(struct scan *s, const char *lit)
{
	if (!eat(s, lit))
		s->bad = true;
}

/* Bytes up to a quotation mark, and that. */
static struct str
take_string(struct scan *s)
{
	const char *from = s->p, *q;

	q = s->bad ? NULL : memchr(from, '"', (size_t)(s->end - from));
	if (q == NULL) {
		s->bad = true;
		return (struct str){NULL, 0};
	}
	s->p = q + 1;
	return (struct str){from, (size_t)(q - from)};
}

/* A decimal number. */
static int64_t
take_int(struct scan *s)
{
	bool minus = eat(s, "-");
	const char *from = s->p;
	int64_t v = 0;

	while (!s->bad && s->p < s->end && *s->p >= '0' && *s->p <= '9' &&
	    v < INT64_MAX / 20)
		v = v * 10 + (*s->p++ - '0');
	if (s->p == from)
		s->bad = true;
	return minus ? -v : v;
}

/* Begin. */
void
reply_scan(struct scan *s, struct str body)
{
	s->p = body.p;
	s->end = body.p + body.n;
	s->bad = false;
	s->next = -1;
	must_eat(s, "{\"messages\":[");
}

/* The end of the list, and the cursor. */
static bool
end_of_messages(struct scan *s)
{
	must_eat(s, ",\"next\":\"");
	s->next = take_int(s);
	must_eat(s, "\"}");
	if (s->p != s->end)
		s->bad = true;
	return false;
}

/* One message. */
bool
reply_message(struct scan *s, struct message *m)
{
	if (eat(s, "]"))
		return end_of_messages(s);
	eat(s, ",");
	must_eat(s, "[[\"");
	m->queue = take_string(s);
	must_eat(s, ",");
	m->id = take_int(s);
	must_eat(s, "],{\"payload\":\"");
	m->payload = take_string(s);
	must_eat(s, ",\"kind\":[\"");
	m->response = eat(s, "Response\",[\"");
	if (!m->response)
		must_eat(s, "Request\",\"");
	m->to = take_string(s);
	m->re_id = -1;
	if (m->response) {
		must_eat(s, ",");
		m->re_id = take_int(s);
		must_eat(s, "]");
	}
	must_eat(s, "]}]");
	return !s->bad;
}

/* [["q",3]] or []. */
int
reply_sent(struct str body, int64_t *id)
{
	struct scan s = {body.p, body.p + body.n, false, -1};

	if (str_eq(body, STR("[]")))
		return 0;
	must_eat(&s, "[[\"");
	take_string(&s);
	must_eat(&s, ",");
	*id = take_int(&s);
	must_eat(&s, "]]");
	return s.bad || s.p != s.end ? -1 : 1;
}
