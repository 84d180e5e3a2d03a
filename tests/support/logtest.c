/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Lines of log_warn and log_error, kept until somebody takes them; the store's
 * threads write too. */
#include "logtest.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST 64

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static char lines[MOST][300];
static int n;

void __wrap_log_info(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap_log_warn(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap_log_error(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Keep one line; beyond MOST the last is written over. */
static void
keep(const char *sub, const char *fmt, va_list ap)
{
	char text[240];

	vsnprintf(text, sizeof text, fmt, ap);
	pthread_mutex_lock(&mu);
	if (n == MOST)
		n--;
	snprintf(lines[n++], sizeof lines[0], "%s: %s", sub, text);
	pthread_mutex_unlock(&mu);
}

/* In place of log_info: nobody has to expect it. */
void
__wrap_log_info(const char *sub, const char *fmt, ...)
{
	(void)sub, (void)fmt;
}

/* In place of log_warn. */
void
__wrap_log_warn(const char *sub, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(sub, fmt, ap);
	va_end(ap);
}

/* In place of log_error. */
void
__wrap_log_error(const char *sub, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(sub, fmt, ap);
	va_end(ap);
}

/* Take out what contains part. */
bool
logtest_take(const char *part)
{
	int kept = 0, had;

	pthread_mutex_lock(&mu);
	had = n;
	for (int i = 0; i < n; i++)
		if (strstr(lines[i], part) == NULL)
			memmove(lines[kept++], lines[i], sizeof lines[0]);
	n = kept;
	pthread_mutex_unlock(&mu);
	return kept < had;
}

/* Count, print, forget. */
int
logtest_left(void)
{
	int left;

	pthread_mutex_lock(&mu);
	for (int i = 0; i < n; i++)
		fprintf(stderr, "unexpected: %s\n", lines[i]);
	left = n;
	n = 0;
	pthread_mutex_unlock(&mu);
	return left;
}

/* Forget. */
void
logtest_clear(void)
{
	pthread_mutex_lock(&mu);
	n = 0;
	pthread_mutex_unlock(&mu);
}
