/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One call of the toolstack, from its bytes to its reply: which scripts are run
 * with what, in which order, and what the answer is (adapter-contract 2 to 4).
 *
 * Pure: a call says what it needs next, and is told what came of it.  It is
 * also repeatable: the same bytes, the same world and the same results ask for
 * the same scripts in the same order.  That is how a call survives the adapter:
 * a new process goes through it again and finds the scripts' results in the
 * spool.
 *
 *	call_new -> call_go -> CALL_RUN: run call_script, then call_resume
 *	                       CALL_WAIT: after call_wait_ns, call_go again
 *	                       CALL_DONE: call_reply
 */
#ifndef XMSG_CALL_H
#define XMSG_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "job.h"
#include "str.h"

struct idl_method;

/* A datapath plugin as calls see it. */
struct call_datapath {
	const char *scheme;
	const char *const *features; /* NULL-terminated */
};

/* What a call may ask.  Strings are borrowed until the next call of any of
 * these.  `arg` is handed to each. */
struct call_world {
	void *arg;
	/* the plugin's own name of an attached SR, or NULL */
	const char *(*sr_handle)(void *arg, const char *sr);
	/* names of all attached SRs, a new array */
	json_t *(*sr_list)(void *arg);
	/* Remember, durably, before the reply; -1 with the reason.  uids: array
	 * of ids of RRD sources (xeno+shm paths, decoded). */
	int (*sr_attached)(void *arg, const char *sr, const char *handle,
	    json_t *config, json_t *uids, struct err *e);
	int (*sr_detached)(void *arg, const char *sr, struct err *e);
	/* the datapath plugin chosen for a volume while its epoch lasts
	 * (contract 7.3, 26); NULL scheme forgets */
	const char *(*epoch)(void *arg, const char *sr, const char *vdi);
	int (*epoch_set)(void *arg, const char *sr, const char *vdi,
	    const char *scheme, struct err *e);
	/* a served datapath plugin by scheme (lower case), or NULL */
	const struct call_datapath *(*datapath)(void *arg, const char *scheme);
	/* does the volume plugin have this script, executable? */
	bool (*has_script)(void *arg, const struct idl_method *m);
	/* required_api_version that the volume plugin stated: "3.0", "5.0" */
	const char *(*version)(void *arg);
	/* when this call began, ns since 1970: the same when it is repeated */
	int64_t (*began)(void *arg);
	/* One line for people about something that was tolerated. */
	void (*note)(void *arg, const char *text);
};

enum call_state { CALL_RUN, CALL_WAIT, CALL_DONE };

/* The script that a call wants run. */
struct call_script {
	const char *datapath; /* scheme, or NULL: the volume plugin */
	const struct idl_method *method;
	json_t *params; /* borrowed */
};

/* How it went.  Lookup failures are told without a run. */
enum call_found { CALL_FOUND, CALL_MISSING, CALL_NOT_EXECUTABLE, CALL_NO_DIR };
struct call_ran {
	enum call_found found;
	const char *path; /* of the script that was run or looked for */
	const char *why; /* not CALL_FOUND: one sentence */
	const struct job_result *result; /* CALL_FOUND */
	bool rebooted; /* JOB_LOST because the machine was restarted */
};

struct call;

/* From the payload of a message.  Anything at all may be in it: what makes no
 * sense is a call that is CALL_DONE at once. */
struct call *call_new(const struct call_world *w, struct str payload);
void call_free(struct call *c);

enum call_state call_go(struct call *c);
enum call_state call_resume(struct call *c, const struct call_ran *r);

const struct call_script *call_script(const struct call *c);
int64_t call_wait_ns(const struct call *c);

/* End it now: CALL_DONE with the failure [error, text], "Internal_error" or
 * "Cancelled"; also when it is CALL_DONE already. */
void call_fail(struct call *c, const char *error, const char *text);

/* The reply, whole, for the wire; after CALL_DONE.  Freed with the call. */
struct str call_reply(const struct call *c);

/* ---- for listings, limits and the record of calls ---- */

/* "SR.scan", "smapiv3.Volume.stat"; "" when the payload has none. */
const char *call_method(const struct call *c);
/* The SR it is about, for limits: parameter `sr`, or "". */
const char *call_sr(const struct call *c);
/* `dbg`, first line, or "". */
const char *call_dbg(const struct call *c);
/* W3C traceparent from dbg (contract 2.4), or NULL. */
const char *call_traceparent(const struct call *c);
/* Every script of it may be run a second time without harm. */
bool call_idempotent(const struct call *c);
/* After CALL_DONE: NULL for success, else the error's constructor or code
 * ("SR_BACKEND_FAILURE_40"), and *text one sentence for people (unredacted). */
const char *call_error(const struct call *c, const char **text);

/* Every call that is known, for listings and tests: NULL after the last. */
struct call_info {
	const char *name; /* "VDI.attach3" */
	bool implemented;
	bool idempotent;
};
const struct call_info *call_at(size_t i);

#endif
