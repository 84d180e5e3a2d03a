/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * May what is at a path be run?  Scripts run as root, so whoever could put
 * something else there, or could have, must be root, ourselves or named in the
 * settings: the owner of the file, of each folder above it, and the same for
 * each link on the way and for what it leads to.
 *
 * The path is checked and later opened by name once more.  Between the two
 * nobody else can change what the name means: every step of it lies in a folder
 * that only trusted users can write, or in a sticky one, where an entry is moved
 * and removed by its owner only, and the owner is trusted.  That is why no
 * descriptor is passed on (a script that is run by descriptor loses its name,
 * and plugins look at their name).
 *
 * Access lists need no look of their own: whom they let write shows in the
 * group's bits, which hold the list's mask.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_name.h"
#include "xalloc.h"

#define LINKS_MOST 40 /* as the kernel */

static struct {
	bool check;
	uid_t *uids;
	size_t nuids;
} trusted = {true, NULL, 0};

/* A path on its way: what is resolved, and what is still to come. */
struct walk {
	char at[PATH_MAX]; /* no links in it; "" is the root folder */
	char rest[PATH_MAX];
	size_t done; /* bytes of rest */
	unsigned links;
	struct stat st; /* of `at` */
};

/* Take over the settings. */
void
trust_set(const struct trust *t)
{
	free(trusted.uids);
	trusted.check = t->check;
	trusted.nuids = t->nuids;
	trusted.uids = NULL;
	if (t->nuids == 0)
		return;
	trusted.uids = xreallocarray(NULL, t->nuids, sizeof *t->uids);
	memcpy(trusted.uids, t->uids, t->nuids * sizeof *t->uids);
}

/* Is this user one of ours? */
static bool
owner_ok(uid_t uid)
{
	if (uid == 0 || uid == geteuid())
		return true;
	for (size_t i = 0; i < trusted.nuids; i++)
		if (trusted.uids[i] == uid)
			return true;
	return false;
}

/* Look at w->at, which is a folder above when `above`. */
static int
check_one(struct walk *w, bool above, struct err *e)
{
	const char *path = w->at[0] ? w->at : "/";
	char shown[PLUGIN_SHOWN];
	unsigned open;

	plugin_name_show(shown, sizeof shown, path);
	if (lstat(path, &w->st) == -1)
		return err_errno(e, "cannot look at %s", shown);
	if (!owner_ok(w->st.st_uid))
		return err_set(e, EPERM,
		    "%s belongs to uid %u, who is neither root nor listed in "
		    "plugins.owners: chown -h root %s",
		    shown, (unsigned)w->st.st_uid, shown);
	if (S_ISLNK(w->st.st_mode))
		return 0; /* nobody can write into a link */
	open = w->st.st_mode & (S_IWGRP | S_IWOTH);
	if (open == 0 ||
	    (above && S_ISDIR(w->st.st_mode) && (w->st.st_mode & S_ISVTX)))
		return 0;
	return err_set(e, EPERM, "%s can be written by %s: chmod %s-w %s",
	    shown,
	    open == S_IWGRP	  ? "its group"
		: open == S_IWOTH ? "everybody"
				  : "its group and everybody",
	    open == S_IWGRP	  ? "g"
		: open == S_IWOTH ? "o"
				  : "go",
	    shown);
}

/* Drop the last part of w->at. */
static void
up(struct walk *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash)
		*slash = '\0';
}

/* w->at is a link: go on with what it says. */
static int
follow(struct walk *w, struct err *e)
{
	char target[PATH_MAX], all[PATH_MAX];
	ssize_t n = readlink(w->at, target, sizeof target - 1);
	char shown[PLUGIN_SHOWN];
	int len;

	plugin_name_show(shown, sizeof shown, w->at);
	if (n == -1)
		return err_errno(e, "cannot read the link %s", shown);
	target[n] = '\0';
	len = snprintf(all, sizeof all, "%s/%s", target, w->rest + w->done);
	if (++w->links > LINKS_MOST || len >= (int)sizeof all) {
		errno = w->links > LINKS_MOST ? ELOOP : ENAMETOOLONG;
		return err_errno(e, "cannot follow the link %s", shown);
	}
	if (target[0] == '/')
		w->at[0] = '\0';
	else
		up(w);
	memcpy(w->rest, all, (size_t)len + 1);
	w->done = 0;
	return 0;
}

/* The next part of w->rest; its length, 0: none, beyond NAME_MAX: too long. */
static size_t
next(struct walk *w, char part[NAME_MAX + 1])
{
	const char *p = w->rest + w->done;
	size_t skip = strspn(p, "/"), n = strcspn(p + skip, "/");

	w->done += skip + n;
	if (n <= NAME_MAX) {
		memcpy(part, p + skip, n);
		part[n] = '\0';
	}
	return n;
}

/* One part of the path. */
static int
step(struct walk *w, const char *part, struct err *e)
{
	size_t n = strlen(w->at);

	if (strcmp(part, ".") == 0)
		return 0;
	if (strcmp(part, "..") == 0) {
		up(w);
		return 0;
	}
	if (n + 1 + strlen(part) >= sizeof w->at)
		return err_set(e, ENAMETOOLONG, "a path is too long");
	snprintf(w->at + n, sizeof w->at - n, "/%s", part);
	if (check_one(w, true, e) == -1)
		return -1;
	return S_ISLNK(w->st.st_mode) ? follow(w, e) : 0;
}

/* From where does it start? */
static int
start(struct walk *w, const char *path, struct err *e)
{
	char here[PATH_MAX] = "";

	memset(w, 0, sizeof *w);
	if (path[0] != '/' && getcwd(here, sizeof here) == NULL)
		return err_errno(e, "cannot tell the current folder");
	if ((size_t)snprintf(w->rest, sizeof w->rest, "%s/%s", here, path) >=
	    sizeof w->rest)
		return err_set(e, ENAMETOOLONG, "a path is too long");
	return check_one(w, true, e);
}

/* May what is there be run, or run from? */
int
trust_path(const char *path, struct err *e)
{
	char part[NAME_MAX + 1];
	struct walk w;
	size_t n;

	if (!trusted.check)
		return 0;
	if (start(&w, path, e) == -1)
		return -1;
	while ((n = next(&w, part)) > 0) {
		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "a path is too long");
		if (step(&w, part, e) == -1)
			return -1;
	}
	/* the end of it gets no leave for being sticky: anybody could add to
	 * such a folder */
	return check_one(&w, false, e);
}
