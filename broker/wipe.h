/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * No payload stays behind in memory that was given back.
 */
#ifndef XMSG_WIPE_H
#define XMSG_WIPE_H

/* From now on memory is wiped before it is given back, that of SQLite too.
 * Before SQLite is used. */
void wipe_freed(void);

#endif
