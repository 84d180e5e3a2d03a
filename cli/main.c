/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * xmsg: options, find the command, run it, exit status.  Called as message-cli
 * it has the commands, options and output of the original.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "conf.h"
#include "look.h"
#include "version.h"
#include "xmsg.h"

#define STATE_DIR "/var/lib/xmsg"

/* Where things are found that nobody named: options, environment, default. */
static void
places(struct cli *c)
{
	const char *socket = getenv("XMSG_SOCKET");
	const char *state = getenv("XMSG_STATE");

	c->socket = opts_text(&c->opts, c->cmds == cmds ? "socket" : "path",
	    socket && *socket ? socket : XMSG_SOCKET);
	c->state_dir = state && *state ? state : STATE_DIR;
}

/* Colors: when asked for, or when a terminal can show them. */
static bool
colors(const struct cli *c)
{
	const char *when = opts_text(&c->opts, "color", "auto");
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

/* Options for all, into the struct. */
static void
settle(struct cli *c)
{
	struct opts *o = &c->opts;
	struct winsize ws;
	const char *state;

	places(c);
	c->limit_ns = 10 * NS_PER_SEC;
	c->verbose = opts_has(o, "verbose");
	c->out.now = (double)clock_wall_ns() / 1e9;
	c->out.no_header = true;
	if (c->cmds != cmds)
		return;
	if (!(c->cmd->flags & CMD_TAKES_LIMIT))
		c->limit_ns = opts_ns(o, "timeout", c->limit_ns);
	c->json = c->out.json = opts_has(o, "json");
	c->quiet = opts_has(o, "quiet");
	c->utc = c->out.utc = opts_has(o, "utc");
	c->out.no_header = opts_has(o, "no-header");
	c->out.columns = opts_text(o, "columns", NULL);
	c->out.sort = opts_text(o, "sort", NULL);
	c->out.color = colors(c);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && !c->json)
		c->out.room = ws.ws_col;
	c->offline = opts_has(o, "offline");
	state = opts_text(o, "offline", NULL);
	if (state != NULL && *state != '\0')
		c->state_dir = state;
}

/* Ctrl-C: whole lines have been written, nothing is left to tidy up. */
static void
interrupted(int sig)
{
	(void)sig;
	_exit(CLI_INTERRUPTED);
}

/* Standard descriptors that are closed would be taken by the next open. */
static void
fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Check operands and options against the row, then run. */
static int
run(struct cli *c, int argc, char **argv)
{
	const struct cmd *cmd = c->cmd;

	if (argc < cmd->min)
		return cli_usage(c, "%s needs %s", cmd->name, cmd->args);
	if (cmd->max >= 0 && argc > cmd->max)
		return cli_usage(
		    c, "'%s' is one operand too many", argv[cmd->max]);
	if (c->offline && !(cmd->flags & (CMD_READS | CMD_ALONE)))
		return cli_usage(
		    c, "%s needs the broker, not --offline", cmd->name);
	return cmd->run(c, argc, argv);
}

/* How to use it: the answer to a question, or an error. */
static int
help(struct cli *c, const struct opt *common)
{
	struct buf b = BUF_INIT;
	bool asked = opts_has(&c->opts, "help");

	if (c->cmd != NULL)
		cmd_usage(&b, c->prog, c->cmd, common);
	else
		cmd_overview(&b, c->prog, c->cmds, common);
	if (asked)
		buf_add(out_buf(&c->out), b.p, b.n);
	else
		fwrite(b.p, 1, b.n, stderr);
	buf_fini(&b);
	return asked ? CLI_DONE : CLI_USAGE;
}

/* What stands in front of the command, the command, what stands behind. */
static int
command(struct cli *c, int argc, char **argv)
{
	const struct opt *common = c->cmds == cmds ? cmd_opts : old_opts;
	struct err e = {0, ""};
	int at;

	c->opts.tables[0] = common;
	at = opts_parse(&c->opts, argc, argv, true, &e);
	if (at == -1)
		return cli_usage(c, "%s", e.text);
	if (at < argc) {
		c->cmd = cmd_find(c->cmds, argv[at++], &e);
		if (c->cmd == NULL)
			return cli_usage(c, "%s", e.text);
		c->opts.tables[1] = c->cmd->opts;
		argc = opts_parse(&c->opts, argc - at, argv + at, false, &e);
		if (argc == -1)
			return cli_usage(c, "%s", e.text);
	}
	if (opts_has(&c->opts, "version")) {
		if (c->cmds == cmds && opts_has(&c->opts, "json"))
			buf_addf(out_buf(&c->out),
			    "{\"schema\":%d,\"object\":\"version\","
			    "\"version\":\"%s\"}",
			    OUT_SCHEMA, XMSG_VERSION);
		else
			buf_addf(
			    out_buf(&c->out), "%s %s", c->prog, XMSG_VERSION);
		out_line(&c->out, false);
		return CLI_DONE;
	}
	if (c->cmd == NULL ||
	    (opts_has(&c->opts, "help") &&
		(argc == 0 || !(c->cmd->flags & CMD_HELPS))))
		return help(c, common);
	settle(c);
	return run(c, argc, argv + at);
}

int
main(int argc, char **argv)
{
	struct cli c = {.start_ns = clock_mono_ns()};
	struct sigaction sa = {.sa_handler = interrupted};
	const char *name = strrchr(argv[0], '/');
	int code;

	fill_descriptors();
	setlocale(LC_TIME, "C");
	sigaction(SIGINT, &sa, NULL);
	name = name ? name + 1 : argv[0];
	c.cmds = strcmp(name, "message-cli") == 0 ? old_cmds : cmds;
	c.prog = c.cmds == cmds ? "xmsg" : "message-cli";
	code = command(&c, argc - 1, argv + 1);
	if ((code == CLI_DONE || code == CLI_NONE) && c.dead)
		code = CLI_DEAD;
	if (out_flush(&c.out) == -1 || c.out.failed) {
		c.say_out = false;
		cli_say(&c, "standard output: %s", strerror(errno));
		code = code == CLI_DONE ? CLI_PART : code;
	}
	xmsg_close(c.x);
	look_close(&c);
	out_fini(&c.out);
	return code;
}
