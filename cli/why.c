/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The causes, in the order in which they are thought of: what keeps the message
 * from delivery first, then who has it, then who should have it.
 */
#include "why.h"

#include <string.h>

#include "text.h"
#include "units.h"

#define SLOW_S 1.0 /* younger than this, nothing is wrong yet */
#define IDLE   0.1 /* of the time on the processor: less is waiting */

static const char *const names[WHY_NCAUSES] = {
    [WHY_NOTHING] = "nothing is wrong",
    [WHY_LEAVING] = "being removed",
    [WHY_HELD] = "held by an operator",
    [WHY_POISON] = "held as poison",
    [WHY_REBOOT] = "held after a reboot",
    [WHY_PAUSED] = "queue paused",
    [WHY_NO_BROKER] = "no broker",
    [WHY_DISK] = "full disk",
    [WHY_NO_PLUGIN] = "plugin not loaded",
    [WHY_NO_CONSUMER] = "no consumer",
    [WHY_CONSUMER_DEAD] = "consumer dead",
    [WHY_CONSUMER_SLOW] = "consumer slow",
    [WHY_CONSUMER_STOPPED] = "consumer stopped",
    [WHY_ANSWERED] = "answered",
    [WHY_TURN] = "waiting for its turn",
    [WHY_SCRIPT] = "script running",
    [WHY_SCRIPT_HUNG] = "script hung",
    [WHY_SCRIPT_D] = "script in D state",
    [WHY_SCRIPT_DONE] = "script ended",
    [WHY_CALLER_GONE] = "caller gone",
    [WHY_NOT_FETCHED] = "reply not fetched",
};

/* Its name. */
const char *
why_name(enum why_cause c)
{
	return names[c];
}

static void
age(struct buf *b, double s)
{
	char text[UNITS_MAX];

	units_age(text, s);
	buf_adds(b, text);
}

/* " 3m12s ago", when it is known. */
static void
ago(struct buf *b, double s)
{
	if (s < 0)
		return;
	buf_addc(b, ' ');
	age(b, s);
	buf_adds(b, " ago");
}

/* "xapi (pid 812, xapi)" */
static void
who(struct buf *b, struct str token, const struct proc *p)
{
	if (token.n > 0)
		text_put(b, token);
	else
		buf_adds(b, "the consumer");
	if (p->pid <= 0)
		return;
	buf_addf(b, " (pid %lld", (long long)p->pid);
	if (p->comm[0] != '\0') {
		buf_adds(b, ", ");
		text_put(b, str_of(p->comm));
	}
	buf_addc(b, ')');
}

/* Where a process waits, when the kernel says. */
static void
place(struct buf *b, const struct proc *p)
{
	if (p->wchan[0] == '\0')
		return;
	buf_adds(b, " in ");
	text_put(b, str_of(p->wchan));
}

/* ---- what keeps it from delivery ---- */

static enum why_cause
held(struct buf *b, const struct why_facts *f)
{
	const struct look_msg *m = f->m;

	if (str_eq(m->reason, STR("held by an operator"))) {
		buf_adds(b, "held by an operator");
		ago(b, f->held_s);
		if (f->held_pid > 0)
			buf_addf(b, " (pid %lld)", (long long)f->held_pid);
		buf_adds(b, "; 'xmsg release' lets it go");
		return WHY_HELD;
	}
	if (m->reason.n > 0 &&
	    memmem(m->reason.p, m->reason.n, "reboot", 6) != NULL) {
		buf_adds(b,
		    "held since the reboot: it is from before, and nobody "
		    "waits for it any more; 'xmsg replay' shows whether it may "
		    "run again");
		return WHY_REBOOT;
	}
	buf_adds(b, "held");
	ago(b, f->held_s);
	buf_adds(b, ": ");
	text_put(b, f->held_text.n > 0 ? f->held_text : m->reason);
	buf_adds(b, "; 'xmsg release' tries once more, 'xmsg cancel' ends it");
	return WHY_POISON;
}

static enum why_cause
no_consumer(struct buf *b, const struct why_facts *f)
{
	const struct look_queue *q = f->q;

	if (f->plugin_why != NULL) {
		buf_adds(b, "its plugin is not loaded: ");
		text_put(b, str_of(f->plugin_why));
		return WHY_NO_PLUGIN;
	}
	buf_adds(b, "no consumer on ");
	text_put(b, f->m->queue);
	if (q == NULL || q->last_poll_age_s < 0) {
		buf_adds(b, ": nobody has polled it since the broker started");
		return WHY_NO_CONSUMER;
	}
	buf_adds(b, ": the last one went away ");
	age(b, q->last_poll_age_s);
	buf_adds(b, " ago");
	return WHY_CONSUMER_DEAD;
}

static enum why_cause
disk(struct buf *b, const struct why_facts *f)
{
	buf_adds(b, "the disk is full: ");
	text_put(b, str_of(f->full));
	buf_adds(b, " has no room, so nothing can be published or answered");
	return WHY_DISK;
}

/* A consumer that does not come for it. */
static enum why_cause
not_taken(struct buf *b, const struct why_facts *f)
{
	const struct look_queue *q = f->q;

	if (f->consumer.state == 'T') {
		who(b, STR("consumer"), &f->consumer);
		buf_adds(b, " is stopped; SIGCONT lets it go on");
		return WHY_CONSUMER_STOPPED;
	}
	if (q->parked > 0 || f->m->age_s < SLOW_S) {
		buf_adds(b, "nothing is wrong: it is ");
		age(b, f->m->age_s);
		buf_adds(b, " old and is about to be delivered");
		return WHY_NOTHING;
	}
	who(b, STR("consumer"), &f->consumer);
	buf_adds(b, " has not polled for ");
	age(b, f->m->age_s);
	if (q->delivered > 0)
		buf_addf(b, ": it is busy with %lld other message%s",
		    (long long)q->delivered, q->delivered == 1 ? "" : "s");
	return WHY_CONSUMER_SLOW;
}

static enum why_cause
ready(struct buf *b, const struct why_facts *f)
{
	if (f->full != NULL)
		return disk(b, f);
	if (f->q == NULL || f->q->consumers == 0)
		return no_consumer(b, f);
	return not_taken(b, f);
}

/* ---- who has it ---- */

static enum why_cause
running(struct buf *b, const struct why_facts *f)
{
	const struct proc *p = &f->process;
	bool idle = p->state != 0 && p->cpu_s < IDLE * f->script_s;

	buf_adds(b, "script ");
	text_put(b, str_of(f->script));
	buf_addf(
	    b, " (pid %lld) has been running for ", (long long)f->script_pid);
	age(b, f->script_s);
	if (p->state == 'D') {
		if (p->pid != f->script_pid)
			buf_addf(b, ": its process %lld (%s)",
			    (long long)p->pid, p->comm);
		buf_adds(
		    b, " and waits for the kernel, uninterruptibly (state D)");
		place(b, p);
		return WHY_SCRIPT_D;
	}
	if (p->state == 'T') {
		buf_adds(b, " and is stopped (state T)");
		return WHY_SCRIPT_HUNG;
	}
	if (!idle || f->script_s < SLOW_S)
		return WHY_SCRIPT;
	buf_addf(b, " and hangs: %.1fs of processor time, it waits", p->cpu_s);
	place(b, p);
	return WHY_SCRIPT_HUNG;
}

static enum why_cause
in_adapter(struct buf *b, const struct why_facts *f)
{
	if (strcmp(f->script_state, "waiting") == 0) {
		buf_adds(b, "waits for its turn in the storage adapter for ");
		age(b, f->script_s);
		buf_addf(b, ": %lld call%s running", (long long)f->running,
		    f->running == 1 ? " is" : "s are");
		return WHY_TURN;
	}
	if (strcmp(f->script_state, "replying") == 0) {
		buf_adds(b,
		    f->full ? "its script has ended, but "
			    : "its script has ended, the reply is on "
			      "its way");
		return f->full ? disk(b, f) : WHY_SCRIPT_DONE;
	}
	if (f->script_pid > 0)
		return running(b, f);
	buf_adds(b, "the storage adapter has worked on it for ");
	age(b, f->script_s);
	buf_adds(b, ", between two scripts");
	return WHY_SCRIPT;
}

/* It was delivered, and that is all. */
static enum why_cause
delivered(struct buf *b, const struct why_facts *f)
{
	const struct look_msg *m = f->m;
	bool gone = !f->consumer_here;

	if (gone) {
		who(b,
		    str_eq(m->consumer, STR("(gone)")) ? STR("its consumer")
						       : m->consumer,
		    &f->consumer);
		buf_adds(b, " received it");
		ago(b, f->delivered_s);
		buf_adds(b, " and is gone");
		if (f->q != NULL && f->q->consumers == 0)
			buf_adds(b, "; nobody else polls the queue");
		return WHY_CONSUMER_DEAD;
	}
	if (f->full != NULL)
		return disk(b, f);
	buf_adds(b, "consumer ");
	who(b, m->consumer, &f->consumer);
	buf_adds(b, " received it");
	ago(b, f->delivered_s);
	buf_adds(b, " and has not acknowledged it");
	if (f->consumer.state == 'T') {
		buf_adds(b, ": it is stopped (state T)");
		return WHY_CONSUMER_STOPPED;
	}
	if (f->consumer.state == 'D') {
		buf_adds(b, ": it waits for the kernel (state D)");
		place(b, &f->consumer);
	}
	return f->delivered_s >= 0 && f->delivered_s < SLOW_S
	    ? WHY_NOTHING
	    : WHY_CONSUMER_SLOW;
}

/* ---- replies ---- */

static enum why_cause
reply(struct buf *b, const struct why_facts *f)
{
	buf_adds(b, "the answer to ");
	msgid_put(b, f->m->re_queue, f->m->re_id);
	if (f->q != NULL && f->q->consumers > 0) {
		buf_adds(b, " has not been acknowledged by its caller");
		return WHY_NOT_FETCHED;
	}
	buf_adds(b, " has not been fetched: its caller is gone");
	return WHY_CALLER_GONE;
}

/* The main cause. */
static enum why_cause
judge(struct buf *b, const struct why_facts *f)
{
	const struct look_msg *m = f->m;

	if (str_eq(m->state, STR("leaving"))) {
		buf_adds(b, "it is being removed at this moment");
		return WHY_LEAVING;
	}
	if (str_eq(m->state, STR("held")))
		return held(b, f);
	if (f->offline) {
		buf_adds(b,
		    "no broker runs: nothing is delivered until it is "
		    "started");
		return WHY_NO_BROKER;
	}
	if (m->reply)
		return reply(b, f);
	if (m->answered) {
		buf_adds(b,
		    "it has its answer; its consumer has not "
		    "acknowledged it");
		return WHY_ANSWERED;
	}
	if (f->script_state != NULL)
		return in_adapter(b, f);
	if (f->q != NULL && f->q->paused) {
		buf_adds(b, "delivery of ");
		text_put(b, m->queue);
		buf_adds(b, " is paused; 'xmsg resume' lets it go on");
		return WHY_PAUSED;
	}
	return str_eq(m->state, STR("delivered")) ? delivered(b, f)
						  : ready(b, f);
}

/* The sentence. */
enum why_cause
why_judge(struct buf *b, const struct why_facts *f)
{
	enum why_cause cause = judge(b, f);
	bool working = cause == WHY_NOTHING || cause == WHY_CONSUMER_SLOW;

	if (f->m->reply || f->offline || f->caller != CALLER_GONE ||
	    cause == WHY_LEAVING || cause == WHY_ANSWERED)
		return cause;
	if (cause == WHY_REBOOT) /* said so */
		return cause;
	buf_adds(b, "; its caller ");
	text_put(b, f->caller_name);
	buf_adds(b, " is gone, nobody waits for the answer");
	return working ? WHY_CALLER_GONE : cause;
}

/* ---- queues ---- */

/* "3 messages (1 in hand, 2 held)" */
static void
contents(struct buf *b, const struct look_queue *q)
{
	const struct {
		int64_t n;
		const char *word;
	} parts[] = {
	    {q->delivered, "in hand"},
	    {q->ready, "waiting"},
	    {q->held, "held"},
	};
	const char *between = " (";

	buf_addf(b, "%lld message%s", (long long)q->messages,
	    q->messages == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].n <= 0)
			continue;
		buf_addf(b, "%s%lld %s", between, (long long)parts[i].n,
		    parts[i].word);
		between = ", ";
	}
	if (between[0] == ',')
		buf_addc(b, ')');
}

/* Who polls it. */
static void
served(struct buf *b, const struct why_queue *w)
{
	if (w->q->consumers <= 0)
		return;
	buf_adds(b, ", served by ");
	who(b, w->server.n > 0 ? w->server : STR("somebody"), &w->process);
	if (w->q->consumers > 1)
		buf_addf(b, " and %lld more", (long long)w->q->consumers - 1);
}

/* It is empty and nobody polls it. */
static enum why_cause
idle(struct buf *b, const struct why_queue *w)
{
	const struct look_queue *q = w->q;

	if (q->owner.n > 0) {
		buf_adds(b, "; it belongs to ");
		text_put(b, q->owner);
		buf_adds(b, " and goes with it");
		return WHY_NOTHING;
	}
	if (w->plugin_why != NULL) {
		buf_adds(b, "; its plugin is not loaded: ");
		text_put(b, str_of(w->plugin_why));
		return WHY_NO_PLUGIN;
	}
	if (q->last_poll_age_s < 0) {
		buf_adds(b, "; nobody has polled it since the broker started");
		return WHY_NO_CONSUMER;
	}
	buf_adds(b, "; the last consumer went away ");
	age(b, q->last_poll_age_s);
	buf_adds(b, " ago");
	return WHY_CONSUMER_DEAD;
}

static enum why_cause
empty(struct buf *b, const struct why_queue *w)
{
	buf_adds(b, "empty");
	if (w->offline) {
		buf_adds(b, "; no broker runs");
		return WHY_NO_BROKER;
	}
	served(b, w);
	if (w->q->paused) {
		buf_adds(
		    b, "; delivery is paused, 'xmsg resume' lets it go on");
		return WHY_PAUSED;
	}
	if (w->full != NULL) {
		buf_adds(b, "; the disk is full: ");
		text_put(b, str_of(w->full));
		return WHY_DISK;
	}
	if (w->q->consumers <= 0)
		return idle(b, w);
	if (w->process.state == 'T') {
		buf_adds(b, ", which is stopped; SIGCONT lets it go on");
		return WHY_CONSUMER_STOPPED;
	}
	return WHY_NOTHING;
}

/* What can be done, where the sentence has not said it. */
static void
advice(struct buf *b, enum why_cause cause, const struct look_msg *m)
{
	static const struct {
		const char *before, *behind;
	} words[WHY_NCAUSES] = {
	    [WHY_NO_CONSUMER] = {"start what serves it; 'xmsg cancel ",
		"' ends it"},
	    [WHY_CONSUMER_DEAD] = {"start what serves it; 'xmsg cancel ",
		"' ends it"},
	    [WHY_CONSUMER_SLOW] = {"'xmsg requeue ", "' hands it out again"},
	    [WHY_SCRIPT_HUNG] = {"'xmsg cancel --kill ", "' ends it"},
	    [WHY_SCRIPT_D] = {"'xmsg cancel --kill ", "' ends it"},
	};

	if (words[cause].before == NULL)
		return;
	buf_adds(b, "; ");
	buf_adds(b, words[cause].before);
	msgid_put(b, m->queue, m->id);
	buf_adds(b, words[cause].behind);
}

/* The sentence. */
enum why_cause
why_judge_queue(struct buf *b, const struct why_queue *w)
{
	const struct look_queue *q = w->q;
	const struct look_msg *m;
	enum why_cause cause;

	if (w->oldest == NULL)
		return empty(b, w);
	m = w->oldest->m;
	contents(b, q);
	served(b, w);
	buf_adds(b, "; the oldest");
	if (q->held > 0 && !str_eq(m->state, STR("held")))
		buf_adds(b, " that is not held");
	buf_adds(b, ", ");
	msgid_put(b, m->queue, m->id);
	if (w->oldest->what[0] != '\0') {
		buf_addc(b, ' ');
		text_put(b, str_of(w->oldest->what));
	}
	buf_adds(b, ", came ");
	age(b, m->age_s);
	buf_adds(b, " ago: ");
	cause = why_judge(b, w->oldest);
	if (!m->reply)
		advice(b, cause, m);
	return cause;
}
