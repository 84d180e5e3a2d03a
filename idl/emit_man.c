/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl man`: a manual page for each interface, in mdoc, section 7.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "prose.h"

/* Text for the formatter: no backslash and no leading dot or quote acts. */
static void
text(struct buf *b, struct str s)
{
	bool start = b->n == 0 || b->p[b->n - 1] == '\n';
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (start && (s.p[i] == '.' || s.p[i] == '\''))
			buf_adds(b, "\\&");
		start = s.p[i] == '\n';
		if (s.p[i] == '\\')
			buf_adds(b, "\\e");
		else
			buf_addc(b, s.p[i]);
	}
}

/* Text with a new line for each sentence, as manual pages want it. */
static void
sentences(struct buf *b, struct str s)
{
	size_t i, from = 0;

	for (i = 0; i + 1 < s.n; i++) {
		if (strchr(".!?", s.p[i]) == NULL || s.p[i + 1] != ' ')
			continue;
		text(b, (struct str){s.p + from, i + 1 - from});
		buf_addc(b, '\n');
		from = i + 2;
	}
	if (from < s.n)
		text(b, (struct str){s.p + from, s.n - from});
}

/* A run of prose with its code set apart. */
static void
spans(struct buf *b, const char *s)
{
	struct str run;
	bool code;

	while (prose_span(&s, &run, &code)) {
		if (!code) {
			sentences(b, run);
			continue;
		}
		buf_adds(b, "\\fB");
		text(b, run);
		buf_adds(b, "\\fP");
	}
	buf_addc(b, '\n');
}

/* All blocks of a description. */
static void
prose(struct buf *b, const char *doc)
{
	struct prose s = {.p = doc};
	enum prose_kind k, last = PROSE_END;

	while ((k = prose_next(&s)) != PROSE_END) {
		if (last == PROSE_ITEM && k != PROSE_ITEM)
			buf_adds(b, ".El\n");
		if (k == PROSE_ITEM) {
			buf_adds(b,
			    last == PROSE_ITEM ? ".It\n"
					       : ".Bl -dash -compact\n.It\n");
		} else if (last != PROSE_END) {
			buf_adds(b, ".Pp\n");
		}
		if (k == PROSE_CODE) {
			buf_adds(b, ".Bd -literal -compact\n");
			text(b, str_of(s.text.p));
			buf_adds(b, "\n.Ed\n");
		} else {
			spans(b, s.text.p);
		}
		last = k;
	}
	if (last == PROSE_ITEM)
		buf_adds(b, ".El\n");
	prose_fini(&s);
}

/* The name of a type at the end of a line. */
static void
type_line(struct buf *b, const struct type *t)
{
	type_write(b, t);
	buf_addc(b, '\n');
}

/* JSON as it would be typed. */
static void
json_line(struct buf *b, json_t *v)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (s == NULL)
		b->failed = true;
	else
		text(b, str_of(s));
	buf_addc(b, '\n');
	free(s);
}

/* Calls with their outcomes. */
static void
examples(struct buf *b, const struct method *m)
{
	const struct example *x;

	for (x = m->examples; x != NULL; x = x->next) {
		buf_adds(b, ".Pp\nExample: ");
		spans(b, x->title);
		buf_adds(b, ".Bd -literal -offset indent\n");
		json_line(b, x->params);
		if (x->error != NULL)
			buf_addf(b, "%s: %s\n", x->error->name, x->error_arg);
		else
			json_line(b, x->result);
		buf_adds(b, ".Ed\n");
	}
}

/* Its parameters, result and errors. */
static void
parts(struct buf *b, const struct method *m)
{
	const struct member *p;
	const struct ref *r;

	buf_adds(b, ".Bl -tag -width indent\n");
	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(b, ".It Fa %s No : ", p->name);
		type_line(b, p->type);
		prose(b, p->doc);
	}
	buf_adds(b, ".It result : ");
	type_line(b, m->result);
	prose(b, m->result_doc);
	for (r = m->raises; r != NULL; r = r->next) {
		buf_addf(b, ".It Er %s\n", r->name);
		spans(b, r->doc);
	}
	buf_adds(b, ".El\n");
}

/* One method. */
static void
method(struct buf *b, const struct method *m)
{
	const struct life *l;

	buf_addf(b, ".Ss %s.%s\n", m->iface->name, m->name);
	spans(b, m->title);
	buf_adds(b, ".Pp\n");
	prose(b, m->doc);
	parts(b, m);
	for (l = m->life; l != NULL; l = l->next) {
		buf_addf(b, ".Pp\n%s: %s", life_kind_name(l->kind),
		    l->release->title);
		if (l->release->date[0] != '\0')
			buf_addf(b, " (%s)", l->release->date);
		buf_adds(b, ".\n");
		if (l->note[0] != '\0')
			prose(b, l->note);
	}
	examples(b, m);
}

/* smapi-volume(7) */
static void
page(const struct api *api, const struct iface *i, struct out *o)
{
	char name[120], upper[120], *s;
	const struct method *m;
	const struct ref *r;
	struct buf *b;

	snprintf(name, sizeof(name), "%s-%s", api->name, i->name);
	for (s = name; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	snprintf(upper, sizeof(upper), "%s", name);
	for (s = upper; *s != '\0'; s++)
		*s = (char)toupper((unsigned char)*s);
	b = out_file(o, "%s.7", name);
	buf_addf(b, ".\\\" Made by xmsg-idl from the declarations of %s %s.\n",
	    api->name, api->version);
	buf_addf(b, ".Dd $Mdocdate$\n.Dt %s 7\n.Os\n.Sh NAME\n.Nm %s\n.Nd ",
	    upper, name);
	text(b, str_of(i->title));
	buf_addf(b,
	    "\n.Sh DESCRIPTION\nThe interface\n.Sy %s ,\nversion %s.\n"
	    ".Pp\n",
	    i->name, i->version);
	prose(b, i->doc);
	buf_adds(b, ".Sh CALLS\n");
	for (m = i->methods; m != NULL; m = m->next)
		method(b, m);
	buf_adds(b,
	    ".Sh DIAGNOSTICS\nAny call may answer with these.\n"
	    ".Bl -tag -width indent\n");
	for (r = i->errors; r != NULL; r = r->next) {
		buf_addf(b, ".It Er %s\n", r->name);
		prose(b, r->exn->doc);
	}
	buf_adds(b, ".El\n.Sh SEE ALSO\n.Xr xmsg-idl 1\n");
}

/* All interfaces. */
static void
emit(const struct api *api, struct out *o)
{
	const struct module *m;
	const struct iface *i;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			page(api, i, o);
}

const struct emitter emit_man = {
    "man", "a manual page for each interface", emit};
