/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* uthash, for programs: without memory it ends them as xalloc.h does, with a
 * line and a status that manuals have. */
#ifndef XMSG_MAP_H
#define XMSG_MAP_H

#include "xalloc.h"

#define uthash_malloc(n) xmalloc(n)
#include <uthash.h>

#endif
