/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl completion`: for bash, zsh and fish one file each, which knows the
 * command lines of all calls.  A plugin's scripts have the names of the calls
 * and the same command line in whatever language they are written, so that one
 * file is enough for every plugin folder.
 */
#include <stdio.h>

#include "emit.h"
#include "prose.h"

/* Parameters that are options: --NAME KEY VALUE, as often as needed. */
static bool
is_option(const struct member *p)
{
	return type_plain(p->type)->kind == TYPE_MAP;
}

/* What can stand for a parameter, when that is a choice of a few words. */
static void
choice(struct buf *b, const struct member *p)
{
	const struct type *t = type_plain(p->type);
	const struct tag *tag;
	const char *sep = "";

	if (t->kind == TYPE_BOOL)
		buf_adds(b, "true false");
	if (t->kind != TYPE_NAMED || t->def->kind != TDEF_VARIANT)
		return;
	for (tag = t->def->tags; tag != NULL; tag = tag->next)
		if (tag->type == NULL) {
			buf_addf(b, "%s%s", sep, tag->name);
			sep = " ";
		}
}

/* Prose inside single quotes, where `special` needs a backslash as well; how a
 * quote is written depends on the shell. */
static void
quoted(struct buf *b, const char *s, size_t n, const char *special,
    const char *quote)
{
	const char *c;

	for (; n > 0; s++, n--) {
		if (*s == '`')
			continue;
		for (c = special; *c != '\0'; c++)
			if (*c == *s)
				buf_addc(b, '\\');
		if (*s == '\'')
			buf_adds(b, quote);
		else
			buf_addc(b, *s);
	}
}

/* The first sentence of a description, without its full stop. */
static void
about(struct buf *b, const char *doc, const char *special, const char *quote)
{
	struct str s = prose_first(doc);

	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	quoted(b, s.p, s.n, special, quote);
}

typedef void call_fn(
    struct buf *b, const struct api *api, const struct method *m);

/* All calls in order. */
static void
each_call(struct buf *b, const struct api *api, call_fn *fn)
{
	const struct module *m;
	const struct iface *i;
	const struct method *f;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next)
				fn(b, api, f);
}

/* What each file begins with. */
static void
head(struct buf *b, const struct api *api, const char *first, const char *how)
{
	buf_addf(b,
	    "%s# Made by xmsg-idl from the declarations of %s %s.\n#\n"
	    "# Completion of the scripts of plugins, which have the names of "
	    "the calls.\n# %s\n\n",
	    first, api->name, api->version, how);
}

/* ` NAME` */
static void
name_of(struct buf *b, const struct api *api, const struct method *m)
{
	(void)api;
	buf_addf(b, " %s", m->script);
}

/* `NAME) maps='--x' values=(...) ;;` for what has any of the two. */
static void
bash_call(struct buf *b, const struct api *api, const struct method *m)
{
	struct buf maps = BUF_INIT, values = BUF_INIT, one = BUF_INIT;
	const struct member *p;
	int n = 0;

	(void)api;
	for (p = m->params; p != NULL; p = p->next) {
		if (is_option(p)) {
			buf_addf(&maps, " --%s", p->name);
			continue;
		}
		buf_reset(&one);
		choice(&one, p);
		if (one.n > 0)
			buf_addf(&values, " values[%d]='%.*s'", n, (int)one.n,
			    one.p);
		n++;
	}
	if (maps.n + values.n > 0)
		buf_addf(b, "  %s)%s%.*s%s%.*s ;;\n", m->script,
		    maps.n > 0 ? " maps='" : "", (int)maps.n,
		    maps.n > 0 ? maps.p : "", maps.n > 0 ? "'" : "",
		    (int)values.n, values.n > 0 ? values.p : "");
	buf_fini(&maps);
	buf_fini(&values);
	buf_fini(&one);
}

/* API.bash */
static void
bash(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "%s.bash", api->name);

	head(b, api, "", "For bash: source this file.");
	buf_addf(b, "_%s() {\n", api->name);
	buf_adds(b,
	    "  local cur=${COMP_WORDS[COMP_CWORD]} maps='' i n=0\n"
	    "  local -a values=()\n"
	    "  case ${COMP_WORDS[0]##*/} in\n");
	each_call(b, api, bash_call);
	buf_adds(b,
	    "  esac\n"
	    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "    case ${COMP_WORDS[i]} in\n"
	    "    -j | --json) ;;\n"
	    "    --*) i=$((i + 2)) ;;\n"
	    "    *) n=$((n + 1)) ;;\n"
	    "    esac\n"
	    "  done\n"
	    "  COMPREPLY=()\n"
	    "  if [[ $i -gt COMP_CWORD ]]; then\n"
	    "    return\n"
	    "  elif [[ $cur == -* ]]; then\n"
	    "    COMPREPLY=($(compgen -W \"-h --help -j --json$maps\" -- "
	    "\"$cur\"))\n"
	    "  else\n"
	    "    COMPREPLY=($(compgen -W \"${values[n]}\" -- \"$cur\"))\n"
	    "  fi\n"
	    "}\n");
	buf_addf(b, "complete -o default -F _%s", api->name);
	each_call(b, api, name_of);
	buf_addc(b, '\n');
}

/* The words of one call, as _arguments wants them. */
static void
zsh_call(struct buf *b, const struct api *api, const struct method *m)
{
	static const char quote[] = "'\\''";
	const struct member *p;
	struct buf one = BUF_INIT;
	int n = 1;

	(void)api;
	buf_addf(b, "  (%s)\n    specs+=(\n", m->script);
	for (p = m->params; p != NULL; p = p->next) {
		if (is_option(p)) {
			buf_addf(b, "      '*--%s[", p->name);
			about(b, p->doc, "[]\\", quote);
			buf_adds(b, "]:key: :value: '\n");
			continue;
		}
		buf_reset(&one);
		choice(&one, p);
		buf_addf(b, "      '%d:%s -- ", n++, p->name);
		about(b, p->doc, ":\\", quote);
		if (one.n > 0)
			buf_addf(b, ":(%.*s)'\n", (int)one.n, one.p);
		else
			buf_adds(b, ":_files'\n");
	}
	buf_adds(b, "    ) ;;\n");
	buf_fini(&one);
}

/* _API */
static void
zsh(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "_%s", api->name), first = BUF_INIT;

	buf_adds(&first, "#compdef");
	each_call(&first, api, name_of);
	buf_adds(&first, "\n");
	buf_addc(&first, '\0');
	head(b, api, first.p != NULL ? first.p : "",
	    "For zsh: put this file into a folder of fpath.");
	buf_adds(b,
	    "local -a specs\n"
	    "specs=(\n"
	    "  '(- *)'{-h,--help}'[explain the call]'\n"
	    "  '(-j --json)'{-j,--json}'[read JSON from standard input]'\n"
	    ")\n"
	    "case ${words[1]:t} in\n");
	each_call(b, api, zsh_call);
	buf_adds(b, "esac\n_arguments -s : $specs\n");
	buf_fini(&first);
}

/* One line for each option and each choice of a call. */
static void
fish_call(struct buf *b, const struct api *api, const struct method *m)
{
	static const char quote[] = "\\'";
	const struct member *p;
	struct buf one = BUF_INIT;
	int n = 0;

	buf_addf(b, "\n# %s\n", m->script);
	buf_addf(b, "complete -c %s -s h -l help -d 'Explain the call'\n",
	    m->script);
	buf_addf(b,
	    "complete -c %s -s j -l json -d 'Read JSON from standard "
	    "input'\n",
	    m->script);
	for (p = m->params; p != NULL; p = p->next) {
		buf_reset(&one);
		if (is_option(p)) {
			buf_addf(b, "complete -c %s -l %s -x -d '", m->script,
			    p->name);
			about(b, p->doc, "\\", quote);
			buf_adds(b, "'\n");
			continue;
		}
		choice(&one, p);
		if (one.n > 0)
			buf_addf(b,
			    "complete -c %s -n '__%s_at %d' -f -a '%.*s' -d "
			    "%s\n",
			    m->script, api->name, n, (int)one.n, one.p,
			    p->name);
		n++;
	}
	buf_fini(&one);
}

/* API.fish */
static void
fish(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "%s.fish", api->name);

	head(b, api, "", "For fish: source this file.");
	buf_addf(b,
	    "# Whether so many parameters stand in front of the cursor.\n"
	    "function __%s_at\n",
	    api->name);
	buf_adds(b,
	    "    set -l n 0\n"
	    "    set -l skip 0\n"
	    "    for word in (commandline -opc)[2..-1]\n"
	    "        if test $skip -gt 0\n"
	    "            set skip (math $skip - 1)\n"
	    "            continue\n"
	    "        end\n"
	    "        switch $word\n"
	    "            case -j --json\n"
	    "            case '--*'\n"
	    "                set skip 2\n"
	    "            case '*'\n"
	    "                set n (math $n + 1)\n"
	    "        end\n"
	    "    end\n"
	    "    test $skip -eq 0 -a $n -eq $argv[1]\n"
	    "end\n");
	each_call(b, api, fish_call);
}

/* All three. */
static void
emit(const struct api *api, struct out *o)
{
	bash(api, o);
	zsh(api, o);
	fish(api, o);
}

const struct emitter emit_completion = {"completion",
    "completion of plugins' scripts for bash, zsh and fish", emit};
