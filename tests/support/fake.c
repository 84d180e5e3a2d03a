/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A small broker that misbehaves by rules: one process, one poll loop. */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "http1.h"
#include "wire.h"
#include "xalloc.h"

#define MAX_CONNS 1024

struct message {
	struct message *next;
	int64_t id;
	enum wire_kind kind;
	char *peer; /* reply queue, or queue of the request */
	int64_t re_id;
	char *payload;
	size_t n;
};

struct queue {
	struct queue *next;
	char *name;
	bool transient;
	struct message *first;
};

struct key {
	struct key *next;
	char *text, *queue;
	int64_t id;
};

struct replied {
	struct replied *next;
	char *queue;
	int64_t id, reply_id;
};

struct client {
	int fd;
	struct buf in, out;
	struct http1 h;
	bool parked, slow, dead, deaf;
	int64_t until_ns, from;
	char *queues[8];
	size_t nqueues;
};

static struct client clients[MAX_CONNS];
static size_t nclients;
static struct queue *queues;
static struct key *keys;
static struct replied *replies;
static int64_t next_id;
static int listener = -1;
static const struct fake_rule *rules;
static unsigned flags, passed[FAKE_MAX_RULES];
static struct fake_shared *shared;
static const char *path;
static const struct http1_limits limits = {8192, 65536, 100, 1 << 30};

/* ---- state ---- */

static struct queue *
find_queue(struct str name)
{
	struct queue *q = queues;

	while (q != NULL && !str_eq(str_of(q->name), name))
		q = q->next;
	return q;
}

static void
make_queue(struct str name, bool transient)
{
	struct queue *q = find_queue(name), **at = &queues;

	if (q != NULL)
		return;
	q = xcalloc(1, sizeof *q);
	q->name = xstrndup(name.p, name.n);
	q->transient = transient;
	while (*at != NULL)
		at = &(*at)->next;
	*at = q;
}

static void
free_message(struct message *m)
{
	free(m->peer);
	free(m->payload);
	free(m);
}

static void
drop_queues(bool all, struct str name)
{
	struct queue **at = &queues, *q;
	struct message *m;

	while ((q = *at) != NULL) {
		if (!all &&
		    !(name.p == NULL ? q->transient
				     : str_eq(str_of(q->name), name))) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		while ((m = q->first) != NULL) {
			q->first = m->next;
			free_message(m);
		}
		free(q->name);
		free(q);
	}
}

static bool
ack(struct str name, int64_t id)
{
	struct queue *q = find_queue(name);
	struct message **at = q ? &q->first : NULL, *m;

	for (; at != NULL && *at != NULL; at = &(*at)->next) {
		m = *at;
		if (m->id == id) {
			*at = m->next;
			free_message(m);
			return true;
		}
	}
	return false;
}

static struct message *
find_message(struct str name, int64_t id)
{
	struct queue *q = find_queue(name);
	struct message *m = q ? q->first : NULL;

	while (m != NULL && m->id != id)
		m = m->next;
	return m;
}

static int64_t
add(struct queue *q, enum wire_kind kind, struct str peer, int64_t re_id,
    struct str payload)
{
	struct message *m = xcalloc(1, sizeof *m), **at = &q->first;

	m->id = next_id++;
	m->kind = kind;
	m->peer = xstrndup(peer.p, peer.n);
	m->re_id = re_id;
	m->payload = xmalloc(payload.n);
	memcpy(m->payload, payload.p, payload.n);
	m->n = payload.n;
	while (*at != NULL)
		at = &(*at)->next;
	*at = m;
	return m->id;
}

/* One reply for each request. -1: nobody waits. */
static int64_t
reply(struct str to, struct str queue, int64_t id, struct str payload,
    bool *twice)
{
	struct queue *q = find_queue(to);
	struct replied *r;

	for (r = replies; r != NULL; r = r->next)
		if (r->id == id && str_eq(str_of(r->queue), queue)) {
			*twice = true;
			return r->reply_id;
		}
	if (q == NULL)
		return -1;
	r = xcalloc(1, sizeof *r);
	r->queue = xstrndup(queue.p, queue.n);
	r->id = id;
	r->reply_id = add(q, WIRE_KIND_RESPONSE, queue, id, payload);
	r->next = replies;
	replies = r;
	return r->reply_id;
}

/* ---- answers ---- */

static void
put(struct client *c, int status, struct str body)
{
	http1_put_reply(&c->out, status, NULL, false, body.n);
	buf_add(&c->out, body.p, body.n);
}

/* What is there for a transfer; false: nothing. */
static bool
collect(struct client *c)
{
	struct buf b = BUF_INIT;
	struct message *m, *best;
	int64_t from = c->from, last = -1;
	struct queue *q;
	bool any = false;

	if (from >= next_id)
		from = -1; /* from another life */
	wire_put_transfer_begin(&b);
	for (;;) {
		const char *in = NULL;
		best = NULL;
		for (size_t i = 0; i < c->nqueues; i++) {
			q = find_queue(str_of(c->queues[i]));
			for (m = q ? q->first : NULL; m; m = m->next)
				if (m->id > from && m->id > last &&
				    (best == NULL || m->id < best->id)) {
					best = m;
					in = q->name;
				}
		}
		if (best == NULL || b.n > 1024 * 1024)
			break;
		last = best->id;
		wire_put_transfer_message(&b,
		    &(struct wire_message){str_of(in), best->id, best->kind,
			str_of(best->peer), best->re_id,
			{best->payload, best->n}},
		    !any);
		any = true;
	}
	wire_put_transfer_end(&b, any ? last : c->from);
	if (any || c->until_ns <= clock_mono_ns()) {
		put(c, 200, (struct str){b.p, b.n});
		for (size_t i = 0; i < c->nqueues; i++)
			free(c->queues[i]);
		c->nqueues = 0;
		any = true;
	}
	buf_fini(&b);
	return any;
}

static void
transfer(struct client *c, const struct wire_req *w)
{
	c->from = w->from;
	c->until_ns = clock_mono_ns() + (int64_t)(w->timeout_s * 1e9);
	c->nqueues = w->nqueues;
	for (size_t i = 0; i < w->nqueues; i++)
		c->queues[i] = xstrndup(w->queues[i].p, w->queues[i].n);
	c->parked = !collect(c);
}

static void
request(struct client *c, const struct wire_req *w, struct str key)
{
	struct queue *q = find_queue(w->name);
	struct buf b = BUF_INIT;
	bool twice = false;
	struct key *k;
	int64_t id;

	for (k = keys; k != NULL && key.n > 0; k = k->next)
		if (str_eq(str_of(k->text), key))
			break;
	if (key.n == 0)
		k = NULL;
	if (k == NULL && q == NULL) {
		put(c, 200, STR("[]"));
		return;
	}
	id = k != NULL ? k->id : 0;
	if (k == NULL) {
		id = add(q, WIRE_KIND_REQUEST, w->reply_to, -1, w->payload);
		k = xcalloc(1, sizeof *k);
		k->text = xstrndup(key.n ? key.p : "", key.n);
		k->id = id;
		k->next = keys;
		keys = k;
		if ((flags & FAKE_ECHO) && str_starts(w->name, STR("echo"))) {
			(void)reply(
			    w->reply_to, w->name, id, w->payload, &twice);
			(void)ack(w->name, id);
		}
	}
	wire_put_sent(&b, w->name, id);
	put(c, 200, (struct str){b.p, b.n});
	buf_fini(&b);
}

static void
list(struct client *c, struct str prefix)
{
	struct buf b = BUF_INIT;
	bool first = true;

	wire_put_names_begin(&b);
	for (struct queue *q = queues; q != NULL; q = q->next)
		if (str_starts(str_of(q->name), prefix)) {
			wire_put_name(&b, str_of(q->name), first);
			first = false;
		}
	wire_put_names_end(&b);
	put(c, 200, (struct str){b.p, b.n});
	buf_fini(&b);
}

/* /v1/queues/Q/messages/ID[/reply], names without escapes only */
static void
v1(struct client *c, bool post, struct str target, struct str body)
{
	char q[256], t[600], tail[16] = "";
	struct buf b = BUF_INIT;
	struct message *m;
	bool twice = false;
	long long id;
	int64_t r;

	snprintf(t, sizeof t, "%.*s", (int)target.n, target.p);
	if (sscanf(t, "/v1/queues/%255[^/]/messages/%lld%15s", q, &id, tail) <
	    2) {
		put(c, 200, body.n ? body : STR("{\"v1\":true}"));
		return;
	}
	m = find_message(str_of(q), id);
	if (m == NULL) {
		put(c, 404,
		    STR("{\"error\":{\"code\":\"x\",\"message\":\"no "
			"such message\"}}"));
	} else if (!post) {
		put(c, 200, STR("{}"));
	} else {
		r = reply(str_of(m->peer), str_of(q), id, body, &twice);
		if (r < 0) {
			put(c, 409, STR("{\"error\":{}}"));
		} else {
			ack(str_of(q), id);
			buf_addf(
			    &b, "{\"queue\":\"x\",\"id\":%lld}", (long long)r);
			put(c, 200, (struct str){b.p, b.n});
		}
	}
	buf_fini(&b);
}

/* Do what is asked. */
static void
serve(struct client *c, struct str method, struct str target, struct str body,
    struct str key)
{
	struct str names[8];
	struct wire_req w = {.queues = names, .nqueues = 8};
	const char *why = NULL;
	struct buf b = BUF_INIT;
	bool twice = false;
	int64_t id;

	if (!(flags & FAKE_NO_V1) && str_starts(target, STR("/v1/"))) {
		v1(c, str_eq(method, STR("POST")), target, body);
		return;
	}
	if (wire_get_request(&w, method, target, body, &why) != WIRE_OK) {
		put(c, 404, STR("Not found: x"));
		return;
	}
	switch (w.op) {
	case WIRE_PERSISTENT:
	case WIRE_TRANSIENT:
		make_queue(w.name, w.op == WIRE_TRANSIENT);
		put(c, 200, w.name);
		break;
	case WIRE_DESTROY:
		drop_queues(false, w.name);
		put(c, 200, STR(""));
		break;
	case WIRE_ACK:
		(void)ack(w.name, w.id);
		put(c, 200, STR(""));
		break;
	case WIRE_LIST:
	case WIRE_LIST_ALIVE: list(c, w.name); break;
	case WIRE_TRANSFER: transfer(c, &w); break;
	case WIRE_REQUEST: request(c, &w, key); break;
	case WIRE_RESPONSE:
		id = reply(w.name, w.reply_to, w.id, w.payload, &twice);
		if (id < 0)
			wire_put_not_sent(&b);
		else
			wire_put_sent(&b, w.name, id);
		put(c, 200, (struct str){b.p, b.n});
		break;
	case WIRE_TRACE: put(c, 200, STR("{\"events\":[]}")); break;
	case WIRE_DIAGNOSTICS: put(c, 200, STR("{\"diag\":1}")); break;
	default: put(c, 200, STR("")); break;
	}
	buf_fini(&b);
}

/* ---- misbehaving ---- */

static void
open_listener(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	unlink(path);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&a, sizeof a) == -1 ||
	    listen(listener, 128) == -1)
		_exit(3);
}

static void
close_client(struct client *c)
{
	if (c->fd != -1)
		shared->closes++;
	close(c->fd);
	c->fd = -1;
	c->dead = true;
	buf_fini(&c->in);
	buf_fini(&c->out);
	for (size_t i = 0; i < c->nqueues; i++)
		free(c->queues[i]);
	c->nqueues = 0;
	c->parked = false;
}

static void
restart(const struct fake_rule *r)
{
	for (size_t i = 0; i < nclients; i++)
		if (!clients[i].dead)
			close_client(&clients[i]);
	close(listener);
	unlink(path);
	if (r->action == FAKE_FORGET)
		drop_queues(false, (struct str){NULL, 0});
	if (r->action == FAKE_WIPE) {
		drop_queues(true, (struct str){NULL, 0});
		next_id = 0;
		keys = NULL;
		replies = NULL;
	}
	if (r->ms > 0)
		(void)poll(NULL, 0, r->ms);
	open_listener();
}

/* The rule that is about this request, if any. */
static const struct fake_rule *
rule_for(struct str line)
{
	for (unsigned i = 0; rules != NULL && rules[i].match != NULL; i++) {
		if (!str_starts(line, str_of(rules[i].match)))
			continue;
		if (passed[i]++ < rules[i].skip ||
		    (rules[i].action == FAKE_BLINK && passed[i] % 2 == 0) ||
		    shared->hits[i] >= rules[i].times)
			continue;
		shared->hits[i]++;
		return &rules[i];
	}
	return NULL;
}

static void
write_out(struct client *c)
{
	size_t n = c->slow ? 1 : c->out.n;
	ssize_t k;

	if (c->out.n == 0)
		return;
	k = send(c->fd, c->out.p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (k > 0)
		buf_drain(&c->out, (size_t)k);
	else if (k < 0 && errno != EAGAIN)
		close_client(c);
}

/* Apply a rule around the work. */
static void
misbehave(struct client *c, const struct fake_rule *r, struct str method,
    struct str target, struct str body, struct str key)
{
	if (r->action == FAKE_DROP) {
		close_client(c);
		return;
	}
	if (r->action == FAKE_WIPE) {
		restart(r);
		return;
	}
	if (r->action == FAKE_ANSWER || r->action == FAKE_ANSWER_CLOSE) {
		buf_adds(&c->out, r->text);
		if (r->action == FAKE_ANSWER_CLOSE) {
			write_out(c);
			if (!c->dead)
				close_client(c);
		}
		return;
	}
	serve(c, method, target, body, key);
	if (r->action == FAKE_SPLIT) {
		c->slow = true;
	} else if (r->action == FAKE_LOSE) {
		close_client(c);
	} else if (r->action == FAKE_HALF) {
		c->out.n /= 2;
		write_out(c);
		if (!c->dead)
			close_client(c);
	} else if (r->action == FAKE_SILENT) {
		buf_reset(&c->out);
		c->deaf = true;
	} else {
		restart(r);
	}
}

static void
note(struct str line)
{
	if (shared->nlog + line.n + 1 >= FAKE_LOG)
		return;
	memcpy(shared->log + shared->nlog, line.p, line.n);
	shared->log[shared->nlog + line.n] = '\n';
	__atomic_store_n(
	    &shared->nlog, shared->nlog + line.n + 1, __ATOMIC_RELEASE);
}

/* Take the requests that are complete, until one is parked. */
static void
take_requests(struct client *c)
{
	const struct fake_rule *r;
	struct str key, line;
	struct http1 h;
	char text[1024];

	while (!c->dead && !c->parked && !c->deaf && c->in.n > 0) {
		http1_init(&c->h, HTTP1_REQUEST, &limits);
		if (http1_feed(&c->h, c->in.p, c->in.n) != HTTP1_DONE)
			return;
		h = c->h;
		key = (struct str){NULL, 0};
		(void)http1_field(&h, c->in.p, "idempotency-key", &key);
		snprintf(text, sizeof text, "%.*s %.*s", (int)h.method.n,
		    h.method.p, (int)h.target.n, h.target.p);
		line = str_of(text);
		note(line);
		r = rule_for(line);
		if (r != NULL)
			misbehave(c, r, h.method, h.target, h.body, key);
		else
			serve(c, h.method, h.target, h.body, key);
		if (!c->dead)
			buf_drain(&c->in, h.used);
	}
}

/* Read; remember whether there is anything to do. */
static void
read_in(struct client *c)
{
	char *to = buf_reserve(&c->in, 65536);
	ssize_t n;

	n = to ? recv(c->fd, to, c->in.cap - c->in.n, MSG_DONTWAIT) : -1;
	if (n > 0)
		c->in.n += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		close_client(c);
}

static void
accept_one(void)
{
	struct client *c = NULL;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		return;
	for (size_t i = 0; i < nclients && c == NULL; i++)
		if (clients[i].dead)
			c = &clients[i];
	if (c == NULL && nclients < MAX_CONNS)
		c = &clients[nclients++];
	if (c == NULL)
		_exit(4);
	memset(c, 0, sizeof *c);
	c->fd = fd;
	shared->connects++;
}

/* One client's turn. */
static void
step(struct client *c, short revents)
{
	if (revents & (POLLIN | POLLHUP | POLLERR))
		read_in(c);
	take_requests(c);
	if (!c->dead)
		write_out(c);
}

static void
loop(void)
{
	static struct pollfd p[MAX_CONNS + 1];
	size_t n;
	int wait;

	for (;;) {
		wait = 1000;
		p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		n = nclients;
		for (size_t i = 0; i < n; i++) {
			struct client *c = &clients[i];
			p[i + 1] = (struct pollfd){.fd = c->dead ? -1 : c->fd,
			    .events =
				(short)(POLLIN | (c->out.n > 0 ? POLLOUT : 0))};
			if (c->parked &&
			    c->until_ns - clock_mono_ns() < NS_PER_SEC)
				wait = 1;
		}
		if (poll(p, n + 1, wait) < 0 && errno != EINTR)
			_exit(5);
		if (p[0].revents)
			accept_one();
		for (size_t i = 0; i < n; i++)
			if (!clients[i].dead && p[i + 1].revents)
				step(&clients[i], p[i + 1].revents);
		for (size_t i = 0; i < nclients; i++)
			if (!clients[i].dead && clients[i].parked &&
			    collect(&clients[i])) {
				clients[i].parked = false;
				step(&clients[i], 0);
			}
	}
}

/* ---- for the test ---- */

void
fake_start(struct fake *f, const struct fake_rule *r, unsigned fl)
{
	memset(f, 0, sizeof *f);
	strcpy(f->dir, "/tmp/xmsg-fake-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		abort();
	snprintf(f->path, sizeof f->path, "%s/sock", f->dir);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	f->shared = shared;
	path = f->path;
	rules = r;
	flags = fl;
	open_listener();
	f->pid = fork();
	if (f->pid == -1)
		abort();
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		loop();
	}
	close(listener);
}

void
fake_stop(struct fake *f)
{
	int status = 0;

	kill(f->pid, SIGKILL);
	waitpid(f->pid, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		fprintf(
		    stderr, "the fake broker ended by itself: %#x\n", status);
		abort();
	}
	unlink(f->path);
	rmdir(f->dir);
	munmap((void *)f->shared, sizeof *f->shared);
	f->shared = NULL;
}

unsigned
fake_count(const struct fake *f, const char *prefix)
{
	size_t n = __atomic_load_n(&f->shared->nlog, __ATOMIC_ACQUIRE), i = 0;
	const char *log = (const char *)f->shared->log;
	size_t len = strlen(prefix);
	unsigned count = 0;

	while (i < n) {
		count += n - i >= len && memcmp(log + i, prefix, len) == 0;
		while (i < n && log[i] != '\n')
			i++;
		i++;
	}
	return count;
}
