/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The world of calls, over state, plugins and memo. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ctx.h"
#include "idlval.h"
#include "log.h"
#include "plugin.h"
#include "redact.h"
#include "rrd.h"
#include "service.h"
#include "state.h"
#include "task.h"
#include "xalloc.h"

/* Look an answer up in the memo; true with *out (NULL: the answer was none). */
static bool
recall(const struct task *t, const char *key, const char **out)
{
	json_t *v = json_object_get(t->memo, key);

	if (v == NULL)
		return false;
	*out = json_string_value(v);
	return true;
}

/* Note an answer, and give it back from there. */
static const char *
note_answer(struct task *t, const char *key, const char *value)
{
	json_t *v = value ? json_string(value) : json_null();

	json_object_set_new(t->memo, key, v);
	t->memo_dirty = true;
	return json_string_value(v);
}

static const char *
sr_handle(void *arg, const char *sr)
{
	struct task *t = arg;
	const char *handle = NULL;
	struct state_sr row;
	struct err e;
	int rc;

	if (recall(t, "handle", &handle))
		return handle;
	rc = state_sr_get(t->ctx->state, t->sv->queue, sr, &row, &e);
	if (rc == -1)
		log_error("state", "%s", e.text);
	return note_answer(t, "handle", rc == 1 ? row.handle : NULL);
}

static void
add_name(const struct state_sr *sr, void *arg)
{
	json_array_append_new(arg, json_string(sr->sr));
}

static json_t *
sr_list(void *arg)
{
	struct task *t = arg;
	json_t *list = json_array();
	struct err e;

	if (state_sr_each(t->ctx->state, t->sv->queue, add_name, list, &e) ==
	    -1)
		log_error("state", "%s", e.text);
	return list;
}

/* An object as text with its secrets masked, for free(3). */
static char *
masked(json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT), out[4096];
	size_t n = redact(out, sizeof out, str_of(text));

	free(text);
	return xasprintf("%.*s", (int)n, out);
}

static int
sr_attached(void *arg, const char *sr, const char *handle, json_t *config,
    json_t *uids, struct err *e)
{
	struct task *t = arg;
	char *conf = masked(config), *ids = json_dumps(uids, JSON_COMPACT);
	int rc;

	rc = state_sr_put(t->ctx->state,
	    &(struct state_sr){
		t->sv->queue, sr, handle, conf, ids, clock_wall_ns()},
	    e);
	if (rc == 0)
		rrd_tell(t->ctx, true, ids);
	free(conf);
	free(ids);
	return rc;
}

static int
sr_detached(void *arg, const char *sr, struct err *e)
{
	struct task *t = arg;
	struct state_sr row;
	int rc = state_sr_get(t->ctx->state, t->sv->queue, sr, &row, e);

	if (rc == 1) {
		rrd_tell(t->ctx, false, row.uids);
		rc = state_sr_del(t->ctx->state, t->sv->queue, sr, e);
	}
	return rc;
}

static const char *
epoch(void *arg, const char *sr, const char *vdi)
{
	struct task *t = arg;
	const char *scheme = NULL;
	struct err e;
	int rc;

	if (recall(t, "epoch", &scheme))
		return scheme;
	rc = state_epoch_get(t->ctx->state, t->sv->queue, sr, vdi, &scheme, &e);
	if (rc == -1)
		log_error("state", "%s", e.text);
	return note_answer(t, "epoch", rc == 1 ? scheme : NULL);
}

static int
epoch_set(void *arg, const char *sr, const char *vdi, const char *scheme,
    struct err *e)
{
	struct task *t = arg;

	return state_epoch_set(t->ctx->state, t->sv->queue, sr, vdi, scheme, e);
}

static const struct call_datapath *
datapath(void *arg, const char *scheme)
{
	static struct call_datapath d;
	struct task *t = arg;
	struct plugin *p =
	    plugins_find(t->ctx->plugins, PLUGIN_DATAPATH, scheme);

	if (p == NULL || !plugin_served(p))
		return NULL;
	d = (struct call_datapath){p->name, (const char *const *)p->features};
	return &d;
}

static bool
has_script(void *arg, const struct idl_method *m)
{
	struct task *t = arg;
	const char *path;

	return t->sv->plugin != NULL &&
	    scripts_find(t->sv->plugin->scripts, m->name, &path, NULL) ==
	    SCRIPT_OK;
}

static const char *
version(void *arg)
{
	struct task *t = arg;

	return t->sv->plugin && t->sv->plugin->version ? t->sv->plugin->version
						       : "5.0";
}

static int64_t
began(void *arg)
{
	return ((struct task *)arg)->began_wall_ns;
}

static void
note(void *arg, const char *text)
{
	struct task *t = arg;
	char out[1024];
	size_t n = redact(out, sizeof out, str_of(text));

	log_warn("call", "%s:%lld %s: %.*s", t->sv->queue, (long long)t->id,
	    t->call ? call_method(t->call) : "", (int)n, out);
}

struct call_world
world_of(struct task *t)
{
	return (struct call_world){.arg = t,
	    .sr_handle = sr_handle,
	    .sr_list = sr_list,
	    .sr_attached = sr_attached,
	    .sr_detached = sr_detached,
	    .epoch = epoch,
	    .epoch_set = epoch_set,
	    .datapath = datapath,
	    .has_script = has_script,
	    .version = version,
	    .began = began,
	    .note = note};
}
