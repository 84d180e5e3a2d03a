/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the parts of the loader share: where they are in which file.
 */
#ifndef XMSG_IDL_LOAD_INT_H
#define XMSG_IDL_LOAD_INT_H

#include "model.h"
#include "yml.h"

struct load {
	struct api *api;
	struct arena *a;
	struct diag *d;
	struct module *module; /* of the file in hand, NULL: the common part */
	struct iface *iface; /* in hand */
	char path[256]; /* SR.attach.params.sr */
};

/* A row of a mapping's table. */
struct key {
	const char *name;
	void (*read)(struct load *l, const struct yml *y, void *slot);
	size_t off;
	bool must;
};

/* The type that a scalar spells, NULL with the problem noted. */
const struct type *load_type(struct load *l, const struct yml *y);

#endif
