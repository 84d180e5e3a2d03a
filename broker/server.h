/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The running broker: event loop, signals, the order of starting and stopping,
 * and what happens at the end of each turn.
 */
#ifndef XMSG_SERVER_H
#define XMSG_SERVER_H

#include "err.h"
#include "settings.h"

/* Exit statuses (xmsgd(8)). */
enum {
	EXIT_OK = 0,
	EXIT_USAGE = 64, /* bad options */
	EXIT_UNAVAILABLE = 69, /* the socket or the state folder is in use */
	EXIT_OSERR = 71, /* no memory, or descriptors: xalloc.h, evlog.h */
	EXIT_CANTCREAT = 73, /* folder, socket or file cannot be made */
	EXIT_STORE = 74, /* the store cannot be opened, or failed */
	EXIT_CONFIG = 78, /* bad settings */
};

struct server;

/* Take socket, state folder and store; read the index. NULL with a sentence;
 * *status is then the exit status.  reload(arg, s) fills fresh settings on
 * SIGHUP; what may change then changes in s, which must outlive the server. */
struct server *server_new(struct settings *s,
    int (*reload)(void *arg, struct settings *fresh, struct err *e), void *arg,
    int *status, struct err *e);

/* Serve until told to stop; the exit status. */
int server_run(struct server *sv);
void server_free(struct server *sv);

#endif
