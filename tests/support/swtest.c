/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The client library of a switch that a test plays. */
#include "swtest.h"

#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "plugin_impl.h"
#include "poison.h"
#include "record.h"
#include "state.h"
#include "turns.h"

/* ---- the switch ---- */

struct xmsg {
	int unused;
};
static struct xmsg sw;
struct xmsg_op sw_ops[SW_OPS];
size_t sw_n_ops;
struct xmsg_server sw_servers[8];
size_t sw_n_servers, sw_stopped;
bool sw_no_ops, sw_no_servers, sw_no_replies, sw_no_names, sw_no_discards,
    sw_no_timers;

struct xmsg_op *__wrap_xmsg_http_start(struct xmsg *x, const char *method,
    const char *target, struct xmsg_bytes body, int ms, xmsg_done_fn fn,
    void *arg);
struct xmsg_op *__wrap_xmsg_call_start(struct xmsg *x, const char *queue,
    struct xmsg_bytes request, unsigned flags, int ms, xmsg_done_fn fn,
    void *arg);
void __wrap_xmsg_cancel(struct xmsg_op *op);
struct xmsg_server *__wrap_xmsg_serve_start(struct xmsg *x, const char *queue,
    unsigned flags, unsigned most, xmsg_serve_fn fn, void *arg);
void __wrap_xmsg_serve_stop(struct xmsg_server *s);
const struct xmsg_message *__wrap_xmsg_request_message(
    const struct xmsg_request *r);
int __wrap_xmsg_reply(struct xmsg_request *r, struct xmsg_bytes payload,
    xmsg_done_fn fn, void *arg);
int __wrap_xmsg_discard(struct xmsg_request *r);
void __wrap_xmsg_leave(struct xmsg_request *r);
const char *__wrap_xmsg_error(const struct xmsg *x);
char *__wrap_xmsg_encode(const char *s);
char *__real_xmsg_encode(const char *s);
int __wrap_event_add(struct event *ev, const struct timeval *tv);
int __real_event_add(struct event *ev, const struct timeval *tv);

/* Note an operation. */
static struct xmsg_op *
begin(const char *target, xmsg_done_fn fn, void *arg)
{
	struct xmsg_op *op = &sw_ops[sw_n_ops];

	if (sw_no_ops)
		return NULL;
	assert_true(sw_n_ops < SW_OPS);
	sw_n_ops++;
	snprintf(op->target, sizeof op->target, "%s", target);
	op->fn = fn;
	op->arg = arg;
	return op;
}

struct xmsg_op *
__wrap_xmsg_http_start(struct xmsg *x, const char *method, const char *target,
    struct xmsg_bytes body, int ms, xmsg_done_fn fn, void *arg)
{
	(void)x, (void)method, (void)body, (void)ms;
	return begin(target, fn, arg);
}

struct xmsg_op *
__wrap_xmsg_call_start(struct xmsg *x, const char *queue,
    struct xmsg_bytes request, unsigned flags, int ms, xmsg_done_fn fn,
    void *arg)
{
	(void)x, (void)request, (void)flags, (void)ms;
	return begin(queue, fn, arg);
}

/* Give an operation this answer. */
void
sw_done(struct xmsg_op *op, int rc, int status, const char *body)
{
	struct xmsg_result r = {
	    .rc = rc, .status = status, .id = -1, .body = {body, strlen(body)}};
	xmsg_done_fn fn = op->fn;

	assert_non_null(fn);
	op->fn = NULL;
	fn(&sw, &r, op->arg);
}

/* The last one. */
void
sw_answer(int rc, int status, const char *body)
{
	assert_true(sw_n_ops > 0);
	sw_done(&sw_ops[sw_n_ops - 1], rc, status, body);
}

void
__wrap_xmsg_cancel(struct xmsg_op *op)
{
	sw_done(op, XMSG_ECANCELED, 0, "");
}

struct xmsg_server *
__wrap_xmsg_serve_start(struct xmsg *x, const char *queue, unsigned flags,
    unsigned most, xmsg_serve_fn fn, void *arg)
{
	struct xmsg_server *s = &sw_servers[sw_n_servers];

	(void)x, (void)queue, (void)flags, (void)most;
	if (sw_no_servers)
		return NULL;
	assert_true(sw_n_servers < sizeof sw_servers / sizeof *sw_servers);
	sw_n_servers++;
	*s = (struct xmsg_server){fn, arg};
	return s;
}

void
__wrap_xmsg_serve_stop(struct xmsg_server *s)
{
	assert_non_null(s->fn);
	s->fn = NULL;
	sw_stopped++;
}

const struct xmsg_message *
__wrap_xmsg_request_message(const struct xmsg_request *r)
{
	return &r->m;
}

int
__wrap_xmsg_reply(struct xmsg_request *r, struct xmsg_bytes payload,
    xmsg_done_fn fn, void *arg)
{
	if (sw_no_replies)
		return XMSG_ENOMEM;
	snprintf(r->reply, sizeof r->reply, "%.*s", (int)payload.n, payload.p);
	r->fn = fn;
	r->arg = arg;
	return XMSG_OK;
}

int
__wrap_xmsg_discard(struct xmsg_request *r)
{
	if (sw_no_discards)
		return XMSG_ENOMEM;
	r->discarded = true;
	return XMSG_OK;
}

void
__wrap_xmsg_leave(struct xmsg_request *r)
{
	r->left = true;
}

const char *
__wrap_xmsg_error(const struct xmsg *x)
{
	(void)x;
	return "the switch says no";
}

char *
__wrap_xmsg_encode(const char *s)
{
	return sw_no_names ? NULL : __real_xmsg_encode(s);
}

int
__wrap_event_add(struct event *ev, const struct timeval *tv)
{
	return sw_no_timers ? -1 : __real_event_add(ev, tv);
}

/* The switch's answer to a reply. */
void
sw_replied(struct xmsg_request *r, int rc)
{
	struct xmsg_result result = {.rc = rc, .id = -1};

	assert_non_null(r->fn);
	r->fn(&sw, &result, r->arg);
}

/* ---- plugins ---- */

/* plugin_served() wants to see the whole of it */
static struct entry entry = {.p = {.kind = PLUGIN_VOLUME,
				 .state = PLUGIN_SERVING,
				 .name = (char[]){QUEUE},
				 .dir = (char[]){"/plugins/p"}}};
struct plugin *const sw_plugin = &entry.p;
static const char *features[] = {"SR_PROBE", NULL};
const char *sw_no_why; /* of plugins_why_not */

void __wrap_plugins_each(const struct plugins *ps,
    void (*fn)(struct plugin *p, void *arg), void *arg);
void __wrap_plugins_why_not(const struct plugins *ps, enum plugin_kind kind,
    const char *name, char *why, size_t n);
bool __wrap_plugins_settled(const struct plugins *ps);

void
__wrap_plugins_each(const struct plugins *ps,
    void (*fn)(struct plugin *p, void *arg), void *arg)
{
	(void)ps;
	fn(sw_plugin, arg);
}

void
__wrap_plugins_why_not(const struct plugins *ps, enum plugin_kind kind,
    const char *name, char *why, size_t n)
{
	(void)ps, (void)name;
	snprintf(why, n, "%s", kind == PLUGIN_VOLUME ? sw_no_why : "");
}

bool
__wrap_plugins_settled(const struct plugins *ps)
{
	(void)ps;
	return true;
}

/* ---- one adapter ---- */

int
sw_setup(void **state)
{
	static const struct turns_limits limits = {8, 8, 8, false};
	static struct sw_adapter t;

	memset(&t, 0, sizeof t);
	sw_n_ops = sw_n_servers = sw_stopped = 0;
	sw_no_ops = sw_no_servers = sw_no_replies = sw_no_names =
	    sw_no_discards = false;
	sw_no_timers = false;
	sw_no_why = "";
	sw_plugin->features = features;
	tempdir_make(t.dir);
	snprintf(t.spool, sizeof t.spool, "%s/spool", t.dir);
	assert_int_equal(mkdir(t.spool, 0700), 0);
	conf_defaults(asettings_rows, asettings_n, &t.set);
	t.ctx.set = &t.set;
	t.ctx.base = event_base_new();
	t.ctx.x = &sw;
	t.ctx.spool = t.spool;
	snprintf(t.ctx.boot, sizeof t.ctx.boot,
	    "11111111-2222-3333-4444-555555555555");
	t.ctx.turns = turns_new(&limits);
	t.ctx.state = state_open(t.dir, t.ctx.boot, &t.e);
	t.ctx.record = record_open(t.dir, 1 << 20, &t.e);
	t.ctx.poison = poison_open(t.dir, &t.e);
	assert_non_null(t.ctx.state);
	assert_non_null(t.ctx.record);
	assert_non_null(t.ctx.poison);
	logtest_clear();
	*state = &t;
	return 0;
}

int
sw_teardown(void **state)
{
	struct sw_adapter *t = *state;

	service_stop_all(&t->ctx);
	turns_free(t->ctx.turns);
	poison_close(t->ctx.poison);
	record_close(t->ctx.record);
	state_close(t->ctx.state);
	event_base_free(t->ctx.base);
	conf_fini(asettings_rows, asettings_n, &t->set);
	tempdir_remove(t->dir);
	return logtest_left();
}

/* The service of our plugin. */
struct service *
sw_serve(struct sw_adapter *t)
{
	struct service *sv = service_start(&t->ctx, sw_plugin, &t->e);

	assert_non_null(sv);
	return sv;
}

/* A request comes to the last queue that is served. */
void
sw_come(struct xmsg_request *r, int64_t id, const char *payload)
{
	struct xmsg_server *s = &sw_servers[sw_n_servers - 1];

	memset(r, 0, sizeof *r);
	r->m = (struct xmsg_message){.queue = QUEUE,
	    .id = id,
	    .kind = XMSG_REQUEST,
	    .reply_to = "caller",
	    .re_queue = "",
	    .payload = {payload, strlen(payload)}};
	assert_non_null(s->fn);
	s->fn(r, &r->m, s->arg);
}

/* Let timers be due. */
void
sw_turn(struct sw_adapter *t)
{
	event_base_loop(t->ctx.base, EVLOOP_ONCE);
}

/* A folder of the spool. */
void
sw_folder(struct sw_adapter *t, const char *queue, const char *id)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", t->spool, queue);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/%s", t->spool, queue, id);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Is it there? */
bool
sw_is_there(struct sw_adapter *t, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", t->spool, name);
	return access(path, F_OK) == 0;
}
