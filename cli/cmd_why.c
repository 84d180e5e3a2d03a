/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* why: what is known of a message or a queue, said in one sentence. */
#include <string.h>

#include "adapter.h"
#include "cmd.h"
#include "msgs.h"
#include "text.h"
#include "why_look.h"

#define INDENT 4 /* of what goes on in the next line */

enum { W_REF, W_QUEUE, W_ID, W_WHAT, W_CAUSE, W_TEXT, W_PID };

static const struct col cols[] = {
    [W_REF] = {"ref", "ID", COL_TEXT, false,
	"QUEUE:ID of the message, or QUEUE"},
    [W_QUEUE] = {"queue", "QUEUE", COL_TEXT, false,
	"the queue, or that it is in"},
    [W_ID] = {"id", "NUMBER", COL_INT, false,
	"number of the message; null: a queue"},
    [W_WHAT] = {"what", "WHAT", COL_TEXT, false, "method of a call"},
    [W_CAUSE] = {"cause", "CAUSE", COL_TEXT, false, "in a word or two"},
    [W_TEXT] = {"text", "TEXT", COL_TEXT, false, "the sentence"},
    [W_PID] = {"pid", "PID", COL_INT, false, "process that it is about"},
};

static const struct opt opts[] = {
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* One explanation: a line for people, an object for programs. */
static void
report(struct cli *c, const struct look_msg *m, const char *what,
    enum why_cause cause, struct str text, int64_t pid)
{
	struct out *o = &c->out;
	size_t from = out_buf(o)->n;
	struct buf ref = BUF_INIT;

	buf_add(&ref, m->queue.p, m->queue.n);
	if (m->id >= 0)
		buf_addf(&ref, ":%lld", (long long)m->id);
	if (!c->json) {
		text_put(out_buf(o), (struct str){ref.p, ref.n});
		if (what[0] != '\0') {
			buf_addc(out_buf(o), ' ');
			text_put(out_buf(o), str_of(what));
		}
		buf_adds(out_buf(o), ": ");
		buf_add(out_buf(o), text.p, text.n);
		out_fold(o, from, INDENT);
		out_line(o, false);
	} else {
		out_text(o, W_REF, (struct str){ref.p, ref.n});
		out_text(o, W_QUEUE, m->queue);
		if (m->id >= 0)
			out_int(o, W_ID, m->id);
		if (what[0] != '\0')
			out_text(o, W_WHAT, str_of(what));
		out_text(o, W_CAUSE, str_of(why_name(cause)));
		out_text(o, W_TEXT, text);
		if (pid > 0)
			out_int(o, W_PID, pid);
		out_row(o);
	}
	buf_fini(&ref);
}

/* The process that a message's sentence is about. */
static int64_t
process_of(const struct gather *g)
{
	return g->f.script_pid > 0 ? g->f.process.pid : g->f.consumer.pid;
}

static int
message(struct cli *c, const char *queue, int64_t id)
{
	struct buf text = BUF_INIT;
	enum why_cause cause;
	struct gather g;
	int rc = why_look(&g, c, queue, id);

	if (rc == 0) {
		cause = why_judge(&text, &g.f);
		report(c, &g.m, g.what, cause, (struct str){text.p, text.n},
		    process_of(&g));
	} else if (c->why.text[0] != '\0') {
		(void)err_prefix(&c->why, "%s:%lld", queue, (long long)id);
	}
	buf_fini(&text);
	why_forget(&g);
	return rc;
}

static int
queue(struct cli *c, const char *name)
{
	struct look_msg whole = {.queue = str_of(name), .id = -1};
	struct buf text = BUF_INIT;
	enum why_cause cause;
	struct why_queue w;
	struct gather g;
	int rc = why_look_queue(&g, c, name, &w);

	if (rc == 0) {
		cause = why_judge_queue(&text, &w);
		report(c, &whole, "", cause, (struct str){text.p, text.n},
		    w.oldest != NULL ? process_of(&g) : w.process.pid);
	} else if (c->why.text[0] != '\0') {
		(void)err_prefix(&c->why, "%s", name);
	}
	buf_fini(&text);
	why_forget(&g);
	return rc;
}

/* QUEUE:ID, or a queue; both may stand in front of a line of a listing. */
static int
one(struct cli *c, const char *word)
{
	size_t n = strcspn(word, " \t");
	struct msgid m;
	char name[256];
	int rc;

	if (msgid_parse(&m, str_of(word)) ||
	    msgid_parse(&m, (struct str){word, n})) {
		if (m.queue.n >= sizeof name)
			return cli_usage(
			    c, "the name in '%s' is too long", word);
		memcpy(name, m.queue.p, m.queue.n);
		name[m.queue.n] = '\0';
		return cli_fail(c, message(c, name, m.id));
	}
	rc = queue(c, word);
	if (rc == CLI_NONE && word[n] != '\0' && n < sizeof name) {
		memcpy(name, word, n);
		name[n] = '\0';
		rc = queue(c, name);
	}
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (out_table(&c->out, "why", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, one);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_why = {
    .name = "why",
    .args = "QUEUE[:ID]... | -",
    .help = "Say in a sentence why a message, or a queue, is stuck",
    .flags = CMD_READS,
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
