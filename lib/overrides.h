/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the daemons' command lines have in common: settings given there count
 * more than the file, also when that is read again.
 */
#ifndef XMSG_OVERRIDES_H
#define XMSG_OVERRIDES_H

#include <stddef.h>

#include "conf.h"

struct override;

/* In the order in which they were given. */
struct overrides {
	struct override *first, **last;
};

void overrides_init(struct overrides *o);
void overrides_fini(struct overrides *o);

/* One more; text is copied. */
void overrides_add(struct overrides *o, const char *key, const char *value);
/* The same from "NAME=VALUE"; -1 when there is no '='. */
int overrides_parse(struct overrides *o, const char *text);

/* Set them all; -1 with a sentence at the first that is wrong. */
int overrides_apply(const struct overrides *o, const struct conf_row *rows,
    size_t n, void *to, struct err *e);

/* Write all settings with their help to standard output. */
void overrides_print(const struct conf_row *rows, size_t n, const void *from);

#endif
