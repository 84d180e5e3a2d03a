/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A call inside: what its row of the table says, and what it has found so far.
 *
 * A row is a list of steps.  A step runs a script, or only does something by
 * itself; what it finds goes into a variable, where later steps, the roll-back
 * and the result find it.  Variable "p" is the parameters of the call.
 */
#ifndef XMSG_CALL_INT_H
#define XMSG_CALL_INT_H

#include "buf.h"
#include "call.h"
#include "gen_smapi.h"

/* What came of a hook. */
enum next {
	GO_ON,
	AGAIN, /* this step once more, after wait_ns */
	FAILED /* the error is set */
};

#define NO_SCRIPT    (-1)
#define END_OF_STEPS (-2)

/*
 * `args` tells, for parameters of the script that are not those of the call
 * with the same name, what they are made of: "key=@new.key k='tags+$key".
 *	$x.y	parameter x of the call, member y
 *	@x.y	variable x, member y (numbers: elements)
 *	'text	that text
 *	#5	that number
 *	a+b	texts, one after the other
 * `dbg` is the call's own, and `sr` the plugin's name of the attached SR.
 */
struct step {
	int method; /* enum smapi_method, or one of the two above */
	const char *args;
	const char *to; /* variable for the result ("true" for no result) */
	const char *when; /* only when this variable has something in it */
	const char *each; /* for each element, which is variable "item" */
	bool gone_ok; /* done, too, when the volume does not exist */
	enum next (*then)(struct call *c);
};

struct row {
	const char *name;
	const struct idl_field *params; /* NULL: not implemented */
	const struct step *steps; /* NULL: none */
	const struct step *undo; /* after a failure */
	const char *result; /* path of a variable; NULL: null */
	json_t *(*make)(struct call *c); /* ... or this makes it */
};

struct call {
	struct call_world w;
	const struct row *row; /* NULL when it made no sense */
	struct row pass_row; /* what `row` is for smapiv3 calls */
	struct step pass_steps[3];
	bool pass;
	/* the request */
	json_t *request;
	const char *method, *sr, *dbg; /* in it, or "" */
	char dbg_line[160], traceparent[56];
	bool echo; /* the reply repeats the request's id */
	/* where it is */
	json_t *vars;
	const struct step *step; /* the next one, or NULL */
	size_t item; /* of the step's `each` */
	unsigned tries, notes;
	bool undoing, asked, done;
	int64_t wait_ns;
	struct call_script script; /* while asked */
	json_t *params;
	/* what came of it */
	json_t *result, *error, *error_text;
	struct buf reply;
};

/* ---- call_rows.c ---- */

extern const struct row call_rows[];
extern const size_t call_nrows;
const struct row *call_row_find(const char *name);

/* ---- call_env.c: the envelope ---- */

/* Read the request; sets row, or the error. */
void call_env_read(struct call *c, struct str payload);
/* Make the reply. */
void call_env_write(struct call *c);

/* ---- call_args.c ---- */

/* A variable by path, borrowed; NULL: there is none. */
json_t *call_var(const struct call *c, const char *path);
/* Its text, or "". */
const char *call_text(const struct call *c, const char *path);
/* Is there something in it: not null, false or ""? */
bool call_has(const struct call *c, const char *path);
/* Takes v; NULL: out of memory, which is then the error. */
enum next call_let(struct call *c, const char *name, json_t *v);
/* The parameters of a step's script, or NULL with the error set. */
json_t *call_args(struct call *c, const struct step *s);

/* ---- call.c ---- */

/* The call's error, unless it has one; takes it; NULL: out of memory. */
enum next call_error_set(struct call *c, json_t *error);
/* The same with ["Internal_error", text]. */
enum next call_internal(struct call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* One line for people. */
void call_note(struct call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- call_do.c: what rows do by themselves ---- */

enum next do_pick(struct call *c);
enum next do_pick_begin(struct call *c);
enum next do_pick_end(struct call *c);
enum next do_pick_scheme(struct call *c);
enum next do_epoch_keep(struct call *c);
enum next do_epoch_forget(struct call *c);
enum next do_mirror_in(struct call *c);
enum next do_attached(struct call *c);
enum next do_attach_keep(struct call *c);
enum next do_attach_undo(struct call *c);
enum next do_detach_keep(struct call *c);
enum next do_destroy_keep(struct call *c);
enum next do_health(struct call *c);
enum next do_sets_create(struct call *c);
enum next do_sets_clone(struct call *c);
enum next do_sets_snapshot(struct call *c);
json_t *make_query(struct call *c);
json_t *make_probe(struct call *c);
json_t *make_list(struct call *c);
json_t *make_sr(struct call *c);
json_t *make_scan(struct call *c);
json_t *make_scan2(struct call *c);
json_t *make_vdi(struct call *c);
json_t *make_new(struct call *c);
json_t *make_empty(struct call *c);
json_t *make_nbd(struct call *c);

#endif
