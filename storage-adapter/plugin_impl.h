/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the files of plugins share; nobody else includes this. */
#ifndef XMSG_PLUGIN_IMPL_H
#define XMSG_PLUGIN_IMPL_H

#include "plugin.h"

struct event;
struct watch;

#define PLUGIN_NEVER	INT64_MAX
#define PLUGIN_ASK_MOST 32 /* probes under way at a time */

/*
 * One folder.  Invariants, which plugins_check holds us to:
 *  1. entries are in order of name, kind, folder;
 *  2. served entries have an answer, and an empty `why`;
 *  3. entries in state SERVING are served; WAITING and NEW are not;
 *  4. an entry is asked, or has a time to be asked, or is served, held or
 *     shadowed;
 *  5. ps->asked is the number of entries that are asked.
 */
struct entry {
	struct plugin p; /* first member */
	char *folder; /* its name in the kind's folder */
	unsigned ticket; /* of the newest probe */
	bool asked; /* it is under way */
	bool served; /* serve said so */
	bool first; /* found at the start and not asked yet */
	bool shadowed; /* another one has its name */
	json_t *held; /* an answer that waits for ps->open */
	int64_t due_ns; /* to be asked then, or PLUGIN_NEVER */
	int64_t asked_ns; /* last time */
	char said[sizeof((struct plugin *)0)->why]; /* in the log */
};

struct plugins {
	struct plugins_conf conf;
	struct plugins_hooks hooks;
	char *root; /* absolute */
	struct watch *watch;
	struct event *timer;
	struct entry **v;
	size_t n, cap;
	unsigned asked, tickets;
	bool looked; /* once at least */
	bool moved; /* entries came or went since the last look */
	bool open; /* volume plugins may be served */
};

/* plugin_probe.c: one entry, from its folder's name on */
struct entry *entry_new(
    const struct plugins *ps, enum plugin_kind kind, const char *folder);
void entry_free(struct entry *e); /* one that is not served */
/* Ask it now; an older probe is void. */
void entry_ask(struct plugins *ps, struct entry *e);
/* The probe that is under way, if any, does not count any more. */
void entry_unask(struct plugins *ps, struct entry *e);
/* The answer that was held, now that volume plugins are served. */
void entry_release(struct plugins *ps, struct entry *e);
/* Not to be served, because; a log line says it once. */
void entry_refuse(struct plugins *ps, struct entry *e, const char *why);
/* Served no more; with a log line, and without. */
void entry_withdraw(struct plugins *ps, struct entry *e, const char *why);
void entry_give_up(struct plugins *ps, struct entry *e, const char *why);

/* scripts.c: the folder has changed; look all names up anew. */
void scripts_forget(struct scripts *s);

/* plugin.c: do what is due as soon as the loop runs. */
void plugins_kick(struct plugins *ps);
/* For qsort of struct entry *: name, kind, folder. */
int plugins_order(const void *a, const void *b);

#endif
