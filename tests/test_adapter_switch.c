/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the adapter makes of the switch's answers: follow, service, task,
 * observer, control, rrd.  The client library is replaced by functions that note
 * what was asked for, so that a test can give any answer at any moment; state,
 * record, poison and spool are real files.
 */
#include "support/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "control.h"
#include "ctx.h"
#include "follow.h"
#include "observer.h"
#include "plugin.h"
#include "poison.h"
#include "record.h"
#include "rrd.h"
#include "service.h"
#include "state.h"
#include "support/logtest.h"
#include "support/tempdir.h"
#include "turns.h"
#include "xmsg.h"

#define QUEUE	"org.xen.xapi.storage.p"
#define OPS	64
#define STALLED ((int)XMSG_ESYS)

/* ---- the switch ---- */

struct xmsg {
	int unused;
};
struct xmsg_op {
	char target[256];
	xmsg_done_fn fn;
	void *arg;
};
struct xmsg_server {
	xmsg_serve_fn fn;
	void *arg;
};
struct xmsg_request {
	struct xmsg_message m;
	char reply[4096]; /* what it got */
	xmsg_done_fn fn;
	void *arg;
	bool discarded, left;
};

static struct xmsg sw;
static struct xmsg_op ops[OPS];
static size_t n_ops;
static struct xmsg_server servers[8];
static size_t n_servers, stopped;
static bool no_ops, no_servers, no_replies, no_names, no_discards, no_timers;

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
	struct xmsg_op *op = &ops[n_ops];

	if (no_ops)
		return NULL;
	assert_true(n_ops < OPS);
	n_ops++;
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
static void
done(struct xmsg_op *op, int rc, int status, const char *body)
{
	struct xmsg_result r = {
	    .rc = rc, .status = status, .id = -1, .body = {body, strlen(body)}};
	xmsg_done_fn fn = op->fn;

	assert_non_null(fn);
	op->fn = NULL;
	fn(&sw, &r, op->arg);
}

/* The last one. */
static void
answer(int rc, int status, const char *body)
{
	assert_true(n_ops > 0);
	done(&ops[n_ops - 1], rc, status, body);
}

void
__wrap_xmsg_cancel(struct xmsg_op *op)
{
	done(op, XMSG_ECANCELED, 0, "");
}

struct xmsg_server *
__wrap_xmsg_serve_start(struct xmsg *x, const char *queue, unsigned flags,
    unsigned most, xmsg_serve_fn fn, void *arg)
{
	struct xmsg_server *s = &servers[n_servers];

	(void)x, (void)queue, (void)flags, (void)most;
	if (no_servers)
		return NULL;
	assert_true(n_servers < sizeof servers / sizeof *servers);
	n_servers++;
	*s = (struct xmsg_server){fn, arg};
	return s;
}

void
__wrap_xmsg_serve_stop(struct xmsg_server *s)
{
	assert_non_null(s->fn);
	s->fn = NULL;
	stopped++;
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
	if (no_replies)
		return XMSG_ENOMEM;
	snprintf(r->reply, sizeof r->reply, "%.*s", (int)payload.n, payload.p);
	r->fn = fn;
	r->arg = arg;
	return XMSG_OK;
}

int
__wrap_xmsg_discard(struct xmsg_request *r)
{
	if (no_discards)
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
	return no_names ? NULL : __real_xmsg_encode(s);
}

int
__wrap_event_add(struct event *ev, const struct timeval *tv)
{
	return no_timers ? -1 : __real_event_add(ev, tv);
}

/* The switch's answer to a reply. */
static void
reply_done(struct xmsg_request *r, int rc)
{
	struct xmsg_result result = {.rc = rc, .id = -1};

	assert_non_null(r->fn);
	r->fn(&sw, &result, r->arg);
}

/* ---- plugins ---- */

static struct plugin one = {.kind = PLUGIN_VOLUME,
    .state = PLUGIN_SERVING,
    .name = (char[]){QUEUE},
    .dir = (char[]){"/plugins/p"}};
static const char *features[] = {"SR_PROBE", NULL};
static const char *no_why; /* of plugins_why_not */

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
	fn(&one, arg);
}

void
__wrap_plugins_why_not(const struct plugins *ps, enum plugin_kind kind,
    const char *name, char *why, size_t n)
{
	(void)ps, (void)name;
	snprintf(why, n, "%s", kind == PLUGIN_VOLUME ? no_why : "");
}

bool
__wrap_plugins_settled(const struct plugins *ps)
{
	(void)ps;
	return true;
}

/* ---- one adapter ---- */

struct t {
	char dir[TEMPDIR_MAX], spool[256];
	struct asettings set;
	struct ctx ctx;
	struct err e;
};

static int
setup(void **state)
{
	static const struct turns_limits limits = {8, 8, 8, false};
	static struct t t;

	memset(&t, 0, sizeof t);
	n_ops = n_servers = stopped = 0;
	no_ops = no_servers = no_replies = no_names = no_discards = false;
	no_timers = false;
	no_why = "";
	one.features = features;
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

static int
teardown(void **state)
{
	struct t *t = *state;

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
static struct service *
serve(struct t *t)
{
	struct service *sv = service_start(&t->ctx, &one, &t->e);

	assert_non_null(sv);
	return sv;
}

/* A request comes to the last queue that is served. */
static void
come(struct xmsg_request *r, int64_t id, const char *payload)
{
	struct xmsg_server *s = &servers[n_servers - 1];

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

/* One whose call needs no script. */
#define LIST "{\"method\":\"SR.list\",\"params\":[{\"dbg\":\"D\"}],\"id\":1}"

/* Let timers be due. */
static void
turn(struct t *t)
{
	event_base_loop(t->ctx.base, EVLOOP_ONCE);
}

/* A folder of the spool. */
static void
folder(struct t *t, const char *queue, const char *id)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", t->spool, queue);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/%s", t->spool, queue, id);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Is it there? */
static bool
is_there(struct t *t, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", t->spool, name);
	return access(path, F_OK) == 0;
}

/* ---- follow: events ---- */

#define NO_MESSAGE "{\"error\":{\"code\":\"no_message\"}}"

static void
polls_from_now_and_then_on(void **state)
{
	struct t *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	assert_string_equal(ops[0].target, "/v1/events?kind=cancel&after=now");
	answer(XMSG_OK, 200, "{\"events\":[],\"next\":7}");
	assert_int_equal(n_ops, 2);
	assert_string_equal(
	    ops[1].target, "/v1/events?kind=cancel&after=7&wait=60");
	/* an event of nobody, one of a queue of others, and nonsense */
	answer(XMSG_OK, 200,
	    "{\"events\":[{},{\"queue\":\"other\",\"id\":1},7],\"next\":9}");
	assert_int_equal(n_ops, 3);
	follow_free(f);
	assert_null(ops[2].fn); /* cancelled */
}

static void
a_cancelled_call_is_ended(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	struct xmsg_request r;

	t->ctx.stopping = true; /* nothing begins */
	come(&r, 5, LIST);
	t->ctx.stopping = false;
	assert_int_equal(sv->n_tasks, 1);
	answer(XMSG_OK, 200,
	    "{\"events\":[{\"queue\":\"" QUEUE "\",\"id\":5}],\"next\":1}");
	assert_int_equal(sv->n_tasks, 0);
	assert_true(r.discarded);
	assert_string_equal(r.reply, "");
	assert_true(logtest_take("failed: Cancelled"));
	follow_free(f);
}

static void
lost_events_make_it_ask(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	struct xmsg_request r[3];
	size_t i;

	t->ctx.stopping = true;
	for (i = 0; i < 3; i++)
		come(&r[i], 5 + (int64_t)i, LIST);
	answer(XMSG_OK, 200, "{\"events\":[],\"next\":1,\"lost\":2}");
	assert_int_equal(n_ops, 5); /* three questions, and the next poll */
	assert_string_equal(
	    ops[1].target, "/v1/queues/org.xen.xapi.storage.p/messages/5");
	done(&ops[1], XMSG_OK, 404, NO_MESSAGE);
	assert_int_equal(sv->n_tasks, 2);
	done(&ops[2], XMSG_OK, 404, "{\"error\":{\"code\":\"no_queue\"}}");
	assert_int_equal(sv->n_tasks, 1);
	done(&ops[3], XMSG_OK, 200, "{}"); /* it is there */
	assert_int_equal(sv->n_tasks, 1);
	assert_true(logtest_take("failed: Cancelled"));
	follow_free(f);
}

static void
only_a_clear_no_counts(void **state)
{
	static const struct {
		int rc, status;
		const char *body;
	} no[] = {{XMSG_ELOST, 0, ""}, {XMSG_OK, 500, NO_MESSAGE},
	    {XMSG_OK, 404, ""}, {XMSG_OK, 404, "{\"error\":{\"code\":7}}"},
	    {XMSG_OK, 404, "{\"error\":{\"code\":\"no_such_route\"}}"},
	    {XMSG_ECANCELED, 0, ""}};
	struct t *t = *state;
	struct service *sv = serve(t);
	struct follow *f = follow_new(&t->ctx, &t->e);
	struct xmsg_request r;
	size_t i;

	t->ctx.stopping = true;
	come(&r, 5, LIST);
	t->ctx.stopping = false;
	for (i = 0; i < sizeof no / sizeof *no; i++) {
		size_t poll = n_ops - 1;

		done(&ops[poll], XMSG_OK, 200, "{\"next\":1,\"lost\":1}");
		done(&ops[poll + 1], no[i].rc, no[i].status, no[i].body);
		assert_int_equal(sv->n_tasks, 1);
	}
	follow_free(f);
}

static void
a_switch_without_events(void **state)
{
	struct t *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	answer(XMSG_OK, 404, "");
	assert_true(logtest_take("the switch has no /v1/events (status 404)"));
	assert_int_equal(n_ops, 1); /* it is asked again in a minute */
	follow_free(f);
}

static void
an_answer_that_makes_no_sense(void **state)
{
	struct t *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	answer(XMSG_OK, 200, "{\"next\":\"x\"}");
	assert_int_equal(n_ops, 1);
	follow_free(f);
}

static void
a_switch_that_is_away_is_asked_again(void **state)
{
	struct t *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	answer(XMSG_ECONNECT, 0, "");
	while (n_ops == 1)
		turn(t);
	assert_string_equal(ops[1].target, "/v1/events?kind=cancel&after=now");
	follow_free(f);
}

static void
a_poll_that_cannot_begin_is_tried_again(void **state)
{
	struct t *t = *state;
	struct follow *f;

	no_ops = true;
	f = follow_new(&t->ctx, &t->e);
	assert_non_null(f);
	no_ops = false;
	while (n_ops == 0)
		turn(t);
	follow_free(f);
}

static void
no_timer(void **state)
{
	struct t *t = *state;
	struct follow *f;

	no_timers = true;
	assert_null(follow_new(&t->ctx, &t->e));
	assert_string_equal(t->e.text, "out of memory");
	no_timers = false;
	f = follow_new(&t->ctx, &t->e);
	no_timers = true;
	answer(XMSG_ECONNECT, 0, "");
	assert_true(logtest_take("no timer"));
	no_timers = false;
	follow_free(f);
	follow_free(NULL);
}

static void
a_poll_without_memory_for_anything(void **state)
{
	struct t *t = *state;
	struct follow *f = follow_new(&t->ctx, &t->e);

	no_timers = no_ops = true;
	answer(XMSG_OK, 200, "{\"next\":1}");
	assert_true(logtest_take("no timer"));
	no_timers = no_ops = false;
	follow_free(f);
}

/* ---- follow: the sweep ---- */

static void
what_is_left_over_is_removed(void **state)
{
	struct t *t = *state;
	struct follow *f;

	folder(t, "q", "17");
	folder(t, "q", "0");
	folder(t, "q", "x");
	folder(t, "q", "99999999999999999999");
	folder(t, "q", "18");
	folder(t, "empty", "1");
	assert_int_equal(
	    rmdir(strcat(strcpy((char[512]){0}, t->spool), "/empty/1")), 0);
	tempdir_write(strcat(strcpy((char[512]){0}, t->spool), "/file"), "", 0);
	f = follow_new(&t->ctx, &t->e);
	while (n_ops < 3)
		turn(t);
	assert_false(is_there(t, "empty")); /* of a plugin gone for good */
	for (size_t i = 1; i < 3; i++)
		if (strcmp(ops[i].target, "/v1/queues/q/messages/17") == 0)
			done(&ops[i], XMSG_OK, 404, NO_MESSAGE);
		else
			done(&ops[i], XMSG_OK, 200, "{}");
	assert_false(is_there(t, "q/17"));
	assert_true(is_there(t, "q/18"));
	assert_true(is_there(t, "q/x"));
	follow_free(f);
}

static void
what_cannot_be_removed_is_said(void **state)
{
	struct t *t = *state;
	struct follow *f;

	folder(t, "q", "17");
	folder(t, "q/17", "x");
	f = follow_new(&t->ctx, &t->e);
	while (n_ops < 2)
		turn(t);
	done(&ops[1], XMSG_OK, 404, NO_MESSAGE);
	assert_true(logtest_take("q/17"));
	assert_true(is_there(t, "q/17"));
	follow_free(f);
}

static void
not_too_many_questions(void **state)
{
	struct t *t = *state;
	struct follow *f;
	char id[16];
	size_t asked;

	for (int i = 1; i <= 20; i++) {
		snprintf(id, sizeof id, "%d", i);
		folder(t, "q", id);
	}
	f = follow_new(&t->ctx, &t->e);
	while (n_ops == 1)
		turn(t);
	asked = n_ops - 1;
	assert_int_equal(asked, 16);
	turn(t); /* another sweep: those are still under way */
	assert_int_equal(n_ops - 1, asked);
	for (size_t i = 1; i <= asked; i++)
		done(&ops[i], XMSG_OK, 200, "{}");
	turn(t);
	assert_int_equal(n_ops - 1, 2 * asked);
	for (size_t i = asked + 1; i <= 2 * asked; i++)
		done(&ops[i], XMSG_ECANCELED, 0, "");
	follow_free(f);
}

static void
questions_that_cannot_be_asked(void **state)
{
	struct t *t = *state;
	struct follow *f;

	folder(t, "q", "1");
	f = follow_new(&t->ctx, &t->e);
	no_ops = true;
	turn(t);
	no_names = true;
	turn(t);
	assert_int_equal(n_ops, 1);
	no_ops = no_names = false;
	while (n_ops == 1)
		turn(t);
	assert_string_equal(ops[1].target, "/v1/queues/q/messages/1");
	done(&ops[1], XMSG_ECANCELED, 0, "");
	/* no spool any more */
	tempdir_remove(t->spool);
	turn(t);
	assert_int_equal(n_ops, 2);
	follow_free(f);
}

/* ---- service ---- */

static void
a_reply_to_a_plugin_is_taken_off(void **state)
{
	struct t *t = *state;
	struct xmsg_request r = {.m = {.id = 3, .kind = XMSG_REPLY}};

	serve(t);
	servers[0].fn(&r, &r.m, servers[0].arg);
	assert_true(r.discarded && !r.left);
	no_discards = true;
	servers[0].fn(&r, &r.m, servers[0].arg);
	assert_true(r.left);
	assert_true(logtest_take("is a reply: dropped"));
}

static void
a_call_is_answered(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;

	come(&r, 5, LIST);
	assert_string_equal(r.reply, "{\"result\":[],\"error\":null,\"id\":0}");
	assert_int_equal(sv->n_tasks, 1);
	reply_done(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
}

static void
poison_is_refused(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;

	for (int i = 0; i < POISON_CRASHES; i++) {
		poison_enter(t->ctx.poison, QUEUE, 5);
		poison_crash(t->ctx.poison);
		poison_close(t->ctx.poison);
		t->ctx.poison = poison_open(t->dir, &t->e);
	}
	come(&r, 5, LIST);
	assert_non_null(strstr(r.reply, "three times"));
	assert_true(logtest_take("three times"));
	assert_true(logtest_take("was in hand when the adapter crashed"));
	reply_done(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
	/* it is forgotten with its answer */
	come(&r, 5, LIST);
	assert_null(strstr(r.reply, "three times"));
	reply_done(&r, XMSG_OK);
}

static void
calls_of_a_plugin_that_goes(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r, late;

	t->ctx.stopping = true;
	come(&r, 5, LIST);
	t->ctx.stopping = false;
	service_drain(sv, "it went away");
	assert_non_null(strstr(r.reply, "it went away"));
	come(&late, 6, LIST);
	assert_non_null(strstr(late.reply, "plugin of this queue is gone"));
	assert_int_equal(
	    n_ops, 0); /* the queue stays until they are answered */
	service_drain(sv, "again"); /* those have their replies */
	reply_done(&r, XMSG_OK);
	reply_done(&late, XMSG_ENOENT);
	assert_int_equal(n_ops, 1);
	assert_string_equal(
	    ops[0].target, "/v1/queues/org.xen.xapi.storage.p?if_empty=1");
	service_drain(sv, "once more"); /* it is being removed */
	assert_int_equal(n_ops, 1);
	answer(XMSG_OK, 200, "");
	assert_null(service_find(&t->ctx, QUEUE));
	assert_true(logtest_take("failed: Internal_error"));
}

static void
a_queue_that_is_not_removed_at_once(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);

	no_names = true;
	service_drain(sv, "gone");
	assert_int_equal(n_ops, 0);
	no_names = false;
	service_drain(sv, "gone");
	answer(XMSG_OK, 409, ""); /* a message came */
	while (n_ops == 1)
		turn(t);
	answer(XMSG_ECONNECT, 0, "");
	while (n_ops == 2)
		turn(t);
	no_timers = true;
	answer(XMSG_ECONNECT, 0, "");
	assert_true(logtest_take("no timer"));
	no_timers = false;
	service_drain(sv, "gone");
	assert_int_equal(n_ops, 4);
	service_stop_all(&t->ctx); /* cancels it */
	assert_null(ops[3].fn);
	service_drain(&(struct service){.ctx = &t->ctx,
			  .tasks = TAILQ_HEAD_INITIALIZER(sv->tasks)},
	    "we end");
	assert_int_equal(n_ops, 4);
}

static void
a_plugin_that_comes_back(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);

	service_drain(sv, "gone");
	assert_ptr_equal(serve(t), sv); /* while its queue is being removed */
	assert_int_equal(n_servers, 1);
	answer(XMSG_OK, 200, "");
	assert_int_equal(n_servers, 2); /* it is made again */
	assert_int_equal(stopped, 1);
	service_drain(sv, "gone");
	assert_ptr_equal(serve(t), sv);
	no_servers = true;
	answer(XMSG_OK, 200, "");
	assert_true(logtest_take("cannot be served: the switch says no"));
}

static void
a_queue_that_cannot_be_served(void **state)
{
	struct t *t = *state;

	no_servers = true;
	assert_null(service_start(&t->ctx, &one, &t->e));
	assert_non_null(strstr(t->e.text, "the switch says no"));
	no_servers = false;
	assert_non_null(service_start(&t->ctx, &one, &t->e));
	service_stop_all(&t->ctx);
	t->ctx.stopping = false;
	tempdir_remove(t->spool);
	assert_null(service_start(&t->ctx, &one, &t->e));
	assert_non_null(strstr(t->e.text, "cannot make"));
}

/* ---- replies ---- */

static void
replies_that_come_to_nothing(void **state)
{
	static const int over[] = {XMSG_ENOQUEUE, XMSG_ENOENT, XMSG_ELOST};
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;

	for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
		come(&r, 5, LIST);
		reply_done(&r, over[i]);
		assert_int_equal(sv->n_tasks, 0);
	}
	assert_true(logtest_take("reply: the switch says no"));
	come(&r, 5, LIST);
	reply_done(&r, XMSG_ECANCELED); /* it is left to the next process */
	assert_int_equal(sv->n_tasks, 1);
}

static void
a_reply_that_is_refused(void **state)
{
	static const int refused[] = {XMSG_ELIMIT, XMSG_EREFUSED, XMSG_EDENIED};
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		come(&r, 5, LIST);
		reply_done(&r, refused[i]);
		assert_string_equal(ops[i].target,
		    "/v1/queues/org.xen.xapi.storage.p/messages/5/reply");
		assert_int_equal(sv->n_tasks, 1);
		done(&ops[i], XMSG_OK, i == 1 ? 500 : 200, "");
		assert_int_equal(sv->n_tasks, 0);
		assert_int_equal(logtest_take("cannot be answered"), i == 1);
	}
	come(&r, 5, LIST);
	reply_done(&r, XMSG_ELIMIT);
	answer(XMSG_ELOST, 0, "");
	assert_true(logtest_take("cannot be answered: the switch says no"));
	no_names = true;
	come(&r, 5, LIST);
	reply_done(&r, XMSG_ELIMIT);
	no_names = false;
	no_ops = true;
	come(&r, 5, LIST);
	reply_done(&r, XMSG_ELIMIT);
	assert_int_equal(sv->n_tasks, 0);
	no_ops = false;
	come(&r, 5, LIST);
	reply_done(&r, XMSG_ELIMIT);
	answer(XMSG_ECANCELED, 0, "");
	assert_int_equal(sv->n_tasks, 1); /* we end */
	assert_true(logtest_take("was refused: the switch says no"));
}

static void
a_reply_that_cannot_be_sent_yet(void **state)
{
	struct t *t = *state;
	struct xmsg_request r;

	serve(t);
	no_replies = no_timers = true;
	come(&r, 5, LIST);
	assert_true(logtest_take("no timer"));
	no_timers = false;
	service_stop_all(&t->ctx);
	t->ctx.stopping = false;
	serve(t);
	come(&r, 6, LIST);
	assert_string_equal(r.reply, "");
	no_replies = false;
	while (r.fn == NULL)
		turn(t);
	assert_true(logtest_take("reply: the switch says no"));
	reply_done(&r, XMSG_OK);
}

static void
a_call_is_cancelled_once(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;
	struct task *task;

	come(&r, 5, LIST);
	task = service_task(&t->ctx, QUEUE, 5);
	assert_non_null(task);
	task_cancel(task); /* too late: it is being answered */
	assert_false(task->cancelled);
	assert_int_equal(sv->n_tasks, 1);
	reply_done(&r, XMSG_OK);
	assert_null(service_task(&t->ctx, QUEUE, 5));
	assert_null(service_task(&t->ctx, "other", 5));
}

/* What an adapter before us knew of the call cannot be read: nobody knows
 * whether its scripts ran. */
static void
a_memo_that_cannot_be_read(void **state)
{
	struct t *t = *state;
	struct service *sv = serve(t);
	struct xmsg_request r;

	folder(t, QUEUE, "5");
	folder(t, QUEUE, "5/call"); /* where a file should be */
	come(&r, 5, LIST);
	assert_non_null(strstr(r.reply, "its outcome is unknown"));
	assert_true(logtest_take("its outcome is unknown"));
	reply_done(&r, XMSG_OK);
	assert_int_equal(sv->n_tasks, 0);
}

/* ---- observer ---- */

static void
observers_come_and_go(void **state)
{
	static const struct {
		const char *name, *request, *reply;
		unsigned count;
	} rows[] = {
	    {"no JSON", "{", "not a JSON-RPC request", 0},
	    {"no uuid", "{\"method\":\"Observer.create\"}", "'uuid'", 0},
	    {"no bool",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"'bool'", 0},
	    {"off",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\","
		"\"bool\":false}]}",
		"\"error\":null", 0},
	    {"on, without the list",
		"{\"method\":\"Observer.set_enabled\",\"params\":{\"uuid\":"
		"\"a\","
		"\"bool\":true}}",
		"\"error\":null", 1},
	    {"another",
		"{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"b\","
		"\"bool\":true}]}",
		"\"error\":null", 2},
	    {"gone",
		"{\"method\":\"Observer.destroy\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"\"error\":null", 1},
	    {"gone twice",
		"{\"method\":\"Observer.destroy\",\"params\":[{\"uuid\":\"a\"}]"
		"}",
		"\"error\":null", 1},
	    {"not ours",
		"{\"method\":\"Observer.set_host_id\",\"params\":[{}]}",
		"\"Unimplemented\",\"Observer.set_host_id\"", 1},
	    {"nobody's", "{\"method\":\"Observer.sing\",\"params\":[{}]}",
		"Idl.UnknownMethod", 1},
	};
	struct t *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	struct xmsg_request r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		come(&r, 1, rows[i].request);
		if (strstr(r.reply, rows[i].reply) == NULL)
			fail_msg("%s: %s", rows[i].name, r.reply);
		assert_int_equal(observer_count(o), rows[i].count);
	}
	no_replies = true;
	come(&r, 1, "{}");
	assert_true(r.left);
	observer_free(o);
	observer_free(NULL);
	assert_int_equal(observer_count(NULL), 0);
}

/* There may be so many, and those that are there can be changed. */
static void
observers_are_bounded(void **state)
{
	struct t *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	struct xmsg_request r;
	char text[128];
	unsigned n = 0;

	do {
		snprintf(text, sizeof text,
		    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":"
		    "\"u%u\",\"bool\":true}]}",
		    n++);
		come(&r, 1, text);
		assert_true(n < 100000);
	} while (strstr(r.reply, "too many observers") == NULL);
	assert_int_equal(observer_count(o), n - 1);
	come(&r, 1,
	    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"u0\","
	    "\"bool\":false}]}");
	assert_non_null(strstr(r.reply, "\"error\":null"));
	assert_int_equal(observer_count(o), n - 2);
	observer_free(o);
}

static void
an_observer_without_a_queue(void **state)
{
	struct t *t = *state;

	no_servers = true;
	assert_null(observer_new(t->ctx.x, &t->e));
	assert_non_null(strstr(t->e.text, "the switch says no"));
}

static void
a_traced_script(void **state)
{
	char *env[] = {(char[]){"A=1"}, (char[]){"B=2"}, NULL};
	struct t *t = *state;
	struct observer *o = observer_new(t->ctx.x, &t->e);
	struct xmsg_request r;
	struct traced tr;

	assert_false(observer_trace(o, "00-1-2-3", "/p/x", env, &tr));
	come(&r, 1,
	    "{\"method\":\"Observer.create\",\"params\":[{\"uuid\":\"a\","
	    "\"bool\":true}]}");
	assert_false(observer_trace(o, NULL, "/p/x", env, &tr));
	assert_true(observer_trace(o, "00-1-2-3", "/p/x", env, &tr));
	assert_string_equal(tr.argv[2], "/p/x");
	assert_string_equal(tr.env[0], "A=1");
	assert_string_equal(tr.env[1], "B=2");
	assert_string_equal(tr.env[2], "TRACEPARENT=00-1-2-3");
	assert_string_equal(tr.env[3], "PYTHONPATH=/p");
	assert_null(tr.env[5]);
	observer_traced(&tr);
	assert_true(observer_trace(o, "00-1-2-3", "x", NULL, &tr));
	assert_string_equal(tr.env[0], "TRACEPARENT=00-1-2-3");
	assert_string_equal(tr.env[1], "PYTHONPATH=");
	observer_traced(&tr);
	observer_free(o);
}

/* ---- control ---- */

/* The answer to a request; to be freed. */
static json_t *
asked(struct control *c, const char *request)
{
	char *text = control_answer(c, str_of(request));
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	free(text);
	return v;
}

/* The text of an error. */
static void
fails(struct control *c, const char *request, const char *tag, const char *why)
{
	json_t *v = asked(c, request), *e = json_object_get(v, "error");

	assert_true(json_is_null(json_object_get(v, "result")));
	assert_string_equal(json_string_value(json_array_get(e, 0)), tag);
	assert_non_null(strstr(json_string_value(json_array_get(e, 1)), why));
	json_decref(v);
}

/* How many there are in the answer. */
static size_t
listed(struct control *c, const char *request)
{
	json_t *v = asked(c, request);
	size_t n = json_array_size(json_object_get(v, "result"));

	assert_true(json_is_null(json_object_get(v, "error")));
	json_decref(v);
	return n;
}

static void
questions_that_make_no_sense(void **state)
{
	struct t *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	json_t *v;

	fails(c, "{", "Internal_error", "not a JSON-RPC request");
	fails(c, "{\"method\":7}", "Internal_error", "not a JSON-RPC request");
	fails(c, "{\"method\":\"adapter.sing\"}", "Unimplemented",
	    "adapter.sing");
	fails(c, "{\"method\":\"adapter.why\",\"params\":[{}]}",
	    "Internal_error", "`name`");
	fails(c, "{\"method\":\"adapter.why\"}", "Internal_error", "`name`");
	v = asked(c, "{\"method\":\"adapter.srs\",\"id\":\"x\"}");
	assert_string_equal(json_string_value(json_object_get(v, "id")), "x");
	json_decref(v);
	control_free(c);
	control_free(NULL);
}

static void
the_queue_for_operators(void **state)
{
	struct t *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	struct xmsg_request r;
	char *name = t->set.control;

	come(&r, 1, "{\"method\":\"adapter.srs\",\"id\":3}");
	assert_string_equal(r.reply, "{\"result\":[],\"error\":null,\"id\":3}");
	no_replies = true;
	come(&r, 1, "{}");
	assert_true(r.left);
	control_free(c);
	no_servers = true;
	assert_null(control_new(&t->ctx, &t->e));
	assert_non_null(strstr(t->e.text, "xmsg.storaged: the switch says no"));
	t->set.control = (char[]){""}; /* none is wanted */
	c = control_new(&t->ctx, &t->e);
	assert_non_null(c);
	assert_int_equal(listed(c, "{\"method\":\"adapter.plugins\"}"), 1);
	control_free(c);
	t->set.control = name;
}

static void
why_a_plugin_is_not_there(void **state)
{
	struct t *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);

#define WHY(name)                                                              \
	listed(c,                                                              \
	    "{\"method\":\"adapter.why\",\"params\":[{\"name\":\"" name        \
	    "\"}]}")
	assert_int_equal(WHY(QUEUE), 1);
	assert_int_equal(WHY("p"), 1);
	assert_int_equal(WHY("nobody"), 0);
	no_why = "it is a file";
	assert_int_equal(WHY("nobody"), 1);
	control_free(c);
}

/* Names of folders need not be UTF-8, nor need there be features. */
static void
names_of_any_bytes(void **state)
{
	struct t *t = *state;
	struct control *c = control_new(&t->ctx, &t->e);
	char *dir = one.dir;
	json_t *v, *p;

	one.dir = (char[]){"/a\xff/b"};
	one.features = NULL;
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(p, "dir")), "/a\\xff/b");
	assert_int_equal(json_array_size(json_object_get(p, "features")), 0);
	assert_null(json_object_get(p, "calls")); /* it has no queue */
	json_decref(v);
	one.dir = dir;
	control_free(c);
}

static void
load_of_a_plugin(void **state)
{
	struct t *t = *state;
	struct control *c;
	struct xmsg_request r, w;
	json_t *v, *p;

	c = control_new(&t->ctx, &t->e);
	serve(t);
	come(&r, 5, LIST);
	t->ctx.stopping = true;
	come(&w, 6, LIST);
	t->ctx.stopping = false;
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_int_equal(json_integer_value(json_object_get(p, "waiting")), 1);
	assert_int_equal(json_integer_value(json_object_get(p, "calls")), 1);
	json_decref(v);
	one.kind = PLUGIN_DATAPATH; /* which has none of that */
	v = asked(c, "{\"method\":\"adapter.plugins\"}");
	p = json_array_get(json_object_get(v, "result"), 0);
	assert_null(json_object_get(p, "calls"));
	json_decref(v);
	one.kind = PLUGIN_VOLUME;
	v = asked(c, "{\"method\":\"adapter.scripts\"}");
	p = json_object_get(v, "result");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(p, 0), "state")),
	    "replying");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(p, 1), "state")),
	    "waiting");
	json_decref(v);
	control_free(c);
}

static void
calls_that_were(void **state)
{
	static const struct {
		const char *params;
		size_t n;
	} rows[] = {
	    {"{}", 3},
	    {"{\"limit\":2}", 2},
	    {"{\"limit\":-1}", 3},
	    {"{\"limit\":5000}", 3},
	    {"{\"limit\":\"2\"}", 3},
	    {"{\"since\":1}", 3},
	    {"{\"since\":99999999999}", 0},
	    {"{\"since\":-99999999999}", 3},
	    {"{\"since\":\"x\"}", 3},
	    {"{\"failed\":true}", 0},
	    {"{\"methods\":[7,\"sr.*\"]}", 3},
	    {"{\"methods\":[\"VDI.*\"]}", 0},
	};
	struct t *t = *state;
	struct control *c;
	struct xmsg_request r;
	char text[256];

	c = control_new(&t->ctx, &t->e);
	serve(t);
	for (int i = 0; i < 3; i++) {
		come(&r, i + 1, LIST);
		reply_done(&r, XMSG_OK);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text,
		    "{\"method\":\"adapter.calls\",\"params\":[%s]}",
		    rows[i].params);
		if (listed(c, text) != rows[i].n)
			fail_msg("%s", rows[i].params);
	}
	control_free(c);
}

/* ---- rrd ---- */

static void
data_sources_are_told(void **state)
{
	struct t *t = *state;

	rrd_tell(&t->ctx, true, "[\"a\",\"b\"]");
	rrd_tell(&t->ctx, false, "[\"a\"]");
	rrd_tell(&t->ctx, true, "{");
	assert_int_equal(n_ops, 3);
	done(&ops[0], XMSG_OK, 0, "{\"error\":null}");
	assert_false(logtest_take("rrd"));
	done(&ops[1], XMSG_OK, 0, "{\"error\":[\"no\"]}");
	assert_true(logtest_take("a data source was refused: {\"error\""));
	done(&ops[2], XMSG_ETIMEDOUT, 0, "");
	assert_true(logtest_take("xcp-rrdd: the switch says no") ||
	    logtest_take("the switch says no"));
	rrd_tell(&t->ctx, true, "[\"a\"]");
	answer(XMSG_ECANCELED, 0, "");
	rrd_tell(&t->ctx, true, "[\"a\"]");
	answer(XMSG_OK, 0, "no JSON");
	assert_true(logtest_take("a data source was refused: no JSON"));
	no_ops = true;
	rrd_tell(&t->ctx, true, "[\"a\"]");
	assert_true(logtest_take("the switch says no"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(polls_from_now_and_then_on),
	    TEST(a_cancelled_call_is_ended),
	    TEST(lost_events_make_it_ask),
	    TEST(only_a_clear_no_counts),
	    TEST(a_switch_without_events),
	    TEST(an_answer_that_makes_no_sense),
	    TEST(a_switch_that_is_away_is_asked_again),
	    TEST(a_poll_that_cannot_begin_is_tried_again),
	    TEST(no_timer),
	    TEST(a_poll_without_memory_for_anything),
	    TEST(what_is_left_over_is_removed),
	    TEST(what_cannot_be_removed_is_said),
	    TEST(not_too_many_questions),
	    TEST(questions_that_cannot_be_asked),
	    TEST(a_reply_to_a_plugin_is_taken_off),
	    TEST(a_call_is_answered),
	    TEST(poison_is_refused),
	    TEST(calls_of_a_plugin_that_goes),
	    TEST(a_queue_that_is_not_removed_at_once),
	    TEST(a_plugin_that_comes_back),
	    TEST(a_queue_that_cannot_be_served),
	    TEST(replies_that_come_to_nothing),
	    TEST(a_reply_that_is_refused),
	    TEST(a_reply_that_cannot_be_sent_yet),
	    TEST(a_call_is_cancelled_once),
	    TEST(a_memo_that_cannot_be_read),
	    TEST(observers_come_and_go),
	    TEST(observers_are_bounded),
	    TEST(an_observer_without_a_queue),
	    TEST(a_traced_script),
	    TEST(questions_that_make_no_sense),
	    TEST(the_queue_for_operators),
	    TEST(why_a_plugin_is_not_there),
	    TEST(names_of_any_bytes),
	    TEST(load_of_a_plugin),
	    TEST(calls_that_were),
	    TEST(data_sources_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
