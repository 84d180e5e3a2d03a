/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The answer to Plugin.Query.  A plugin is any program, so the answer may be
 * any JSON. */
#include "plugin_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "plugin_name.h"
#include "xalloc.h"

/* The versions of the interface that we speak, oldest first. */
static const char *const versions[] = {"3.0", "5.0"};
#define LATEST "5.0"

/* Is it one of them? */
static bool
supported(const char *version)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (strcmp(version, versions[i]) == 0)
			return true;
	return false;
}

/* The strings in `features`; anything else in it is passed over. */
static const char **
read_features(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "features");
	size_t all = json_array_size(list), n = 0;
	const char **v = xcalloc(all + 1, sizeof *v);

	for (size_t i = 0; i < all; i++) {
		const char *one = json_string_value(json_array_get(list, i));
		if (one)
			v[n++] = one;
	}
	return v;
}

/* Read an answer. */
int
plugin_query_read(const char *name, json_t *answer, const char **version,
    const char ***features, struct err *e)
{
	const char *stated;
	char shown[PLUGIN_SHOWN], who[PLUGIN_SHOWN];

	if (!json_is_object(answer))
		return err_set(
		    e, EINVAL, "Plugin.Query answered no JSON object");
	stated =
	    json_string_value(json_object_get(answer, "required_api_version"));
	if (stated == NULL)
		return err_set(e, EINVAL,
		    "the answer of Plugin.Query has no required_api_version");
	if (!supported(stated)) {
		plugin_name_show(who, sizeof who, name);
		plugin_name_show(shown, sizeof shown, stated);
		return err_set(e, ENOTSUP,
		    "%s requires unknown SMAPI API version %s, supported: "
		    "3.0,5.0",
		    who, shown);
	}
	*version = stated;
	*features = read_features(answer);
	return 0;
}

/* The toolstack names the queue of a plugin "org.xen.xapi.storage." and what it
 * calls the SR's type: the plugin's own word for itself. */
static void
remark_name(const struct plugin *p)
{
	const char *word, *last = strrchr(p->name, '.');

	word = json_string_value(json_object_get(p->query, "plugin"));
	last = last ? last + 1 : p->name;
	if (word == NULL || strcmp(word, last) != 0)
		log_warn("plugin",
		    "%s calls itself %s, but the end of its folder's name is "
		    "%s: the toolstack will not find it",
		    p->name, word ? word : "nothing", last);
}

/* Log what is odd. */
void
plugin_query_remark(const struct plugin *p)
{
	if (strcmp(p->version, LATEST) != 0)
		log_warn("plugin",
		    "Using deprecated SMAPIv3 API version %s, latest is %s. "
		    "Update your %s plugin!",
		    p->version, LATEST, p->name);
	if (p->kind == PLUGIN_VOLUME)
		remark_name(p);
}
