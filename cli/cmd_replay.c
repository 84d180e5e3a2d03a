/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * replay: let run again what a crash, a reboot or a poisonous delivery left.
 * The plan comes first: calls whose every script may run twice without harm, by
 * the tables of the interface definition, may go; the others wait for a person
 * who says --unsafe, or cancels them.
 */
#include <stdlib.h>
#include <string.h>

#include "../storage-adapter/call.h"
#include "act.h"
#include "cmd.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

static const struct opt opts[] = {
    {"dead", 0, OPT_FLAG, NULL, "what is held, but not by an operator", NULL},
    {"unacked", 0, OPT_FLAG, NULL, "what a consumer took and left", NULL},
    {"since", 0, OPT_SECONDS, "AGE", "published within this time", NULL},
    {"unsafe", 0, OPT_FLAG, NULL, "also calls that may do harm twice", NULL},
    ACT_OPTS,
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { P_REF, P_QUEUE, P_ID, P_WHAT, P_AGE, P_CLASS, P_PLAN, P_REASON };

static const struct col cols[] = {
    [P_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [P_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue it is in"},
    [P_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [P_WHAT] = {"what", "WHAT", COL_TEXT, false, "method of a call"},
    [P_AGE] = {"age_s", "AGE", COL_AGE, false, "since it was published"},
    [P_CLASS] = {"class", "CLASS", COL_TEXT, false,
	"may it run twice: idempotent, once, unknown"},
    [P_PLAN] = {"plan", "PLAN", COL_TEXT, false, "replay or wait"},
    [P_REASON] = {"reason", "REASON", COL_TEXT, false, "why it stands still"},
};

/* The plan under way. */
struct plan {
	struct cli *c;
	bool dead, unacked, unsafe;
	struct chosen_list go;
	size_t wait;
};

/* What the interface definition says of a method. */
static const char *
class_of(const char *method)
{
	const struct call_info *info;

	for (size_t i = 0; (info = call_at(i)) != NULL; i++)
		if (strcmp(info->name, method) == 0)
			return info->idempotent ? "idempotent" : "once";
	return "unknown";
}

static bool
is_poison(struct str reason)
{
	return reason.n > 0 && memmem(reason.p, reason.n, "consumer", 8);
}

/* Does it stand still? */
static bool
is_left(const struct plan *p, const struct look_msg *m)
{
	if (m->reply || m->answered)
		return false;
	if (str_eq(m->state, STR("held")))
		return p->dead &&
		    !str_eq(m->reason, STR("held by an operator"));
	return p->unacked && str_eq(m->state, STR("delivered")) &&
	    str_eq(m->consumer, STR("(gone)"));
}

static void
put(struct cli *c, const struct look_msg *m, const char *what,
    const char *class, bool goes)
{
	struct out *o = &c->out;
	struct buf ref = BUF_INIT;

	buf_add(&ref, m->queue.p, m->queue.n);
	buf_addf(&ref, ":%lld", (long long)m->id);
	out_text(o, P_REF, (struct str){ref.p, ref.n});
	out_text(o, P_QUEUE, m->queue);
	out_int(o, P_ID, m->id);
	out_text(o, P_WHAT, str_of(what));
	out_real(o, P_AGE, m->age_s);
	out_text(o, P_CLASS, str_of(class));
	out_text(o, P_PLAN, str_of(goes ? "replay" : "wait"));
	out_paint(o, P_PLAN, goes ? PAINT_GOOD : PAINT_WARN);
	out_text(o, P_REASON,
	    m->reason.n > 0 ? m->reason : STR("its consumer is gone"));
	out_row(o);
	buf_fini(&ref);
}

/* One message. */
static int
add(void *arg, const struct look_msg *m)
{
	struct plan *p = arg;
	char what[256];
	const char *class;
	bool goes;

	if (!is_left(p, m))
		return 0;
	select_method(what, sizeof what, m);
	class = class_of(what);
	goes = p->unsafe ||
	    (strcmp(class, "idempotent") == 0 && !is_poison(m->reason));
	put(p->c, m, what, class, goes);
	if (goes)
		(void)chosen_add(&p->go, m);
	else
		p->wait++;
	return 0;
}

/* Held messages are let go by the same: it offers any message again. */
static int
again(struct cli *c, const struct chosen *m, struct acted *r)
{
	return act_post(c, m, "requeue", STR(""), r);
}

static void
counts(struct cli *c, size_t go, size_t wait)
{
	if (c->json || c->quiet)
		return;
	buf_addf(out_buf(&c->out), "%zu to replay, %zu wait%s", go, wait,
	    wait > 0 ? " (--unsafe replays them too, cancel ends them)" : "");
	out_line(&c->out, true);
}

static const struct act replaying = {
    .verb = "replay", .done = "replayed", .one = again};

/* After the plan was shown. */
static int
carry_out(struct cli *c, struct plan *p)
{
	struct buf q = BUF_INIT;
	struct tally t;
	bool yes;

	if (opts_has(&c->opts, "dry-run") || p->go.n == 0)
		return p->go.n + p->wait > 0 ? CLI_DONE : CLI_NONE;
	buf_adds(&q, "replay ");
	chosen_describe(&q, &p->go);
	buf_addc(&q, '\0');
	yes = act_confirmed(c, "yes", q.p ? q.p : "replay");
	buf_fini(&q);
	if (!yes)
		return CLI_REFUSED;
	if (act_table(c, &replaying) == -1)
		return CLI_USAGE;
	t = act_list(c, &p->go, &replaying);
	out_end(&c->out);
	if (!c->json && !c->quiet) {
		buf_addf(out_buf(&c->out), "%d replayed", t.done);
		out_line(&c->out, false);
	}
	return tally_code(&t);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct plan p = {.c = c,
	    .dead = opts_has(&c->opts, "dead"),
	    .unacked = opts_has(&c->opts, "unacked"),
	    .unsafe = opts_has(&c->opts, "unsafe")};
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	if (!p.dead && !p.unacked)
		p.dead = p.unacked = true;
	if (opts_has(&c->opts, "since"))
		s.newer_s = (double)opts_ns(&c->opts, "since", 0) / 1e9;
	if (out_table(&c->out, "plan", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = select_each(c, &s, argv, argc, NULL, add, &p);
	out_end(&c->out);
	if (rc == 0)
		counts(c, p.go.n, p.wait);
	if (rc == 0 && !c->offline)
		rc = carry_out(c, &p);
	chosen_fini(&p.go);
	return cli_fail(c, rc);
}

const struct cmd cmd_replay = {
    .name = "replay",
    .args = "[GLOB]... [SELECTORS]",
    .help = "Let run again what a crash or a reboot left; shows the plan first",
    .flags = CMD_READS,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
};
