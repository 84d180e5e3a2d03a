/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The text that a script prints for --help: how to call it, every parameter,
 * result, errors, examples.  It is made whole, so that the program that
 * prints it needs no code for that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit_ml.h"
#include "prose.h"

#define HELP_COLUMNS ((size_t)78)
#define HELP_INDENT  16 /* of the texts about parameters */

static const char *const hints[] = {
    [TYPE_STRING] = "text",
    [TYPE_INT] = "whole number",
    [TYPE_INT64] = "whole number",
    [TYPE_FLOAT] = "number",
    [TYPE_BOOL] = "true or false",
    [TYPE_MAP] = "may be repeated; default: none",
};

/* Whether it is an option. */
static bool
is_option(const struct member *p)
{
	return type_plain(p->type)->kind == TYPE_MAP;
}

/* What to type. */
static void
hint(struct buf *b, const struct member *p)
{
	const struct type *t = type_plain(p->type);

	if ((size_t)t->kind < sizeof(hints) / sizeof(*hints) &&
	    hints[t->kind] != NULL) {
		buf_adds(b, hints[t->kind]);
		return;
	}
	type_write(b, p->type);
	buf_adds(b, " as JSON");
}

/* A word, in quotes where the shell wants them. */
static void
shell_word(struct buf *b, const char *s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789@%+=:,./-_";

	if (*s != '\0' && s[strspn(s, safe)] == '\0') {
		buf_adds(b, s);
		return;
	}
	buf_addc(b, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *s);
	buf_addc(b, '\'');
}

/* A value as one word: texts as they are, the rest as JSON. */
static void
value_word(struct buf *b, json_t *v)
{
	char *s;

	if (json_is_string(v)) {
		shell_word(b, json_string_value(v));
		return;
	}
	s = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (s == NULL)
		b->failed = true;
	else
		shell_word(b, s);
	free(s);
}

/* The first line. */
static void
usage(struct buf *b, const struct method *m)
{
	const struct member *p;

	buf_addf(b, "usage: %s [-h] [-j]", m->script);
	for (p = m->params; p != NULL; p = p->next)
		if (is_option(p))
			buf_addf(b, " [--%s KEY VALUE]", p->name);
	for (p = m->params; p != NULL; p = p->next)
		if (!is_option(p))
			buf_addf(b, " %s", p->name);
	buf_addc(b, '\n');
}

/* A name with its text beside it, or below where it is long. */
static void
entry(struct buf *b, const char *name, const char *doc)
{
	char prefix[HELP_INDENT + 1];
	struct buf t = BUF_INIT;
	size_t n = strlen(name) + 2, skip = HELP_INDENT;

	snprintf(prefix, sizeof(prefix), "%*s", HELP_INDENT, "");
	prose_fill(&t, doc, prefix, HELP_COLUMNS);
	buf_addf(b, "  %s", name);
	if (n + 2 > HELP_INDENT) {
		buf_addc(b, '\n');
		skip = 0;
	} else {
		buf_addf(b, "%*s", (int)(HELP_INDENT - n), "");
	}
	buf_add(b, t.p + skip, t.n - skip);
	buf_fini(&t);
}

/* One parameter. */
static void
param(struct buf *b, const struct member *p)
{
	struct buf name = BUF_INIT, doc = BUF_INIT, ex = BUF_INIT;
	json_t *v = member_sample(p);

	buf_addf(&name, is_option(p) ? "--%s KEY VALUE" : "%s", p->name);
	buf_addc(&name, '\0');
	buf_addf(&doc, "%s%s(", p->doc,
	    p->doc[strlen(p->doc) - 1] == '\n' ? "" : "\n");
	hint(&doc, p);
	value_word(&ex, v);
	if (ex.n > 0 && !is_option(p))
		buf_addf(&doc, "; example: %.*s", (int)ex.n, ex.p);
	buf_addc(&doc, ')');
	buf_addc(&doc, '\0');
	entry(b, name.p, doc.p);
	json_decref(v);
	buf_fini(&name);
	buf_fini(&doc);
	buf_fini(&ex);
}

/* All parameters and options. */
static void
params(struct buf *b, const struct method *m)
{
	const struct member *p;

	buf_adds(b, "\npositional arguments:\n");
	for (p = m->params; p != NULL; p = p->next)
		if (!is_option(p))
			param(b, p);
	buf_adds(b, "\noptions:\n");
	entry(b, "-h, --help", "Show this text.");
	entry(b, "-j, --json",
	    "Read the parameters as one line of JSON from standard input; "
	    "write "
	    "the result or the error as one line of JSON to standard output.");
	for (p = m->params; p != NULL; p = p->next)
		if (is_option(p))
			param(b, p);
}

/* Result and errors. */
static void
outcomes(struct buf *b, const struct method *m)
{
	struct buf t = BUF_INIT;
	const struct ref *r;

	buf_addf(&t, "Result (");
	type_write(&t, m->result);
	buf_addf(&t, "): %s\n", m->result_doc);
	if (m->raises != NULL)
		buf_adds(&t, "\nErrors to expect:\n\n");
	for (r = m->raises; r != NULL; r = r->next)
		buf_addf(&t, "- %s %s\n", r->name, r->doc);
	buf_addc(&t, '\0');
	buf_addc(b, '\n');
	prose_fill(b, t.p, "", HELP_COLUMNS);
	buf_fini(&t);
}

/* One example: its command line and what is printed. */
static void
example(struct buf *b, const struct method *m, const struct example *x)
{
	const struct member *p;
	const char *key;
	json_t *v, *of;
	char *s;

	buf_addf(b, "\nExample: %s\n\n    $ %s", x->title, m->script);
	for (p = m->params; p != NULL; p = p->next) {
		of = is_option(p) ? json_object_get(x->params, p->name) : NULL;
		json_object_foreach(of, key, v)
		{
			buf_addf(b, " --%s ", p->name);
			shell_word(b, key);
			buf_addc(b, ' ');
			value_word(b, v);
		}
	}
	for (p = m->params; p != NULL; p = p->next) {
		if (is_option(p))
			continue;
		buf_addc(b, ' ');
		value_word(b, json_object_get(x->params, p->name));
	}
	if (x->error != NULL) {
		buf_addf(b, "\n    %s: %s\n", x->error->name, x->error_arg);
		return;
	}
	s = json_dumps(x->result, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	buf_addf(b, "\n    %s\n", s != NULL ? s : "");
	b->failed |= s == NULL;
	free(s);
}

/* All of it. */
void
ml_help(struct buf *b, const struct method *m)
{
	const struct release *r = life_first(m->life)->release;
	const struct example *x;

	usage(b, m);
	buf_addf(b, "\n%s.\n\n", m->title);
	prose_fill(b, m->doc, "", HELP_COLUMNS);
	params(b, m);
	outcomes(b, m);
	for (x = m->examples; x != NULL; x = x->next)
		example(b, m, x);
	buf_addf(b, "\nSince %s%s%s%s.\n", r->title,
	    r->date[0] != '\0' ? " (" : "", r->date,
	    r->date[0] != '\0' ? ")" : "");
}
