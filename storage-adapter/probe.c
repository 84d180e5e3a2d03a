/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A probe remembers its plugin by kind and name, since the plugin may go while
 * its script runs.  Each has a folder of its own, STATE/probe/N; those of a
 * process before are ended and removed at the start.
 */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <jansson.h>

#include "clock.h"
#include "ctx.h"
#include "gen_smapi.h"
#include "job.h"
#include "log.h"
#include "plugin.h"
#include "redact.h"
#include "xalloc.h"

#define INPUT "{\"dbg\":\"register\"}"

struct probe {
	struct probes *ps;
	enum plugin_kind kind;
	char *name, *dir;
	unsigned ticket;
	struct job *job;
	LIST_ENTRY(probe) entry;
};

struct probes {
	struct ctx *ctx;
	char *dir;
	unsigned long number;
	LIST_HEAD(probe_list, probe) list;
};

/* Remove what a process before this one has left. */
static void
clear(struct probes *ps)
{
	DIR *d = opendir(ps->dir);
	struct dirent *de;
	char *path;

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		path = xasprintf("%s/%s", ps->dir, de->d_name);
		if (job_end_folder(path))
			(void)job_remove_folder(path, NULL);
		free(path);
	}
	if (d != NULL)
		closedir(d);
}

struct probes *
probes_new(struct ctx *ctx)
{
	struct probes *ps = xcalloc(1, sizeof *ps);

	ps->ctx = ctx;
	ps->dir = xasprintf("%s/probe", ctx->set->state);
	LIST_INIT(&ps->list);
	/* above those of a process before, which may still be ending */
	ps->number = (unsigned long)(clock_wall_ns() / NS_PER_MS);
	if (mkdir(ps->dir, 0700) == -1 && errno != EEXIST)
		log_error("probe", "cannot make %s", ps->dir);
	clear(ps);
	return ps;
}

static void
probe_free(struct probe *p)
{
	LIST_REMOVE(p, entry);
	free(p->name);
	free(p->dir);
	free(p);
}

void
probes_free(struct probes *ps)
{
	if (ps == NULL)
		return;
	while (!LIST_EMPTY(&ps->list)) {
		job_leave(LIST_FIRST(&ps->list)->job);
		probe_free(LIST_FIRST(&ps->list));
	}
	free(ps->dir);
	free(ps);
}

/* How a failed run ended, in words. */
static void
how(const struct job_result *r, char *text, size_t n)
{
	const char *name;

	switch (r->end) {
	case JOB_EXIT:
		snprintf(text, n, "ended with exit status %d", r->code);
		break;
	case JOB_SIGNAL:
		name = sigabbrev_np(r->code);
		snprintf(text, n, "died of SIG%s", name ? name : "?");
		break;
	case JOB_TIMEOUT:
		snprintf(text, n, "took longer than scripts.query_time");
		break;
	case JOB_OUTPUT:
		snprintf(text, n, "printed more than scripts.output");
		break;
	case JOB_NOEXEC:
	case JOB_NOSTART:
		snprintf(
		    text, n, "could not be started: %s", strerror(r->code));
		break;
	default: snprintf(text, n, "was interrupted"); break;
	}
}

/* What the script printed, decoded; or why not, in `why`. */
static json_t *
decode(const struct job_result *r, char *why, size_t n)
{
	struct idl_fault f;
	json_error_t je;
	json_t *v, *q;
	char text[200], err[120];
	size_t tail = r->err.n > 100 ? 100 : r->err.n, m;

	m = redact(err, sizeof err - 1,
	    (struct str){r->err.p + r->err.n - tail, tail});
	while (m > 0 && err[m - 1] == '\n')
		m--;
	err[m] = '\0';
	if (r->end != JOB_EXIT || r->code != 0) {
		how(r, text, sizeof text);
		snprintf(
		    why, n, "Plugin.Query %s%s%s", text, *err ? ": " : "", err);
		return NULL;
	}
	v = json_loadb(r->out.p, r->out.n, JSON_DECODE_ANY, &je);
	if (v == NULL) {
		snprintf(why, n, "Plugin.Query printed no JSON: %s", je.text);
		return NULL;
	}
	q = idl_decode(&smapi_query_result, v, &f);
	if (q == NULL) {
		idl_fault_text(&f, text, sizeof text);
		snprintf(
		    why, n, "the answer of Plugin.Query is wrong: %s", text);
	}
	json_decref(v);
	return q;
}

static void
ran(const struct job_result *r, void *arg)
{
	struct probe *p = arg;
	struct plugins *plugins = p->ps->ctx->plugins;
	struct plugin *plugin = plugins_find(plugins, p->kind, p->name);
	char why[400] = "";
	json_t *answer = decode(r, why, sizeof why);
	unsigned ticket = p->ticket;
	struct err e;

	if (job_remove_folder(p->dir, &e) == -1)
		log_warn("probe", "%s", e.text);
	probe_free(p);
	if (plugin != NULL)
		plugins_probed(plugins, plugin, ticket, answer, why);
	json_decref(answer);
}

void
probe_start(struct probes *ps, struct plugin *plugin, unsigned ticket)
{
	static const char *const argv[] = {"--json", NULL};
	const struct idl_method *m = &smapi_methods[SMAPI_PLUGIN_QUERY];
	struct probe *p;
	struct job_spec spec;
	const char *path;
	struct err e;

	if (scripts_find(plugin->scripts, m->name, &path, &e) != SCRIPT_OK) {
		plugins_probed(ps->ctx->plugins, plugin, ticket, NULL, e.text);
		return;
	}
	p = xcalloc(1, sizeof *p);
	p->ps = ps;
	p->kind = plugin->kind;
	p->name = xstrdup(plugin->name);
	p->ticket = ticket;
	p->dir = xasprintf("%s/%lu", ps->dir, ps->number++);
	LIST_INSERT_HEAD(&ps->list, p, entry);
	if (mkdir(p->dir, 0700) == -1) {
		err_errno(&e, "cannot make %s", p->dir);
		probe_free(p);
		plugins_probed(ps->ctx->plugins, plugin, ticket, NULL, e.text);
		return;
	}
	spec = (struct job_spec){.dir = p->dir,
	    .script = path,
	    .argv = argv,
	    .env = (const char *const *)ps->ctx->env,
	    .input = STR(INPUT),
	    .limit_ns = ps->ctx->set->query_time};
	p->job = job_start(ps->ctx->jobs, &spec, ran, p);
}
