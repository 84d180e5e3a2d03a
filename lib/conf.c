/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Settings out of a table.  A setting has one text form, taken and printed by
 * the functions here; inih cuts the file into lines.  Its line buffer is
 * small and its build options differ between systems, so lines reach it
 * through `next_line`, which refuses what would be split or misread. */
#include "conf.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "clock.h"

#define KEY_MAX	  80 /* longest "section.name" looked at */
#define PRINT_MAX 24 /* longest number with its unit */
#define LINE_LEN  197 /* what inih takes in a line, by default */
#define WRAP	  78 /* columns of a printed comment */

struct unit {
	const char *name;
	int64_t n;
};

/* Largest first; a number is printed with the first that divides it. */
static const struct unit size_units[] = {
    {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}, {NULL, 0}};
static const struct unit time_units[] = {{"h", 3600 * NS_PER_SEC},
    {"m", 60 * NS_PER_SEC}, {"s", NS_PER_SEC}, {"", NS_PER_SEC},
    {"ms", NS_PER_MS}, {"us", 1000}, {"ns", 1}, {NULL, 0}};
static const struct unit int_units[] = {{"", 1}, {NULL, 0}};

static const struct {
	const char *word;
	int64_t v;
} bools[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1},
    {"off", 0}, {"1", 1}, {"0", 0}};

/* Units of a number. */
static const struct unit *
units_of(enum conf_type t)
{
	return t == CONF_SIZE ? size_units
	    : t == CONF_TIME  ? time_units
			      : int_units;
}

/* What a type looks like, for the sentence after a mistake. */
static const char *
form_of(enum conf_type t)
{
	static const char *const form[] = {
	    [CONF_INT] = "a whole number",
	    [CONF_SIZE] = "a number of bytes, or one with K, M or G (as 64K)",
	    [CONF_TIME] = "a number of seconds, or one with ms, s, m or h "
			  "(as 500ms)",
	    [CONF_BOOL] = "yes or no",
	    [CONF_STR] = "text without control characters, blanks around it, "
			 "or a ';' after a blank",
	};
	return form[t];
}

/* Field of a row as a number. */
static int64_t *
num_at(const struct conf_row *r, const void *base)
{
	return (int64_t *)((uintptr_t)base + r->offset);
}

/* Field of a row as text. */
static char **
str_at(const struct conf_row *r, const void *base)
{
	return (char **)((uintptr_t)base + r->offset);
}

/* ---- text to value ---- */

/* Digits and a unit; false when it is not that or does not fit. */
static bool
parse_num(enum conf_type t, const char *s, int64_t *v)
{
	const struct unit *u = units_of(t);
	long long n;
	char *end;

	if (!isdigit((unsigned char)*s) &&
	    !(*s == '-' && isdigit((unsigned char)s[1])))
		return false;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno != 0)
		return false;
	while (*end == ' ')
		end++;
	while (u->name != NULL && strcasecmp(u->name, end) != 0)
		u++;
	return u->name != NULL && !__builtin_mul_overflow(n, u->n, v);
}

/* A word for true or false. */
static bool
parse_bool(const char *s, int64_t *v)
{
	for (size_t i = 0; i < sizeof bools / sizeof *bools; i++) {
		if (strcasecmp(bools[i].word, s) == 0) {
			*v = bools[i].v;
			return true;
		}
	}
	return false;
}

/* Text that a line of the file can hold and give back unchanged. */
static bool
text_ok(const char *s)
{
	size_t n = strlen(s);

	if (n > 0 &&
	    (isspace((unsigned char)*s) || *s == ';' ||
		isspace((unsigned char)s[n - 1])))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f ||
		    (*s == ' ' && s[1] == ';'))
			return false;
	return true;
}

/* A number in its largest whole unit. */
static void
num_text(enum conf_type t, int64_t v, char out[PRINT_MAX + 4])
{
	const struct unit *u = units_of(t);

	if (t == CONF_BOOL) {
		strcpy(out, v ? "yes" : "no");
		return;
	}
	while (v == 0 ? *u->name != '\0' : v % u->n != 0)
		u++;
	snprintf(out, PRINT_MAX + 4, "%lld%s", (long long)(v / u->n), u->name);
}

/* The smallest and largest value of a row. */
static void
range_of(const struct conf_row *r, int64_t *min, int64_t *max)
{
	*min = r->min;
	*max = r->max;
	if (*min != 0 || *max != 0)
		return;
	*min = r->type == CONF_INT ? INT64_MIN : 0;
	*max = INT64_MAX;
}

/* v within the row's range, or a sentence that names the range. */
static int
check_range(
    const struct conf_row *r, int64_t v, const char *text, struct err *e)
{
	char lo[PRINT_MAX + 4], hi[PRINT_MAX + 4];
	int64_t min, max;

	range_of(r, &min, &max);
	if (v >= min && v <= max)
		return 0;
	num_text(r->type, min, lo);
	num_text(r->type, max, hi);
	if (max == INT64_MAX)
		return err_set(e, ERANGE,
		    "%s.%s: %.40s is too small: use %s or more", r->section,
		    r->name, text, lo);
	return err_set(e, ERANGE, "%s.%s: %.40s is too %s: use %s to %s",
	    r->section, r->name, text, v < min ? "small" : "large", lo, hi);
}

/* Replace a text. */
static int
set_text(const struct conf_row *r, void *to, const char *value, struct err *e)
{
	char **at = str_at(r, to), *copy;
	size_t most = LINE_LEN - strlen(r->name) - strlen(" = ");

	if (strlen(value) > most)
		return err_set(e, ERANGE,
		    "%s.%s: %.20s... is too long: use at most %zu bytes",
		    r->section, r->name, value, most);
	copy = strdup(value);
	if (copy == NULL)
		return err_set(e, ENOMEM, "out of memory");
	free(*at);
	*at = copy;
	return 0;
}

/* Set the field of one row. */
static int
set_row(const struct conf_row *r, void *to, const char *value, struct err *e)
{
	int64_t v = 0;
	bool ok;

	if (r->type == CONF_STR && text_ok(value))
		return set_text(r, to, value, e);
	ok = r->type == CONF_BOOL ? parse_bool(value, &v)
	    : r->type == CONF_STR ? false
				  : parse_num(r->type, value, &v);
	if (!ok)
		return err_set(e, EINVAL, "%s.%s: \"%.60s\" is not %s",
		    r->section, r->name, value, form_of(r->type));
	if (r->type != CONF_BOOL && check_range(r, v, value, e) == -1)
		return -1;
	*num_at(r, to) = v;
	return 0;
}

/* ---- names ---- */

/* Edits (insert, delete, replace) that turn a into b. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[KEY_MAX + 1], na = strlen(a), nb = strlen(b);

	if (na > KEY_MAX || nb > KEY_MAX)
		return KEY_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diag = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diag + (a[i - 1] != b[j - 1]);
			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

/* How far a row is from what was asked for; a right name in the wrong section
 * is near. */
static size_t
row_distance(const struct conf_row *r, const char *key)
{
	char full[KEY_MAX + 1];
	const char *dot = strchr(key, '.');

	snprintf(full, sizeof full, "%s.%s", r->section, r->name);
	if (strcmp(dot ? dot + 1 : key, r->name) == 0)
		return 1;
	return distance(key, full);
}

/* "No such setting", with the nearest one when there is a near one. */
static int
unknown(const struct conf_row *rows, size_t n, const char *key, struct err *e)
{
	size_t best = strlen(key) / 3 + 1, d;
	const struct conf_row *near = NULL;

	for (size_t i = 0; i < n; i++) {
		d = row_distance(&rows[i], key);
		if (d <= best && (near == NULL || d < best)) {
			near = &rows[i];
			best = d;
		}
	}
	if (near == NULL)
		return err_set(e, ENOENT, "unknown setting %.80s", key);
	return err_set(e, ENOENT, "unknown setting %.80s (did you mean %s.%s?)",
	    key, near->section, near->name);
}

/* The row of a key, or NULL. */
static const struct conf_row *
find(const struct conf_row *rows, size_t n, const char *key)
{
	const char *dot = strchr(key, '.');

	for (size_t i = 0; dot != NULL && i < n; i++) {
		size_t len = strlen(rows[i].section);
		if ((size_t)(dot - key) == len &&
		    strncmp(key, rows[i].section, len) == 0 &&
		    strcmp(dot + 1, rows[i].name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Every field to its default. */
void
conf_defaults(const struct conf_row *rows, size_t n, void *to)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		const struct conf_row *r = &rows[i];
		if (r->type == CONF_STR)
			*str_at(r, to) = NULL;
		if (set_row(r, to, r->def ? r->def : "", &e) == -1) {
			fprintf(stderr, "default of a setting: %s\n", e.text);
			if (e.code == ENOMEM)
				exit(EX_OSERR);
			abort(); /* the table is wrong */
		}
	}
}

/* Set one by name. */
int
conf_set(const struct conf_row *rows, size_t n, void *to, const char *key,
    const char *value, struct err *e)
{
	const struct conf_row *r = find(rows, n, key);

	return r == NULL ? unknown(rows, n, key, e) : set_row(r, to, value, e);
}

/* ---- the file ---- */

struct reading {
	const struct conf_row *rows;
	size_t n;
	void *to;
	FILE *f;
	int line; /* the one inih has in its hands */
	int bad_line; /* of our own complaint, 0 = none */
	struct err *e;
};

/* Note the first mistake. */
static void
complain(struct reading *rd, int code, const char *text)
{
	if (rd->bad_line != 0)
		return;
	rd->bad_line = rd->line;
	err_set(rd->e, code, "%s", text);
}

/* One line for inih: no blanks in front (it would take the line for a
 * continuation), no NUL, not longer than its buffer. */
static char *
next_line(char *out, int num, void *arg)
{
	struct reading *rd = arg;
	int c, n = 0, seen = 0;

	if (rd->bad_line != 0)
		return NULL;
	rd->line++;
	while ((c = getc(rd->f)) != EOF && c != '\n') {
		seen = 1;
		if (c == '\0')
			complain(
			    rd, EINVAL, "a NUL byte: is this a text file?");
		else if (n == 0 && isspace(c))
			continue;
		else if (n < num - 2)
			out[n++] = (char)c;
		else if (*out != '#' && *out != ';')
			complain(rd, EINVAL, "the line is too long");
	}
	if ((c == EOF && !seen) || rd->bad_line != 0)
		return NULL;
	out[n++] = '\n';
	out[n] = '\0';
	return out;
}

/* inih found name = value. */
static int
on_pair(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *rd = arg;
	char key[256];

	if (rd->bad_line != 0)
		return 0;
	if (*section == '\0') {
		complain(rd, EINVAL,
		    "a setting before the first [section]: put it below one");
		return 0;
	}
	snprintf(key, sizeof key, "%s.%s", section, name);
	if (conf_set(rd->rows, rd->n, rd->to, key, value ? value : "", rd->e) ==
	    -1) {
		rd->bad_line = rd->line;
		return 0;
	}
	return 1;
}

/* Read a file. */
int
conf_read(const struct conf_row *rows, size_t n, void *to, const char *path,
    struct err *e)
{
	struct err mine;
	struct reading rd = {rows, n, to, NULL, 0, 0, e ? e : &mine};
	int rc, failed;

	rd.f = fopen(path, "re");
	if (rd.f == NULL)
		return err_errno(e, "cannot open the settings file %s", path);
	rc = ini_parse_stream(next_line, &rd, on_pair, &rd);
	failed = ferror(rd.f);
	fclose(rd.f);
	if (failed)
		return err_set(e, EIO, "%s: cannot read it whole", path);
	if (rc < 0)
		return err_set(e, ENOMEM, "%s: out of memory", path);
	if (rc > 0 && (rd.bad_line == 0 || rc < rd.bad_line))
		return err_set(e, EINVAL,
		    "%s:%d: neither \"name = value\" nor \"[section]\"", path,
		    rc);
	if (rd.bad_line != 0)
		return err_prefix(e, "%s:%d", path, rd.bad_line);
	return 0;
}

/* Help as comment lines of bounded width. */
static void
print_help(struct buf *out, const char *s)
{
	while (*s) {
		size_t n = strlen(s);
		if (n > WRAP - 2) {
			n = WRAP - 2;
			while (n > 0 && s[n] != ' ')
				n--;
			n = n ? n : WRAP - 2;
		}
		buf_addf(out, "# %.*s\n", (int)n, s);
		s += n;
		s += strspn(s, " ");
	}
}

/* "# 1K to 16M, default 1M." */
static void
print_facts(struct buf *out, const struct conf_row *r)
{
	char lo[PRINT_MAX + 4], hi[PRINT_MAX + 4];

	buf_adds(out, "# ");
	if (r->type != CONF_BOOL && r->type != CONF_STR &&
	    (r->min != 0 || r->max != 0)) {
		num_text(r->type, r->min, lo);
		if (r->max == INT64_MAX) {
			buf_addf(out, "At least %s; default ", lo);
		} else {
			num_text(r->type, r->max, hi);
			buf_addf(out, "%s to %s; default ", lo, hi);
		}
	} else {
		buf_adds(out, "Default ");
	}
	buf_addf(out, "%s; %s.\n", r->def && *r->def ? r->def : "empty",
	    r->flags & CONF_RELOAD ? "a reload changes it"
				   : "a change needs a restart");
}

/* All settings as a file. */
void
conf_print(
    const struct conf_row *rows, size_t n, const void *from, struct buf *out)
{
	const char *section = "";
	char num[PRINT_MAX + 4];

	for (size_t i = 0; i < n; i++) {
		const struct conf_row *r = &rows[i];
		if (strcmp(section, r->section) != 0)
			buf_addf(
			    out, "%s[%s]\n", *section ? "\n" : "", r->section);
		section = r->section;
		print_help(out, r->help ? r->help : "");
		print_facts(out, r);
		if (r->type == CONF_STR) {
			const char *s = *str_at(r, from);
			buf_addf(out, "%s = %s\n", r->name, s ? s : "");
			continue;
		}
		num_text(r->type, *num_at(r, from), num);
		buf_addf(out, "%s = %s\n", r->name, num);
	}
}

/* ---- reload, end ---- */

/* The same value in both. */
static bool
same(const struct conf_row *r, const void *a, const void *b)
{
	const char *x, *y;

	if (r->type != CONF_STR)
		return *num_at(r, a) == *num_at(r, b);
	x = *str_at(r, a);
	y = *str_at(r, b);
	return strcmp(x ? x : "", y ? y : "") == 0;
}

/* Take over what a reload may change. */
void
conf_reload(const struct conf_row *rows, size_t n, void *to, const void *from,
    void (*fixed)(void *arg, const struct conf_row *row), void *arg)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_row *r = &rows[i];
		if (same(r, to, from))
			continue;
		if (!(r->flags & CONF_RELOAD)) {
			if (fixed != NULL)
				fixed(arg, r);
		} else if (r->type != CONF_STR) {
			*num_at(r, to) = *num_at(r, from);
		} else {
			/* out of memory keeps the old text */
			const char *s = *str_at(r, from);
			(void)set_text(r, to, s ? s : "", NULL);
		}
	}
}

/* Free the strings. */
void
conf_fini(const struct conf_row *rows, size_t n, void *of)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].type != CONF_STR)
			continue;
		free(*str_at(&rows[i], of));
		*str_at(&rows[i], of) = NULL;
	}
}
