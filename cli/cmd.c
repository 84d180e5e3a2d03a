/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The tables of commands; finding one; usage texts. */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

#include "pick.h"

#define MOST 64 /* commands in a table */
#define LEFT 22 /* columns of an option and its value */

/* In the order in which an operator needs them. */
const struct cmd *const cmds[] = {
    &cmd_list,
    &cmd_show,
    &cmd_why,
    &cmd_status,
    &cmd_clients,
    &cmd_stats,
    &cmd_dead,
    &cmd_log,
    &cmd_tail,
    &cmd_monitor,
    &cmd_top,
    &cmd_trace,
    &cmd_mscgen,
    &cmd_web,
    &cmd_diagnostics,
    &cmd_bugtool,
    &cmd_health,
    &cmd_doctor,
    &cmd_db,
    &cmd_hold,
    &cmd_release,
    &cmd_cancel,
    &cmd_requeue,
    &cmd_replay,
    &cmd_purge,
    &cmd_undo,
    &cmd_pause,
    &cmd_resume,
    &cmd_ack,
    &cmd_reply,
    &cmd_send,
    &cmd_call,
    &cmd_recv,
    &cmd_serve,
    &cmd_create,
    &cmd_destroy,
    &cmd_shutdown,
    /* of the storage adapter */
    &cmd_plugins,
    &cmd_plugin,
    &cmd_scripts,
    &cmd_calls,
    &cmd_smapi,
    &cmd_help,
    &cmd_completion,
    &cmd_version,
    &cmd_complete,
    NULL,
};

/* Options for all commands. */
const struct opt cmd_opts[] = {
    {"socket", 's', OPT_TEXT, "PATH", "where the broker listens", "path"},
    {"timeout", 't', OPT_SECONDS, "SEC", "time limit [10]", NULL},
    {"json", 'j', OPT_FLAG, NULL, "one JSON object a line", NULL},
    {"columns", 'c', OPT_TEXT, "LIST", "columns to show, by key", NULL},
    {"sort", 0, OPT_TEXT, "KEY", "sort by a column; -KEY: descending", NULL},
    {"no-header", 0, OPT_FLAG, NULL, "no titles and no totals", NULL},
    {"quiet", 'q', OPT_FLAG, NULL, "say less", NULL},
    {"verbose", 'v', OPT_FLAG, NULL, "say more", NULL},
    {"color", 0, OPT_WORD, "auto|always|never", "colors [auto]", "colour"},
    {"utc", 0, OPT_FLAG, NULL, "times in UTC", NULL},
    {"offline", 0, OPT_MAYBE, "STATE",
	"read the state folder, do not ask the broker", NULL},
    {"help", 'h', OPT_FLAG, NULL, "how to use a command", NULL},
    {"version", 'V', OPT_FLAG, NULL, "the version", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* Find a command.  Aliases count only in full. */
const struct cmd *
cmd_find(const struct cmd *const *table, const char *word, struct err *e)
{
	const char *names[MOST], *near;
	int abbreviated, i;
	size_t n;

	for (n = 0; n < MOST && table[n] != NULL; n++) {
		names[n] = table[n]->name;
		if (table[n]->alias && strcmp(table[n]->alias, word) == 0)
			return table[n];
	}
	i = pick(names, n, word, &abbreviated);
	if (i >= 0 && abbreviated && (table[i]->flags & CMD_EXACT)) {
		(void)err_set(
		    e, 1, "'%s' must be written out: %s", word, names[i]);
		return NULL;
	}
	if (i >= 0)
		return table[i];
	if (i == PICK_MANY) {
		struct buf b = BUF_INIT;

		for (size_t k = 0; k < n; k++)
			if (strncmp(names[k], word, strlen(word)) == 0)
				buf_addf(&b, "%s%s", b.n ? ", " : "", names[k]);
		(void)err_set(e, 1, "'%s' could be %.*s", word, (int)b.n, b.p);
		buf_fini(&b);
		return NULL;
	}
	near = pick_nearest(names, n, word);
	(void)err_set(e, 1, "there is no command '%s'%s%s%s", word,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	return NULL;
}

/* One option, as in "  -n, --lines N     how many". */
static void
put_opt(struct buf *b, const struct opt *o)
{
	char left[64];

	snprintf(left, sizeof left, "%s%c%s--%s%s%s%s%s", o->letter ? "-" : "",
	    o->letter ? o->letter : ' ', o->letter ? ", " : "   ", o->name,
	    o->type == OPT_MAYBE ? "[="
		: o->arg	 ? " "
				 : "",
	    o->arg ? o->arg : "", o->type == OPT_MAYBE ? "]" : "", "");
	if (strlen(left) > LEFT)
		buf_addf(b, "  %s\n  %-*s %s\n", left, LEFT, "", o->help);
	else
		buf_addf(b, "  %-*s %s\n", LEFT, left, o->help);
}

static void
put_opts(struct buf *b, const char *title, const struct opt *o)
{
	if (o == NULL)
		return;
	buf_addf(b, "\n%s:\n", title);
	for (; o->name != NULL; o++)
		put_opt(b, o);
}

/* One command. */
void
cmd_usage(struct buf *b, const char *prog, const struct cmd *c,
    const struct opt *common)
{
	buf_addf(b, "usage: %s %s%s%s%s\n\n%s.\n", prog, c->name,
	    c->opts ? " [options]" : "", c->args ? " " : "",
	    c->args ? c->args : "", c->help);
	if (c->alias != NULL)
		buf_addf(b, "Also called: %s\n", c->alias);
	put_opts(b, "Options", c->opts);
	put_opts(b, "Options for all commands", common);
}

/* Where a group of commands begins. */
static const struct {
	const struct cmd *first;
	const char *title;
} groups[] = {
    {&cmd_list, "Looking"},
    {&cmd_tail, "Watching"},
    {&cmd_diagnostics, "Reports and checks"},
    {&cmd_hold, "Acting on messages and queues"},
    {&cmd_reply, "Sending and serving"},
    {&cmd_create, "Queues and the broker"},
    {&cmd_plugins, "Storage plugins"},
    {&cmd_help, "Help"},
};

static const char *
title_of(const struct cmd *c)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (groups[i].first == c)
			return groups[i].title;
	return NULL;
}

/* All commands. */
void
cmd_overview(struct buf *b, const char *prog, const struct cmd *const *table,
    const struct opt *common)
{
	buf_addf(b, "usage: %s [options] COMMAND [options] [operands]\n", prog);
	if (table != cmds)
		buf_adds(b, "\nCommands:\n");
	for (; *table != NULL; table++) {
		const char *title = title_of(*table);

		if ((*table)->flags & CMD_HIDDEN)
			continue;
		if (title != NULL)
			buf_addf(b, "\n%s:\n", title);
		buf_addf(b, "  %-12s %s\n", (*table)->name, (*table)->help);
	}
	put_opts(b, "Options for all commands", common);
	buf_addf(b, "\n'%s COMMAND --help' tells more; the manual is %s(1).\n",
	    prog, prog);
}
