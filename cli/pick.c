/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Abbreviations and suggestions. */
#include "pick.h"

#include <string.h>

#define MOST 32 /* letters that are compared */

/* Find a name. */
int
pick(const char *const *names, size_t n, const char *word, int *abbreviated)
{
	size_t len = strlen(word);
	int found = PICK_NONE;

	if (abbreviated != NULL)
		*abbreviated = 0;
	for (size_t i = 0; i < n; i++) {
		if (names[i] == NULL || strncmp(names[i], word, len) != 0)
			continue;
		if (names[i][len] == '\0')
			return (int)i;
		found = found == PICK_NONE ? (int)i : PICK_MANY;
	}
	if (len == 0)
		return PICK_NONE;
	if (abbreviated != NULL)
		*abbreviated = found >= 0;
	return found;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance where two neighbours that changed places count as one. */
unsigned
pick_distance(const char *a, const char *b)
{
	unsigned d[MOST + 1][MOST + 1];
	size_t n = strnlen(a, MOST), m = strnlen(b, MOST);

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(
			    d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

/* The nearest one, when it is near: a third of the letters may be wrong. */
const char *
pick_nearest(const char *const *names, size_t n, const char *word)
{
	unsigned best = (unsigned)strlen(word) / 3 + 1, d;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (names[i] == NULL)
			continue;
		d = pick_distance(names[i], word);
		if (d < best || (d == best && found == NULL)) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
