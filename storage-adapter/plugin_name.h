/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Names that are found in folders: which may be a plugin's, and how a path is
 * shown in a sentence, whatever bytes are in it.
 */
#ifndef XMSG_PLUGIN_NAME_H
#define XMSG_PLUGIN_NAME_H

#include <stddef.h>

/* NULL when a folder of this name may be a plugin, else why it may not. */
const char *plugin_name_bad(const char *name);

/* A path for a sentence and for a shell: as it is when every byte is harmless,
 * else as $'...' with escapes.  Too long: "..." and its end. */
void plugin_name_show(char *out, size_t n, const char *path);

/* Room for a path in a sentence of struct err. */
#define PLUGIN_SHOWN 128

#endif
