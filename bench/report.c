/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Figures for people and for programs. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "hist.h"

/* An empty report. */
void
report_init(struct report *r)
{
	buf_init(&r->people);
	buf_init(&r->json);
}

/* Give its memory back. */
void
report_fini(struct report *r)
{
	buf_fini(&r->people);
	buf_fini(&r->json);
}

/* Open the next member of the object. */
static void
put_key(struct report *r, const char *key)
{
	buf_addf(&r->json, "%s\"%s\":", r->json.n == 0 ? "{" : ",", key);
}

/* A JSON string; control characters become blanks. */
static void
put_string(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, (unsigned char)*s < ' ' ? ' ' : *s);
	}
	buf_addc(b, '"');
}

/* A word or sentence. */
void
report_text(
    struct report *r, const char *key, const char *value, const char *what)
{
	put_key(r, key);
	put_string(&r->json, value);
	if (what != NULL)
		buf_addf(&r->people, "  %-44s %s\n", what, value);
}

/* A whole number. */
void
report_int(struct report *r, const char *key, int64_t value, const char *what)
{
	put_key(r, key);
	buf_addi(&r->json, value);
	if (what != NULL)
		buf_addf(&r->people, "  %-44s %12" PRId64 "\n", what, value);
}

/* A number with a fraction; fewer digits the larger it is. */
void
report_num(struct report *r, const char *key, double value, const char *what)
{
	int digits = fabs(value) >= 1000 ? 0 : fabs(value) >= 10 ? 1 : 3;

	if (!isfinite(value))
		value = 0;
	put_key(r, key);
	buf_addf(&r->json, "%.3f", value);
	if (what != NULL)
		buf_addf(&r->people, "  %-44s %12.*f\n", what, digits, value);
}

/* Percentiles. */
void
report_hist(struct report *r, const struct hist *h, const char *what)
{
	static const struct {
		const char *key;
		double share;
	} row[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99},
	    {"p999_us", 0.999}};
	unsigned i;

	if (h->n == 0)
		return;
	buf_addf(&r->people, "  %s, us:\n   ", what);
	for (i = 0; i < sizeof row / sizeof row[0]; i++) {
		double us = (double)hist_at(h, row[i].share) / 1000;

		put_key(r, row[i].key);
		buf_addf(&r->json, "%.1f", us);
		buf_addf(&r->people, " p%g %.0f ", row[i].share * 100, us);
	}
	put_key(r, "max_us");
	buf_addf(&r->json, "%.1f", (double)h->max / 1000);
	buf_addf(&r->people, " max %.0f\n", (double)h->max / 1000);
}

/* A line for people. */
void
report_line(struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&r->people, fmt, ap);
	va_end(ap);
	buf_addc(&r->people, '\n');
}

/* Out with it. */
int
report_print(struct report *r, bool json)
{
	if (!buf_ok(&r->people) || !buf_ok(&r->json))
		return -1;
	fwrite(r->people.p, 1, r->people.n, stdout);
	if (json) {
		fwrite(r->json.p, 1, r->json.n, stdout);
		fputs("}\n", stdout);
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -1;
}
