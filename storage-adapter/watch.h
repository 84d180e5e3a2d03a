/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What is in volume/ and datapath/ of a root, told by names: which folder is
 * new, which has changed, which is gone.  How one learns of it (inotify, or
 * looking again and again) stays in here.
 */
#ifndef XMSG_WATCH_H
#define XMSG_WATCH_H

#include "plugin.h"

enum watch_what { WATCH_NEW, WATCH_CHANGED, WATCH_GONE };

struct watch_hooks {
	void *arg;
	/* A folder that may be a plugin.  *user is kept with it, NULL at first;
	 * on WATCH_GONE it is forgotten. */
	void (*seen)(void *arg, enum plugin_kind kind, const char *name,
	    enum watch_what what, void **user);
	/* All of it has been compared. */
	void (*looked)(void *arg);
};

struct watch;

/* c->root must be absolute.  Nothing is called before the loop runs; the first
 * look is then at once.  NULL: out of memory.  Hooks must not free it. */
struct watch *watch_new(struct event_base *base, const struct plugins_conf *c,
    const struct watch_hooks *h, struct err *e);
void watch_free(struct watch *w); /* calls nobody */

/* Look as soon as the loop runs. */
void watch_now(struct watch *w);

/* "volume", "datapath". */
const char *watch_kind_name(enum plugin_kind kind);

/* The most folders of one kind; beyond, the first ones in order of name. */
#define WATCH_MOST 1024

#endif
