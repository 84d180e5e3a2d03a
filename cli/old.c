/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * message-cli: the nine commands of the original, with its options and its
 * layout.  They speak the stock protocol, so they serve any broker of it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "cmd.h"
#include "old.h"
#include "rpc.h"
#include "text.h"
#include "wire.h"

#define JOBS 16 /* programs of serve at a time */

const struct opt old_opts[] = {
    {"path", 0, OPT_TEXT, "PATH", "where the broker listens", NULL},
    {"verbose", 'v', OPT_FLAG, NULL, "say more", NULL},
    {"debug", 0, OPT_FLAG, NULL, "accepted, without effect", NULL},
    {"help", 0, OPT_MAYBE, "FMT", "how to use a command", NULL},
    {"version", 0, OPT_FLAG, NULL, "the version", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

const struct cmd *const old_cmds[] = {
    &old_list,
    &old_tail,
    &old_mscgen,
    &old_ack,
    &old_destroy,
    &old_call,
    &old_serve,
    &old_diagnostics,
    &old_shutdown,
    NULL,
};

/* The connection, with a limit; the broker must be asked next. */
static struct xmsg *
client(struct cli *c)
{
	struct xmsg *x = ask_xmsg(c);

	if (x != NULL)
		xmsg_set_timeout(x, cli_left_ms(c) / 2 + 1);
	return x;
}

static int
result(struct cli *c, int rc)
{
	return rc == XMSG_OK ? 0 : cli_fail(c, ask_failed(c, rc));
}

/* ---- list, ack, destroy, shutdown ---- */

static const struct opt list_opts[] = {
    {"prefix", 0, OPT_TEXT, "PREFIX", "only names that begin so", NULL},
    {"all", 0, OPT_FLAG, NULL, "also queues that nobody has polled", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run_list(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = client(c);
	bool all = opts_has(&c->opts, "all"), tty = isatty(STDOUT_FILENO);
	struct buf *b = out_buf(&c->out);
	char **names = NULL;
	size_t n = 0;
	int rc;

	(void)argc, (void)argv;
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	rc = xmsg_list(x, opts_text(&c->opts, "prefix", ""),
	    all ? 0 : XMSG_LIST_ALIVE, &names, &n);
	for (size_t i = 0; rc == XMSG_OK && i < n; i++) {
		if (tty)
			text_put(b, str_of(names[i]));
		else
			buf_adds(b, names[i]);
		out_line(&c->out, false);
	}
	free(names);
	return result(c, rc);
}

const struct cmd old_list = {
    .name = "list",
    .help = "Print the names of the queues, one a line",
    .min = 0,
    .max = 0,
    .opts = list_opts,
    .run = run_list,
};

static int
run_ack(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = client(c);
	int64_t id;

	(void)argc;
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	if (!wire_int64(str_of(argv[1]), &id))
		return cli_usage(c, "'%s' is no message id", argv[1]);
	return result(c, id < 0 ? XMSG_OK : xmsg_ack(x, argv[0], id));
}

const struct cmd old_ack = {
    .name = "ack",
    .args = "QUEUE ID",
    .help = "Acknowledge a message, which removes it",
    .min = 2,
    .max = 2,
    .run = run_ack,
};

static int
run_destroy(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = client(c);

	(void)argc;
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	return result(c, xmsg_destroy(x, argv[0]));
}

const struct cmd old_destroy = {
    .name = "destroy",
    .args = "QUEUE",
    .help = "Remove a queue with its messages",
    .min = 1,
    .max = 1,
    .run = run_destroy,
};

static int
run_shutdown(struct cli *c, int argc, char **argv)
{
	struct xmsg *x = client(c);

	(void)argc, (void)argv;
	if (x == NULL)
		return cli_fail(c, CLI_NONE);
	return result(c, xmsg_shutdown(x));
}

const struct cmd old_shutdown = {
    .name = "shutdown",
    .help = "End the broker",
    .min = 0,
    .max = 0,
    .run = run_shutdown,
};

/* ---- call, serve ---- */

static const struct opt call_opts[] = {
    {"body", 0, OPT_TEXT, "BODY", "the request", NULL},
    {"file", 0, OPT_TEXT, "FILE", "the request is in this file", NULL},
    {"timeout", 0, OPT_SECONDS, "SEC", "how long to wait [for ever]", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* The request; the last newline of a file does not belong to it. */
static int
request(struct cli *c, struct buf *b)
{
	const char *body = opts_text(&c->opts, "body", NULL);
	const char *file = opts_text(&c->opts, "file", NULL);

	if (body != NULL && file != NULL)
		return cli_usage(c, "give --body or --file, not both");
	if (body != NULL) {
		buf_adds(b, body);
		return 0;
	}
	if (file == NULL) {
		buf_adds(out_buf(&c->out), "Enter body text:");
		out_line(&c->out, true);
	}
	if (cli_slurp(c, file, b) == -1)
		return cli_fail(c, CLI_NONE);
	if (b->n > 0 && b->p[b->n - 1] == '\n')
		b->n--;
	return 0;
}

static int
run_call(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT;
	struct rpc r = {.queue = argv[0], .flags = XMSG_CREATE};
	int rc = request(c, &body);

	(void)argc;
	r.request = (struct xmsg_bytes){body.p, body.n};
	r.limit_ns = opts_ns(&c->opts, "timeout", 0);
	if (rc == 0)
		rc = rpc_call(c, &r);
	if (rc == 0) {
		struct str s = {r.reply.p, r.reply.n};

		if (isatty(STDOUT_FILENO))
			text_put(out_buf(&c->out), s);
		else
			buf_add(out_buf(&c->out), s.p, s.n);
		out_line(&c->out, false);
	}
	xmsg_bytes_free(&r.reply);
	buf_fini(&body);
	return cli_fail(c, rc);
}

const struct cmd old_call = {
    .name = "call",
    .args = "QUEUE",
    .help = "Publish a request and print its reply",
    .flags = CMD_TAKES_LIMIT,
    .min = 1,
    .max = 1,
    .opts = call_opts,
    .run = run_call,
};

static const struct opt serve_opts[] = {
    {"program", 0, OPT_TEXT, "PROGRAM", "run it for each request", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static int
run_serve(struct cli *c, int argc, char **argv)
{
	const char *program = opts_text(&c->opts, "program", NULL);
	char *args[] = {(char *)(uintptr_t)program, NULL};
	struct serve s = {.queue = argv[0], .jobs = JOBS};

	(void)argc;
	if (program != NULL && access(program, F_OK) == -1)
		return cli_usage(c, "there is no file '%s'", program);
	s.argv = program ? args : NULL;
	return serve_run(c, &s);
}

const struct cmd old_serve = {
    .name = "serve",
    .args = "QUEUE",
    .help = "Answer the requests of a queue with a program",
    .min = 1,
    .max = 1,
    .opts = serve_opts,
    .run = run_serve,
};
