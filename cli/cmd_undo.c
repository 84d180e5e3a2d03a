/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* undo: put back what the last cancel, purge or ack of an operator removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "text.h"
#include "xalloc.h"

#define PAGE 1000

static const struct opt opts[] = {
    {"list", 'l', OPT_FLAG, NULL, "what can be put back", NULL},
    {"dry-run", 0, OPT_FLAG, NULL, "say what would be done", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { U_ACT, U_WHY, U_REF, U_QUEUE, U_ID, U_WHAT, U_TIME, U_SIZE, U_TEXT };

static const struct col cols[] = {
    [U_ACT] = {"act", "ACT", COL_INT, false, "what went together"},
    [U_WHY] = {"kind", "KIND", COL_TEXT, false, "cancelled, purged or deleted"},
    [U_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [U_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue it was in"},
    [U_ID] = {"id", "NUMBER", COL_INT, true, "number of the message"},
    [U_WHAT] = {"what", "WHAT", COL_TEXT, false, "method of a call"},
    [U_TIME] = {"removed", "REMOVED", COL_TIME, false, "when"},
    [U_SIZE] = {"size", "SIZE", COL_SIZE, true, "bytes of payload"},
    [U_TEXT] = {"text", "BY", COL_TEXT, false, "who, and why"},
};

/* Every removed message of an act (0: of all). */
static int
each(struct cli *c, int64_t act,
    void (*fn)(struct cli *, const json_t *, void *), void *arg)
{
	int64_t after = -1;
	int rc = 0;

	while (rc == 0 && after != -2) {
		struct buf t = BUF_INIT;
		json_t *j = NULL, *m;

		ask_path(&t, "removed");
		buf_addf(&t, "?limit=%d&after=%lld", PAGE, (long long)after);
		if (act > 0)
			buf_addf(&t, "&act=%lld", (long long)act);
		c->start_ns = clock_mono_ns();
		rc = ask(c, "GET", &t, STR(""), &j);
		buf_fini(&t);
		for (size_t i = 0; (m = ask_item(j, "removed", i)); i++)
			fn(c, m, arg);
		after = ask_int(j, "next", -2);
		json_decref(j);
	}
	return rc;
}

static void
put(struct cli *c, const json_t *m, void *arg)
{
	struct out *o = &c->out;
	struct buf ref = BUF_INIT;
	struct str queue = ask_str(m, "queue");
	int64_t *count = arg;

	(*count)++;
	buf_add(&ref, queue.p, queue.n);
	buf_addf(&ref, ":%lld", (long long)ask_int(m, "id", -1));
	out_int(o, U_ACT, ask_int(m, "act", -1));
	out_text(o, U_WHY, ask_str(m, "why"));
	out_text(o, U_REF, (struct str){ref.p, ref.n});
	out_text(o, U_QUEUE, queue);
	out_int(o, U_ID, ask_int(m, "id", -1));
	out_text(o, U_WHAT, ask_str(m, "method"));
	out_real(o, U_TIME, ask_real(m, "removed", 0));
	out_int(o, U_SIZE, ask_int(m, "size", -1));
	out_text(o, U_TEXT, ask_str(m, "text"));
	out_row(o);
	buf_fini(&ref);
}

static int
list(struct cli *c, int64_t act)
{
	int64_t count = 0;
	int rc = out_table(&c->out, "removed", cols, sizeof cols / sizeof *cols,
		     &c->why) == -1
	    ? CLI_USAGE
	    : 0;

	if (rc == 0)
		rc = each(c, act, put, &count);
	out_end(&c->out);
	return rc == 0 && count == 0 ? cli_none(c, "act to undo") : rc;
}

/* The last act, how much it was, and where from. */
struct last {
	int64_t act, messages;
	char **queues;
	size_t nqueues;
};

static void
forget_queues(struct last *l)
{
	while (l->nqueues > 0)
		free(l->queues[--l->nqueues]);
	free(l->queues);
	l->queues = NULL;
}

/* Messages of a purge come queue by queue. */
static void
note_queue(struct last *l, struct str queue)
{
	if (l->nqueues > 0 && str_eq(queue, str_of(l->queues[l->nqueues - 1])))
		return;
	l->queues = xreallocarray(l->queues, l->nqueues + 1, sizeof *l->queues);
	l->queues[l->nqueues++] = xstrndup(queue.p ? queue.p : "", queue.n);
}

static void
find_last(struct cli *c, const json_t *m, void *arg)
{
	struct last *l = arg;
	int64_t act = ask_int(m, "act", 0);

	(void)c;
	if (act > l->act) {
		forget_queues(l);
		l->act = act;
		l->messages = 0;
	}
	if (act != l->act)
		return;
	l->messages++;
	note_queue(l, ask_str(m, "queue"));
}

/* Look at a queue, or make it. */
static int
ask_queue(struct cli *c, const char *method, const char *name)
{
	struct buf t = BUF_INIT;
	int rc;

	ask_path(&t, "queues", name);
	rc = ask(c, method, &t, STR(""), NULL);
	buf_fini(&t);
	return rc;
}

/* Make the queues that are gone: the messages need somewhere to go. */
static int
make_queues(struct cli *c, const struct last *l)
{
	int rc = 0;

	for (size_t i = 0; i < l->nqueues && rc == 0; i++) {
		rc = ask_queue(c, "GET", l->queues[i]);
		if (rc != CLI_NONE)
			continue;
		c->why.text[0] = '\0'; /* that is what we wanted to know */
		rc = ask_queue(c, "PUT", l->queues[i]);
		if (rc == 0)
			cli_say(c, "made the queue %s again", l->queues[i]);
	}
	return rc;
}

/* ---- */

enum { R_ACT, R_MESSAGES, R_FAILED, R_DONE };

static const struct col restore_cols[] = {
    [R_ACT] = {"act", "ACT", COL_INT, false, "what was undone"},
    [R_MESSAGES] = {"messages", "MESSAGES", COL_INT, false,
	"that are back, or would be"},
    [R_FAILED] = {"failed", "FAILED", COL_INT, false,
	"that are not: their queue is gone"},
    [R_DONE] = {"done", "DONE", COL_BOOL, false, "false: a dry run"},
};

static void
report(struct cli *c, int64_t act, int64_t messages, int64_t failed, bool done)
{
	if (c->json) {
		out_int(&c->out, R_ACT, act);
		out_int(&c->out, R_MESSAGES, messages);
		out_int(&c->out, R_FAILED, failed);
		out_int(&c->out, R_DONE, done);
		out_row(&c->out);
		return;
	}
	if (c->quiet)
		return;
	buf_addf(out_buf(&c->out), "%s act %lld: %lld message%s%s",
	    done ? "undid" : "would undo", (long long)act, (long long)messages,
	    messages == 1 ? "" : "s", done ? " back" : "");
	if (failed > 0)
		buf_addf(out_buf(&c->out),
		    ", %lld not: make their queue first, then undo again",
		    (long long)failed);
	out_line(&c->out, false);
}

/* Put back. */
static int
restore(struct cli *c, const struct last *l)
{
	struct buf t = BUF_INIT, body = BUF_INIT;
	json_t *j = NULL;
	int64_t failed;
	int rc;

	if (opts_has(&c->opts, "dry-run")) {
		report(c, l->act, l->messages, 0, false);
		return 0;
	}
	rc = make_queues(c, l);
	if (rc != 0)
		return rc;
	buf_addf(&body, "{\"act\":%lld}", (long long)l->act);
	ask_path(&t, "removed", "restore");
	c->start_ns = clock_mono_ns();
	rc = ask_wait(c, "POST", &t, (struct str){body.p, body.n},
	    ask_bulk_ms(l->messages), &j);
	buf_fini(&t);
	buf_fini(&body);
	failed = ask_int(j, "failed", 0);
	if (rc == 0) {
		report(c, l->act, ask_int(j, "messages", 0), failed, true);
		rc = failed > 0 || !ask_int(j, "complete", 1) ? CLI_PART : 0;
	}
	json_decref(j);
	return rc;
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct last l = {0, 0, NULL, 0};
	int64_t act = 0;
	int rc;

	if (argc > 0 &&
	    (sscanf(argv[0], "%ld", &act) != 1 || act <= 0 ||
		strspn(argv[0], "0123456789") != strlen(argv[0])))
		return cli_usage(
		    c, "'%s' is not the number of an act", argv[0]);
	if (opts_has(&c->opts, "list"))
		return cli_fail(c, list(c, act));
	if (out_table(&c->out, "undone", restore_cols, 4, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = each(c, act, find_last, &l);
	if (rc == 0 && l.messages == 0) {
		(void)err_set(&c->why, 1,
		    act > 0 ? "nothing of act %ld can be put back (any more);"
			      " see 'xmsg undo --list'"
			    : "there is nothing to undo",
		    act);
		rc = CLI_NONE;
	}
	if (rc == 0)
		rc = restore(c, &l);
	forget_queues(&l);
	out_end(&c->out);
	return cli_fail(c, rc);
}

/* The acts there are, each once. */
static void
offer_act(struct cli *c, const json_t *m, void *arg)
{
	int64_t act = ask_int(m, "act", 0), *last = arg;
	char number[24];

	if (act == *last)
		return;
	*last = act;
	snprintf(number, sizeof number, "%lld", (long long)act);
	cmd_offer(c, str_of(number), ask_str(m, "why").p);
}

static void
complete(struct cli *c, int n, char **operands)
{
	int64_t last = 0;

	(void)operands;
	if (n == 1 && each(c, 0, offer_act, &last) != 0)
		return; /* nothing to offer then */
}

const struct cmd cmd_undo = {
    .name = "undo",
    .args = "[ACT]",
    .help = "Put back what the last cancel, purge or ack removed",
    .min = 0,
    .max = 1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
