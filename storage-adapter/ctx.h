/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the parts of the running adapter share.  Made and freed in adapter.c.
 */
#ifndef XMSG_CTX_H
#define XMSG_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

struct event_base;
struct observer;
struct service;
struct task;

struct ctx {
	struct asettings *set;
	struct event_base *base;
	struct xmsg *x; /* the one client identity at the switch */
	struct jobs *jobs;
	struct plugins *plugins;
	struct state *state;
	struct record *record;
	struct poison *poison;
	struct turns *turns;
	struct observer *observer;
	struct service *services; /* list */
	char boot[37]; /* id of this boot */
	char *spool; /* folder of runs */
	char **env; /* further variables of scripts */
	uint64_t calls, failed; /* since the start */
	bool stopping;
};

#endif
