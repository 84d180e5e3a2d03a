/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The self-test of a plugin's folder: what can be seen of it, what it says of
 * itself, how it fails, and, when it was told where, a repository's life.
 */
#include <jansson.h>

#include "plugin_check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../storage-adapter/trial.h"
#include "ask.h"
#include "clock.h"
#include "gen_smapi.h"
#include "pick.h"
#include "plugin_try.h"
#include "text.h"
#include "xalloc.h"

#define PREFIX	 "org.xen.xapi.storage."
#define LIMIT_NS (60 * NS_PER_SEC)
#define NO	 "xmsg-check-no-such"

/* ---- what can be seen ---- */

/* Can marks be more than letters? */
static bool
can_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < 3; i++) {
		const char *v = getenv(names[i]);

		if (v != NULL && *v != '\0')
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

/* "Word.word", as methods are called. */
static bool
like_method(const char *name)
{
	const char *dot = strchr(name, '.');

	return isupper((unsigned char)*name) && dot != NULL && dot[1] != '\0' &&
	    strchr(dot + 1, '.') == NULL;
}

/* A file that looks like a script, but is none. */
static void
odd_name(struct check *k, const char *name)
{
	const char *names[SMAPI_N_METHODS], *near;

	for (size_t i = 0; i < SMAPI_N_METHODS; i++)
		names[i] = smapi_methods[i].name;
	near = pick_nearest(names, SMAPI_N_METHODS, name);
	try_say(k, TRY_WARN, "names of scripts", -1,
	    "there is no method %s%s%s%s: it is never called", name,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* One script that is there: can it be run? */
static void
look_script(struct check *k, const struct idl_method *m, int *n)
{
	const char *path;
	struct err e;
	enum trial_found found = trial_find(k->t, m->script, &path, &e);

	if (found == TRIAL_BAD)
		try_say(k, TRY_FAIL, m->script, -1, "%s", e.text);
	*n += found == TRIAL_FOUND;
}

/* The folder and the files in it. */
static void
look_folder(struct check *k)
{
	struct dirent *de;
	struct err e;
	int n = 0;
	DIR *d;

	(void)try_that(k, trial_trust(k->t, &e) == 0,
	    "owner and modes of the folder", "%s", e.text);
	for (size_t i = 0; i < SMAPI_N_METHODS; i++)
		look_script(k, &smapi_methods[i], &n);
	d = opendir(k->dir);
	while (d != NULL && (de = readdir(d)) != NULL)
		if (like_method(de->d_name) &&
		    idl_method_find(
			smapi_methods, SMAPI_N_METHODS, de->d_name) == NULL)
			odd_name(k, de->d_name);
	if (d != NULL)
		closedir(d);
	try_say(k, n > 0 ? TRY_OK : TRY_FAIL, "scripts", -1, "%d of %d methods",
	    n, SMAPI_N_METHODS);
}

/* A volume plugin or a datapath plugin, by its scripts, else by the folder it
 * is in. */
static void
tell_kind(struct check *k)
{
	bool sr = try_has(k, SMAPI_SR_ATTACH) || try_has(k, SMAPI_SR_STAT);
	bool dp = try_has(k, SMAPI_DATAPATH_ATTACH);

	k->volume = sr || (!dp && strstr(k->dir, "/datapath/") == NULL);
}

/* Those without which the toolstack can do nothing, and those that it misses. */
static const struct {
	int method;
	bool volume, must;
} wanted[] = {
    {SMAPI_SR_ATTACH, true, true},
    {SMAPI_SR_DETACH, true, true},
    {SMAPI_SR_STAT, true, true},
    {SMAPI_SR_LS, true, true},
    {SMAPI_VOLUME_STAT, true, true},
    {SMAPI_SR_CREATE, true, false},
    {SMAPI_SR_DESTROY, true, false},
    {SMAPI_VOLUME_CREATE, true, false},
    {SMAPI_VOLUME_DESTROY, true, false},
    {SMAPI_DATAPATH_ATTACH, false, true},
    {SMAPI_DATAPATH_ACTIVATE, false, true},
    {SMAPI_DATAPATH_DEACTIVATE, false, true},
    {SMAPI_DATAPATH_DETACH, false, true},
};

static void
look_wanted(struct check *k)
{
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const char *name = smapi_methods[wanted[i].method].script;

		if (wanted[i].volume != k->volume ||
		    try_has(k, wanted[i].method))
			continue;
		try_say(k, wanted[i].must ? TRY_FAIL : TRY_WARN, name, -1,
		    wanted[i].must
			? "it is not there, and no %s plugin works without"
			: "it is not there: a %s plugin should have it",
		    k->volume ? "volume" : "datapath");
	}
}

/* ---- what it says of itself ---- */

/* A feature needs its script: that of one method, or either of two. */
static bool
has_feature_script(struct check *k, const char *feature)
{
	bool needed = false;

	for (int i = 0; i < SMAPI_N_METHODS; i++) {
		const char *f = smapi_methods[i].feature;

		if (f == NULL || strcmp(f, feature) != 0)
			continue;
		if (try_has(k, i))
			return true;
		needed = true;
	}
	return !needed;
}

static bool
known_feature(const char *word)
{
	for (size_t i = 0; smapi_features[i] != NULL; i++)
		if (strcmp(smapi_features[i], word) == 0)
			return true;
	return false;
}

static void
look_features(struct check *k, const json_t *query)
{
	json_t *list = json_object_get(query, "features"), *v;
	int broken = 0;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *word = json_string_value(v);

		if (!has_feature_script(k, word) && ++broken)
			try_say(k, TRY_FAIL, "features", -1,
			    "%s is promised, but its script is not there",
			    word);
		else if (!known_feature(word) &&
		    strcmp(word, "VDI_DESTROY") != 0)
			try_say(k, TRY_WARN, "features", -1,
			    "%s is none that is known", word);
	}
	if (broken == 0)
		try_say(k, TRY_OK, "features", -1,
		    "%zu promised, none of"
		    " them without its script",
		    json_array_size(list));
}

/* Name and version. */
static void
look_query(struct check *k, json_t *query)
{
	const char *word = json_string_value(json_object_get(query, "plugin"));
	bool old = false, good;
	struct err e = {0, ""};

	good = trial_version(k->name, query, &old, &e) == 0;
	(void)try_that(k, good, "version of the interface", "%s", e.text);
	if (old)
		try_say(k, TRY_WARN, "version of the interface", -1,
		    "3.0 is deprecated: say 5.0");
	if (k->volume)
		(void)try_that(k, word && strcmp(word, k->word) == 0,
		    "its name is that of the folder",
		    "it calls itself %s, the folder's name ends in %s: the"
		    " toolstack will not find it",
		    word ? word : "nothing", k->word);
	if (k->volume && strncmp(k->name, PREFIX, strlen(PREFIX)) != 0)
		try_say(k, TRY_WARN, "name of the folder", -1,
		    "the toolstack looks for %s%s: call it so where you"
		    " install it",
		    PREFIX, k->word);
	look_features(k, query);
}

/* Plugin.Query and Plugin.diagnostics: NULL when it does not answer. */
static json_t *
look_plugin(struct check *k)
{
	json_t *query =
	    try_call(k, "Plugin.Query", SMAPI_PLUGIN_QUERY, json_object());

	if (query != NULL)
		look_query(k, query);
	if (try_has(k, SMAPI_PLUGIN_DIAGNOSTICS))
		(void)try_done(
		    k, NULL, SMAPI_PLUGIN_DIAGNOSTICS, json_object());
	return query;
}

/* ---- how it fails ---- */

static void
look_failures(struct check *k)
{
	if (k->volume && try_has(k, SMAPI_SR_STAT)) {
		try_refused(k, "SR.stat of a repository that is not there",
		    SMAPI_SR_STAT, json_pack("{ss}", "sr", "/" NO),
		    "Sr_not_attached");
		try_refused(k, "SR.stat without its parameter", SMAPI_SR_STAT,
		    json_object(), NULL);
	}
	if (k->volume && try_has(k, SMAPI_VOLUME_STAT))
		try_refused(k, "Volume.stat in a repository that is not there",
		    SMAPI_VOLUME_STAT,
		    json_pack("{ss ss}", "sr", "/" NO, "key", NO),
		    "Sr_not_attached");
	if (!k->volume && try_has(k, SMAPI_DATAPATH_ATTACH))
		try_refused(k, "Datapath.attach without its parameters",
		    SMAPI_DATAPATH_ATTACH, json_object(), NULL);
}

/* ---- all of it ---- */

/* The --sr-config options as an object; NULL after saying so. */
static json_t *
sr_config(struct cli *c)
{
	json_t *o = json_object();

	for (size_t i = 0; i < c->opts.n; i++) {
		const char *v = c->opts.given[i].value, *eq;
		char *key;

		if (strcmp(c->opts.given[i].opt->name, "sr-config") != 0)
			continue;
		eq = strchr(v, '=');
		if (eq == NULL) {
			(void)cli_usage(
			    c, "--sr-config '%s' is not KEY=VALUE", v);
			json_decref(o);
			return NULL;
		}
		key = xstrndup(v, (size_t)(eq - v));
		json_object_set_new(o, key, json_string(eq + 1));
		free(key);
	}
	return o;
}

/* The --env options, NULL-terminated, for free(3). */
static const char **
environment(const struct cli *c)
{
	const char **env = xcalloc(c->opts.n + 1, sizeof *env);
	size_t n = 0;

	for (size_t i = 0; i < c->opts.n; i++)
		if (strcmp(c->opts.given[i].opt->name, "env") == 0)
			env[n++] = c->opts.given[i].value;
	return env;
}

/* What was not tried, and how it can be. */
static void
not_tried(struct check *k, const json_t *query)
{
	struct buf b = BUF_INIT;
	const char *key;
	json_t *v;

	json_object_foreach(
	    json_object_get((json_t *)query, "configuration"), key, v)
	{
		buf_addf(&b, "%s %s (%s)", b.n ? "," : "; it knows", key,
		    json_is_string(v) ? json_string_value(v) : "?");
	}
	try_say(k, TRY_SKIP,
	    k->volume ? "SR and Volume calls"
		      : "Datapath"
			" calls",
	    -1, "give %s to try them%.*s",
	    k->volume ? "--sr-config KEY=VALUE" : "--uri URI", (int)b.n,
	    b.p ? b.p : "");
	buf_fini(&b);
}

/* Everything, in order. */
static void
try_all(struct check *k, json_t *config)
{
	const char *uri = opts_text(&k->c->opts, "uri", NULL);
	json_t *query;

	look_folder(k);
	tell_kind(k);
	look_wanted(k);
	query = look_plugin(k);
	look_failures(k);
	if (k->volume && json_object_size(config) > 0)
		try_repository(k, config, opts_has(&k->c->opts, "keep"));
	else if (!k->volume && uri != NULL)
		try_datapath(k, uri);
	else
		not_tried(k, query);
	json_decref(query);
}

/* Does a path end in a name, and not in "." or ".."? */
static bool
has_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *end = slash ? slash + 1 : path;

	return *end != '\0' && strcmp(end, ".") != 0 && strcmp(end, "..") != 0;
}

/* A path made absolute, for free(3).  It is resolved only when it has no name of
 * its own, since links are a matter of trust. */
static char *
absolute(const char *given, const char *real)
{
	size_t n = strlen(given);
	char *name, *cwd, *path;

	while (n > 1 && given[n - 1] == '/')
		n--;
	name = xstrndup(given, n);
	cwd = *name == '/' ? xstrdup("") : realpath(".", NULL);
	path = cwd == NULL || !has_name(name)
	    ? xstrdup(real)
	    : xasprintf("%s%s%s", cwd, *cwd ? "/" : "", name);
	free(cwd);
	free(name);
	return path;
}

/* The path of a folder; NULL with c->why. */
static char *
folder(struct cli *c, const char *dir)
{
	char *real = realpath(dir, NULL), *path = NULL;
	struct stat st;

	if (real != NULL && stat(real, &st) == 0 && S_ISDIR(st.st_mode)) {
		path = absolute(dir, real);
	} else {
		if (real != NULL)
			errno = ENOTDIR;
		(void)err_errno(&c->why, "%s", dir);
	}
	free(real);
	return path;
}

/* With the folder and the configuration at hand. */
static int
check(struct cli *c, const char *path, const char *name, json_t *config)
{
	const char **env = environment(c), *dot = strrchr(name, '.');
	struct trial_opts o = {.dir = path,
	    .runner = opts_text(&c->opts, "runner", NULL),
	    .env = env,
	    .limit_ns = opts_ns(&c->opts, "timeout", LIMIT_NS)};
	struct check k = {.c = c,
	    .dir = path,
	    .name = name,
	    .word = dot ? dot + 1 : name,
	    .utf8 = can_utf8()};
	bool stopped;

	k.t = trial_new(&o, &c->why);
	if (k.t == NULL || try_begin(&k) == -1) {
		trial_free(k.t);
		free(env);
		return cli_fail(c, CLI_USAGE);
	}
	try_all(&k, config);
	stopped = k.interrupted || trial_stopped(k.t);
	try_end(&k);
	trial_free(k.t);
	free(env);
	return stopped ? CLI_INTERRUPTED : k.failed > 0 ? CLI_NONE : CLI_DONE;
}

/* The command. */
int
plugin_check(struct cli *c, const char *dir)
{
	char *path = folder(c, dir);
	json_t *config;
	int rc;

	if (path == NULL)
		return cli_fail(c, CLI_NONE);
	config = sr_config(c);
	rc = config != NULL ? check(c, path, strrchr(path, '/') + 1, config)
			    : CLI_USAGE;
	json_decref(config);
	free(path);
	return rc;
}
