/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The links of a plugin folder, from its Python programs.
 */
#ifndef XMSG_IDL_LINKS_H
#define XMSG_IDL_LINKS_H

#include "model.h"

/* Make a link for each call that a program in the folder implements; what was
 * done goes to standard output, what is wrong to standard error.  0, or -1
 * when something was wrong. */
int make_links(const struct api *api, const char *dir);

#endif
