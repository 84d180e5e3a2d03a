/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The server of `xmsg web`, one connection being
 *
 *   READ ──whole request──> judged ──may pass──> ASK ──answer──> WRITE ──> READ
 *                              └──────no───────────────────────────^
 *
 * with a limit of time in each state, after which it is closed.  Each request
 * that is passed on has a connection to the broker of its own, which ends when
 * the browser leaves: nobody waits there for nobody.
 */
#include "web.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "http1.h"
#include "usock.h"

#define MOST	   32 /* connections */
#define PIECE	   16384 /* bytes read at once */
#define CONNECT_MS 500 /* for the broker to take a connection */

enum state { FREE, READ, ASK, WRITE };

struct conn {
	enum state state;
	int fd, up; /* the browser, the broker */
	struct http1 parser; /* of the request, then of the answer */
	struct buf in, answer, out;
	size_t out_at;
	int64_t until_ns; /* then it is closed, or answered for the broker */
	bool closing, events;
};

static struct conn conns[MOST];

static const struct http1_limits request_limits = {4096, 8192, 64, 0};
static const struct http1_limits answer_limits = {
    4096, 16384, 64, 8 * 1024 * 1024};

/* Seconds that a connection may stay in a state. */
enum { READ_S = 20, ASK_S = 10, EVENTS_S = 310, WRITE_S = 30 };

/* What the broker says about its answer and we pass on. */
static const char *const passed_fields[] = {
    "content-security-policy",
    "cross-origin-opener-policy",
};

static const char *const routes[] = {"/ui", "/metrics", "/v1/status",
    "/v1/health", "/v1/queues", "/v1/queues/*", "/v1/queues/*/messages",
    "/v1/queues/*/messages/*", "/v1/events", "/v1/chart", "/v1/clients"};

/* ---- judging ---- */

/* Does a path fit a pattern, in which a star is a segment? */
static bool
fits(struct str path, const char *pattern)
{
	size_t i = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (i >= path.n || path.p[i++] != *pattern)
				return false;
			continue;
		}
		if (i >= path.n || path.p[i] == '/')
			return false;
		while (i < path.n && path.p[i] != '/')
			i++;
	}
	return i == path.n;
}

/* Cut off what stands behind the mark. */
static struct str
split(struct str *s, char mark)
{
	const char *at = s->n ? memchr(s->p, mark, s->n) : NULL;
	struct str rest = {NULL, 0};

	if (at != NULL) {
		rest = (struct str){at + 1, s->n - (size_t)(at - s->p) - 1};
		s->n = (size_t)(at - s->p);
	}
	return rest;
}

/* The broker would give whole payloads to root: payload=raw stays here. */
static bool
query_is_harmless(struct str query)
{
	while (query.n > 0) {
		struct str rest = split(&query, '&');

		if (str_starts(query, STR("payload=")) &&
		    !str_eq(query, STR("payload=0")) &&
		    !str_eq(query, STR("payload=1")))
			return false;
		query = rest;
	}
	return true;
}

/* May it pass? */
bool
web_may_pass(struct str target)
{
	struct str path = target, query = split(&path, '?');

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (fits(path, routes[i]))
			return query_is_harmless(query);
	return false;
}

/* Equal, in a time that says nothing about how much is. */
static bool
is_secret(struct str s, const char *secret)
{
	unsigned differs = s.n != WEB_SECRET - 1;

	for (size_t i = 0; i < WEB_SECRET - 1; i++)
		differs |= (unsigned char)(i < s.n ? s.p[i] : 0) ^
		    (unsigned char)secret[i];
	return differs == 0;
}

/* The request names this server, and comes from one of its own pages or from
 * none. */
static bool
is_ours(const struct web *w, const struct conn *c)
{
	struct str host, site;
	char name[2][32];

	snprintf(name[0], sizeof name[0], "127.0.0.1:%u", (unsigned)w->port);
	snprintf(name[1], sizeof name[1], "localhost:%u", (unsigned)w->port);
	if (!http1_field(&c->parser, c->in.p, "host", &host) ||
	    (!str_eq(host, str_of(name[0])) && !str_eq(host, str_of(name[1]))))
		return false;
	return !http1_field(&c->parser, c->in.p, "sec-fetch-site", &site) ||
	    str_eq(site, STR("same-origin")) || str_eq(site, STR("none"));
}

/* Has it our cookie?  Cookies of one host are shared by its ports, so its name
 * has the port in it. */
static bool
has_cookie(const struct web *w, const struct conn *c)
{
	struct str list, name;
	char ours[16];

	snprintf(ours, sizeof ours, "xmsg-%u", (unsigned)w->port);
	if (!http1_field(&c->parser, c->in.p, "cookie", &list))
		return false;
	while (list.n > 0) {
		struct str rest = split(&list, ';'), value;

		for (name = list; name.n > 0 && *name.p == ' '; name.p++)
			name.n--;
		value = split(&name, '=');
		if (str_eq(name, str_of(ours)) && is_secret(value, w->cookie))
			return true;
		list = rest;
	}
	return false;
}

/* ---- a connection ---- */

static void
enter(struct conn *c, enum state state, int seconds)
{
	c->state = state;
	c->until_ns = clock_mono_ns() + seconds * NS_PER_SEC;
}

static void
drop_broker(struct conn *c)
{
	if (c->up != -1)
		close(c->up);
	c->up = -1;
	buf_fini(&c->answer);
}

static void
drop(struct conn *c)
{
	drop_broker(c);
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	memset(c, 0, sizeof *c);
}

static void
start_reading(struct conn *c)
{
	http1_init(&c->parser, HTTP1_REQUEST, &request_limits);
	enter(c, READ, READ_S);
}

/* Begin an answer; fields of its own and end_head follow. */
static void
put_head(struct conn *c, int status, const char *type, size_t size)
{
	c->out_at = 0;
	http1_put_reply(&c->out, status, type, c->closing, size);
	if (buf_ok(&c->out))
		c->out.n -= 2; /* the empty line */
	buf_adds(&c->out,
	    "cache-control: no-store\r\n"
	    "referrer-policy: no-referrer\r\n"
	    "x-frame-options: DENY\r\n"
	    "cross-origin-resource-policy: same-origin\r\n");
}

/* End the head, and send the whole. */
static void
end_head(struct conn *c, struct str body)
{
	buf_adds(&c->out, "\r\n");
	buf_add(&c->out, body.p, body.n);
	if (!buf_ok(&c->out)) { /* out of memory: nothing, and the end */
		buf_reset(&c->out);
		c->closing = true;
	}
	enter(c, WRITE, WRITE_S);
}

/* An answer of our own. */
static void
say(struct conn *c, int status, const char *fields, const char *text)
{
	drop_broker(c);
	put_head(c, status, "text/plain; charset=utf-8", strlen(text));
	buf_adds(&c->out,
	    "content-security-policy: default-src 'none';"
	    " frame-ancestors 'none'\r\n");
	buf_adds(&c->out, fields);
	end_head(c, str_of(text));
}

/* The broker's answer is there. */
static void
pass_back(struct conn *c)
{
	struct str type, value, body = c->parser.body;
	char name[64] = "application/octet-stream";
	bool policy = false;

	if (http1_field(&c->parser, c->answer.p, "content-type", &type) &&
	    type.n < sizeof name)
		snprintf(name, sizeof name, "%.*s", (int)type.n, type.p);
	put_head(c, c->parser.status, name, body.n);
	for (size_t i = 0; i < sizeof passed_fields / sizeof *passed_fields;
	     i++) {
		const char *field = passed_fields[i];

		if (!http1_field(&c->parser, c->answer.p, field, &value))
			continue;
		policy |= i == 0;
		buf_addf(&c->out, "%s: %.*s\r\n", field, (int)value.n, value.p);
	}
	if (!policy)
		buf_adds(&c->out,
		    "content-security-policy: default-src 'none';"
		    " frame-ancestors 'none'\r\n");
	end_head(c, body);
	drop_broker(c);
}

/* Ask the broker. */
static void
pass_on(const struct web *w, struct conn *c, struct str target)
{
	struct buf b = BUF_INIT;
	struct err e;

	c->events = str_starts(target, STR("/v1/events"));
	http1_put_request(&b, "GET", target, 0);
	c->up = usock_connect(w->socket, CONNECT_MS, &e);
	if (c->up == -1 || !buf_ok(&b) ||
	    send(c->up, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		(ssize_t)b.n) {
		say(c, 502, "", "no broker answers\n");
	} else {
		http1_init(&c->parser, HTTP1_REPLY, &answer_limits);
		enter(c, ASK, c->events ? EVENTS_S : ASK_S);
	}
	buf_fini(&b);
}

/* The printed address: its token is good for a cookie, once. */
static void
exchange(struct web *w, struct conn *c, struct str token)
{
	char fields[160];

	if (w->used || !is_secret(token, w->token)) {
		say(c, 403, "",
		    "This address works once. If it was you who used it, go "
		    "to /ui; else run xmsg web again.\n");
		return;
	}
	w->used = true;
	snprintf(fields, sizeof fields,
	    "set-cookie: xmsg-%u=%s; Path=/; HttpOnly; SameSite=Strict\r\n"
	    "location: /ui\r\n",
	    (unsigned)w->port, w->cookie);
	say(c, 303, fields, "");
}

/* A whole request. */
static void
judge(struct web *w, struct conn *c)
{
	struct str path = c->parser.target, query = split(&path, '?');
	bool root = str_eq(path, STR("/"));

	c->closing = c->parser.close;
	if (!is_ours(w, c))
		say(c, 403, "", "This server is only for its own pages.\n");
	else if (!str_eq(c->parser.method, STR("GET")))
		say(c, 405, "allow: GET\r\n", "This server only looks.\n");
	else if (root && str_starts(query, STR("token=")))
		exchange(w, c, (struct str){query.p + 6, query.n - 6});
	else if (!has_cookie(w, c))
		say(c, 403, "", "Run xmsg web, and open what it prints.\n");
	else if (root)
		say(c, 303, "location: /ui\r\n", "");
	else if (!web_may_pass(c->parser.target))
		say(c, 404, "", "There is nothing here.\n");
	else
		pass_on(w, c, c->parser.target);
}

/* ---- bytes ---- */

/* Read once into b: >0 bytes, 0 the end or an error, -1 nothing yet. */
static int
read_some(int fd, struct buf *b)
{
	char *to = buf_reserve(b, PIECE);
	ssize_t n;

	if (to == NULL)
		return 0;
	n = recv(fd, to, PIECE, MSG_DONTWAIT);
	if (n > 0)
		b->n += (size_t)n;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return -1;
	return n > 0;
}

/* Take a request out of what has been read. */
static void
take_request(struct web *w, struct conn *c)
{
	size_t used;

	if (c->in.n == 0)
		return;
	switch (http1_feed(&c->parser, c->in.p, c->in.n)) {
	case HTTP1_MORE: return;
	case HTTP1_ERROR:
		c->closing = true;
		buf_reset(&c->in);
		say(c, c->parser.status, "", c->parser.reason);
		return;
	case HTTP1_DONE: break;
	}
	used = c->parser.used; /* the parser is used for the answer, too */
	judge(w, c);
	buf_drain(&c->in, used);
}

static void
on_browser(struct web *w, struct conn *c, short what)
{
	ssize_t n;

	if (c->state == READ) {
		int rc = read_some(c->fd, &c->in);

		if (rc == 0)
			drop(c);
		else if (rc > 0)
			take_request(w, c);
	} else if (c->state == ASK || !(what & POLLOUT)) {
		drop(c); /* it has left */
	} else {
		n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			drop(c);
			return;
		}
		c->out_at += n > 0 ? (size_t)n : 0;
		if (c->out_at < c->out.n)
			return;
		buf_fini(&c->out);
		if (c->closing) {
			drop(c);
			return;
		}
		start_reading(c);
		take_request(w, c);
	}
}

static void
on_broker(struct conn *c)
{
	int rc = read_some(c->up, &c->answer);
	enum http1_rc got;

	if (rc == -1)
		return;
	if (rc == 0) {
		say(c, 502, "", "the broker has left\n");
		return;
	}
	got = http1_feed(&c->parser, c->answer.p, c->answer.n);
	if (got == HTTP1_ERROR)
		say(c, 502, "", "the broker's answer makes no sense\n");
	else if (got == HTTP1_DONE)
		pass_back(c);
}

/* Its time is over. */
static void
on_time(struct conn *c)
{
	if (c->state == ASK)
		say(c, 504, "", "the broker does not answer\n");
	else
		drop(c);
}

/* A new one: in the place of the one that has read for longest, when all are
 * taken, so that idle ones keep nobody out. */
static void
on_listener(struct web *w)
{
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conn *to = NULL;

	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE)
			(void)poll(NULL, 0, 50); /* it would be told for ever */
		return;
	}
	for (struct conn *c = conns; c < conns + MOST; c++) {
		if (c->state == FREE) {
			to = c;
			break;
		}
		if (c->state == READ &&
		    (to == NULL || c->until_ns < to->until_ns))
			to = c;
	}
	if (to == NULL) {
		close(fd);
		return;
	}
	if (to->state != FREE)
		drop(to);
	to->fd = fd;
	to->up = -1;
	start_reading(to);
}

/* ---- the loop ---- */

/* What each connection waits for, two places each. */
static int
prepare(const struct web *w, struct pollfd *p)
{
	static const short wants[] = {
	    [READ] = POLLIN, [ASK] = POLLRDHUP, [WRITE] = POLLOUT};
	int64_t first = INT64_MAX, now = clock_mono_ns();

	p[0] = (struct pollfd){w->fd, POLLIN, 0};
	for (int i = 0; i < MOST; i++) {
		const struct conn *c = &conns[i];
		bool used = c->state != FREE;

		p[1 + 2 * i] = (struct pollfd){
		    used ? c->fd : -1, used ? wants[c->state] : 0, 0};
		p[2 + 2 * i] = (struct pollfd){used ? c->up : -1, POLLIN, 0};
		if (used && c->until_ns < first)
			first = c->until_ns;
	}
	if (first == INT64_MAX)
		return -1;
	return first <= now ? 0 : (int)((first - now) / NS_PER_MS) + 1;
}

/* What one turn of poll has brought. */
static void
serve(struct web *w, const struct pollfd *p)
{
	int64_t now = clock_mono_ns();

	for (int i = 0; i < MOST; i++) {
		struct conn *c = &conns[i];

		if (c->state != FREE && p[1 + 2 * i].revents != 0)
			on_browser(w, c, p[1 + 2 * i].revents);
		else if (c->state == ASK && p[2 + 2 * i].revents != 0)
			on_broker(c);
		else if (c->state != FREE && c->until_ns <= now)
			on_time(c);
	}
	if (p[0].revents != 0)
		on_listener(w);
}

/* Serve. */
int
web_run(struct web *w, struct err *e)
{
	struct pollfd p[1 + 2 * MOST];

	for (;;) {
		if (poll(p, 1 + 2 * MOST, prepare(w, p)) == -1) {
			if (errno == EINTR)
				continue;
			return err_errno(e, "poll");
		}
		serve(w, p);
	}
}

static int
make_secret(char out[WEB_SECRET], struct err *e)
{
	unsigned char raw[16];

	if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		return err_errno(e, "no random numbers");
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

/* Listen. */
int
web_open(struct web *w, struct err *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons(w->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int on = 1;

	w->used = false;
	if (make_secret(w->token, e) == -1 || make_secret(w->cookie, e) == -1)
		return -1;
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd == -1 ||
	    setsockopt(w->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
	    bind(w->fd, (struct sockaddr *)&at, sizeof at) == -1 ||
	    listen(w->fd, MOST) == -1 ||
	    getsockname(w->fd, (struct sockaddr *)&at, &n) == -1) {
		(void)err_errno(
		    e, "cannot listen on 127.0.0.1:%u", (unsigned)w->port);
		if (w->fd != -1)
			close(w->fd);
		return -1;
	}
	w->port = ntohs(at.sin_port);
	return 0;
}
