/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A plugin folder: its scripts, whether it may be trusted, whether it answers.
 *
 *   NEW --settled--> PROBING --answered, version right--> SERVING
 *    ^                  |                                    |
 *    |                  +--failed--> WAITING (1 s, 2 s, ... retry_max_ns)
 *    |                                  |  changed, or time: PROBING
 *    +----------- changed --------------+-- changed: PROBING, still served
 *   gone from the folder, from any state: served ones are given up, freed
 *
 * The reason why one is not served is kept, and can be asked for.
 */
#ifndef XMSG_PLUGIN_H
#define XMSG_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "err.h"

enum plugin_kind { PLUGIN_VOLUME, PLUGIN_DATAPATH };
enum plugin_state {
	PLUGIN_NEW,
	PLUGIN_PROBING,
	PLUGIN_SERVING,
	PLUGIN_WAITING
};

/* ---- one folder and its scripts ---- */

enum script_rc {
	SCRIPT_OK,
	SCRIPT_MISSING, /* not there, or not a regular file */
	SCRIPT_NOT_EXECUTABLE,
	SCRIPT_UNTRUSTED, /* owner or mode (promises D4) */
	SCRIPT_NO_DIR /* the folder itself cannot be read */
};

struct scripts; /* the names in a folder, remembered */

struct scripts *scripts_new(const char *dir);
void scripts_free(struct scripts *s);

/* Find "Interface.method" without regard to case (contract 2.1): *path is the
 * file, or the wanted spelling when there is none; borrowed until the next
 * lookup.  Not SCRIPT_OK: e has one sentence. */
enum script_rc scripts_find(
    struct scripts *s, const char *method, const char **path, struct err *e);

/* Uids whose files may be run besides root's and our own; checked at all? */
struct trust {
	bool check;
	const uid_t *uids;
	size_t nuids;
};
void trust_set(const struct trust *t);

/* Is this file or folder, every folder above it, and what it links to, owned by
 * root or an allowed user, and not writable for others?  -1 with which one and
 * what to do. */
int trust_path(const char *path, struct err *e);

/* ---- the plugins of one root ---- */

struct plugin {
	enum plugin_kind kind;
	enum plugin_state state;
	char *name; /* queue or scheme */
	char *dir;
	struct scripts *scripts;
	json_t *query; /* answer of Plugin.Query, decoded; NULL: none yet */
	const char *version; /* required_api_version in it, or NULL */
	const char **features; /* in it, NULL-terminated; never NULL */
	char why[400]; /* not served because; "" when served */
	unsigned failures; /* probes in a row that failed */
	int64_t since_wall_ns; /* of this state */
	void *user; /* of the hooks */
};

struct event_base;
struct plugins;

struct plugins_hooks {
	void *arg;
	/* Run Plugin.Query at p->dir; the answer goes to plugins_probed, later
	 * or at once.  A newer probe makes an older one void: `ticket` tells. */
	void (*probe)(void *arg, struct plugin *p, unsigned ticket);
	/* p is served from now on, or its answer changed; -1: not (p->why is
	 * set by the callee through e), then tried again later. */
	int (*serve)(void *arg, struct plugin *p, struct err *e);
	/* p is given up because of p->why: forget it, it is freed or not served
	 * when this returns.  Only for those that serve took. */
	void (*give_up)(void *arg, struct plugin *p);
};

struct plugins_conf {
	const char *root; /* has volume/ and datapath/ */
	int64_t settle_ns; /* quiet time before a change counts */
	int64_t rescan_ns; /* without inotify */
	int64_t retry_max_ns; /* longest wait between probes */
};

/* Start watching both folders, which need not be there yet.  NULL: out of
 * memory.  Nothing is called before the loop runs. */
struct plugins *plugins_new(struct event_base *base,
    const struct plugins_conf *c, const struct plugins_hooks *h, struct err *e);
void plugins_free(struct plugins *ps); /* calls give_up for served ones */

/* The result of a probe: the decoded answer (borrowed), or why there is none.
 * p may be gone: then, and with an old ticket, nothing happens. */
void plugins_probed(struct plugins *ps, struct plugin *p, unsigned ticket,
    json_t *answer, const char *why);

/* Look at the folders now (SIGHUP). */
void plugins_rescan(struct plugins *ps);

/* True once everything found at the start has been probed once. */
bool plugins_settled(const struct plugins *ps);

struct plugin *plugins_find(
    const struct plugins *ps, enum plugin_kind kind, const char *name);
/* Is it served?  Also while it is asked again, because it has changed. */
bool plugin_served(const struct plugin *p);

/* Each one, in order of name. */
void plugins_each(const struct plugins *ps,
    void (*fn)(struct plugin *p, void *arg), void *arg);
/* Why is there no such plugin: for a name that plugins_find does not know (a
 * file, a hidden name, nothing). */
void plugins_why_not(const struct plugins *ps, enum plugin_kind kind,
    const char *name, char *why, size_t n);

/* Every invariant holds (for tests; see plugin.c). */
void plugins_check(const struct plugins *ps);

#endif
