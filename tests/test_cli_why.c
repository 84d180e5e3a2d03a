/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/why: every cause, from facts alone, in a sentence. */
#include "support/unit.h"

#include "../cli/why.h"

struct row {
	const char *name;
	enum why_cause cause;
	const char *says; /* a part of the sentence */
	void (*set)(
	    struct why_facts *f, struct look_msg *m, struct look_queue *q);
};

#define SET(name)                                                              \
	static void name(__attribute__((unused)) struct why_facts *f,          \
	    __attribute__((unused)) struct look_msg *m,                        \
	    __attribute__((unused)) struct look_queue *q)

static void
state(struct look_msg *m, const char *word)
{
	m->state = str_of(word);
}

SET(leaving)
{
	state(m, "leaving");
}
SET(held)
{
	state(m, "held");
	m->reason = STR("held by an operator");
	f->held_s = 192;
	f->held_pid = 7;
}
SET(poison)
{
	state(m, "held");
	m->reason = STR("its delivery ended its consumer");
}
SET(reboot)
{
	state(m, "held");
	m->reason = STR("from before the last reboot");
	f->caller = CALLER_GONE;
}
SET(offline)
{
	f->offline = true;
}
SET(paused)
{
	q->paused = true;
}
SET(full)
{
	f->full = "/var/lib/xmsg";
}
SET(plugin)
{
	f->plugin_why = "it has no Plugin.Query";
}
SET(nobody)
{
	q->last_poll_age_s = -1;
}
SET(went)
{
	q->last_poll_age_s = 240;
}
SET(no_queue)
{
	f->q = NULL;
}
SET(parked)
{
	q->consumers = 1;
	q->parked = 1;
}
SET(busy)
{
	q->consumers = 1;
	q->delivered = 3;
}
SET(stopped)
{
	q->consumers = 1;
	f->consumer = (struct proc){.pid = 5, .state = 'T', .comm = "x"};
}
SET(taken)
{
	state(m, "delivered");
	m->consumer = STR("xapi");
	f->consumer_here = true;
	f->delivered_s = 40;
	f->consumer = (struct proc){.pid = 812, .state = 'S', .comm = "xapi"};
}
SET(just_taken)
{
	taken(f, m, q);
	f->delivered_s = 0.2;
}
SET(taken_stopped)
{
	taken(f, m, q);
	f->consumer.state = 'T';
}
SET(taken_and_full)
{
	taken(f, m, q);
	f->full = "/x";
}
SET(taken_and_gone)
{
	taken(f, m, q);
	f->consumer_here = false;
	m->consumer = STR("(gone)");
}
SET(answered)
{
	taken(f, m, q);
	m->answered = true;
}
SET(abandoned)
{
	taken(f, m, q);
	f->caller = CALLER_GONE;
	f->caller_name = STR("cli:9");
}
SET(script)
{
	taken(f, m, q);
	f->script_state = "running";
	f->script = "Volume.create";
	f->script_pid = 4711;
	f->script_s = 192;
	f->process = (struct proc){.pid = 4711, .state = 'R', .cpu_s = 150};
}
SET(hung)
{
	script(f, m, q);
	f->process.state = 'S';
	f->process.cpu_s = 0.1;
	strcpy(f->process.wchan, "pipe_read");
}
SET(in_d)
{
	script(f, m, q);
	f->process.state = 'D';
	strcpy(f->process.wchan, "nfs_wait");
}
SET(child_in_d)
{
	in_d(f, m, q);
	f->process.pid = 4800;
	strcpy(f->process.comm, "mount");
}
SET(script_stopped)
{
	script(f, m, q);
	f->process.state = 'T';
}
SET(turn)
{
	script(f, m, q);
	f->script_state = "waiting";
	f->running = 4;
}
SET(replying)
{
	script(f, m, q);
	f->script_state = "replying";
}
SET(replying_full)
{
	replying(f, m, q);
	f->full = "/x";
}
SET(between)
{
	script(f, m, q);
	f->script_pid = 0;
}
SET(reply_left)
{
	m->reply = true;
	m->re_queue = STR("zfs");
	m->re_id = 17;
}
SET(reply_waits)
{
	reply_left(f, m, q);
	q->consumers = 1;
}

static const struct row rows[] = {
    {"leaving", WHY_LEAVING, "being removed", leaving},
    {"held", WHY_HELD, "by an operator 3m12s ago (pid 7)", held},
    {"poison", WHY_POISON, "ended its consumer", poison},
    {"reboot", WHY_REBOOT, "since the reboot", reboot},
    {"offline", WHY_NO_BROKER, "no broker runs", offline},
    {"paused", WHY_PAUSED, "delivery of zfs is paused", paused},
    {"full disk", WHY_DISK, "/var/lib/xmsg has no room", full},
    {"no plugin", WHY_NO_PLUGIN, "not loaded: it has no Plugin.Q", plugin},
    {"nobody ever", WHY_NO_CONSUMER, "no consumer on zfs: nobody", nobody},
    {"queue not known", WHY_NO_CONSUMER, "no consumer on zfs", no_queue},
    {"went away", WHY_CONSUMER_DEAD, "went away 4m00s ago", went},
    {"parked", WHY_NOTHING, "about to be delivered", parked},
    {"busy", WHY_CONSUMER_SLOW, "busy with 3 other messages", busy},
    {"stopped", WHY_CONSUMER_STOPPED, "(pid 5, x) is stopped", stopped},
    {"taken", WHY_CONSUMER_SLOW,
	"consumer xapi (pid 812, xapi) received it 40s ago and has not ack",
	taken},
    {"just taken", WHY_NOTHING, "received it 0.2s ago", just_taken},
    {"taken, stopped", WHY_CONSUMER_STOPPED, "(state T)", taken_stopped},
    {"taken, full", WHY_DISK, "disk is full", taken_and_full},
    {"taken, gone", WHY_CONSUMER_DEAD, "its consumer (pid 812", taken_and_gone},
    {"answered", WHY_ANSWERED, "it has its answer", answered},
    {"abandoned", WHY_CALLER_GONE, "its caller cli:9 is gone", abandoned},
    {"script", WHY_SCRIPT,
	"script Volume.create (pid 4711) has been running for 3m12s", script},
    {"hung", WHY_SCRIPT_HUNG, "hangs: 0.1s of processor time, it waits in pipe",
	hung},
    {"in D", WHY_SCRIPT_D, "uninterruptibly (state D) in nfs_wait", in_d},
    {"child in D", WHY_SCRIPT_D, "its process 4800 (mount)", child_in_d},
    {"script stopped", WHY_SCRIPT_HUNG, "(state T)", script_stopped},
    {"turn", WHY_TURN, "waits for its turn", turn},
    {"replying", WHY_SCRIPT_DONE, "reply is on its way", replying},
    {"replying, full", WHY_DISK, "script has ended, but the disk",
	replying_full},
    {"between", WHY_SCRIPT, "between two scripts", between},
    {"reply left", WHY_CALLER_GONE, "the answer to zfs:17 has not been fetched",
	reply_left},
    {"reply waits", WHY_NOT_FETCHED, "not been acknowledged by its caller",
	reply_waits},
};

static void
judge(const struct row *r, enum why_cause *cause, struct buf *b)
{
	struct look_msg m = {
	    .queue = STR("zfs"), .state = STR("ready"), .id = 1, .age_s = 60};
	struct look_queue q = {.last_poll_age_s = 0};
	struct why_facts f = {.m = &m,
	    .q = &q,
	    .what = "",
	    .delivered_s = -1,
	    .held_s = -1,
	    .caller = CALLER_HERE};

	r->set(&f, &m, &q);
	*cause = why_judge(b, &f);
	buf_addc(b, '\0');
}

static void
every_cause_is_named(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT;
		enum why_cause cause;

		judge(&rows[i], &cause, &b);
		if (cause != rows[i].cause)
			fail_msg("%s: %s, not %s: %s", rows[i].name,
			    why_name(cause), why_name(rows[i].cause), b.p);
		if (strstr(b.p, rows[i].says) == NULL)
			fail_msg("%s: no \"%s\" in \"%s\"", rows[i].name,
			    rows[i].says, b.p);
		if (strchr(b.p, '\n') != NULL)
			fail_msg("%s: more than a line", rows[i].name);
		buf_fini(&b);
	}
}

static void
every_cause_has_a_row_and_a_name(void **unused)
{
	(void)unused;
	for (int c = 0; c < WHY_NCAUSES; c++) {
		bool found = false;

		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			found |= (int)rows[i].cause == c;
		if (!found || why_name((enum why_cause)c) == NULL)
			fail_msg("cause %d is not tried", c);
	}
}

/* ---- queues ---- */

struct queue_row {
	const char *name;
	enum why_cause cause;
	const char *says; /* all of it, or the front of it */
	struct why_queue w; /* but its queue, */
	struct look_queue q; /* and whether a message is in it */
};

#define XAPI 812, 'S', "xapi", "", 0

static const struct queue_row queue_rows[] = {
    {"empty", WHY_NO_CONSUMER, "empty; nobody has polled it",
	{.offline = false}, {.last_poll_age_s = -1}},
    {"left", WHY_CONSUMER_DEAD, "empty; the last consumer went away 4m00s ago",
	{.offline = false}, {.last_poll_age_s = 240}},
    {"served", WHY_NOTHING, "empty, served by xapi (pid 812, xapi) and 2 more",
	{.server = STR("xapi"), .process = {XAPI}}, {.consumers = 3}},
    {"somebody", WHY_NOTHING, "empty, served by somebody", {.offline = false},
	{.consumers = 1}},
    {"stopped", WHY_CONSUMER_STOPPED,
	"empty, served by xapi (pid 812), which is stopped",
	{.server = STR("xapi"), .process = {812, 'T', "", "", 0}},
	{.consumers = 1}},
    {"owned", WHY_NOTHING, "empty; it belongs to cli:9 and goes with it",
	{.offline = false}, {.owner = STR("cli:9"), .last_poll_age_s = 5}},
    {"no plugin", WHY_NO_PLUGIN, "empty; its plugin is not loaded: no Plugin",
	{.plugin_why = "no Plugin.Query"}, {.last_poll_age_s = -1}},
    {"paused", WHY_PAUSED, "empty; delivery is paused", {.offline = false},
	{.paused = true}},
    {"full", WHY_DISK, "empty; the disk is full: /state", {.full = "/state"},
	{.consumers = 0}},
    {"offline", WHY_NO_BROKER, "empty; no broker runs", {.offline = true},
	{.consumers = -1}},
    {"waiting", WHY_NO_CONSUMER,
	"2 messages (2 waiting); the oldest, zfs:1 SR.scan, came 1m00s ago: no "
	"consumer on zfs: nobody has polled it since the broker started; start "
	"what serves it; 'xmsg cancel zfs:1' ends it",
	{.offline = false}, {.messages = 2, .ready = 2, .last_poll_age_s = -1}},
    {"some held", WHY_CONSUMER_SLOW,
	"3 messages (2 waiting, 1 held), served by xapi (pid 812, xapi); the "
	"oldest that is not held, zfs:1 SR.scan, ",
	{.server = STR("xapi"), .process = {XAPI}},
	{.messages = 3, .ready = 2, .held = 1, .consumers = 1}},
    {"states unknown", WHY_NO_CONSUMER, "1 message; the oldest, zfs:1 SR.scan,",
	{.offline = false},
	{.messages = 1, .ready = -1, .delivered = -1, .last_poll_age_s = -1}},
};

static void
every_queue_is_explained(void **unused)
{
	struct look_msg m = {
	    .queue = STR("zfs"), .state = STR("ready"), .id = 1, .age_s = 60};

	(void)unused;
	for (size_t i = 0; i < sizeof queue_rows / sizeof *queue_rows; i++) {
		const struct queue_row *r = &queue_rows[i];
		struct why_facts f = {.m = &m,
		    .q = &r->q,
		    .what = "SR.scan",
		    .delivered_s = -1,
		    .held_s = -1};
		struct why_queue w = r->w;
		struct buf b = BUF_INIT;
		enum why_cause cause;

		w.q = &r->q;
		w.oldest = r->q.messages > 0 ? &f : NULL;
		cause = why_judge_queue(&b, &w);
		buf_addc(&b, '\0');
		if (cause != r->cause ||
		    !str_starts(str_of(b.p), str_of(r->says)))
			fail_msg("%s: %s: %s", r->name, why_name(cause), b.p);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cause_is_named),
	    cmocka_unit_test(every_cause_has_a_row_and_a_name),
	    cmocka_unit_test(every_queue_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
