/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A store under test: opened over a temporary folder, driven by a small loop,
 * with operations that note when and in which order they were done.
 */
#ifndef XMSG_TESTS_STORETEST_H
#define XMSG_TESTS_STORETEST_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"
#include "tempdir.h"

/* One way to run a store; the suite runs over all of them. */
struct st_kind {
	const char *name, *scheme;
	bool durable, inline_commit;
};
extern const struct st_kind st_kinds[];
extern const size_t st_nkinds;

struct st {
	const struct st_kind *kind;
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 16], url[TEMPDIR_MAX + 32];
	struct event_base *base;
	struct event *watchdog;
	struct store *s;
	struct store_config cfg; /* what st_open uses; change it before */
	struct store_events events;
	struct err err;
	int gone, wakes; /* events seen */
	bool degraded; /* what was told last */
	int closed;
	unsigned ndone; /* operations done so far */
};

/* A row that was given. */
struct st_row {
	/* list: queue, origin = owner, held = paused; answers: re_id, id */
	struct store_msg m;
	struct store_gone gone; /* removed: the rest; msg is m */
	char by[16];
	char *mem;
};

/* An operation under test. */
struct st_op {
	struct store_op op; /* first member */
	struct st *t;
	bool done;
	unsigned order; /* the how-manieth that was done */
	struct st_row *rows;
	size_t nrows, stop_at; /* row() says stop at the n-th row, 0: never */
	void (*then)(struct st_op *); /* called at the end of done, or NULL */
};

/* For cmocka: *state is a kind before and a struct st after. */
int st_setup(void **state);
int st_teardown(void **state);

/* Parts of the above. */
void st_init(struct st *t, const struct st_kind *k);
bool st_open(struct st *t);
void st_close(struct st *t);
void st_reopen(struct st *t);
void st_fini(struct st *t);
/* Go on with a copy of the files as they are now, as after a crash; the old
 * store is closed. */
void st_crash(struct st *t);

/* Submit one op, or a chain of n. */
void st_submit(struct st *t, struct st_op *o);
void st_submit_chain(struct st *t, struct st_op *const *v, size_t n);
/* Kick and run the loop until *flag. */
void st_wait(struct st *t, const bool *flag);
/* Until the store has finished all writes, without running the loop. */
void st_wait_threads(struct st *t);
/* submit, kick, wait. */
enum store_rc st_do(struct st *t, struct st_op *o);
void st_free(struct st_op *o); /* its rows */

/* Fill one. */
void st_fill_send(struct st_op *o, struct str queue, struct str payload);
void st_fill_ack(struct st_op *o, struct str queue, int64_t id);
void st_fill_remove(struct st_op *o, struct str queue, int64_t id, int64_t act);
void st_fill_restore(struct st_op *o, struct str queue, int64_t id);
void st_fill_read(struct st_op *o, enum store_kind k);

/* The whole way, for short cases. */
enum store_rc st_create(struct st *t, const char *name);
enum store_rc st_create_owned(
    struct st *t, const char *name, const char *owner);
enum store_rc st_destroy(struct st *t, const char *name);
/* The id, or -1 - rc. */
int64_t st_send(struct st *t, const char *queue, const char *payload);
enum store_rc st_ack(struct st *t, const char *queue, int64_t id);
enum store_rc st_remove(
    struct st *t, const char *queue, int64_t id, int64_t act);
/* Everything in order of id; free with st_free. */
void st_scan(struct st *t, struct st_op *o);
size_t st_count(struct st *t);

#endif
