/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * health: one line and a status for monitoring, as Nagios has them: 0 OK,
 * 1 WARNING, 2 CRITICAL, 3 UNKNOWN (no broker answers).
 */
#include <jansson.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "look.h"
#include "text.h"
#include "units.h"

static const struct opt opts[] = {
    {"oldest", 0, OPT_SECONDS, "SEC", "warn when a message is older", NULL},
    {"depth", 0, OPT_NUMBER, "N", "warn when a queue holds more", NULL},
    {"no-consumer", 0, OPT_FLAG, NULL,
	"warn when messages wait and nobody polls", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

/* The first thing to warn of. */
struct finding {
	struct cli *c;
	struct buf text;
};

static int
check(void *arg, const struct look_queue *q)
{
	struct finding *f = arg;
	const struct opts *o = &f->c->opts;
	int64_t oldest = opts_ns(o, "oldest", INT64_MAX);
	int64_t depth = opts_number(o, "depth", INT64_MAX);
	char age[UNITS_MAX];

	if (q->oldest_age_s >= 0 && q->oldest_age_s > (double)oldest / 1e9) {
		units_age(age, q->oldest_age_s);
		buf_addf(&f->text, "oldest message %s in ", age);
	} else if (q->messages > depth) {
		buf_addf(&f->text, "%lld messages in ", (long long)q->messages);
	} else if (opts_has(o, "no-consumer") && q->messages > 0 &&
	    q->consumers == 0) {
		buf_addf(&f->text, "%lld messages and no consumer in ",
		    (long long)q->messages);
	} else {
		return 0;
	}
	text_put(&f->text, q->name);
	return 1;
}

static int
put(struct cli *c, int code, struct str text)
{
	static const char *const words[] = {
	    "OK", "WARNING", "CRITICAL", "UNKNOWN"};
	struct buf *b = out_buf(&c->out);

	if (code < 0 || code > 3)
		code = 3;
	if (c->json) {
		buf_addf(b,
		    "{\"schema\":%d,\"object\":\"health\",\"code\":%d,"
		    "\"status\":\"%s\",\"text\":",
		    OUT_SCHEMA, code, words[code]);
		text_json(b, text);
		buf_addc(b, '}');
	} else {
		buf_addf(b, "%s ", words[code]);
		text_put(b, text);
	}
	out_line(&c->out, false);
	return code;
}

static int
run(struct cli *c, int argc, char **argv)
{
	bool rules = opts_has(&c->opts, "oldest") ||
	    opts_has(&c->opts, "depth") || opts_has(&c->opts, "no-consumer");
	struct finding f = {c, BUF_INIT};
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	int rc, code = 3;

	(void)argc, (void)argv;
	ask_path(&t, "health");
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	if (rc == 0)
		code = (int)ask_int(j, "code", 3);
	if (rc == 0 && code < 2 && rules) {
		code = 0; /* only the rules that were given count */
		rc = look_broker.queues(c, "", check, &f);
	}
	if (rc != 0)
		code = put(c, 3, str_of(c->why.text));
	else if (f.text.n > 0)
		code = put(c, 1, (struct str){f.text.p, f.text.n});
	else
		code = put(c, code, ask_str(j, "text"));
	json_decref(j);
	buf_fini(&f.text);
	return code;
}

const struct cmd cmd_health = {
    .name = "health",
    .help = "One line for monitoring; status 0, 1, 2 or 3 as Nagios has them",
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
