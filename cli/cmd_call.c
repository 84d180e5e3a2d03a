/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* call: publish a request and print its reply. */
#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "rpc.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

static const struct opt opts[] = {
    {"body", 'b', OPT_TEXT, "TEXT", "the request", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the request is in this file", NULL},
    {"create", 0, OPT_FLAG, NULL, "make the queue when it is missing", NULL},
    {"raw", 0, OPT_FLAG, NULL, "the bytes of the reply, nothing else", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

static const struct col cols[] = {
    {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the request"},
    {"queue", "QUEUE", COL_TEXT, false, "queue"},
    {"id", "NUMBER", COL_INT, false, "number of the request"},
    {"duration_s", "TOOK", COL_TOOK, false, "until the reply came"},
    {"reply", "REPLY", COL_TEXT, false, "the reply, as text"},
};

static void
report_json(struct cli *c, const struct rpc *r)
{
	struct buf ref = BUF_INIT;

	buf_addf(&ref, "%s:%lld", r->queue, (long long)r->id);
	out_text(&c->out, 0, (struct str){ref.p, ref.n});
	out_text(&c->out, 1, str_of(r->queue));
	out_int(&c->out, 2, r->id);
	out_real(&c->out, 3, r->took_s);
	out_text(&c->out, 4, (struct str){r->reply.p, r->reply.n});
	out_row(&c->out);
	out_end(&c->out);
	buf_fini(&ref);
}

/* The reply: safe for a terminal, byte for byte for anything else. */
static void
report(struct cli *c, const struct rpc *r)
{
	struct buf *b = out_buf(&c->out);
	struct str s = {r->reply.p, r->reply.n};
	bool raw = opts_has(&c->opts, "raw");

	if (isatty(STDOUT_FILENO) && !raw)
		text_put(b, s);
	else
		buf_add(b, s.p, s.n);
	if (!raw && (s.n == 0 || s.p[s.n - 1] != '\n'))
		out_line(&c->out, true);
}

/* ---- the request ---- */

/* "NAME=VALUE" into params: what is JSON as it is, anything else as text. */
static int
add_param(struct cli *c, json_t *params, const char *word)
{
	const char *eq = strchr(word, '=');
	json_t *v;
	char *name;
	int rc;

	if (eq == NULL || eq == word)
		return cli_usage(c, "'%s' is not NAME=VALUE", word);
	v = json_loads(eq + 1, JSON_DECODE_ANY, NULL);
	if (v == NULL)
		v = json_string(eq + 1);
	if (v == NULL)
		return cli_usage(c, "'%s' is not UTF-8", word);
	name = xstrndup(word, (size_t)(eq - word));
	rc = json_object_set_new(params, name, v);
	free(name);
	return rc == 0 ? 0 : cli_usage(c, "'%s' cannot be a parameter", word);
}

/* A call as toolstacks make them: the method, and one object of parameters. */
static int
put_method(
    struct cli *c, const char *method, int n, char **words, struct buf *body)
{
	json_t *params = json_object(), *call = NULL;
	char *text = NULL;
	int rc = 0;

	if (opts_has(&c->opts, "body") || opts_has(&c->opts, "file"))
		rc = cli_usage(c, "a method, and --body or --file: which one?");
	for (int i = 0; rc == 0 && i < n; i++)
		rc = add_param(c, params, words[i]);
	if (rc == 0) {
		call = json_pack("{s:s, s:[O], s:i}", "method", method,
		    "params", params, "id", 0);
		text = call ? json_dumps(call, JSON_COMPACT) : NULL;
		if (text == NULL)
			rc = cli_usage(c, "'%s' is no method", method);
		else
			buf_adds(body, text);
	}
	free(text);
	json_decref(call);
	json_decref(params);
	return rc;
}

/* What is to be published. */
static int
request(struct cli *c, int argc, char **argv, struct buf *body)
{
	if (argc > 1 && strcmp(argv[1], "-") != 0)
		return put_method(c, argv[1], argc - 2, argv + 2, body);
	if (argc > 2)
		return cli_usage(c, "'%s' is one operand too many", argv[2]);
	return cli_body(c, argc > 1 ? argv[1] : NULL, body);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT;
	struct rpc r = {.queue = argv[0], .limit_ns = c->limit_ns};
	char took[UNITS_MAX];
	int rc;

	if (out_table(&c->out, "reply", cols, 5, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = request(c, argc, argv, &body);
	r.request = (struct xmsg_bytes){body.p, body.n};
	r.flags = opts_has(&c->opts, "create") ? XMSG_CREATE : 0;
	if (rc == 0)
		rc = rpc_call(c, &r);
	if (rc == 0 && c->json)
		report_json(c, &r);
	else if (rc == 0)
		report(c, &r);
	if (rc == 0 && c->verbose) {
		units_took(took, r.took_s);
		cli_say(c, "%s:%lld answered after %s", r.queue,
		    (long long)r.id, took);
	}
	xmsg_bytes_free(&r.reply);
	buf_fini(&body);
	return cli_fail(c, rc);
}

const struct cmd cmd_call = {
    .name = "call",
    .args = "QUEUE [- | METHOD [NAME=VALUE...]]",
    .help = "Publish a request and print its reply",
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
