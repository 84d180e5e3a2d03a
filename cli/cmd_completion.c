/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * completion: a small script for the shell.  It asks xmsg itself what can stand
 * at a place (the hidden command "__complete"), so it never goes stale, and it
 * knows the queues and messages there are.
 */
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "look.h"
#include "text.h"

#define MOST  1000 /* queues or messages offered */
#define LIMIT (NS_PER_SEC) /* nobody waits longer for a Tab */

/* The scripts of packaging/completion, put into the program by the makefile. */
extern const char completion_bash[], completion_zsh[], completion_fish[];

static const struct {
	const char *name, *script;
} shells[] = {
    {"bash", completion_bash},
    {"zsh", completion_zsh},
    {"fish", completion_fish},
};

static int
run(struct cli *c, int argc, char **argv)
{
	(void)argc;
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		if (strcmp(shells[i].name, argv[0]) == 0) {
			buf_adds(out_buf(&c->out), shells[i].script);
			return CLI_DONE;
		}
	}
	return cli_usage(c, "there is no script for '%s'", argv[0]);
}

const struct cmd cmd_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .help = "Print the completion script of a shell",
    .flags = CMD_ALONE,
    .min = 1,
    .max = 1,
    .run = run,
};

/* ---- what can stand here ---- */

/* A candidate, and what it is. */
static void
offer(struct cli *c, const char *dashes, struct str word, const char *help)
{
	struct buf *b = out_buf(&c->out);

	buf_adds(b, dashes);
	text_put(b, word);
	if (help != NULL)
		buf_addf(b, "\t%s", help);
	out_line(&c->out, false);
}

/* The same for commands that know best. */
void
cmd_offer(struct cli *c, struct str word, const char *help)
{
	offer(c, "", word, help);
}

static int
offer_queue(void *arg, const struct look_queue *q)
{
	offer(arg, "", q->name, NULL);
	return 0;
}

static int
offer_message(void *arg, const struct look_msg *m)
{
	struct buf ref = BUF_INIT;

	msgid_put(&ref, m->queue, m->id);
	offer(arg, "", (struct str){ref.p, ref.n}, NULL);
	buf_fini(&ref);
	return 0;
}

/* The messages of one queue. */
static int
queue_messages(void *arg, const struct look_queue *q)
{
	char name[256];

	if (q->messages == 0 || q->name.n >= sizeof name)
		return 0;
	memcpy(name, q->name.p, q->name.n);
	name[q->name.n] = '\0';
	/* what cannot be read is not offered */
	(void)look_broker.messages(
	    arg, name, -1, MOST, false, offer_message, arg);
	return 0;
}

/* "a|b|c" */
static void
offer_words(struct cli *c, const char *words)
{
	for (const char *p = words; *p != '\0';) {
		size_t n = strcspn(p, "|");

		offer(c, "", (struct str){p, n}, NULL);
		p += n + (p[n] == '|');
	}
}

static void
offer_commands(struct cli *c)
{
	for (size_t i = 0; cmds[i] != NULL; i++)
		if (!(cmds[i]->flags & CMD_HIDDEN))
			offer(c, "", str_of(cmds[i]->name), cmds[i]->help);
}

static void
offer_options(struct cli *c, const struct opt *o)
{
	for (; o != NULL && o->name != NULL; o++)
		offer(c, "--", str_of(o->name), o->help);
}

/* Operands, by the form that the command's row gives them. */
static void
offer_operands(struct cli *c, const struct cmd *cmd, int n, char **operands)
{
	const char *word = operands[n - 1];
	const char *args = cmd->args ? cmd->args : "";
	int rc = 0;

	if (cmd->complete != NULL)
		cmd->complete(c, n, operands);
	else if (strstr(args, "COMMAND") != NULL)
		offer_commands(c);
	else if (strstr(args, "bash|") != NULL)
		offer_words(c, args);
	else if (strstr(args, "QUEUE[:ID]") != NULL &&
	    strchr(word, ':') == NULL)
		rc = look_broker.queues(c, word, offer_queue, c);
	else if (strstr(args, "QUEUE:ID") != NULL)
		rc = look_broker.queues(c, "", queue_messages, c);
	else if (strstr(args, "QUEUE") != NULL || strstr(args, "GLOB"))
		rc = look_broker.queues(c, word, offer_queue, c);
	if (rc == 0 && strstr(args, "[:ID]") != NULL)
		rc = look_broker.queues(c, "", queue_messages, c);
	(void)rc; /* nothing to offer then */
}

/* The option of this word, when its value must follow. */
static const struct opt *
wants_value(const struct cmd *cmd, const char *word)
{
	const struct opt *tables[] = {cmd_opts, cmd ? cmd->opts : NULL};

	for (size_t t = 0; t < 2; t++) {
		const struct opt *o = tables[t];

		for (; o != NULL && o->name != NULL; o++) {
			if (o->type == OPT_FLAG || o->type == OPT_MAYBE)
				continue;
			if (strncmp(word, "--", 2) == 0
				? strcmp(word + 2, o->name) == 0
				: o->letter == word[1] && word[2] == '\0')
				return o;
		}
	}
	return NULL;
}

/* What an option may be given. */
static void
offer_value(struct cli *c, const struct opt *o, const char *word)
{
	if (o->type == OPT_WORD)
		offer_words(c, o->arg);
	else if (strcmp(o->name, "queue") == 0 &&
	    look_broker.queues(c, word, offer_queue, c) != 0)
		return; /* nothing to offer then */
}

/* The words so far; the last one is being typed. */
static int
run_complete(struct cli *c, int argc, char **argv)
{
	char empty[] = "", *none[] = {empty};
	char **operands = argc > 0 ? argv : none; /* moved to its front */
	char *word = argc > 0 ? argv[argc - 1] : empty;
	int n = 0;
	const struct opt *value = NULL;
	const struct cmd *cmd = NULL;
	struct err e;

	c->limit_ns = LIMIT;
	for (int i = 0; i + 1 < argc; i++) {
		if (value != NULL)
			value = NULL;
		else if (argv[i][0] == '-')
			value = wants_value(cmd, argv[i]);
		else if (cmd == NULL)
			cmd = cmd_find(cmds, argv[i], &e);
		else
			operands[n++] = argv[i];
	}
	if (value != NULL) {
		offer_value(c, value, word);
	} else if (word[0] == '-') {
		offer_options(c, cmd ? cmd->opts : NULL);
		offer_options(c, cmd_opts);
	} else if (cmd == NULL) {
		offer_commands(c);
	} else {
		operands[n++] = word;
		offer_operands(c, cmd, n, operands);
	}
	return CLI_DONE;
}

const struct cmd cmd_complete = {
    .name = "__complete",
    .args = "-- WORD...",
    .help = "Say what can stand at the place of the last word",
    .flags = CMD_ALONE | CMD_HIDDEN | CMD_EXACT,
    .min = 0,
    .max = -1,
    .run = run_complete,
};
