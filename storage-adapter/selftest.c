/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A row for each call; the loop is turned until its reply is there. */
#include "selftest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <event2/event.h>
#include <jansson.h>

#include "call.h"
#include "clock.h"
#include "each.h"
#include "idlval.h"
#include "job.h"
#include "log.h"
#include "plugin.h"
#include "xalloc.h"

#define PLUGIN "org.xen.xapi.storage.dummyv5"

struct test {
	struct event_base *base;
	struct jobs *jobs;
	struct scripts *scripts;
	const char *dir;
	char *run; /* folder of the call under way */
	char *handle; /* of the attached SR */
	char *path; /* of the script that runs */
	struct call *call;
	enum call_state state;
	bool ran; /* its script has ended */
	json_t *config; /* result of SR.create */
	char *volume; /* key of the volume made */
	bool probe; /* the features say SR_PROBE */
};

/* ---- the world ---- */

static const char *
sr_handle(void *arg, const char *sr)
{
	(void)sr;
	return ((struct test *)arg)->handle;
}

static json_t *
sr_list(void *arg)
{
	(void)arg;
	return json_array();
}

static int
sr_attached(void *arg, const char *sr, const char *handle, json_t *config,
    json_t *uids, struct err *e)
{
	struct test *t = arg;

	(void)sr;
	(void)config;
	(void)uids;
	(void)e;
	free(t->handle);
	t->handle = xstrdup(handle);
	return 0;
}

static int
sr_detached(void *arg, const char *sr, struct err *e)
{
	struct test *t = arg;

	(void)sr;
	(void)e;
	free(t->handle);
	t->handle = NULL;
	return 0;
}

static const char *
epoch(void *arg, const char *sr, const char *vdi)
{
	(void)arg;
	(void)sr;
	(void)vdi;
	return NULL;
}

static int
epoch_set(void *arg, const char *sr, const char *vdi, const char *scheme,
    struct err *e)
{
	(void)arg;
	(void)sr;
	(void)vdi;
	(void)scheme;
	(void)e;
	return 0;
}

static const struct call_datapath *
datapath(void *arg, const char *scheme)
{
	(void)arg;
	(void)scheme;
	return NULL;
}

static bool
has_script(void *arg, const struct idl_method *m)
{
	const char *path;

	return scripts_find(((struct test *)arg)->scripts, m->name, &path,
		   NULL) == SCRIPT_OK;
}

static const char *
version(void *arg)
{
	(void)arg;
	return "5.0";
}

static int64_t
began(void *arg)
{
	(void)arg;
	return clock_wall_ns();
}

static void
note(void *arg, const char *text)
{
	(void)arg;
	log_warn("selftest", "%s", text);
}

/* ---- one call ---- */

static void
ran(const struct job_result *r, void *arg)
{
	struct test *t = arg;
	struct call_ran told = {
	    .found = CALL_FOUND, .path = t->path, .result = r};

	t->ran = true;
	t->state = call_resume(t->call, &told);
}

/* Run the script that the call wants. */
static void
run(struct test *t, unsigned step)
{
	static const char *const argv[] = {"--json", NULL};
	const struct call_script *cs = call_script(t->call);
	struct call_ran told = {.found = CALL_MISSING};
	char *input = json_dumps(cs->params, JSON_COMPACT);
	struct err e = {0};
	enum script_rc rc =
	    scripts_find(t->scripts, cs->method->name, &told.path, &e);
	struct job_spec spec = {.dir = t->run,
	    .step = step,
	    .argv = argv,
	    .input = str_of(input),
	    .limit_ns = 60 * NS_PER_SEC};

	told.why = e.text;
	if (rc != SCRIPT_OK) {
		if (rc != SCRIPT_MISSING)
			told.found = CALL_NOT_EXECUTABLE;
		t->state = call_resume(t->call, &told);
	} else {
		free(t->path);
		spec.script = t->path = xstrdup(told.path);
		t->ran = false;
		(void)job_start(t->jobs, &spec, ran, t);
		while (!t->ran && event_base_loop(t->base, EVLOOP_ONCE) == 0)
			;
	}
	free(input);
}

/* A whole call; its result, or NULL after a line in the log. */
static json_t *
call(struct test *t, const char *method, json_t *params)
{
	const struct call_world w = {t, sr_handle, sr_list, sr_attached,
	    sr_detached, epoch, epoch_set, datapath, has_script, version, began,
	    note};
	json_t *req, *reply, *result = NULL;
	struct timespec pause;
	const char *text = NULL, *error;
	unsigned step = 0;
	char *bytes;

	json_object_set_new(params, "dbg", json_string("self test"));
	req = json_pack(
	    "{ss s[o] si}", "method", method, "params", params, "id", 1);
	bytes = json_dumps(req, JSON_COMPACT);
	t->run = xasprintf("%s/run", t->dir);
	if (mkdir(t->run, 0700) == -1)
		log_error("selftest", "%s: %m", t->run);
	t->call = call_new(&w, str_of(bytes));
	for (t->state = call_go(t->call); t->state != CALL_DONE;) {
		if (t->state == CALL_RUN) {
			run(t, step++);
			continue;
		}
		pause.tv_sec = call_wait_ns(t->call) / NS_PER_SEC;
		pause.tv_nsec = call_wait_ns(t->call) % NS_PER_SEC;
		nanosleep(&pause, NULL);
		t->state = call_go(t->call);
	}
	error = call_error(t->call, &text);
	if (error != NULL) {
		log_error("selftest", "%s: %s: %s", method, error, text);
	} else {
		reply = json_loadb(
		    call_reply(t->call).p, call_reply(t->call).n, 0, NULL);
		result = json_incref(json_object_get(reply, "result"));
		json_decref(reply);
		log_info("selftest", "%s: ok", method);
	}
	call_free(t->call);
	if (job_remove_folder(t->run, NULL) == -1)
		log_warn("selftest", "%s stays", t->run);
	free(t->run);
	free(bytes);
	json_decref(req);
	return result;
}

/* ---- a life ---- */

/* Of a call nothing but success is wanted. */
static bool
simple(struct test *t, const char *method, json_t *params)
{
	json_t *r = call(t, method, params);

	json_decref(r);
	return r != NULL;
}

static bool
query(struct test *t)
{
	json_t *r = call(t, "Query.query", json_object()), *f;
	size_t i;

	array_each (json_object_get(r, "features"), i, f)
		if (strcmp(json_string_value(f), "SR_PROBE") == 0)
			t->probe = true;
	json_decref(r);
	return r != NULL && simple(t, "Query.diagnostics", json_object());
}

static bool
repository(struct test *t)
{
	t->config = call(t, "SR.create",
	    json_pack("{ss ss ss s{ss} si}", "sr", "dummySR", "name_label",
		"dummySR", "name_description", "", "device_config", "uri",
		"file:///dev/null", "physical_size", 0));
	return t->config != NULL &&
	    simple(t, "SR.detach", json_pack("{ss}", "sr", "dummySR")) &&
	    simple(t, "SR.attach",
		json_pack(
		    "{ss sO}", "sr", "dummySR", "device_config", t->config));
}

static bool
volume(struct test *t)
{
	json_t *r = call(t, "VDI.create",
	    json_pack("{ss s{ss ss ss si}}", "sr", "dummySR", "vdi_info", "vdi",
		"", "name_label", "dummy", "ty", "redolog", "virtual_size", 0));
	const char *key = json_string_value(json_object_get(r, "vdi"));
	bool ok = key != NULL &&
	    simple(t, "VDI.stat",
		json_pack("{ss ss}", "sr", "dummySR", "vdi", key)) &&
	    simple(t, "VDI.destroy",
		json_pack("{ss ss}", "sr", "dummySR", "vdi", key));

	json_decref(r);
	return ok;
}

static bool
rest(struct test *t)
{
	return simple(t, "SR.stat", json_pack("{ss}", "sr", "dummySR")) &&
	    simple(t, "SR.scan", json_pack("{ss}", "sr", "dummySR")) &&
	    (!t->probe ||
		simple(t, "SR.probe",
		    json_pack("{ss s{ss} s{}}", "queue", PLUGIN,
			"device_config", "uri", "file:///dev/null",
			"sm_config")));
}

bool
selftest(struct event_base *base, struct jobs *jobs, const char *root,
    const char *dir)
{
	char *plugin = xasprintf("%s/volume/" PLUGIN, root);
	struct test t = {.base = base, .jobs = jobs, .dir = dir};
	bool ok;

	t.scripts = scripts_new(plugin);
	ok = query(&t) && repository(&t) && volume(&t) && rest(&t);
	if (ok)
		log_info("selftest", "passed");
	else
		log_error("selftest", "failed: %s", plugin);
	scripts_free(t.scripts);
	json_decref(t.config);
	free(t.handle);
	free(t.path);
	free(plugin);
	return ok;
}
