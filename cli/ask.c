/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Asking the broker. */
#include <jansson.h>

#include "ask.h"

#include <stdlib.h>

#include "clock.h"
#include "text.h"
#include "wire.h"

/* Build a target. */
void
ask_segments(struct buf *b, const char *const *segments)
{
	buf_adds(b, "/v1");
	for (; *segments != NULL; segments++) {
		buf_addc(b, '/');
		wire_put_segment(b, str_of(*segments));
	}
}

/* The connection. */
struct xmsg *
ask_xmsg(struct cli *c)
{
	int rc;

	if (c->x != NULL)
		return c->x;
	rc = xmsg_open(&c->x, c->socket, NULL);
	if (rc != XMSG_OK) {
		(void)err_set(&c->why, rc, "cannot use the socket '%s': %s",
		    c->socket, xmsg_strerror(rc));
		return NULL;
	}
	xmsg_set_patience(c->x, 0);
	return c->x;
}

/* How long an answer may take: half of the time limit, as the other half is
 * for reading the state folder instead. */
static int
patience_ms(const struct cli *c)
{
	int64_t half = c->limit_ns / 2 / NS_PER_MS;
	int left = cli_left_ms(c);

	return half < left ? (int)half + 1 : left;
}

/* What a failure of the library means. */
int
ask_failed(struct cli *c, int rc)
{
	const char *text = c->x ? xmsg_error(c->x) : xmsg_strerror(rc);

	switch (rc) {
	case XMSG_ETIMEDOUT:
		(void)err_set(&c->why, rc,
		    "the broker at %s does not answer (stopped?)", c->socket);
		return CLI_DEAD;
	case XMSG_ECONNECT:
	case XMSG_ELOST:
		(void)err_set(&c->why, rc, "no broker answers: %s", text);
		return CLI_DEAD;
	case XMSG_EINVAL:
		(void)err_set(&c->why, rc, "%s", text);
		return CLI_USAGE;
	case XMSG_ENOQUEUE:
	case XMSG_ENOENT:
		(void)err_set(&c->why, rc, "%s", text);
		return CLI_NONE;
	case XMSG_ECANCELED:
		(void)err_set(&c->why, rc, "interrupted");
		return CLI_INTERRUPTED;
	default: (void)err_set(&c->why, rc, "%s", text); return CLI_REFUSED;
	}
}

/* The sentence of an answer that says no. */
static int
refused(struct cli *c, int status, const json_t *answer)
{
	const json_t *e = json_object_get(answer, "error");
	struct buf b = BUF_INIT;
	struct str hint = ask_str(e, "hint");

	text_put(&b, ask_str(e, "message"));
	if (b.n == 0)
		buf_addf(&b, "the broker answered with status %d%s", status,
		    status == 404 ? ": is it an xmsgd?" : "");
	if (hint.n > 0) {
		buf_adds(&b, " (");
		text_put(&b, hint);
		buf_addc(&b, ')');
	}
	(void)err_set(&c->why, status, "%.*s", (int)b.n, b.p);
	buf_fini(&b);
	return status == 404 ? CLI_NONE
	    : status == 400  ? CLI_USAGE
			     : CLI_REFUSED;
}

/* One exchange: 0, or an exit status when there is no answer. */
static int
exchange(struct cli *c, const char *method, struct buf *target, struct str body,
    int wait_ms, int *status, struct xmsg_bytes *out)
{
	struct xmsg *x = ask_xmsg(c);
	struct xmsg_bytes in = {body.p, body.n};
	int rc;

	buf_addc(target, '\0');
	if (x == NULL || !buf_ok(target))
		return CLI_USAGE;
	xmsg_set_timeout(x, patience_ms(c) + wait_ms);
	rc = xmsg_http(x, method, target->p, in, status, out);
	if (rc != XMSG_OK)
		return ask_failed(c, rc);
	c->answered = true;
	return 0;
}

/* One request. */
int
ask_wait(struct cli *c, const char *method, struct buf *target, struct str body,
    int wait_ms, json_t **answer)
{
	struct xmsg_bytes out = {NULL, 0};
	json_error_t je;
	json_t *j;
	int status = 0;
	int rc = exchange(c, method, target, body, wait_ms, &status, &out);

	if (rc != 0)
		return rc;
	j = json_loadb(out.p, out.n, JSON_ALLOW_NUL, &je);
	xmsg_bytes_free(&out);
	if (status != 200 && !(status == 503 && json_object_get(j, "status")))
		rc = refused(c, status, j);
	else if (j == NULL)
		rc = err_set(&c->why, 1, "the broker's answer is no JSON: %s",
			 je.text) *
		    -CLI_REFUSED;
	if (rc == 0 && answer != NULL)
		*answer = j;
	else
		json_decref(j);
	return rc;
}

/* The bytes of an answer. */
int
ask_bytes(
    struct cli *c, struct buf *target, int wait_ms, struct xmsg_bytes *answer)
{
	json_t *j;
	int status = 0;
	int rc = exchange(c, "GET", target, STR(""), wait_ms, &status, answer);

	if (rc != 0 || status == 200)
		return rc;
	j = json_loadb(answer->p, answer->n, JSON_ALLOW_NUL, NULL);
	rc = refused(c, status, j);
	json_decref(j);
	xmsg_bytes_free(answer);
	return rc;
}

/* A fifth of a millisecond for each, a minute at most. */
int
ask_bulk_ms(int64_t messages)
{
	return messages < 300000 ? (int)(messages / 5) : 60000;
}

/* One request that is answered at once. */
int
ask(struct cli *c, const char *method, struct buf *target, struct str body,
    json_t **answer)
{
	return ask_wait(c, method, target, body, 0, answer);
}

/* Wait for a broker that comes back. */
void
ask_patiently(struct cli *c)
{
	if (c->x != NULL)
		xmsg_set_patience(c->x, ASK_PATIENCE_MS);
}

/* Anybody there? Any answer will do: the original knows no /v1. */
int
ask_alive(struct cli *c)
{
	struct xmsg *x = ask_xmsg(c);
	int rc, status;

	if (c->answered)
		return 0;
	if (x == NULL)
		return CLI_USAGE;
	xmsg_set_timeout(x, patience_ms(c));
	rc = xmsg_http(x, "GET", "/v1/health", (struct xmsg_bytes){NULL, 0},
	    &status, NULL);
	c->answered = rc == XMSG_OK;
	return rc == XMSG_OK ? 0 : ask_failed(c, rc);
}

/* An element. */
json_t *
ask_item(const json_t *o, const char *key, size_t i)
{
	return json_array_get(json_object_get(o, key), i);
}

/* A text field. */
struct str
ask_str(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return (struct str){json_string_value(v), json_string_length(v)};
}

/* A whole number. */
int64_t
ask_int(const json_t *o, const char *key, int64_t def)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v)
	    : json_is_boolean(v)  ? json_is_true(v)
				  : def;
}

/* A number. */
double
ask_real(const json_t *o, const char *key, double def)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : def;
}
