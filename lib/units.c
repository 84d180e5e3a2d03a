/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Ages, durations, sizes and times as text. */
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

/* Cut, but not because 0.179 * 1000 is a little less than 179. */
static double
cut(double v)
{
	return floor(v + 1e-6);
}

/* How long ago. */
void
units_age(char out[UNITS_MAX], double seconds)
{
	double s = seconds > 0 ? seconds : 0;
	long long n = s < 9e15 ? (long long)s : 9000000000000000LL;

	if (s < 10)
		snprintf(out, UNITS_MAX, "%.1fs", cut(s * 10) / 10);
	else if (n < MINUTE)
		snprintf(out, UNITS_MAX, "%llds", n);
	else if (n < HOUR)
		snprintf(
		    out, UNITS_MAX, "%lldm%02llds", n / MINUTE, n % MINUTE);
	else if (n < DAY)
		snprintf(out, UNITS_MAX, "%lldh%02lldm", n / HOUR,
		    n % HOUR / MINUTE);
	else
		snprintf(
		    out, UNITS_MAX, "%lldd%02lldh", n / DAY, n % DAY / HOUR);
}

/* How long it took. */
void
units_took(char out[UNITS_MAX], double seconds)
{
	double s = seconds > 0 ? seconds : 0;

	if (s < 0.0001)
		snprintf(out, UNITS_MAX, "%.0fus", cut(s * 1e6));
	else if (s < 0.01)
		snprintf(out, UNITS_MAX, "%.1fms", cut(s * 1e4) / 10);
	else if (s < 1)
		snprintf(out, UNITS_MAX, "%.0fms", cut(s * 1e3));
	else if (s < 10)
		snprintf(out, UNITS_MAX, "%.2fs", cut(s * 100) / 100);
	else
		units_age(out, s);
}

/* In words. */
void
units_words(char out[UNITS_MAX * 2], int64_t seconds)
{
	const struct {
		const char *name;
		int64_t n;
	} parts[] = {
	    {"day", seconds / DAY},
	    {"hour", seconds % DAY / HOUR},
	    {"min", seconds % HOUR / MINUTE},
	    {"second", seconds % MINUTE},
	};
	size_t left = 0, at = 0;

	for (size_t i = 0; i < 4; i++)
		left += parts[i].n > 0;
	if (left == 0)
		snprintf(out, UNITS_MAX * 2, "0 seconds");
	for (size_t i = 0; i < 4; i++) {
		if (parts[i].n <= 0)
			continue;
		left--;
		at += (size_t)snprintf(out + at, UNITS_MAX * 2 - at,
		    "%lld %s%s%s", (long long)parts[i].n, parts[i].name,
		    parts[i].n == 1 ? "" : "s",
		    left == 1	   ? " and "
			: left > 1 ? ", "
				   : "");
	}
}

/* A second. */
void
units_rate(char out[UNITS_MAX], double a_second)
{
	bool whole = a_second >= 9.95 || a_second < 0.05;

	snprintf(out, UNITS_MAX, whole ? "%.0f" : "%.1f",
	    a_second < 0.05 ? 0 : a_second);
}

/* Bytes. */
void
units_size(char out[UNITS_MAX], int64_t bytes)
{
	static const char unit[] = "kMGTPE";
	double v = (double)bytes;
	int u = -1;

	while (v >= 1024 && unit[u + 1] != '\0') {
		v /= 1024;
		u++;
	}
	if (u == -1)
		snprintf(out, UNITS_MAX, "%lld", (long long)bytes);
	else if (v < 10)
		snprintf(out, UNITS_MAX, "%.1f%c", floor(v * 10) / 10, unit[u]);
	else
		snprintf(out, UNITS_MAX, "%.0f%c", floor(v), unit[u]);
}

/* Into year, day and hour.  Times come in thousands for the same few seconds,
 * and a look at the rules of the time zone costs more than all else here. */
static void
split(int64_t ms, bool utc, struct tm *tm)
{
	static _Thread_local struct {
		bool set, utc;
		time_t t;
		struct tm tm;
	} known[8], *k;
	time_t t = (time_t)(ms / 1000);

	k = &known[(uint64_t)t % 8];
	if (!k->set || k->utc != utc || k->t != t) {
		memset(k, 0, sizeof *k);
		if (utc)
			gmtime_r(&t, &k->tm);
		else
			localtime_r(&t, &k->tm);
		k->set = true;
		k->utc = utc;
		k->t = t;
	}
	*tm = k->tm;
}

/* Time of day. */
void
units_time(char out[UNITS_MAX], double epoch, double now, bool utc)
{
	int64_t ms = epoch > 0 && epoch < 1e12 ? llround(epoch * 1000) : 0;
	struct tm tm, today;
	size_t n = 0;

	split(ms, utc, &tm);
	split((int64_t)now * 1000, utc, &today);
	if (tm.tm_year != today.tm_year || tm.tm_yday != today.tm_yday)
		n = strftime(out, UNITS_MAX, "%Y-%m-%d ", &tm);
	n += strftime(out + n, UNITS_MAX - n, "%H:%M:%S", &tm);
	snprintf(out + n, UNITS_MAX - n, ".%03d%s", (int)(ms % 1000),
	    utc ? "Z" : "");
}
