/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * SMAPIv2: the records and errors of the toolstack (contract 3.3 to 3.5), and
 * how they are made from those of SMAPIv3.  Members are written in the reverse
 * of their declared order, as the original does.  Everything that gives a tree
 * gives a new reference, or NULL: out of memory.
 */
#ifndef XMSG_V2_H
#define XMSG_V2_H

#include <stdbool.h>

#include <jansson.h>

#include "buf.h"
#include "idlval.h"

extern const struct idl_type v2_map; /* of strings */
extern const struct idl_type v2_vdi_info;

/* ---- values ---- */

/* The declared form of a value with all leniency of contract 3.3: integers in
 * strings, tags in any case, defaults for what is ill-typed.  May change `v`.
 * NULL with the fault. */
json_t *v2_decode(const struct idl_type *t, json_t *v, struct idl_fault *f);

/* A decoded value with the members of its records in written order. */
json_t *v2_turned(const struct idl_type *t, json_t *v);

/* ---- records ---- */

/* 4.2; *odd: is_a_snapshot is neither true nor false, and taken for false. */
json_t *v2_vdi_of(const json_t *volume, bool *odd);
json_t *v2_sr_of(const json_t *sr_stat);
json_t *v2_query_of(const json_t *query, json_t *features);
/* 4.5; NULL with why filled when the plugin's answer breaks rules. */
json_t *v2_probe_of(const json_t *result, struct buf *why);

/* ---- errors (3.4) ---- */

/* ["Tag", text] */
json_t *v2_error(const char *tag, const char *text);
/* ["Backend_error", [code, list]]; takes `list`. */
json_t *v2_backend_error(const char *code, json_t *list);
/* The code of a backend error, else the tag; borrowed. */
const char *v2_error_code(const json_t *error);
/* Its parameters as one text, without the backtrace. */
json_t *v2_error_text(const json_t *error);

#endif
