/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Plugins under test: a root in a fresh folder, real inotify, and a probe that
 * takes the text of the file Plugin.Query for the plugin's answer.  What the
 * hooks and the log were told is kept.
 */
#ifndef XMSG_TESTS_PLUGIN_KIT_H
#define XMSG_TESTS_PLUGIN_KIT_H

#include "support/unit.h"

#include <event2/event.h>

#include "clock.h"
#include "plugin.h"
#include "support/tempdir.h"

#define V PLUGIN_VOLUME
#define D PLUGIN_DATAPATH

#define KIT_MOST 4096 /* probes that wait for their answer */

struct kit {
	char dir[TEMPDIR_MAX], root[TEMPDIR_MAX + 16];
	struct event_base *base;
	struct event *tick; /* so that a turn ends */
	struct plugins *ps;
	struct plugins_conf conf;
	bool hold; /* keep probes instead of answering */
	struct {
		struct plugin *p;
		unsigned ticket;
		enum plugin_kind kind;
	} asked[KIT_MOST];
	size_t nasked; /* held now */
	unsigned probes, serves, gives; /* calls so far */
	const char *refuse; /* serve says no, because */
	unsigned served; /* by the hooks' account */
};

/* For cmocka: *state is a struct kit, stopped; root/ has both folders. */
int kit_setup(void **state);
int kit_setup_scanning(void **state); /* the same, without inotify */
int kit_teardown(void **state);
extern int kit_no_inotify; /* inotify_init1 fails with this; 0: works */

void kit_start(struct kit *k);
void kit_stop(struct kit *k);
/* Files look so much older than they are (1 s when begun), so that none counts
 * as just changed; 0: as they are. */
extern int64_t kit_ageing_ns;
/* One turn of the loop, and every invariant. */
void kit_turn(struct kit *k);
/* Answer the probes that were held; those of one kind only. */
void kit_answer(struct kit *k);
void kit_answer_kind(struct kit *k, enum plugin_kind kind);

/* A path below the root, one of eight at a time. */
const char *kit_path(struct kit *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A file with this text; its folder is made when it is not there. */
void kit_file(struct kit *k, const char *path, const char *text, int mode);
/* A good plugin: "volume/NAME". */
void kit_plugin(struct kit *k, const char *path);
/* Remove with all that is in it. */
void kit_remove(struct kit *k, const char *path);

bool kit_served(struct kit *k, enum plugin_kind kind, const char *name);
bool kit_waiting(struct kit *k, enum plugin_kind kind, const char *name);
/* Is this part of the reason why? */
bool kit_why(
    struct kit *k, enum plugin_kind kind, const char *name, const char *part);
size_t kit_count(struct kit *k, enum plugin_state state);

/* Has the log a line with this part?  It is forgotten then. */
bool kit_logged(const char *part);
void kit_log_clear(void);
void kit_log_keep(bool yes); /* else lines are dropped */

/* Open descriptors; watches of inotify. */
unsigned kit_fds(void);
unsigned kit_watches(void);

#define GOOD	 "{\"plugin\":\"%s\",\"required_api_version\":\"5.0\"}"
#define KIT_LONG (20 * NS_PER_SEC)

/* Turn until it is so. */
#define UNTIL(k, cond)                                                         \
	do {                                                                   \
		int64_t end_ = kit_now() + KIT_LONG;                           \
		while (!(cond)) {                                              \
			if (kit_now() > end_)                                  \
				fail_msg("in vain: %s", #cond);                \
			kit_turn(k);                                           \
		}                                                              \
	} while (0)

/* The real time, also where clock_mono_ns is not. */
int64_t kit_now(void);

#endif
