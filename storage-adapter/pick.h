/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The URIs of volumes: which datapath plugin serves one (contract 4.3), what a
 * domain is called there (4.4), where an NBD server listens (4.6).  Pure.
 */
#ifndef XMSG_PICK_H
#define XMSG_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "buf.h"

struct call_world;

/* Longest scheme that is looked at, with its NUL. */
#define PICK_SCHEME 64

/* The scheme of a URI in lower case; false when it has none. */
bool pick_scheme(const char *uri, char scheme[PICK_SCHEME]);

/* What the datapath plugin of a scheme can do. */
bool pick_has(
    const struct call_world *w, const char *scheme, const char *feature);

/* The first usable of a list of URIs, borrowed, and its scheme.  `wanted`: a
 * scheme that goes before all others, or NULL; `feature`: plugins with it go
 * before others, or NULL.  NULL: none is usable. */
const char *pick_uri(const struct call_world *w, const json_t *uris,
    const char *wanted, const char *feature, char scheme[PICK_SCHEME]);

/* The domain string, a new JSON string. */
json_t *pick_domain(const char *dp, const char *vm);

/* The socket path in an NBD server's URI, added to `path`; false: not one of
 * the two forms that are known. */
bool pick_nbd(const char *uri, struct buf *path);

/* The id of an RRD source in a data source's URI (its decoded path), added to
 * `id`; false: it is none. */
bool pick_rrd(const char *uri, struct buf *id);

#endif
