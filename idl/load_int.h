/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the parts of the loader share: where they are in which file.
 */
#ifndef XMSG_IDL_LOAD_INT_H
#define XMSG_IDL_LOAD_INT_H

#include "diag.h"
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

/* Note a problem at a node, with the path so far. */
#define complain(l, y, ...) diag_add((l)->d, (y)->at, (l)->path, __VA_ARGS__)

/* load_part.c: readers for the tables of keys; each fills its slot, or notes a
 * problem. */
size_t path_push(struct load *l, const char *name);
void path_pop(struct load *l, size_t n);
void read_map(
    struct load *l, const struct yml *y, const struct key *keys, void *obj);
const char *scalar_of(struct load *l, const struct yml *y);
void read_text(struct load *l, const struct yml *y, void *slot);
void read_bool(struct load *l, const struct yml *y, void *slot);
void read_type(struct load *l, const struct yml *y, void *slot);
void read_value(struct load *l, const struct yml *y, void *slot);
void read_life(struct load *l, const struct yml *y, void *slot);
void read_refs(struct load *l, const struct yml *y, void *slot);
struct member *member_of(struct load *l, const struct yml *y);
const struct yml *entries(struct load *l, const struct yml *y);
void read_members(struct load *l, const struct yml *y, void *slot);
void read_arg(struct load *l, const struct yml *y, void *slot);

/* The type that a scalar spells, NULL with the problem noted. */
const struct type *load_type(struct load *l, const struct yml *y);

#endif
