/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* create and destroy queues. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "ask.h"
#include "cmd.h"
#include "text.h"

/* ---- create ---- */

enum { D_NAME, D_CREATED, D_MESSAGES, D_DRY };

static const struct col create_cols[] = {
    {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    {"created", "CREATED", COL_BOOL, false, "false: it was there before"},
};

static int
create(struct cli *c, const char *name)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	int rc;

	ask_path(&t, "queues", name);
	rc = ask(c, "PUT", &t, STR(""), &j);
	buf_fini(&t);
	if (rc == 0 && c->json) {
		out_text(&c->out, D_NAME, str_of(name));
		out_int(&c->out, D_CREATED, ask_int(j, "created", 0));
		out_row(&c->out);
	} else if (rc == 0 && c->verbose) {
		text_put(out_buf(&c->out), str_of(name));
		buf_adds(out_buf(&c->out),
		    ask_int(j, "created", 0) ? ": created"
					     : ": was there already");
		out_line(&c->out, false);
	}
	json_decref(j);
	if (rc != 0)
		(void)err_prefix(&c->why, "%s", name);
	return cli_fail(c, rc);
}

static int
run_create(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (out_table(&c->out, "created", create_cols, 2, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, create);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_create = {
    .name = "create",
    .args = "QUEUE...",
    .help = "Make queues that stay until they are destroyed",
    .min = 1,
    .max = -1,
    .run = run_create,
};

/* ---- destroy ---- */

static const struct col destroy_cols[] = {
    [D_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [D_CREATED] = {"destroyed", "DESTROYED", COL_BOOL, false,
	"false: only looked at"},
    [D_MESSAGES] = {"messages", "MESSAGES", COL_INT, false,
	"messages that were, or would be, removed with it"},
};

static const struct opt opts[] = {
    {"yes", 'y', OPT_FLAG, NULL, "with the messages that are in it", NULL},
    {"dry-run", 0, OPT_FLAG, NULL, "say what would be done", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* How many messages are in it? */
static int
look(struct cli *c, const char *name, int64_t *messages)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	int rc;

	ask_path(&t, "queues", name);
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	*messages = ask_int(j, "messages", 0);
	json_decref(j);
	return rc;
}

/* May it go, with so many messages? */
static bool
confirmed(struct cli *c, const char *name, int64_t messages)
{
	char line[16] = "";

	if (messages == 0 || opts_has(&c->opts, "yes"))
		return true;
	if (isatty(STDIN_FILENO)) {
		cli_say(c,
		    "%s holds %lld messages; to remove them too type yes:",
		    name, (long long)messages);
		if (fgets(line, sizeof line, stdin) != NULL &&
		    strcmp(line, "yes\n") == 0)
			return true;
	}
	(void)err_set(&c->why, 1,
	    "%s: not destroyed, it holds %lld messages (--yes removes them"
	    " too)",
	    name, (long long)messages);
	return false;
}

static void
report(struct cli *c, const char *name, bool done, int64_t messages)
{
	struct buf *b = out_buf(&c->out);

	if (c->json) {
		out_text(&c->out, D_NAME, str_of(name));
		out_int(&c->out, D_CREATED, done);
		out_int(&c->out, D_MESSAGES, messages);
		out_row(&c->out);
	} else if (!c->quiet) {
		buf_adds(b, done ? "destroyed " : "would destroy ");
		text_put(b, str_of(name));
		buf_addf(b, " (%lld message%s)", (long long)messages,
		    messages == 1 ? "" : "s");
		out_line(&c->out, false);
	}
}

static int
destroy(struct cli *c, const char *name)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	int64_t messages;
	int rc = look(c, name, &messages);

	if (rc == 0 && opts_has(&c->opts, "dry-run")) {
		report(c, name, false, messages);
		return 0;
	}
	if (rc == 0 && !confirmed(c, name, messages))
		return cli_fail(c, CLI_REFUSED);
	if (rc == 0) {
		ask_path(&t, "queues", name);
		rc = ask(c, "DELETE", &t, STR(""), &j);
		buf_fini(&t);
	}
	if (rc == 0)
		report(c, name, true, ask_int(j, "messages", messages));
	json_decref(j);
	if (rc != 0)
		(void)err_prefix(&c->why, "%s", name);
	return cli_fail(c, rc);
}

static int
run_destroy(struct cli *c, int argc, char **argv)
{
	struct tally t;

	if (out_table(&c->out, "destroyed", destroy_cols, 3, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	t = cli_each(c, argc, argv, destroy);
	out_end(&c->out);
	return tally_code(&t);
}

const struct cmd cmd_destroy = {
    .name = "destroy",
    .args = "QUEUE...",
    .help = "Remove queues",
    .flags = CMD_EXACT,
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run_destroy,
};
