/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Options from tables: anywhere on the line, abbreviated or not. */
#include "opts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "pick.h"
#include "str.h"

/* What is being parsed. */
struct parse {
	struct opts *o;
	int argc, at;
	char **argv;
	struct err *e;
};

/* The name of row i over all tables, counting aliases; NULL at the end. */
static const struct opt *
row(const struct opts *o, size_t i)
{
	for (size_t t = 0; t < OPTS_TABLES; t++) {
		const struct opt *r = o->tables[t];

		for (; r != NULL && r->name != NULL; r++)
			if (i-- == 0)
				return r;
	}
	return NULL;
}

/* Time with a unit. */
bool
opts_seconds(const char *text, int64_t *ns)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
	struct str s = str_of(text);
	double v, scale = 1;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].unit);

		if (s.n > n && strcmp(text + s.n - n, units[i].unit) == 0) {
			s.n -= n;
			scale = units[i].seconds;
			break;
		}
	}
	if (!json_float(s, &v) || !(v * scale > 0) || v * scale > 1e9)
		return false;
	*ns = (int64_t)(v * scale * 1e9);
	return *ns > 0;
}

static bool
is_number(const char *text)
{
	return *text != '\0' && strlen(text) <= 18 &&
	    strspn(text, "0123456789") == strlen(text);
}

/* Is the word one of "a|b|c"? */
static bool
is_word(const char *words, const char *text)
{
	size_t n = strlen(text);

	for (const char *p = words;; p++) {
		size_t len = strcspn(p, "|");

		if (len == n && strncmp(p, text, n) == 0)
			return true;
		p += len;
		if (*p == '\0')
			return false;
	}
}

/* Keep one option with its value, if the value fits. */
static int
keep(struct parse *p, const struct opt *r, const char *value)
{
	int64_t ns;
	const char *wants = NULL;

	if (value == NULL)
		wants = NULL; /* flags have none */
	else if (r->type == OPT_NUMBER && !is_number(value))
		wants = "a whole number";
	else if (r->type == OPT_SECONDS && !opts_seconds(value, &ns))
		wants = "seconds, or a time such as 500ms, 30s, 2m";
	else if (r->type == OPT_WORD && !is_word(r->arg, value))
		wants = r->arg;
	if (wants != NULL)
		return err_set(
		    p->e, 1, "--%s takes %s, not '%s'", r->name, wants, value);
	if (p->o->n == OPTS_MOST)
		return err_set(p->e, 1, "too many options");
	p->o->given[p->o->n].opt = r;
	p->o->given[p->o->n++].value = value;
	return 0;
}

/* The value of an option that wants one: behind '=', or the next word. */
static int
with_value(struct parse *p, const struct opt *r, const char *value)
{
	if (value == NULL && r->type != OPT_FLAG && r->type != OPT_MAYBE) {
		if (p->at >= p->argc)
			return err_set(p->e, 1, "--%s wants %s %s", r->name,
			    r->type == OPT_WORD ? "one of" : "a value:",
			    r->arg);
		value = p->argv[p->at++];
	}
	if (value != NULL && r->type == OPT_FLAG)
		return err_set(p->e, 1, "--%s takes no value", r->name);
	return keep(p, r, value);
}

/* All long names, aliases too; index / 2 is the row. */
static size_t
names_of(const struct opts *o, const char **names, size_t most)
{
	const struct opt *r;
	size_t i;

	for (i = 0; (r = row(o, i)) != NULL && 2 * i + 1 < most; i++) {
		names[2 * i] = r->name;
		names[2 * i + 1] = r->alias;
	}
	return 2 * i;
}

/* --name, --name=value, --na */
static int
long_option(struct parse *p, const char *word)
{
	const char *names[2 * OPTS_MOST], *near;
	size_t n = names_of(p->o, names, 2 * OPTS_MOST);
	const char *value = strchr(word, '=');
	char name[64];
	int i;

	if (value == NULL)
		value = word + strlen(word);
	if ((size_t)(value - word) >= sizeof name)
		return err_set(p->e, 1, "unknown option --%s", word);
	memcpy(name, word, (size_t)(value - word));
	name[value - word] = '\0';
	value = *value == '=' ? value + 1 : NULL;
	i = pick(names, n, name, NULL);
	if (i >= 0)
		return with_value(p, row(p->o, (size_t)i / 2), value);
	if (i == PICK_MANY)
		return err_set(p->e, 1, "--%s could be several options", name);
	near = pick_nearest(names, n, name);
	return err_set(p->e, 1, "unknown option --%s%s%s%s", name,
	    near ? " (did you mean --" : "", near ? near : "",
	    near ? "?)" : "");
}

/* -a, -abc, -n5, -n 5 */
static int
short_options(struct parse *p, const char *word)
{
	const struct opt *r;

	for (; *word != '\0'; word++) {
		for (size_t i = 0; (r = row(p->o, i)) != NULL; i++)
			if (r->letter == *word)
				break;
		if (r == NULL)
			return err_set(p->e, 1, "unknown option -%c", *word);
		if (r->type != OPT_FLAG && r->type != OPT_MAYBE)
			return with_value(p, r, word[1] ? word + 1 : NULL);
		if (keep(p, r, NULL) == -1)
			return -1;
	}
	return 0;
}

/* Take the options out, leave the operands. */
int
opts_parse(struct opts *o, int argc, char **argv, bool stop, struct err *e)
{
	struct parse p = {o, argc, 0, argv, e};
	int operands = 0;
	char *w;

	while (p.at < argc) {
		w = argv[p.at];
		if (w[0] != '-' || w[1] == '\0') {
			if (stop)
				return p.at;
			argv[operands++] = argv[p.at++];
			continue;
		}
		p.at++;
		if (strcmp(w, "--") == 0) {
			if (stop)
				return p.at;
			while (p.at < argc)
				argv[operands++] = argv[p.at++];
			break;
		}
		if (w[1] == '-' ? long_option(&p, w + 2) == -1
				: short_options(&p, w + 1) == -1)
			return -1;
	}
	if (stop)
		return p.at;
	if (operands < argc)
		argv[operands] = NULL;
	return operands;
}

/* Add one. */
void
opts_add(struct opts *o, const struct opt *opt, const char *value)
{
	if (o->n == OPTS_MOST)
		return;
	o->given[o->n].opt = opt;
	o->given[o->n++].value = value;
}

/* The last one given, or NULL. */
static const char *const *
find(const struct opts *o, const char *name)
{
	for (size_t i = o->n; i-- > 0;)
		if (strcmp(o->given[i].opt->name, name) == 0)
			return &o->given[i].value;
	return NULL;
}

/* Was it given? */
bool
opts_has(const struct opts *o, const char *name)
{
	return find(o, name) != NULL;
}

/* Its text. */
const char *
opts_text(const struct opts *o, const char *name, const char *def)
{
	const char *const *v = find(o, name);

	return v != NULL ? *v : def;
}

/* Its number; it was looked at when it was parsed. */
int64_t
opts_number(const struct opts *o, const char *name, int64_t def)
{
	const char *const *v = find(o, name);

	return v != NULL ? strtoll(*v, NULL, 10) : def;
}

/* Its time. */
int64_t
opts_ns(const struct opts *o, const char *name, int64_t def)
{
	const char *const *v = find(o, name);

	if (v != NULL && !opts_seconds(*v, &def))
		assert(!"the value was checked");
	return def;
}
