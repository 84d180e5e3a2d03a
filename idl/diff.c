/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Old and new are walked together by name.  The rules:
 *
 *  - what is new is safe for everybody, except a new parameter (plugins are
 *    called by position), a new member that is not optional in something that
 *    plugins write, and a new tag in something that callers read;
 *  - what is gone breaks whoever used it, unless it was removed by its
 *    lifecycle before (deprecated, then removed);
 *  - another type breaks both sides; so does another order of parameters.
 *
 * Whoever wants a breaking change all the same says so in the lifecycle: an
 * event `changed`, `extended` or `removed` that was not there before.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"

struct walk {
	const struct api *old, *new;
	struct buf *text;
	enum diff_level worst;
	char where[200];
};

/* One line of the report. */
static void __attribute__((format(printf, 3, 4)))
say(struct walk *w, enum diff_level level, const char *fmt, ...)
{
	static const char *const words[] = {[DIFF_SAME] = "same",
	    [DIFF_SAFE] = "safe  ",
	    [DIFF_BREAKS] = "breaks"};
	va_list ap;

	buf_addf(w->text, "%s  %s: ", words[level], w->where);
	va_start(ap, fmt);
	buf_vaddf(w->text, fmt, ap);
	va_end(ap);
	buf_addc(w->text, '\n');
	if (level > w->worst)
		w->worst = level;
}

/* Where we are. */
static void
at(struct walk *w, const char *a, const char *sep, const char *b)
{
	snprintf(w->where, sizeof(w->where), "%s%s%s", a, sep, b);
}

/* How many events a life has. */
static size_t
events(const struct life *l)
{
	size_t n = 0;

	for (; l != NULL; l = l->next)
		n++;
	return n;
}

/* The last event of a longer life: what was announced; else NULL. */
static const struct life *
announced(const struct life *old, const struct life *new)
{
	if (events(new) <= events(old))
		return NULL;
	while (new->next != NULL)
		new = new->next;
	return new;
}

/* A change that breaks, unless the lifecycle announces it. */
static enum diff_level
level_of(const struct life *old, const struct life *new)
{
	return announced(old, new) != NULL ? DIFF_SAFE : DIFF_BREAKS;
}

/* A removal: allowed after the lifecycle said so. */
static enum diff_level
level_gone(const struct life *old)
{
	return life_state(old) == LIFE_REMOVED ||
		life_state(old) == LIFE_PROTOTYPED
	    ? DIFF_SAFE
	    : DIFF_BREAKS;
}

/* New events, as they are. */
static void
diff_life(struct walk *w, const struct life *old, const struct life *new)
{
	const struct life *e = announced(old, new);

	if (e != NULL)
		say(w, DIFF_SAFE, "%s in %s", life_kind_name(e->kind),
		    e->release->id);
}

/* Are two written types the same? */
static bool
same_type(const struct type *a, const struct type *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	if (a == NULL || b == NULL)
		return a == b;
	type_write(&x, type_plain(a));
	type_write(&y, type_plain(b));
	same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	buf_fini(&x);
	buf_fini(&y);
	return same;
}

/* A member by name. */
static const struct member *
find_member(const struct member *m, const char *name)
{
	while (m != NULL && strcmp(m->name, name) != 0)
		m = m->next;
	return m;
}

/* Fields of a record: plugins write some, callers others, so both count. */
static void
diff_fields(struct walk *w, const struct tdef *old, const struct tdef *new)
{
	const struct member *a, *b;

	for (a = old->fields; a != NULL; a = a->next) {
		at(w, old->name, ".", a->name);
		b = find_member(new->fields, a->name);
		if (b == NULL) {
			say(w, level_gone(a->life), "the member is gone");
			continue;
		}
		if (!same_type(a->type, b->type))
			say(w, level_of(a->life, b->life),
			    "the member has another type");
		if (a->optional && !b->optional)
			say(w, level_of(a->life, b->life),
			    "plugins that leave it out are refused");
		if (!a->optional && b->optional)
			say(w, level_of(a->life, b->life),
			    "readers that need it may miss it");
		diff_life(w, a->life, b->life);
	}
	for (b = new->fields; b != NULL; b = b->next) {
		at(w, new->name, ".", b->name);
		if (find_member(old->fields, b->name) == NULL)
			say(w,
			    b->optional ? DIFF_SAFE
					: level_of(old->life, new->life),
			    b->optional
				? "a new member that may be absent"
				: "a new member that present plugins do not "
				  "write");
	}
}

/* A tag by name. */
static const struct tag *
find_tag(const struct tag *t, const char *name)
{
	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

/* Tags of a variant. */
static void
diff_tags(struct walk *w, const struct tdef *old, const struct tdef *new)
{
	const struct tag *a, *b;

	for (a = old->tags; a != NULL; a = a->next) {
		at(w, old->name, ".", a->name);
		b = find_tag(new->tags, a->name);
		if (b == NULL) {
			say(w, level_gone(a->life), "the tag is gone");
			continue;
		}
		if (!same_type(a->type, b->type))
			say(w, level_of(a->life, b->life),
			    "the tag has another content");
		diff_life(w, a->life, b->life);
	}
	for (b = new->tags; b != NULL; b = b->next) {
		at(w, new->name, ".", b->name);
		if (find_tag(old->tags, b->name) == NULL)
			say(w,
			    b->life != new->life
				? DIFF_SAFE
				: level_of(old->life, new->life),
			    "a new tag, which present readers do not know");
	}
}

/* Two declarations of one type. */
static void
diff_type(struct walk *w, const struct tdef *old, const struct tdef *new)
{
	at(w, old->name, "", "");
	if (new == NULL) {
		say(w, DIFF_SAFE, "the type is gone (its users are listed)");
		return;
	}
	if (old->kind != new->kind ||
	    (old->alias != NULL && !same_type(old->alias, new->alias))) {
		say(w, level_of(old->life, new->life),
		    "it is another type now");
		return;
	}
	diff_life(w, old->life, new->life);
	diff_fields(w, old, new);
	diff_tags(w, old, new);
}

/* Parameters go by position to plugins and by name from callers. */
static void
diff_params(struct walk *w, const struct method *old, const struct method *new)
{
	const struct member *a = old->params, *b = new->params;
	enum diff_level level = level_of(old->life, new->life);

	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		if (strcmp(a->name, b->name) != 0) {
			say(w, level, "the parameter %s stands where %s was",
			    b->name, a->name);
			return;
		}
		if (!same_type(a->type, b->type))
			say(w, level, "the parameter %s has another type",
			    a->name);
	}
	if (a != NULL)
		say(w, level, "the parameter %s is gone", a->name);
	if (b != NULL)
		say(w, level, "the parameter %s is new", b->name);
}

/* The errors that an interface may answer with. */
static void
diff_errors(struct walk *w, const struct iface *old, const struct iface *new)
{
	const struct ref *a, *b;

	for (b = new->errors; b != NULL; b = b->next) {
		for (a = old->errors; a != NULL; a = a->next)
			if (strcmp(a->name, b->name) == 0)
				break;
		if (a == NULL)
			say(w, level_of(old->life, new->life),
			    "callers do not know the error %s", b->name);
	}
	for (a = old->errors; a != NULL; a = a->next) {
		for (b = new->errors; b != NULL; b = b->next)
			if (strcmp(a->name, b->name) == 0)
				break;
		if (b == NULL)
			say(w, level_of(old->life, new->life),
			    "plugins may no longer raise %s", a->name);
	}
}

/* Two declarations of one method. */
static void
diff_method(struct walk *w, const struct method *old, const struct method *new)
{
	if (new == NULL) {
		say(w, level_gone(old->life), "the method is gone");
		return;
	}
	diff_life(w, old->life, new->life);
	diff_params(w, old, new);
	if (!same_type(old->result, new->result))
		say(w, level_of(old->life, new->life),
		    "the result has another type");
	if (old->idempotent && !new->idempotent)
		say(w, level_of(old->life, new->life),
		    "callers may not repeat it any more");
}

/* Methods of one interface, both ways. */
static void
diff_iface(struct walk *w, const struct iface *old, const struct iface *new)
{
	const struct method *m;
	char name[160];

	at(w, old->name, "", "");
	if (new == NULL) {
		say(w, level_gone(old->life), "the interface is gone");
		return;
	}
	diff_errors(w, old, new);
	for (m = old->methods; m != NULL; m = m->next) {
		at(w, old->name, ".", m->name);
		snprintf(name, sizeof(name), "%s.%s", old->name, m->name);
		diff_method(w, m, api_method(w->new, name));
	}
	for (m = new->methods; m != NULL; m = m->next) {
		at(w, new->name, ".", m->name);
		snprintf(name, sizeof(name), "%s.%s", new->name, m->name);
		if (api_method(w->old, name) == NULL)
			say(w, DIFF_SAFE, "a new method, since %s",
			    life_first(m->life)->release->id);
	}
}

/* Types of one list of the old state. */
static void
diff_types(struct walk *w, const struct tdef *t)
{
	for (; t != NULL; t = t->next)
		diff_type(w, t, api_type(w->new, t->name));
}

/* Feature words. */
static void
diff_features(struct walk *w)
{
	const struct feature *f;

	for (f = w->old->features; f != NULL; f = f->next) {
		at(w, f->name, "", "");
		if (api_feature(w->new, f->name) == NULL)
			say(w, level_gone(f->life), "the feature is gone");
	}
	for (f = w->new->features; f != NULL; f = f->next) {
		at(w, f->name, "", "");
		if (api_feature(w->old, f->name) == NULL)
			say(w, DIFF_SAFE, "a new feature");
	}
}

/* Everything. */
enum diff_level
diff_apis(const struct api *old, const struct api *new, struct buf *text)
{
	struct walk w = {.old = old, .new = new, .text = text};
	const struct module *m;
	const struct iface *i;

	diff_types(&w, old->types);
	for (m = old->modules; m != NULL; m = m->next) {
		diff_types(&w, m->types);
		for (i = m->ifaces; i != NULL; i = i->next)
			diff_iface(&w, i, api_iface(new, i->name));
	}
	for (m = new->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next) {
			at(&w, i->name, "", "");
			if (api_iface(old, i->name) == NULL)
				say(&w, DIFF_SAFE, "a new interface");
		}
	diff_features(&w);
	return w.worst;
}
