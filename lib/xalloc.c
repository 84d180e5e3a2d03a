/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Allocation for programs: success or a line on stderr and exit status 71
 * (EX_OSERR), so that a service manager starts us again. */
#include "xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The one way out. */
void
xnomem(size_t n)
{
	fprintf(stderr, "out of memory (%zu bytes)\n", n);
	exit(EX_OSERR);
}

static void *
check(void *p, size_t n)
{
	if (p == NULL)
		xnomem(n);
	return p;
}

/* malloc. */
void *
xmalloc(size_t n)
{
	return check(malloc(n ? n : 1), n);
}

/* calloc. */
void *
xcalloc(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1), n);
}

/* reallocarray. */
void *
xreallocarray(void *p, size_t n, size_t size)
{
	return check(reallocarray(p, n ? n : 1, size ? size : 1), n);
}

/* strdup. */
char *
xstrdup(const char *s)
{
	return check(strdup(s), strlen(s));
}

/* strndup. */
char *
xstrndup(const char *s, size_t n)
{
	return check(strndup(s, n), n);
}

/* asprintf. */
char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return check(n < 0 ? NULL : s, n < 0 ? 0 : (size_t)n);
}
