/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Asking the adapter.  Its queue outlives it, so a question could lie there
 * until it is started again: the broker is asked first whether somebody polls
 * the queue, and a question that got no answer is taken back.
 */
#include <jansson.h>

#include "adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "rpc.h"
#include "text.h"

#define RECENT_S 2.0 /* a poll so long ago: it is between two polls */

/* It is not there. */
static int
not_running(struct cli *c, const char *queue)
{
	(void)err_set(&c->why, CLI_DEAD,
	    "the storage adapter is not running (nobody serves the queue %s);"
	    " start it: systemctl start xmsg-storaged, or xmsg-storaged"
	    " --socket %s",
	    queue, c->socket);
	return CLI_DEAD;
}

/* Does somebody serve the queue?  0, or an exit status. */
static int
served(struct cli *c, const char *queue)
{
	struct buf t = BUF_INIT;
	json_t *q = NULL;
	int rc;

	ask_path(&t, "queues", queue);
	rc = ask(c, "GET", &t, STR(""), &q);
	buf_fini(&t);
	if (rc == CLI_NONE ||
	    (rc == 0 && ask_int(q, "consumers", 0) == 0 &&
		!(ask_real(q, "last_poll_age_s", 1e9) < RECENT_S)))
		rc = not_running(c, queue);
	json_decref(q);
	return rc;
}

/* Nobody waits for the answer any more. */
static void
take_back(struct cli *c, const char *queue, int64_t id)
{
	struct buf t = BUF_INIT;
	struct err why = c->why;
	char number[24];

	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number);
	(void)ask(c, "DELETE", &t, STR(""), NULL); /* gone is as well */
	buf_fini(&t);
	c->why = why;
}

/* {"method":..,"params":[..],"id":1}; takes params. */
static char *
request(const char *method, json_t *params)
{
	json_t *v = json_pack("{ss s[o] si}", "method", method, "params",
	    params ? params : json_object(), "id", 1);
	char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;

	json_decref(v);
	return text;
}

/* One call. */
int
adapter_call(struct cli *c, const char *queue, const char *method,
    json_t *params, int64_t limit_ns, json_t **reply)
{
	char *text = request(method, params);
	struct rpc r = {.queue = queue, .limit_ns = limit_ns};
	json_error_t je;
	int rc;

	if (text == NULL) {
		(void)err_set(&c->why, 1, "the call is no JSON");
		return CLI_USAGE;
	}
	r.request = (struct xmsg_bytes){text, strlen(text)};
	rc = rpc_call(c, &r);
	free(text);
	if (rc == CLI_TIME)
		take_back(c, queue, r.id);
	if (rc != 0)
		return rc;
	*reply = json_loadb(r.reply.p, r.reply.n, JSON_ALLOW_NUL, &je);
	xmsg_bytes_free(&r.reply);
	if (json_is_object(*reply))
		return 0;
	json_decref(*reply);
	*reply = NULL;
	(void)err_set(&c->why, 1, "the answer of %s is no JSON-RPC reply: %s",
	    queue, je.text);
	return CLI_REFUSED;
}

/* The result in a reply, or the error. */
static int
result_of(struct cli *c, json_t *reply, json_t **result)
{
	json_t *error = json_object_get(reply, "error");
	struct buf b = BUF_INIT;

	if (error == NULL || json_is_null(error)) {
		*result = json_incref(json_object_get(reply, "result"));
		return *result != NULL ? 0 : CLI_REFUSED;
	}
	for (size_t i = 0; i < json_array_size(error); i++) {
		const char *s = json_string_value(json_array_get(error, i));

		buf_addf(&b, "%s%s", i > 0 ? ": " : "", s ? s : "?");
	}
	(void)err_set(&c->why, 1, "the adapter says no: %.*s", (int)b.n, b.p);
	buf_fini(&b);
	return CLI_REFUSED;
}

/* One question. */
int
adapter_ask(struct cli *c, const char *method, json_t *params, json_t **result)
{
	const char *queue = opts_text(&c->opts, "adapter", ADAPTER_QUEUE);
	json_t *reply = NULL;
	int rc = served(c, queue);
	int64_t limit = c->limit_ns / 2;

	*result = NULL;
	if (rc != 0) {
		json_decref(params);
		return rc;
	}
	rc = adapter_call(c, queue, method, params, limit, &reply);
	if (rc == CLI_NONE)
		return not_running(c, queue);
	if (rc == CLI_TIME) {
		(void)err_set(&c->why, CLI_DEAD,
		    "the storage adapter does not answer within %.3g s"
		    " (stopped?); see systemctl status xmsg-storaged",
		    (double)limit / 1e9);
		return CLI_DEAD;
	}
	if (rc == 0)
		rc = result_of(c, reply, result);
	json_decref(reply);
	return rc;
}

/* QUEUE:ID, when both are there. */
static void
put_ref(struct cli *c, size_t col, const json_t *o)
{
	struct buf b = BUF_INIT;
	struct str queue = ask_str(o, "queue");

	if (queue.n > 0 && json_object_get(o, "id") != NULL) {
		msgid_put(&b, queue, ask_int(o, "id", 0));
		out_text(&c->out, col, (struct str){b.p, b.n});
	}
	buf_fini(&b);
}

/* The members that columns name. */
void
adapter_row(struct cli *c, const struct col *cols, size_t n, const json_t *o)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(o, cols[i].key);

		if (strcmp(cols[i].key, "ref") == 0)
			put_ref(c, i, o);
		else if (json_is_string(v))
			out_text(&c->out, i, ask_str(o, cols[i].key));
		else if (json_is_real(v))
			out_real(&c->out, i, json_real_value(v));
		else if (json_is_integer(v) || json_is_boolean(v))
			out_int(&c->out, i, ask_int(o, cols[i].key, 0));
	}
}

/* ---- completion ---- */

/* The names of plugins. */
void
adapter_offer_plugins(struct cli *c)
{
	json_t *list = NULL, *p;
	size_t i;

	if (adapter_ask(c, "adapter.plugins", NULL, &list) != 0)
		return;
	json_array_foreach(list, i, p)
	{
		const char *name =
		    json_string_value(json_object_get(p, "name"));
		const char *dot = name ? strrchr(name, '.') : NULL;

		cmd_offer(c, str_of(name), NULL);
		if (dot != NULL)
			cmd_offer(c, str_of(dot + 1), name);
	}
	json_decref(list);
}

/* The calls under way. */
void
adapter_offer_calls(struct cli *c)
{
	json_t *list = NULL, *s;
	size_t i;

	if (adapter_ask(c, "adapter.scripts", NULL, &list) != 0)
		return;
	json_array_foreach(list, i, s)
	{
		struct buf ref = BUF_INIT;

		msgid_put(&ref, ask_str(s, "queue"), ask_int(s, "id", 0));
		cmd_offer(c, (struct str){ref.p, ref.n},
		    json_string_value(json_object_get(s, "method")));
		buf_fini(&ref);
	}
	json_decref(list);
}
