/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * An adapter without a switch: the client library is replaced by functions that
 * note what was asked for, so that a test can give any answer at any moment.
 * State, record, poison and spool are real files.  Link with SW_WRAP.
 */
#ifndef XMSG_TESTS_SWTEST_H
#define XMSG_TESTS_SWTEST_H

#include "unit.h"

#include <jansson.h>

#include "ctx.h"
#include "plugin.h"
#include "service.h"
#include "logtest.h"
#include "tempdir.h"
#include "xmsg.h"

#define QUEUE  "org.xen.xapi.storage.p"
#define SW_OPS 64

struct xmsg_op {
	char target[256];
	xmsg_done_fn fn;
	void *arg;
};
struct xmsg_server {
	xmsg_serve_fn fn;
	void *arg;
};
struct xmsg_request {
	struct xmsg_message m;
	char reply[4096]; /* what it got */
	xmsg_done_fn fn;
	void *arg;
	bool discarded, left;
};

/* What was begun, and what is served. */
extern struct xmsg_op sw_ops[SW_OPS];
extern size_t sw_n_ops;
extern struct xmsg_server sw_servers[8];
extern size_t sw_n_servers, sw_stopped;
/* What fails from now on. */
extern bool sw_no_ops, sw_no_servers, sw_no_replies, sw_no_names,
    sw_no_discards, sw_no_timers;
/* The one plugin that there is, and why there is no other. */
extern struct plugin *const sw_plugin;
extern const char *sw_no_why;

struct sw_adapter {
	char dir[TEMPDIR_MAX], spool[256];
	struct asettings set;
	struct ctx ctx;
	struct err e;
};

/* cmocka's; *state is a struct sw_adapter. */
int sw_setup(void **state);
int sw_teardown(void **state);
#define TEST(f) cmocka_unit_test_setup_teardown(f, sw_setup, sw_teardown)

/* Give an operation this answer, or the last one. */
void sw_done(struct xmsg_op *op, int rc, int status, const char *body);
void sw_answer(int rc, int status, const char *body);
/* The switch's answer to a reply. */
void sw_replied(struct xmsg_request *r, int rc);

/* The service of our plugin. */
struct service *sw_serve(struct sw_adapter *t);
/* A request comes to the last queue that is served. */
void sw_come(struct xmsg_request *r, int64_t id, const char *payload);
/* One whose call needs no script. */
#define LIST "{\"method\":\"SR.list\",\"params\":[{\"dbg\":\"D\"}],\"id\":1}"

/* Let timers be due. */
void sw_turn(struct sw_adapter *t);

/* Make a folder of the spool; is this there? */
void sw_folder(struct sw_adapter *t, const char *queue, const char *id);
bool sw_is_there(struct sw_adapter *t, const char *name);

#endif
