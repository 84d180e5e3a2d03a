/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The settings of the broker: one table; xmsg.conf(5) has a paragraph for each
 * row, and a test compares the two.
 */
#ifndef XMSG_SETTINGS_H
#define XMSG_SETTINGS_H

#include "conf.h"

struct settings {
	char *socket, *group, *state, *pidfile, *store, *log_level;
	int64_t mode, syslog, inline_commit;
	int64_t connections, connections_per_uid, head_time, body_rate;
	int64_t line, head, fields, body, pending;
	int64_t queues, queue_messages, queue_bytes, total_bytes;
	int64_t session_transient, poll_queues, poll_time, transfer_bytes;
	int64_t cache, grace, one_reply, poison;
	int64_t recorder_size, trace_entries, follow_rate, undo_time,
	    undo_bytes;
	char *redact_keys;
};

extern const struct conf_row settings_rows[];
extern const size_t settings_n;

#define SETTINGS_FILE "/etc/xmsg.conf"

/* Read a message-switch.conf (an s-expression of pairs) into the settings it
 * has a meaning for: path, pidfile, statedir. */
int settings_read_old(struct settings *s, const char *path, struct err *e);

#endif
