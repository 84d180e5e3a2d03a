/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl links`: a plugin folder has a link per call to the program that
 * implements it, and a list of these kept by hand is soon wrong.  A program in
 * Python says itself what it has: the methods of its classes that inherit from
 * `Interface_skeleton`.  Its text is read, not run.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xalloc.h"

#include "links.h"

#define MAX_TEXT (1 << 20)
#define NAME	 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* A class that implements an interface. */
struct klass {
	struct klass *next;
	char *name;
	const struct iface *iface;
};

/* What is known while a folder is gone through. */
struct links {
	const struct api *api;
	const char *dir;
	const char *program; /* in hand */
	struct klass *classes; /* of the program in hand */
	int made, kept, wrong;
};

/* Note what is wrong. */
static void __attribute__((format(printf, 2, 3)))
wrong(struct links *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("xmsg-idl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	k->wrong++;
}

/* Forget the classes of a program. */
static void
forget(struct links *k)
{
	struct klass *c;

	while ((c = k->classes) != NULL) {
		k->classes = c->next;
		free(c->name);
		free(c);
	}
}

/* A class has another interface. */
static void
learn(struct links *k, const char *name, size_t n, const struct iface *iface)
{
	struct klass *c = xcalloc(1, sizeof(*c));

	c->name = xstrndup(name, n);
	c->iface = iface;
	c->next = k->classes;
	k->classes = c;
}

/* What a class gets from one of those it inherits from. */
static void
inherit(struct links *k, const char *name, size_t n, const char *base,
    size_t base_n)
{
	static const char suffix[] = "_skeleton";
	size_t stem = base_n - (sizeof(suffix) - 1);
	const struct iface *i;
	struct klass *c;
	char *word;

	for (c = k->classes; c != NULL; c = c->next)
		if (strlen(c->name) == base_n &&
		    memcmp(c->name, base, base_n) == 0)
			learn(k, name, n, c->iface);
	if (base_n < sizeof(suffix) ||
	    memcmp(base + stem, suffix, base_n - stem) != 0)
		return;
	word = xstrndup(base, stem);
	i = api_iface(k->api, word);
	if (i != NULL)
		learn(k, name, n, i);
	free(word);
}

/* `Name(a.b.C_skeleton, D):`, which may go over several lines; where it
 * ends. */
static const char *
class_line(struct links *k, const char *s, size_t name_n)
{
	const char *p = s + name_n;
	size_t n;

	if (*p != '(')
		return p;
	for (p++; *p != ')' && *p != '\0'; p += n) {
		n = strspn(p, NAME);
		/* What stands in front of a dot is a module. */
		if (n > 0 && p[n] != '.')
			inherit(k, s, name_n, p, n);
		else if (n == 0)
			n = 1;
	}
	return p;
}

/* Make the link of a call, unless it is there. */
static void
make_link(struct links *k, const struct method *m)
{
	char *path = xasprintf("%s/%s", k->dir, m->script), to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n >= 0) {
		to[n] = '\0';
		if (strcmp(to, k->program) == 0)
			k->kept++;
		else
			wrong(k, "%s: %s has this call, but it leads to %s",
			    path, k->program, to);
	} else if (errno == EINVAL) {
		wrong(k, "%s: %s has this call, but it is no link", path,
		    k->program);
	} else if (symlink(k->program, path) == 0) {
		printf("%s -> %s\n", m->script, k->program);
		k->made++;
	} else {
		wrong(k, "%s: %s", path, strerror(errno));
	}
	free(path);
}

/* `def name(`: of which call? */
static void
method_line(struct links *k, const char *name, size_t name_n, const char *s)
{
	size_t n = strspn(s, NAME);
	const struct method *m;
	const struct klass *c;

	for (c = k->classes; c != NULL; c = c->next) {
		if (strlen(c->name) != name_n ||
		    memcmp(c->name, name, name_n) != 0)
			continue;
		for (m = c->iface->methods; m != NULL; m = m->next)
			if (strlen(m->name) == n && memcmp(m->name, s, n) == 0)
				make_link(k, m);
	}
}

/* Whether a line ends inside a text of several lines. */
static bool
in_text(bool inside, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i + 2 < n; i++)
		if ((s[i] == '"' || s[i] == '\'') && s[i + 1] == s[i] &&
		    s[i + 2] == s[i]) {
			inside = !inside;
			i += 2;
		}
	return inside;
}

/* The calls of one program. */
static void
read_program(struct links *k, const char *text)
{
	const char *s, *name = NULL;
	size_t n, indent, body = 0, name_n = 0;
	bool text_before = false, text_after;

	for (s = text; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		indent = strspn(s, " \t");
		text_after = in_text(text_before, s, n);
		if (text_before || indent >= n || s[indent] == '#') {
			text_before = text_after;
			continue;
		}
		text_before = text_after;
		if (indent == 0) {
			name = NULL;
			body = 0;
			if (strncmp(s, "class ", 6) == 0) {
				name = s + 6;
				name_n = strspn(name, NAME);
				s = class_line(k, name, name_n);
				n = strcspn(s, "\n");
			}
			continue;
		}
		if (body == 0)
			body = indent;
		if (name != NULL && indent <= body &&
		    strncmp(s + indent, "def ", 4) == 0)
			method_line(k, name, name_n, s + indent + 4);
	}
	forget(k);
}

/* The text of a Python program, or NULL. */
static char *
program_text(struct links *k, const char *path)
{
	char *text = xcalloc(1, MAX_TEXT + 1), *end;
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f == NULL)
		wrong(k, "%s: %s", path, strerror(errno));
	else
		n = fread(text, 1, MAX_TEXT, f);
	if (f != NULL)
		fclose(f);
	end = text + strcspn(text, "\n");
	if (n < 2 || memcmp(text, "#!", 2) != 0 ||
	    memmem(text, (size_t)(end - text), "python", 6) == NULL) {
		free(text);
		return NULL;
	}
	return text;
}

/* One name in the folder. */
static void
look_at(struct links *k, const char *name)
{
	char *path = xasprintf("%s/%s", k->dir, name), *text;
	int before = k->made + k->kept;
	struct stat st;

	if (name[0] != '.' && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (text = program_text(k, path)) != NULL) {
		k->program = name;
		read_program(k, text);
		free(text);
		if (k->made + k->kept > before && access(path, X_OK) != 0)
			wrong(k, "%s: not executable (chmod +x)", path);
	}
	free(path);
}

/* All programs, by name. */
int
make_links(const struct api *api, const char *dir)
{
	struct links k = {.api = api, .dir = dir};
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort), i;

	if (n < 0) {
		wrong(&k, "%s: %s", dir, strerror(errno));
		return -1;
	}
	for (i = 0; i < n; i++) {
		look_at(&k, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (k.made + k.kept == 0)
		wrong(&k,
		    "%s: no program in Python that implements an interface",
		    dir);
	printf("%d made, %d there already\n", k.made, k.kept);
	return k.wrong > 0 || fflush(stdout) != 0 ? -1 : 0;
}
