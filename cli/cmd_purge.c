/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* purge: empty queues, or take out of them what is chosen; pause and resume. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "act.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "text.h"
#include "xalloc.h"

/* ---- purge ---- */

static const struct opt opts[] = {
    {"reason", 'r', OPT_TEXT, "TEXT", "why, for callers and the record",
	"reply-error"},
    {"all-queues", 0, OPT_FLAG, NULL, "yes, '*' means all of them", NULL},
    ACT_OPTS,
    SELECT_OPTS,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { P_NAME, P_MESSAGES, P_REPLIED, P_SKIPPED, P_ACT, P_DONE };

static const struct col cols[] = {
    [P_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [P_MESSAGES] = {"messages", "MESSAGES", COL_INT, false,
	"messages that were, or would be, removed"},
    [P_REPLIED] = {"replied", "REPLIED", COL_INT, false,
	"callers that got a failure"},
    [P_SKIPPED] = {"skipped", "SKIPPED", COL_INT, false,
	"those that were just leaving"},
    [P_ACT] = {"act", "ACT", COL_INT, false, "number for undo"},
    [P_DONE] = {"done", "DONE", COL_BOOL, false, "false: a dry run"},
};

/* One queue of the purge. */
struct purged {
	const char *name;
	int64_t messages, replied, skipped, act;
	bool done;
};

static void
report(struct cli *c, const struct purged *p)
{
	struct buf *b = out_buf(&c->out);

	if (c->json) {
		out_text(&c->out, P_NAME, str_of(p->name));
		out_int(&c->out, P_MESSAGES, p->messages);
		out_int(&c->out, P_REPLIED, p->replied);
		out_int(&c->out, P_SKIPPED, p->skipped);
		if (p->act >= 0)
			out_int(&c->out, P_ACT, p->act);
		out_int(&c->out, P_DONE, p->done);
		out_row(&c->out);
		return;
	}
	if (c->quiet)
		return;
	buf_adds(b, p->done ? "purged " : "would purge ");
	text_put(b, str_of(p->name));
	buf_addf(b, ": %lld message%s", (long long)p->messages,
	    p->messages == 1 ? "" : "s");
	if (p->done)
		buf_addf(b, ", %lld caller%s told", (long long)p->replied,
		    p->replied == 1 ? "" : "s");
	if (p->skipped > 0)
		buf_addf(
		    b, ", %lld were leaving already", (long long)p->skipped);
	if (p->act >= 0)
		buf_addf(
		    b, "; 'xmsg undo %lld' puts them back", (long long)p->act);
	out_line(&c->out, false);
}

/* What the broker is asked to remove: no more than what was shown. */
static char *
body_of(struct cli *c, const struct selector *s, int64_t count)
{
	json_t *o = json_pack("{sI}", "limit", (json_int_t)count);
	const char *reason = opts_text(&c->opts, "reason", NULL);
	char *text;

	if (s->filter.state != NULL)
		json_object_set_new(o, "state", json_string(s->filter.state));
	if (s->filter.method != NULL)
		json_object_set_new(o, "method", json_string(s->filter.method));
	if (s->filter.older_s > 0)
		json_object_set_new(
		    o, "older", json_integer(s->filter.older_s));
	if (reason != NULL)
		json_object_set_new(o, "reason", json_string(reason));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

/* One queue, by the broker. */
static int
purge_queue(struct cli *c, const struct selector *s, struct purged *p)
{
	struct buf t = BUF_INIT;
	char *body = body_of(c, s, p->messages);
	json_t *j = NULL;
	int rc;

	if (body == NULL)
		return cli_usage(c, "the reason is no UTF-8");
	c->start_ns = clock_mono_ns();
	ask_path(&t, "queues", p->name, "purge");
	rc =
	    ask_wait(c, "POST", &t, str_of(body), ask_bulk_ms(p->messages), &j);
	buf_fini(&t);
	free(body);
	if (rc == 0) {
		p->done = true;
		p->messages = ask_int(j, "messages", 0);
		p->replied = ask_int(j, "replied", 0);
		p->skipped = ask_int(j, "skipped", 0);
		p->act = ask_int(j, "act", -1);
		report(c, p);
		if (!ask_int(j, "complete", 1)) {
			(void)err_set(&c->why, 1,
			    "%s: not all: the store "
			    "failed; see the log of xmsgd",
			    p->name);
			rc = CLI_PART;
		}
	} else {
		(void)err_prefix(&c->why, "%s", p->name);
	}
	json_decref(j);
	return cli_fail(c, rc);
}

/* Messages of one queue that only we can tell from the others. */
static int
purge_each(struct cli *c, const struct chosen_list *l, struct purged *p)
{
	struct buf body = BUF_INIT;
	int rc = 0, bad = 0;

	act_reason(&body, opts_text(&c->opts, "reason", NULL));
	p->messages = 0;
	for (size_t i = 0; i < l->n && rc != CLI_DEAD; i++) {
		struct acted r = {{NULL, 0}, -1, -1};

		c->start_ns = clock_mono_ns();
		rc = act_post(
		    c, &l->v[i], "cancel", (struct str){body.p, body.n}, &r);
		p->messages += rc == 0;
		p->replied += rc == 0 && r.reply_queue.p != NULL;
		p->skipped += rc == CLI_NONE; /* it went by itself */
		if (rc != 0 && rc != CLI_NONE)
			bad = cli_fail(c, rc);
		free((char *)(uintptr_t)r.reply_queue.p);
	}
	c->why.text[0] = '\0';
	p->done = true;
	report(c, p);
	buf_fini(&body);
	return bad;
}

/* How many of the list, from i on, are of the same queue. */
static size_t
run_of(const struct chosen_list *l, size_t i)
{
	size_t k = i;

	while (k < l->n && strcmp(l->v[k].queue, l->v[i].queue) == 0)
		k++;
	return k - i;
}

/* All of it: by the queue when the broker can, else one by one. */
static struct tally
purge(struct cli *c, const struct selector *s, const struct chosen_list *l)
{
	bool dry = opts_has(&c->opts, "dry-run");
	struct tally t = {0, 0, 0};

	for (size_t i = 0, n; i < l->n; i += n) {
		struct chosen_list these = {l->v + i, n = run_of(l, i), 0};
		struct purged p = {
		    .name = l->v[i].queue, .messages = (int64_t)n, .act = -1};

		if (dry) {
			report(c, &p);
			tally_add(&t, 0);
		} else if (select_is_plain(s)) {
			tally_add(&t, purge_queue(c, s, &p));
		} else {
			tally_add(&t, purge_each(c, &these, &p));
		}
	}
	return t;
}

/* At least one of the operands is a queue that is not there? */
static int
must_exist(struct cli *c, int argc, char **argv)
{
	int rc = 0;

	for (int i = 0; i < argc && rc == 0; i++) {
		struct buf t = BUF_INIT;

		ask_path(&t, "queues", argv[i]);
		rc = ask(c, "GET", &t, STR(""), NULL);
		buf_fini(&t);
		if (rc != 0)
			(void)err_prefix(&c->why, "%s", argv[i]);
	}
	return rc;
}

/* A name as a glob that means only it. */
static char *
literal(const char *name)
{
	struct buf b = BUF_INIT;

	for (; *name != '\0'; name++) {
		if (strchr("*?[\\", *name) != NULL)
			buf_addc(&b, '\\');
		buf_addc(&b, *name);
	}
	buf_addc(&b, '\0');
	return buf_steal(&b, NULL);
}

/* Show it and ask.  The word to type is the queue's name. */
static int
confirm(struct cli *c, const struct chosen_list *l)
{
	struct buf q = BUF_INIT;
	bool one = run_of(l, 0) == l->n, yes;

	if (opts_has(&c->opts, "dry-run"))
		return 0;
	buf_adds(&q, "remove ");
	chosen_describe(&q, l);
	buf_addc(&q, '\0');
	yes =
	    act_confirmed(c, one ? l->v[0].queue : "yes", q.p ? q.p : "purge");
	buf_fini(&q);
	return yes ? 0 : CLI_REFUSED;
}

static int
choose_and_purge(struct cli *c, const struct selector *s, int n, char **globs)
{
	struct chosen_list l = {NULL, 0, 0};
	struct tally t = {0, 0, 0};
	int rc = select_each(c, s, globs, n, NULL, chosen_add, &l);

	if (c->dead)
		rc = CLI_DEAD;
	if (rc == 0 && l.n == 0) {
		(void)err_set(&c->why, 1, "there is nothing to purge");
		rc = CLI_NONE;
	}
	if (rc == 0)
		rc = confirm(c, &l);
	if (rc == 0)
		t = purge(c, s, &l);
	chosen_fini(&l);
	return rc != 0 ? cli_fail(c, rc) : tally_code(&t);
}

static int
run_purge(struct cli *c, int argc, char **argv)
{
	char **globs = xcalloc((size_t)argc + 1, sizeof *globs);
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc == 0 && argc == 0 && s.queue == NULL)
		rc = cli_usage(c, "which queue? Name it, or --queue GLOB");
	if (rc == 0 && s.queue != NULL && s.queue[0] != '\0' &&
	    strspn(s.queue, "*?") == strlen(s.queue) &&
	    !opts_has(&c->opts, "all-queues"))
		rc = cli_usage(c, "all queues at once only with --all-queues");
	if (rc == 0)
		rc = cli_fail(c, must_exist(c, argc, argv));
	for (int i = 0; i < argc; i++)
		globs[i] = literal(argv[i]);
	if (rc == 0 &&
	    out_table(&c->out, "purged", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		rc = cli_fail(c, CLI_USAGE);
	if (rc == 0)
		rc = choose_and_purge(c, &s, argc, globs);
	out_end(&c->out);
	for (int i = 0; i < argc; i++)
		free(globs[i]);
	free(globs);
	return rc;
}

const struct cmd cmd_purge = {
    .name = "purge",
    .alias = "clear",
    .args = "QUEUE... | SELECTORS",
    .help = "Empty queues; callers are told, and undo puts all back",
    .flags = CMD_EXACT,
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run_purge,
};

/* ---- pause and resume ---- */

enum { Q_NAME, Q_PAUSED, Q_DONE };

static const struct col pause_cols[] = {
    [Q_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [Q_PAUSED] = {"paused", "PAUSED", COL_BOOL, false,
	"true: nothing of it is handed out"},
    [Q_DONE] = {"done", "DONE", COL_BOOL, false, "false: a dry run"},
};

static const struct opt pause_opts[] = {
    {"dry-run", 0, OPT_FLAG, NULL, "say what would be done", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* One queue; what to do is the command's name. */
static int
pause_one(struct cli *c, const char *name)
{
	bool dry = opts_has(&c->opts, "dry-run");
	bool paused = strcmp(c->cmd->name, "pause") == 0;
	struct buf t = BUF_INIT, *b = out_buf(&c->out);
	int rc;

	if (dry)
		ask_path(&t, "queues", name);
	else
		ask_path(&t, "queues", name, c->cmd->name);
	rc = ask(c, dry ? "GET" : "POST", &t, STR(""), NULL);
	buf_fini(&t);
	if (rc != 0) {
		(void)err_prefix(&c->why, "%s", name);
	} else if (c->json) {
		out_text(&c->out, Q_NAME, str_of(name));
		out_int(&c->out, Q_PAUSED, paused);
		out_int(&c->out, Q_DONE, !dry);
		out_row(&c->out);
	} else if (!c->quiet) {
		buf_addf(b, "%s%s%s ", dry ? "would " : "", c->cmd->name,
		    dry ? "" : "d");
		text_put(b, str_of(name));
		out_line(&c->out, false);
	}
	return cli_fail(c, rc);
}

static int
run_pause(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (out_table(&c->out, "paused", pause_cols, 3, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, pause_one);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_pause = {
    .name = "pause",
    .args = "QUEUE... | -",
    .help = "Stop handing out messages of queues; they go on taking them",
    .min = 1,
    .max = -1,
    .opts = pause_opts,
    .run = run_pause,
};

const struct cmd cmd_resume = {
    .name = "resume",
    .args = "QUEUE... | -",
    .help = "Hand out messages of paused queues again",
    .min = 1,
    .max = -1,
    .opts = pause_opts,
    .run = run_pause,
};
