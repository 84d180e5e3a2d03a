/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Names of plugins become names of queues, and paths become words of log lines
 * and of commands that people copy.  Whoever may write in a folder chooses
 * them, so nothing is taken for granted here. */
#include "plugin_name.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_MOST 255 /* bytes of a queue's name */

/* Endings and forms that editors and package managers leave behind. */
static const char *const temporary[] = {"*~", "#*#", "*.swp", "*.swo", "*.tmp",
    "*.rpmsave", "*.rpmnew", "*.rpmorig", "*.dpkg-*", "*;*"};

/* May this name be a plugin's? */
const char *
plugin_name_bad(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MOST)
		return "a name has 1 to 255 bytes";
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c < 0x20 || c == 0x7f || c == '/')
			return "a name has no control characters and no '/'";
	}
	if (name[0] == '.')
		return "hidden names are left alone";
	for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++)
		if (fnmatch(temporary[i], name, 0) == 0)
			return "it looks like a leftover of an editor or of a "
			       "package manager";
	return NULL;
}

/* Does a shell take this byte as it is? */
static bool
harmless(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c != 0 && strchr("/._+-,:@%", c));
}

/* One byte inside of $'...'; how many it became. */
static int
escape(char out[5], unsigned char c)
{
	if (c == '\'' || c == '\\')
		return snprintf(out, 5, "\\%c", c);
	if (c >= 0x20 && c < 0x7f)
		return snprintf(out, 5, "%c", c);
	return snprintf(out, 5, "\\x%02x", c);
}

/* As $'...'; what does not fit is left out at the end. */
static void
show_quoted(char *out, size_t n, const char *path)
{
	size_t at = (size_t)snprintf(out, n, "$'");
	char one[5];

	for (; *path; path++) {
		int k = escape(one, (unsigned char)*path);
		if (at + (size_t)k + 5 > n) {
			at += (size_t)snprintf(out + at, n - at, "...");
			break;
		}
		memcpy(out + at, one, (size_t)k);
		at += (size_t)k;
	}
	snprintf(out + at, n - at, "'");
}

/* A path for people. */
void
plugin_name_show(char *out, size_t n, const char *path)
{
	size_t len = strlen(path), ok = 0;

	while (ok < len && harmless((unsigned char)path[ok]))
		ok++;
	if (ok < len || len == 0)
		show_quoted(out, n, path);
	else if (len < n)
		memcpy(out, path, len + 1);
	else
		snprintf(out, n, "...%s", path + len - (n - 4));
}
