/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Calls to the RRD daemon; their answers are only looked at for the log. */
#include "rrd.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ctx.h"
#include "each.h"
#include "log.h"
#include "xmsg.h"

#define QUEUE	 "org.xen.xapi.rrd"
#define LIMIT_MS 10000

static void
told(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	json_t *reply =
	    r->rc == XMSG_OK ? json_loadb(r->body.p, r->body.n, 0, NULL) : NULL;
	json_t *error = json_object_get(reply, "error");

	(void)arg;
	if (r->rc == XMSG_ECANCELED)
		return;
	if (r->rc != XMSG_OK)
		log_warn("rrd", "%s: %s", QUEUE, xmsg_error(x));
	else if (reply == NULL || !json_is_null(error))
		log_warn("rrd", "%s: a data source was refused: %.*s", QUEUE,
		    (int)(r->body.n < 200 ? r->body.n : 200), r->body.p);
	json_decref(reply);
}

/* One call for one id. */
static void
tell(struct ctx *ctx, bool add, json_t *uid)
{
	json_t *params = json_pack("{sO}", "uid", uid), *call;
	struct xmsg_bytes b;
	char *text;

	if (add) {
		json_object_set_new(
		    params, "info", json_string("Five_Seconds"));
		json_object_set_new(params, "protocol", json_string("V2"));
	}
	call = json_pack("{ss s[o] si}", "method",
	    add ? "Plugin.Local.register" : "Plugin.Local.deregister", "params",
	    params, "id", 1);
	text = json_dumps(call, JSON_COMPACT);
	b = (struct xmsg_bytes){text, strlen(text)};
	if (xmsg_call_start(ctx->x, QUEUE, b, 0, LIMIT_MS, told, NULL) == NULL)
		log_warn("rrd", "%s: %s", QUEUE, xmsg_error(ctx->x));
	free(text);
	json_decref(call);
}

void
rrd_tell(struct ctx *ctx, bool add, const char *uids)
{
	json_t *list = json_loads(uids, 0, NULL), *uid;
	size_t i;

	array_each (list, i, uid)
		tell(ctx, add, uid);
	json_decref(list);
}
