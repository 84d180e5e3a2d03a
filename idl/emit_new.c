/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl new-plugin`: a folder with a program per interface, a link per
 * call and a self-test, to be filled in.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "emit.h"
#include "emit_py.h"
#include "prose.h"

/* The lines on top of each program. */
static void
head(struct buf *b, const char *name, const char *what)
{
	buf_addf(
	    b, "#!/usr/bin/env python3\n\n\"\"\"%s: %s.\"\"\"\n\n", name, what);
}

/* Which interface a plugin of this kind has, beside Plugin. */
static bool
wanted(const struct iface *i, const char *kind)
{
	return strcmp(i->module->name, kind) == 0;
}

/* The end of each program: the link's name says which call it is. */
static void
tail(struct buf *b, const struct iface *i)
{
	const char *module = i->module->name, *name = i->name;

	buf_addf(b,
	    "\n\nif __name__ == \"__main__\":\n"
	    "    log.log_call_argv()\n"
	    "    cmd = %s.%s_commandline(Implementation())\n"
	    "    base = os.path.basename(sys.argv[0])\n"
	    "    call = base.split(\".\")[-1].lower()\n"
	    "    if base.startswith(\"%s.\") and hasattr(\n"
	    "            Implementation, call):\n"
	    "        getattr(cmd, call)()\n"
	    "    else:\n"
	    "        raise %s.Unimplemented(base)\n",
	    module, name, name, module);
}

/* Its imports and the class line. */
static void
begin(struct buf *b, const struct iface *i)
{
	buf_addf(b,
	    "import os\nimport sys\n\n"
	    "from xapi.storage import log\n"
	    "from xapi.storage.api.v5 import %s\n\n\n"
	    "class Implementation(%s.%s_skeleton):\n",
	    i->module->name, i->module->name, i->name);
}

/* plugin.py: who it is, ready to be changed. */
static void
plugin_file(const struct iface *i, struct out *o, const char *name)
{
	struct buf *b = out_file(o, "%s/plugin.py", name);

	out_exec(o);
	head(b, name, "who this plugin is");
	begin(b, i);
	buf_addf(b,
	    "    def query(self, dbg):\n"
	    "        return {\n"
	    "            \"plugin\": \"%s\",\n"
	    "            \"name\": \"%s\",\n"
	    "            \"description\": \"Say here what it does\",\n"
	    "            \"vendor\": \"Say here who made it\",\n"
	    "            \"copyright\": \"Say here whose it is\",\n"
	    "            \"version\": \"0.1\",\n"
	    "            \"required_api_version\": \"5.0\",\n"
	    "            \"features\": [],\n"
	    "            \"configuration\": {},\n"
	    "            \"required_cluster_stack\": [],\n"
	    "        }\n\n"
	    "    def diagnostics(self, dbg):\n"
	    "        return \"%s 0.1\"\n",
	    name, name, name);
	tail(b, i);
	out_link(o, "plugin.py", "%s/Plugin.Query", name);
	out_link(o, "plugin.py", "%s/Plugin.diagnostics", name);
}

/* The name of an interface's program. */
static void
file_name(char *s, size_t size, const struct iface *i)
{
	snprintf(s, size, "%s.py", i->name);
	for (; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

/* One interface: each call as a method to be filled in, and a link. */
static void
iface_file(const struct iface *i, struct out *o, const char *name)
{
	const struct method *m;
	struct buf *b;
	char file[80];

	file_name(file, sizeof(file), i);
	b = out_file(o, "%s/%s", name, file);
	out_exec(o);
	head(b, name, i->title);
	begin(b, i);
	buf_adds(b,
	    "    # Fill in what you can do.  What you cannot, remove "
	    "here, together\n    # with its link: the links say what the "
	    "plugin can do.\n");
	for (m = i->methods; m != NULL; m = m->next) {
		if (m->unused)
			continue;
		py_signature(b, m);
		prose_fill(b, m->title, "        # ", 79);
		buf_addf(b, "        raise %s.Unimplemented(\"%s.%s\")\n",
		    i->module->name, i->name, m->name);
	}
	tail(b, i);
	for (m = i->methods; m != NULL; m = m->next)
		if (!m->unused)
			out_link(o, file, "%s/%s", name, m->script);
}

/* The folder. */
void
emit_new_plugin(
    const struct api *api, struct out *o, const char *name, const char *kind)
{
	const struct iface *plugin = api_iface(api, "Plugin");
	const struct module *m;
	const struct iface *i;
	struct buf *b;

	if (plugin != NULL)
		plugin_file(plugin, o, name);
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			if (wanted(i, kind))
				iface_file(i, o, name);
	b = out_file(o, "%s/selftest", name);
	out_exec(o);
	head(b, name, "run every script and look at its answers");
	buf_adds(b,
	    "import os\nimport sys\n\n"
	    "from xapi.storage.check import main\n\n"
	    "sys.exit(main([os.path.dirname(os.path.abspath(__file__))]))\n");
}
