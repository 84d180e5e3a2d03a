/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * reply: answer a request by hand, with bytes as they are, or with a result or
 * an error that is put into the form in which its caller called.
 */
#include <stdio.h>

#include <jansson.h>

#include "ask.h"
#include "cmd.h"
#include "msgs.h"
#include "text.h"

#define CODE_ERROR 1 /* JSON-RPC wants a number; the word is the message */

static const struct opt opts[] = {
    {"ok", 0, OPT_TEXT, "JSON", "the result of the call", NULL},
    {"error", 'e', OPT_TEXT, "CODE", "an error; its parameters are operands",
	NULL},
    {"body", 'b', OPT_TEXT, "TEXT", "the answer, byte for byte", NULL},
    {"file", 'f', OPT_TEXT, "FILE", "the answer is in this file", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* ["CODE","PARAM",...] */
static void
put_error(struct buf *b, const char *code, int argc, char **argv)
{
	buf_addc(b, '[');
	text_json(b, str_of(code));
	for (int i = 0; i < argc; i++) {
		buf_addc(b, ',');
		text_json(b, str_of(argv[i]));
	}
	buf_addc(b, ']');
}

/* The answer to a call: "result" and "error", as its form has them. */
static void
put_answer(struct buf *b, bool v2, const char *ok, const char *code, int argc,
    char **argv)
{
	buf_adds(b, v2 ? "{\"jsonrpc\":\"2.0\"" : "{");
	if (!v2 || ok != NULL)
		buf_addf(b, "%s\"result\":%s", v2 ? "," : "",
		    ok != NULL ? ok : "null");
	if (!v2) {
		buf_adds(b, ",\"error\":");
		if (ok != NULL)
			buf_adds(b, "null");
		else
			put_error(b, code, argc, argv);
	} else if (ok == NULL) {
		buf_addf(b, ",\"error\":{\"code\":%d,\"message\":", CODE_ERROR);
		text_json(b, str_of(code));
		buf_adds(b, ",\"data\":");
		put_error(b, code, argc, argv);
		buf_addc(b, '}');
	}
}

/* Compose it: the broker knows how the caller called. */
static int
compose(struct cli *c, struct buf *t, struct buf *b, int argc, char **argv)
{
	const char *ok = opts_text(&c->opts, "ok", NULL);
	const char *code = opts_text(&c->opts, "error", NULL);
	const json_t *call;
	json_t *j = NULL, *value;
	struct str id;
	int rc;

	if (ok != NULL) {
		value = json_loads(ok, JSON_DECODE_ANY, NULL);
		if (value == NULL)
			return cli_usage(c,
			    "--ok takes JSON, a text in quotes: '\"%s\"'", ok);
		json_decref(value);
	}
	rc = ask(c, "GET", t, STR(""), &j);
	call = json_object_get(j, "call");
	id = ask_str(call, "id");
	if (rc == 0 && id.p == NULL) {
		(void)err_set(&c->why, 1,
		    "its payload is no call: answer it with --body");
		rc = CLI_REFUSED;
	}
	if (rc == 0) {
		put_answer(
		    b, ask_int(call, "jsonrpc2", 0), ok, code, argc, argv);
		buf_adds(b, ",\"id\":");
		buf_add(b, id.p, id.n);
		buf_addc(b, '}');
	}
	json_decref(j);
	return cli_fail(c, rc);
}

/* The answer's bytes. */
static int
answer(struct cli *c, const char *queue, const char *number, struct buf *b,
    int argc, char **argv)
{
	bool ok = opts_has(&c->opts, "ok"), error = opts_has(&c->opts, "error");
	struct buf t = BUF_INIT;
	int rc;

	if (!ok && !error && argc > 1)
		return cli_usage(c, "'%s' is one operand too many", argv[1]);
	if (!ok && !error)
		return cli_body(c, argc > 0 ? argv[0] : NULL, b);
	if ((ok && (error || argc > 0)) || opts_has(&c->opts, "body") ||
	    opts_has(&c->opts, "file"))
		return cli_usage(
		    c, "give one of --ok, --error, --body, --file and -");
	ask_path(&t, "queues", queue, "messages", number);
	rc = compose(c, &t, b, argc, argv);
	buf_fini(&t);
	return rc;
}

/* Say where it went. */
static void
report(struct cli *c, const json_t *j)
{
	struct str q = ask_str(j, "queue");
	char to[256];

	snprintf(to, sizeof to, "%.*s", (int)q.n, q.p ? q.p : "");
	if (q.n > 0 && (!c->quiet || c->json))
		ref_add(c, to, ask_int(j, "id", -1));
	out_end(&c->out);
	if (ask_int(j, "duplicate", 0))
		cli_say(c,
		    "it had been answered before; the caller gets that"
		    " answer");
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct buf body = BUF_INIT, t = BUF_INIT;
	char queue[256], number[24];
	json_t *j = NULL;
	int64_t id;
	int rc = msgs_id(c, argv[0], queue, &id);

	if (rc != 0)
		return rc;
	snprintf(number, sizeof number, "%lld", (long long)id);
	rc = answer(c, queue, number, &body, argc - 1, argv + 1);
	if (rc == 0 && ref_table(c, "replied") == -1)
		rc = CLI_USAGE;
	if (rc == 0) {
		ask_path(&t, "queues", queue, "messages", number, "reply");
		rc = ask(c, "POST", &t, (struct str){body.p, body.n}, &j);
	}
	if (rc == 0)
		report(c, j);
	buf_fini(&t);
	buf_fini(&body);
	json_decref(j);
	return cli_fail(c, rc);
}

const struct cmd cmd_reply = {
    .name = "reply",
    .args = "QUEUE:ID [-] [PARAM...]",
    .help = "Answer a request by hand, as if its server had",
    .min = 1,
    .max = -1,
    .opts = opts,
    .run = run,
};
