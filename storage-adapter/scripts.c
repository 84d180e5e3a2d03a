/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The scripts in a plugin's folder.  Callers name a method as the interface
 * spells it, plugins ship "Plugin.Query" or "plugin.query": the spellings that
 * were found are remembered, and the folder is read again when a remembered one
 * leads to nothing (contract 2.1).
 *
 * What is asked for comes from a fixed table and is a word, a dot and a word; a
 * name of any other form, one with '/' above all, is not looked for.
 */
#include "plugin_impl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_name.h"
#include "xalloc.h"

#define NAME_MOST  64 /* bytes of a method's name */
#define NAMES_MOST 512 /* names remembered; more than twice all methods */

struct scripts {
	char *dir;
	char **names; /* no two are the same but for case */
	size_t n;
	char *path; /* given out last */
};

/* For a folder, which need not be there. */
struct scripts *
scripts_new(const char *dir)
{
	struct scripts *s = xcalloc(1, sizeof *s);

	s->dir = xstrdup(dir);
	return s;
}

/* Forget the names. */
void
scripts_forget(struct scripts *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	s->names = NULL;
	s->n = 0;
}

/* End it. */
void
scripts_free(struct scripts *s)
{
	if (s == NULL)
		return;
	scripts_forget(s);
	free(s->path);
	free(s->dir);
	free(s);
}

/* A word, a dot, a word. */
static bool
well_formed(const char *name)
{
	size_t dots = 0, n = strlen(name);

	if (n < 3 || n > NAME_MOST || name[0] == '.' || name[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		dots += c == '.';
		if (c != '.' && c != '_' && !(c < 0x80 && isalnum(c)))
			return false;
	}
	return dots == 1;
}

/* Where is the remembered spelling?  NULL: there is none. */
static char **
remembered(const struct scripts *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcasecmp(s->names[i], name) == 0)
			return &s->names[i];
	return NULL;
}

/* A name was seen in the folder: of those that differ only in case the first in
 * order of bytes counts. */
static void
remember(struct scripts *s, const char *name, const char *wanted)
{
	char **old = remembered(s, name);

	if (old && strcmp(name, *old) < 0) {
		free(*old);
		*old = xstrdup(name);
	} else if (!old &&
	    (s->n < NAMES_MOST || strcasecmp(name, wanted) == 0)) {
		s->names = xreallocarray(s->names, s->n + 1, sizeof *s->names);
		s->names[s->n++] = xstrdup(name);
	}
}

/* Read the folder; what it says about `wanted` is kept however full it is. */
static int
refresh(struct scripts *s, const char *wanted, struct err *e)
{
	char shown[PLUGIN_SHOWN];
	DIR *d = opendir(s->dir);
	struct dirent *de;

	plugin_name_show(shown, sizeof shown, s->dir);
	if (d == NULL)
		return err_errno(e, "cannot read the folder %s", shown);
	scripts_forget(s);
	while (errno = 0, (de = readdir(d)) != NULL)
		if (well_formed(de->d_name))
			remember(s, de->d_name, wanted);
	if (errno != 0)
		err_errno(e, "cannot read the folder %s", shown);
	else
		wanted = NULL;
	closedir(d);
	return wanted ? -1 : 0;
}

/* Why is there no script at this path? */
static enum script_rc
explain(const char *path, int code, struct err *e)
{
	char shown[PLUGIN_SHOWN];
	struct stat st;

	plugin_name_show(shown, sizeof shown, path);
	if (code == 0)
		err_set(e, EINVAL, "%s is not a file", shown);
	else if (code == ENOENT && lstat(path, &st) == 0)
		err_set(e, ENOENT, "%s is a link to nothing", shown);
	else if (code == ENOENT)
		err_set(e, ENOENT, "there is no script %s", shown);
	else
		errno = code, err_errno(e, "cannot look at %s", shown);
	return SCRIPT_MISSING;
}

/* Can what is at s->path be run? */
static enum script_rc
judge(const struct scripts *s, struct err *e)
{
	char shown[PLUGIN_SHOWN];
	struct stat st;

	if (stat(s->path, &st) == -1)
		return explain(s->path, errno, e);
	if (!S_ISREG(st.st_mode))
		return explain(s->path, 0, e);
	if (faccessat(AT_FDCWD, s->path, X_OK, AT_EACCESS) == -1) {
		plugin_name_show(shown, sizeof shown, s->path);
		err_set(e, EACCES, "%s is not executable: chmod +x %s", shown,
		    shown);
		return SCRIPT_NOT_EXECUTABLE;
	}
	return trust_path(s->path, e) == 0 ? SCRIPT_OK : SCRIPT_UNTRUSTED;
}

/* Try the spelling that is known, or the one asked for. */
static enum script_rc
try_known(struct scripts *s, const char *method, struct err *e)
{
	char **known = remembered(s, method);

	free(s->path);
	s->path = xasprintf("%s/%s", s->dir, known ? *known : method);
	return judge(s, e);
}

/* Find one. */
enum script_rc
scripts_find(
    struct scripts *s, const char *method, const char **path, struct err *e)
{
	struct err last = {0};
	enum script_rc rc;

	*path = "";
	if (!well_formed(method)) {
		char shown[PLUGIN_SHOWN];
		plugin_name_show(shown, sizeof shown, method);
		err_set(e, EINVAL, "%s is not the name of a method", shown);
		return SCRIPT_MISSING;
	}
	rc = try_known(s, method, &last);
	if (rc == SCRIPT_MISSING || rc == SCRIPT_NOT_EXECUTABLE)
		rc = refresh(s, method, &last) == -1
		    ? SCRIPT_NO_DIR
		    : try_known(s, method, &last);
	if (rc != SCRIPT_OK && e)
		*e = last;
	*path = s->path;
	return rc;
}
