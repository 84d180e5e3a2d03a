/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The running adapter: plugin appears, its service starts; goes, it stops.
 */
#ifndef XMSG_ADAPTER_H
#define XMSG_ADAPTER_H

#include "err.h"
#include "settings.h"

/* Exit statuses (xmsg-storaged(8)). */
enum {
	EXIT_OK = 0,
	EXIT_FATAL = 2, /* under the old name: anything fatal */
	EXIT_USAGE = 64, /* bad options */
	EXIT_UNAVAILABLE = 69, /* the state folder is in use */
	EXIT_OSERR = 71, /* no memory or descriptors, also from xalloc.h */
	EXIT_CANTCREAT = 73, /* a folder or file cannot be made */
	EXIT_STORE = 74, /* the state cannot be opened */
	EXIT_CONFIG = 78, /* bad settings */
};

struct adapter;

/* Take the state folder, read what is there, begin to watch.  NULL with a
 * sentence; *status is then the exit status.  reload(arg, s) fills fresh
 * settings on SIGHUP; s must outlive the adapter.  import: state file of the
 * original to take over once, or NULL. */
struct adapter *adapter_new(struct asettings *s,
    int (*reload)(void *arg, struct asettings *fresh, struct err *e), void *arg,
    const char *import, int *status, struct err *e);

/* Take the plugin of the original's self test through its life; the exit
 * status, with a sentence when it is not 0. */
int adapter_selftest(struct asettings *s, struct err *e);

/* Serve until told to stop; the exit status. */
int adapter_run(struct adapter *a);
void adapter_free(struct adapter *a);

#endif
