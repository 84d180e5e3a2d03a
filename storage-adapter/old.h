/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The command line and the files of xapi-storage-script, for when the adapter
 * is called by that name (contract 1.4).
 */
#ifndef XMSG_OLD_H
#define XMSG_OLD_H

#include <stdbool.h>

#include "err.h"
#include "settings.h"

struct old {
	char *state; /* its state file: taken over when it is there */
	bool self_test, help, version;
};

/* Exit statuses of the original. */
enum {
	OLD_PARSE = 123, /* not a command line */
	OLD_VALUE = 124, /* an unknown option or a bad value */
};

/* Settings from the options, then the file, then its fragments: later wins.
 * 0; else the exit status, with the reason. */
int old_read(
    int argc, char **argv, struct asettings *s, struct old *o, struct err *e);
void old_fini(struct old *o);

extern const char old_usage[];

#endif
