/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The state folder of a broker, read-only: its database and its recorder.  For
 * when the broker is dead; nothing here writes, locks or creates a file that
 * was not there, except what SQLite needs to share a database with a writer.
 */
#ifndef XMSG_CLI_STATE_H
#define XMSG_CLI_STATE_H

#include "cli.h"

/* Open what there is of c->state_dir into c->state, once.  -1 with a sentence
 * when neither the database nor the recorder can be read. */
int state_open(struct cli *c, struct err *e);
void state_close(struct cli *c);

/* When the recorder was written last, and what it says about the broker's end:
 * "stopped in order" or that it did not; for status. */
double state_last_event(struct cli *c, const char **how);

#endif
