/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Payloads as remote calls: JSON-RPC 2.0, and the form of the toolstack, which
 * has no version and {"result":null,"error":[NAME,TEXT],"id":..} for answers. */
#include "rpc.h"

#include <math.h>

#include "json.h"
#include "jsonw.h"

#define CODE_CANCELLED (-32000) /* first of those that servers may define */

/* Keep the id that was read last as JSON. */
static void
keep_id(struct rpc *r, const struct json_in *j, enum json_type t)
{
	struct buf b = BUF_INIT;

	switch (t) {
	case JSON_INT: buf_addi(&b, j->integer); break;
	case JSON_FLOAT:
		if (isfinite(j->number))
			json_put_float(&b, j->number);
		break;
	case JSON_STR: json_put_str(&b, j->str); break;
	case JSON_NULL: buf_adds(&b, "null"); break;
	default: break;
	}
	if (buf_ok(&b) && b.n > 0 && b.n <= sizeof r->id_text) {
		memcpy(r->id_text, b.p, b.n);
		r->id = (struct str){r->id_text, b.n};
	}
	buf_fini(&b);
}

/* One member of the object; false when it is malformed. */
static bool
member(struct rpc *r, struct json_in *j, struct str key)
{
	enum json_type t = json_value(j);

	if (t == JSON_BAD || t == JSON_END)
		return false;
	if (t == JSON_STR && str_eq(key, STR("method")))
		r->method = j->str;
	else if (t == JSON_STR && str_eq(key, STR("jsonrpc")))
		r->v2 = str_eq(j->str, STR("2.0"));
	else if (str_eq(key, STR("id")))
		keep_id(r, j, t);
	return json_skip(j, t);
}

/* Take apart. */
void
rpc_read(struct rpc *r, char *text, size_t n, bool cut)
{
	static const struct rpc none;
	struct json_in j;
	struct str key;
	bool good;

	*r = none;
	json_in_init(&j, text, n);
	good = json_value(&j) == JSON_OBJECT;
	while (good && json_key(&j, &key))
		good = member(r, &j, key);
	if (!cut && (!good || !json_finish(&j)))
		*r = none;
	if (r->id.p == NULL)
		r->id = r->v2 ? STR("null") : STR("0");
}

/* The method, from the beginning of a payload. */
size_t
rpc_method(char *out, size_t max, struct str payload)
{
	char text[RPC_SCAN];
	struct rpc r;
	size_t n;

	n = payload.n < sizeof text ? payload.n : sizeof text;
	if (n == 0)
		return 0;
	memcpy(text, payload.p, n);
	rpc_read(&r, text, n, n < payload.n);
	n = r.method.n < max ? r.method.n : max;
	if (n > 0)
		memcpy(out, r.method.p, n);
	return n;
}

/* The failure. */
void
rpc_cancelled(struct buf *b, const struct rpc *r, struct str by,
    struct str reason, struct str sentence)
{
	struct jsonw w = {.b = b};

	jsonw_open(&w, NULL, '{');
	if (!r->v2) {
		buf_adds(b, "\"result\":null");
		w.comma = true;
		jsonw_open(&w, "error", '[');
		jsonw_str(&w, NULL, STR("Cancelled"));
		jsonw_str(&w, NULL, sentence);
		jsonw_close(&w, ']');
	} else {
		jsonw_str(&w, "jsonrpc", STR("2.0"));
		jsonw_open(&w, "error", '{');
		jsonw_int(&w, "code", CODE_CANCELLED);
		jsonw_str(&w, "message", sentence);
		jsonw_open(&w, "data", '{');
		jsonw_str(&w, "by", by);
		jsonw_str(&w, "reason", reason.p ? reason : STR(""));
		jsonw_close(&w, '}');
		jsonw_close(&w, '}');
	}
	buf_adds(b, ",\"id\":");
	buf_add(b, r->id.p, r->id.n);
	jsonw_close(&w, '}');
}
