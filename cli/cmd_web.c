/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* web: the dashboard in a browser of this machine; it can only look. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "cmd.h"
#include "text.h"
#include "web.h"

static const struct opt opts[] = {
    {"open", 'o', OPT_FLAG, NULL, "open it with xdg-open", NULL},
    {"port", 'p', OPT_NUMBER, "N", "listen on this port [any free]", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* Start the browser; it is not waited for. */
static void
open_browser(struct cli *c, const char *url)
{
	char *argv[] = {(char *)"xdg-open", (char *)(uintptr_t)url, NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int rc;

	signal(SIGCHLD, SIG_IGN);
	rc = posix_spawn_file_actions_init(&fa);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, 2, 1);
	if (rc == 0)
		rc = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
	if (rc != 0)
		cli_say(
		    c, "xdg-open: %s; open the address yourself", strerror(rc));
}

/* Say where it is. */
static void
tell(struct cli *c, const char *url)
{
	struct buf *b = out_buf(&c->out);

	if (c->json) {
		buf_addf(b,
		    "{\"schema\":%d,\"object\":\"web\",\"url\":", OUT_SCHEMA);
		text_json(b, str_of(url));
		buf_addc(b, '}');
	} else {
		buf_adds(b, url);
	}
	out_line(&c->out, false);
	if (out_flush(&c->out) == 0 && !c->quiet && !c->json)
		cli_say(c,
		    "the address works once, from this machine; Ctrl-C ends "
		    "it");
}

static int
run(struct cli *c, int argc, char **argv)
{
	int64_t port = opts_number(&c->opts, "port", 0);
	struct web w = {.socket = c->socket, .port = (uint16_t)port};
	char url[128];
	int rc;

	(void)argc, (void)argv;
	if (port > UINT16_MAX)
		return cli_usage(c, "there is no port %lld", (long long)port);
	rc = ask_alive(c);
	if (rc != 0)
		return cli_fail(c, rc);
	xmsg_close(c->x); /* each request has a connection of its own */
	c->x = NULL;
	if (web_open(&w, &c->why) == -1)
		return cli_fail(c, CLI_REFUSED);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/?token=%s",
	    (unsigned)w.port, w.token);
	tell(c, url);
	if (opts_has(&c->opts, "open"))
		open_browser(c, url);
	(void)web_run(&w, &c->why);
	return cli_fail(c, CLI_REFUSED);
}

const struct cmd cmd_web = {
    .name = "web",
    .help = "Show the dashboard in a browser of this machine",
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
