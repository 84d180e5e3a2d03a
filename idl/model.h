/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The interface as declared, for emitters to walk.  Everything hangs from one
 * struct api, lists are linked through `next` in the order of declaration,
 * names are resolved to pointers, all of it is read-only and lives as long as
 * the api.  A checked model (check.h) keeps these promises, so that emitters
 * never fail:
 *
 *  - every `doc` and `title` is there and not empty; texts are UTF-8, prose
 *    follows prose.h;
 *  - every type reference is resolved; no record contains itself;
 *  - every method begins with the context parameter (dbg), has a result (of
 *    TYPE_UNIT when it has nothing to say) and at least one example, whose
 *    values are of the right types;
 *  - every item has a life of at least one event, its own or its parent's.
 */
#ifndef XMSG_IDL_MODEL_H
#define XMSG_IDL_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "arena.h"
#include "buf.h"
#include "diag.h"

/* A release of the toolstack or of the interface library, oldest first. */
struct release {
	struct release *next;
	struct pos at;
	const char *id, *title,
	    *date; /* "xapi-24.31.0"; date "2024-09" or "" */
	const char *doc;
	int rank; /* 0 = oldest */
};

enum life_kind {
	LIFE_PROTOTYPED,
	LIFE_PUBLISHED,
	LIFE_EXTENDED,
	LIFE_CHANGED,
	LIFE_DEPRECATED,
	LIFE_REMOVED
};

/* One event in the life of an item. */
struct life {
	struct life *next;
	struct pos at;
	enum life_kind kind;
	const struct release *release;
	const char *release_id;
	const char *note; /* may be "" */
};

enum type_kind {
	TYPE_UNIT, /* null */
	TYPE_STRING,
	TYPE_INT,
	TYPE_INT64,
	TYPE_FLOAT,
	TYPE_BOOL,
	TYPE_LIST, /* of a */
	TYPE_MAP, /* string to a */
	TYPE_PAIR, /* a and b, an array of two */
	TYPE_NAMED /* def */
};

/* A use of a type. */
struct type {
	enum type_kind kind;
	struct pos at;
	const struct type *a, *b;
	const struct tdef *def;
	const char *name; /* of def */
};

/* A field of a record, a parameter of a method, an error's argument. */
struct member {
	struct member *next;
	struct pos at;
	const char *name, *doc;
	const struct type *type;
	bool optional; /* absent when unset, never null */
	json_t *example; /* or NULL */
	const struct life *life;
};

/* A case of a variant. */
struct tag {
	struct tag *next;
	struct pos at;
	const char *name, *doc;
	const struct type *type; /* NULL: written as "Tag", else ["Tag", v] */
	const struct life *life;
};

enum tdef_kind { TDEF_ALIAS, TDEF_RECORD, TDEF_VARIANT };

/* A named type. */
struct tdef {
	struct tdef *next;
	struct pos at;
	enum tdef_kind kind;
	const char *name, *doc;
	const struct module *module; /* NULL: common to all */
	const struct type *alias; /* TDEF_ALIAS */
	struct member *fields; /* TDEF_RECORD */
	struct tag *tags; /* TDEF_VARIANT */
	const struct tag *dflt; /* TDEF_VARIANT: its default, or NULL */
	const char *dflt_name;
	json_t *example; /* given, or made from the parts */
	const struct life *life;
};

/* A declared error. */
struct exn {
	struct exn *next;
	struct pos at;
	const char *name, *doc;
	const struct module *module; /* NULL: common to all */
	struct member *arg;
	const struct life *life;
};

/* A name in a list that refers to something: `errors: [Cancelled]`. */
struct ref {
	struct ref *next;
	struct pos at;
	const char *name, *doc; /* doc: when a method raises it; may be "" */
	const struct exn *exn;
	const struct method *method;
};

/* A call with its outcome: exactly one of result and error is not NULL. */
struct example {
	struct example *next;
	struct pos at;
	const char *title;
	json_t *params; /* an object, dbg included */
	json_t *result;
	const struct exn *error;
	const char *error_name, *error_arg;
	const struct yml *src; /* as it was written, for messages */
};

struct method {
	struct method *next;
	struct pos at;
	const struct iface *iface;
	const char *name, *title, *doc;
	const char *script; /* file name in a plugin: "Volume.create" */
	struct member *params; /* the first one is api->context */
	const struct type *result;
	const char *result_doc;
	struct ref *raises; /* the errors to expect, with when */
	struct example *examples;
	const struct feature *feature; /* needs or announces it, or NULL */
	const char *feature_name;
	struct pos feature_at;
	bool idempotent; /* doing it twice is doing it once */
	bool unused; /* today's toolstack never calls it */
	const struct life *life;
};

struct iface {
	struct iface *next;
	struct pos at;
	const struct module *module;
	const char *name, *title, *doc, *version;
	struct ref *errors; /* every method may answer with these */
	struct method *methods;
	const struct life *life;
};

/* A file of declarations; a Python module, an OCaml module, a page. */
struct module {
	struct module *next;
	struct pos at;
	const char *name, *title, *doc;
	struct tdef *types;
	struct exn *errors;
	struct iface *ifaces;
};

/* A word that a plugin's answer to Plugin.query may list. */
struct feature {
	struct feature *next;
	struct pos at;
	const char *name, *doc;
	struct ref *methods; /* the calls it stands for */
	bool automatic; /* the toolstack adds it by itself from the scripts */
	const struct life *life;
};

struct api {
	struct arena arena;
	json_t *values; /* owns every example */
	struct pos at;
	bool broken; /* a file was not even YAML */
	const char *name, *title, *doc, *version;
	struct member *context; /* the parameter in front of all: dbg */
	struct release *releases;
	struct ref *order; /* the modules' names in order, or NULL: any */
	struct feature *features;
	struct tdef *types; /* common types and errors */
	struct exn *errors;
	struct module *modules;
	const struct life *life;
};

struct api *api_new(void);
void api_free(struct api *api);

/* Find by name; NULL when there is none. */
const struct tdef *api_type(const struct api *api, const char *name);
const struct exn *api_error(const struct api *api, const char *name);
const struct feature *api_feature(const struct api *api, const char *name);
const struct release *api_release(const struct api *api, const char *id);
const struct iface *api_iface(const struct api *api, const char *name);
/* By "Interface.method", as in "Volume.create". */
const struct method *api_method(const struct api *api, const char *dotted);

/* What the item links to: every name that prose may put in backquotes. */
enum item_kind {
	ITEM_NONE,
	ITEM_MODULE,
	ITEM_IFACE,
	ITEM_METHOD,
	ITEM_TYPE,
	ITEM_ERROR,
	ITEM_FEATURE
};
enum item_kind api_lookup(const struct api *api, const char *name);

/* The errors a method may answer with, in order, one by one: start with
 * prev = NULL.  Its own `raises` text goes with each through method_raises. */
const struct ref *method_next_error(
    const struct method *m, const struct ref *prev);
/* When it does, or "" where that needs no words. */
const char *method_raises(const struct method *m, const struct exn *e);
size_t method_nparams(const struct method *m); /* the context included */

/* The release an item came with, and its state now. */
const struct life *life_first(const struct life *l); /* first published */
enum life_kind life_state(const struct life *l); /* PROTOTYPED, PUBLISHED,
                                                    DEPRECATED or REMOVED */
const char *life_kind_name(enum life_kind k); /* "published" */

/* A type with its aliases looked through. */
const struct type *type_plain(const struct type *t);
/* As it is written in declarations: list<volume>, map<string>. */
void type_write(struct buf *b, const struct type *t);

/* A valid value, the same one each time; a new reference. */
json_t *type_sample(const struct type *t);
json_t *tdef_sample(const struct tdef *d);
json_t *member_sample(const struct member *m);
/* What is wrong with a value, 0 or -1 with a sentence in `why` that begins
 * with the path inside the value. */
int type_match(const struct type *t, json_t *v, struct buf *why);

#endif
