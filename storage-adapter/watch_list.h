/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What is in a folder: the names in it that may be plugins, and how to tell
 * whether one of them has changed. */
#ifndef XMSG_WATCH_LIST_H
#define XMSG_WATCH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A folder in a kind's folder, as of the last look. */
struct item {
	char *name;
	uint64_t id; /* changes when it does */
	void *user;
};

enum found { THERE, ABSENT, UNREADABLE };

/* volume/ or datapath/. */
struct folder {
	char *path;
	struct item *v; /* in order of name */
	size_t n;
	enum found found;
	bool dangling; /* some link in it leads to nothing */
	bool crowded; /* there were more than WATCH_MOST */
};

/* The names in f->path, in order, into f; v is new, for watch_items_free. */
enum found watch_list(struct folder *f);
void watch_items_free(struct item *v, size_t n);

/* Where is a name in order, or would be? */
size_t watch_item_at(
    const struct item *v, size_t n, const char *name, bool *there);

/* Mix the identity of a plugin's folder into *id: 0, 1: there is no such
 * folder, -1: it cannot be told now. */
int watch_identify(const char *path, uint64_t *id);
/* Mix in whose a folder is and who may write. */
uint64_t watch_mix_owner(uint64_t h, const struct stat *st);

#endif
