/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Values of a declared interface, as jansson trees, against tables that
 * `xmsg-idl c` makes.  Two strengths: idl_check takes exactly what is
 * declared; idl_decode also takes what real plugins write (members in any
 * case, unknown members, null for an absent member, ["Tag"] for "Tag") and
 * gives the declared form.  Ends no process, keeps no state.
 */
#ifndef XMSG_IDL_IDLVAL_H
#define XMSG_IDL_IDLVAL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum idl_kind {
	IDL_UNIT,
	IDL_STRING,
	IDL_INT,
	IDL_INT64,
	IDL_FLOAT,
	IDL_BOOL,
	IDL_LIST,
	IDL_MAP,
	IDL_PAIR,
	IDL_RECORD,
	IDL_VARIANT
};

struct idl_field;

struct idl_type {
	enum idl_kind kind;
	const char *name; /* for people: volume, list<key> */
	const struct idl_type *a, *b; /* parts of lists, maps and pairs */
	const struct idl_field *fields; /* of records; tags of variants */
	const char *dflt; /* of variants: a tag, or NULL */
};

/* A member, a parameter or a tag; the last of a table has no name. */
struct idl_field {
	const char *name;
	const struct idl_type *type; /* NULL: a tag without content */
	bool optional;
};

struct idl_method {
	const char *name; /* "Volume.create" */
	const char *script; /* its file in plugins, in the usual case */
	const char *feature; /* the word that goes with it, or NULL */
	const struct idl_field *params;
	const struct idl_type *result;
	bool idempotent;
};

/* The basic types. */
extern const struct idl_type idl_unit, idl_string, idl_int, idl_int64,
    idl_float, idl_bool;

/* What a script prints when it fails: {"code": string, "params": [string],
 * "backtrace": {"error": string, "files": [string], "lines": [int]}}. */
extern const struct idl_type idl_failure;

/* What is wrong with a value, for programs and for people. */
enum idl_fault_kind {
	IDL_OK,
	IDL_MISSING, /* a member or a parameter; path says which */
	IDL_WRONG, /* of another type than `expected` */
	IDL_UNKNOWN, /* a member that is not declared */
	IDL_NOMEM
};

struct idl_fault {
	enum idl_fault_kind kind;
	char path[160]; /* "uri[0]", "" for the value itself */
	const char *expected; /* the type's name, or NULL */
	char got[64]; /* the beginning of the value as JSON */
};

/* The row of a method, its name in any case; NULL when there is none. */
const struct idl_method *idl_method_find(
    const struct idl_method *table, size_t n, const char *name);

/* 0, or -1 with the fault. */
int idl_check(const struct idl_type *t, json_t *v, struct idl_fault *f);
/* The parameters of a call: all there and right; others are let through. */
int idl_check_params(
    const struct idl_method *m, json_t *params, struct idl_fault *f);

/* The declared form of a value, a new reference; NULL with the fault. */
json_t *idl_decode(const struct idl_type *t, json_t *v, struct idl_fault *f)
    __attribute__((warn_unused_result));

/* One sentence into `text`. */
void idl_fault_text(const struct idl_fault *f, char *text, size_t n);

#endif
