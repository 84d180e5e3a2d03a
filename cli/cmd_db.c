/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* db: check, copy, compact and export the database of the state folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "act.h"
#include "cmd.h"
#include "dbfile.h"
#include "look.h"
#include "msgs.h"
#include "select.h"
#include "state.h"
#include "units.h"
#include "xalloc.h"

static const struct opt opts[] = {
    {"deep", 0, OPT_FLAG, NULL, "check: compare the indexes, too", NULL},
    {"yes", 'y', OPT_FLAG, NULL, "compact: do not ask", NULL},
    {"dry-run", 0, OPT_FLAG, NULL, "compact: say what would be done", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { D_ACT, D_FILE, D_RESULT, D_SIZE, D_TEXT };

static const struct col cols[] = {
    [D_ACT] = {"verb", "ACT", COL_TEXT, false, "what was done"},
    [D_FILE] = {"file", "FILE", COL_TEXT, false, "the database, or its copy"},
    [D_RESULT] = {"result", "RESULT", COL_TEXT, false, "how it went"},
    [D_SIZE] = {"size", "SIZE", COL_SIZE, false, "bytes of the file"},
    [D_TEXT] = {"text", "TEXT", COL_TEXT, false, "more about it"},
};

static void
report(struct cli *c, const char *verb, const char *file, const char *result,
    struct str text)
{
	struct out *o = &c->out;
	char size[UNITS_MAX];

	if (c->json) {
		out_text(o, D_ACT, str_of(verb));
		out_text(o, D_FILE, str_of(file));
		out_text(o, D_RESULT, str_of(result));
		out_int(o, D_SIZE, dbfile_size(file));
		out_text(o, D_TEXT, text);
		out_row(o);
		return;
	}
	units_size(size, dbfile_size(file));
	buf_addf(out_buf(o), "%s: %s, %s bytes", file, result, size);
	out_line(o, false);
	if (text.n > 0)
		buf_add(out_buf(o), text.p, text.n);
}

static int
check(struct cli *c, const char *path, int argc, char **argv)
{
	struct buf b = BUF_INIT;
	struct err e = {0, ""};
	int rc = CLI_DONE;

	(void)argc, (void)argv;
	switch (dbfile_check(
	    path, opts_has(&c->opts, "deep"), cli_left_ms(c), &b, &e)) {
	case DBFILE_OK: report(c, "check", path, "sound", STR("")); break;
	case DBFILE_BAD:
		if (b.n == 0)
			buf_addf(&b, "%s\n", e.text);
		report(c, "check", path, "damaged", (struct str){b.p, b.n});
		(void)err_set(&c->why, 1,
		    "the database is damaged: stop xmsgd, keep a copy of %s, "
		    "and look at what can be read with 'xmsg db export'",
		    c->state_dir);
		rc = CLI_PART;
		break;
	case DBFILE_TIME:
		(void)err_set(&c->why, 1,
		    "%s: not finished in time, no damage so far (--timeout "
		    "gives more)",
		    path);
		rc = CLI_TIME;
		break;
	case DBFILE_FAILED:
		c->why = e;
		rc = CLI_REFUSED;
		break;
	}
	buf_fini(&b);
	return rc;
}

static int
backup(struct cli *c, const char *path, int argc, char **argv)
{
	enum dbfile_rc rc;

	if (argc != 1)
		return cli_usage(c, "db backup needs the name of the copy");
	rc = dbfile_backup(path, argv[0], cli_left_ms(c), &c->why);
	if (rc == DBFILE_OK)
		report(c, "backup", argv[0], "copied", STR(""));
	return rc == DBFILE_OK	? CLI_DONE
	    : rc == DBFILE_TIME ? CLI_TIME
				: CLI_REFUSED;
}

/* The broker keeps a lock as long as it lives. */
static int
lock(struct cli *c)
{
	char *path = xasprintf("%s/lock", c->state_dir);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT, 0600);

	if (fd == -1) {
		(void)err_errno(&c->why, "%s", path);
	} else if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		(void)err_set(&c->why, 1,
		    "a broker uses %s: stop it first (systemctl stop xmsgd, or "
		    "xmsg shutdown)",
		    c->state_dir);
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

static int
compact(struct cli *c, const char *path, int argc, char **argv)
{
	int64_t before = dbfile_size(path);
	char *question, size[UNITS_MAX];
	int fd, rc = CLI_DONE;

	(void)argc, (void)argv;
	fd = lock(c);
	if (fd == -1)
		return CLI_REFUSED;
	units_size(size, before);
	question =
	    xasprintf("write %s (%s bytes) anew without gaps", path, size);
	if (opts_has(&c->opts, "dry-run"))
		report(c, "compact", path, "would be compacted", STR(""));
	else if (!act_confirmed(c, "yes", question))
		rc = CLI_REFUSED;
	else if (dbfile_compact(path, &c->why) != DBFILE_OK)
		rc = CLI_REFUSED;
	else
		report(c, "compact", path, "compacted", STR(""));
	free(question);
	close(fd);
	return rc;
}

/* Everything, as JSON, payloads masked. */
static int
export_all(struct cli *c, const char *path, int argc, char **argv)
{
	struct selector s;
	int rc;

	(void)path, (void)argc, (void)argv;
	if (select_parse(c, &s) == -1) /* none is given: all */
		return CLI_USAGE;
	c->json = c->out.json = true;
	c->offline = true;
	if (state_open(c, &c->why) == -1)
		return CLI_REFUSED;
	if (queues_table(c) == -1)
		return CLI_USAGE;
	rc = look_queues(c, "", queues_add, c);
	out_end(&c->out);
	if (rc == 0 && msgs_table(c) == -1)
		rc = CLI_USAGE;
	if (rc == 0)
		rc = select_each(c, &s, NULL, 0, NULL, msgs_add, c);
	out_end(&c->out);
	return rc;
}

static const struct {
	const char *name;
	int (*fn)(struct cli *, const char *path, int argc, char **argv);
	int most; /* operands behind it */
} acts[] = {
    {"check", check, 0},
    {"backup", backup, 1},
    {"compact", compact, 0},
    {"export", export_all, 0},
};

static int
run(struct cli *c, int argc, char **argv)
{
	size_t i, n = sizeof acts / sizeof *acts;
	char *path;
	int rc;

	for (i = 0; i < n && strcmp(acts[i].name, argv[0]) != 0; i++)
		;
	if (i == n)
		return cli_usage(c,
		    "db does check, backup, compact or export, "
		    "not '%s'",
		    argv[0]);
	if (argc - 1 > acts[i].most)
		return cli_usage(
		    c, "'%s' is one operand too many", argv[acts[i].most + 1]);
	if (out_table(&c->out, "database", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	path = xasprintf("%s/switch.db", c->state_dir);
	if (access(path, R_OK) == -1) {
		(void)err_errno(&c->why, "%s", path);
		rc = errno == ENOENT ? CLI_NONE : CLI_REFUSED;
	} else {
		rc = acts[i].fn(c, path, argc - 1, argv + 1);
	}
	free(path);
	out_end(&c->out);
	return cli_fail(c, rc);
}

static void
complete(struct cli *c, int n, char **operands)
{
	(void)operands;
	for (size_t i = 0; n == 1 && i < sizeof acts / sizeof *acts; i++)
		cmd_offer(c, str_of(acts[i].name), NULL);
}

const struct cmd cmd_db = {
    .name = "db",
    .args = "check|backup|compact|export [FILE]",
    .help = "Check, copy, compact or export the database file",
    .flags = CMD_ALONE,
    .min = 1,
    .max = 2,
    .opts = opts,
    .run = run,
    .complete = complete,
};
