/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What changed between two states of the declarations, and whom it breaks:
 * callers (the toolstack), or plugins.
 */
#ifndef XMSG_IDL_DIFF_H
#define XMSG_IDL_DIFF_H

#include "model.h"

enum diff_level {
	DIFF_SAME, /* nothing that a program can see */
	DIFF_SAFE, /* additions and announcements */
	DIFF_BREAKS, /* somebody's program stops working */
};

/* One line per change into `text`; the worst of them. */
enum diff_level diff_apis(
    const struct api *old, const struct api *new, struct buf *text);

#endif
