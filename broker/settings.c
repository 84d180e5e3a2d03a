/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The table of settings. */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

#define S(f) offsetof(struct settings, f)
#define KIB  1024LL
#define MIB  (1024LL * 1024)
#define GIB  (1024LL * 1024 * 1024)
#define SEC  NS_PER_SEC

/* clang-format off */
const struct conf_row settings_rows[] = {
	{"server", "socket", CONF_STR, S(socket),
	 "/var/run/message-switch/sock", 0, 0, 0,
	 "Unix socket to listen on."},
	{"server", "mode", CONF_INT, S(mode), "660", 0, 777, 0,
	 "Permissions of the socket, as three octal digits."},
	{"server", "group", CONF_STR, S(group), "", 0, 0, 0,
	 "Group that the socket is given to; empty: the process's own."},
	{"server", "state", CONF_STR, S(state), "/var/lib/xmsg", 0, 0, 0,
	 "Folder for the database and the flight recorder."},
	{"server", "pidfile", CONF_STR, S(pidfile), "", 0, 0, 0,
	 "File to write the process id to; empty: none."},
	{"server", "log_level", CONF_STR, S(log_level), "info", 0, 0,
	 CONF_RELOAD,
	 "Least severe messages that are logged: error, warn, info, debug."},
	{"server", "syslog", CONF_BOOL, S(syslog), "no", 0, 0, 0,
	 "Log to syslog instead of standard error."},
	{"store", "url", CONF_STR, S(store), "", 0, 0, 0,
	 "Where queues are kept: sqlite:FILE or memory:; empty: switch.db in"
	 " the state folder."},
	{"store", "inline", CONF_BOOL, S(inline_commit), "yes", 0, 0, 0,
	 "Commit a lone change without a thread switch while the disk is"
	 " quick."},
	{"limits", "connections", CONF_INT, S(connections), "10000", 1,
	 1000000, CONF_RELOAD, "Connections in all; beyond: 503."},
	{"limits", "connections_per_uid", CONF_INT, S(connections_per_uid),
	 "256", 1, 1000000, CONF_RELOAD,
	 "Connections of one user other than root; beyond: 503."},
	{"limits", "head_time", CONF_TIME, S(head_time), "10s", SEC / 10,
	 3600 * SEC, CONF_RELOAD,
	 "Time in which the head of a request must be complete; else: 408."},
	{"limits", "body_rate", CONF_SIZE, S(body_rate), "1000", 1, GIB,
	 CONF_RELOAD, "Bytes a second that a body must come with; else: 408."},
	{"limits", "line", CONF_SIZE, S(line), "8K", 256, MIB, CONF_RELOAD,
	 "Longest request line; beyond: 414."},
	{"limits", "head", CONF_SIZE, S(head), "16K", 512, MIB, CONF_RELOAD,
	 "Longest head of a request; beyond: 431."},
	{"limits", "fields", CONF_INT, S(fields), "64", 4, 10000, CONF_RELOAD,
	 "Most header fields of a request; beyond: 431."},
	{"limits", "body", CONF_SIZE, S(body), "16M", 1, GIB, CONF_RELOAD,
	 "Longest body of a request, and so of a payload; beyond: 413."},
	{"limits", "pipeline", CONF_SIZE, S(pending), "64K", KIB, GIB, 0,
	 "Bytes read ahead on a connection whose request is under way."},
	{"limits", "queues", CONF_INT, S(queues), "100000", 1, 100000000,
	 CONF_RELOAD, "Queues in all; beyond: 429."},
	{"limits", "queue_messages", CONF_INT, S(queue_messages), "100000", 1,
	 1000000000, CONF_RELOAD, "Messages in one queue; beyond: 429."},
	{"limits", "queue_bytes", CONF_SIZE, S(queue_bytes), "256M", KIB,
	 1024 * GIB, CONF_RELOAD,
	 "Bytes of payload in one queue; beyond: 429."},
	{"limits", "total_bytes", CONF_SIZE, S(total_bytes), "2G", KIB,
	 1024 * GIB, CONF_RELOAD,
	 "Bytes of payload in all queues; beyond: 507."},
	{"limits", "session_transient", CONF_INT, S(session_transient),
	 "1000", 1, 1000000, CONF_RELOAD,
	 "Transient queues that one token may own; beyond: 429."},
	{"limits", "poison", CONF_INT, S(poison), "3", 0, 1000, CONF_RELOAD,
	 "Ends of its consumer after which a request is held; 0: never."},
	{"limits", "poll_queues", CONF_INT, S(poll_queues), "1000", 1, 1000000,
	 0, "Queues that one poll may name; beyond: 413."},
	{"limits", "poll_time", CONF_TIME, S(poll_time), "300s", SEC,
	 300 * SEC, CONF_RELOAD, "Longest time that a poll is parked."},
	{"limits", "transfer_bytes", CONF_SIZE, S(transfer_bytes), "1M", 1,
	 GIB, CONF_RELOAD,
	 "Payload in one answer to a poll, when it is more than one message."},
	{"limits", "cache", CONF_SIZE, S(cache), "16M", 0, 1024 * GIB,
	 CONF_RELOAD, "Messages kept in memory; the others are read again."},
	{"queues", "grace", CONF_TIME, S(grace), "60s", 0, 86400 * SEC,
	 CONF_RELOAD,
	 "How long transient queues wait for their owner after a restart."},
	{"queues", "one_reply", CONF_BOOL, S(one_reply), "yes", 0, 0,
	 CONF_RELOAD, "Enqueue one reply to a request id, not more."},
	{"undo", "time", CONF_TIME, S(undo_time), "24h", 0, 3650 * 86400 * SEC,
	 0, "How long messages that were removed by hand are kept."},
	{"undo", "bytes", CONF_SIZE, S(undo_bytes), "64M", 0, 1024 * GIB, 0,
	 "How much of them is kept, the oldest goes first; 0: nothing."},
	{"redact", "keys", CONF_STR, S(redact_keys), "", 0, 0, CONF_RELOAD,
	 "Further words that mark a secret in a key, with blanks between."},
	{"recorder", "size", CONF_SIZE, S(recorder_size), "4M", 64 * KIB, GIB,
	 0, "Size of the flight recorder."},
	{"recorder", "trace_entries", CONF_INT, S(trace_entries), "128", 1,
	 100000, CONF_RELOAD, "Events in an answer to /trace."},
	{"recorder", "follow_rate", CONF_INT, S(follow_rate), "6000", 0,
	 100000000, CONF_RELOAD,
	 "Events a second for those who follow, together; 0: without bounds."},
};
/* clang-format on */

const size_t settings_n = sizeof settings_rows / sizeof *settings_rows;

/* ---- the file of the original ---- */

/* The settings that it shares with ours. */
static const struct {
	const char *old, *name;
} shared[] = {
    {"path", "server.socket"},
    {"pidfile", "server.pidfile"},
    {"statedir", "server.state"},
};

/* The next token: a parenthesis or an atom; n == 0 at the end. */
static struct str
token(const char **at)
{
	const char *p = *at + strspn(*at, " \t\r\n"), *from = p;

	if (*p == '"') {
		from = ++p;
		p += strcspn(p, "\"");
		*at = *p ? p + 1 : p;
		return (struct str){from, (size_t)(p - from)};
	}
	if (*p == '(' || *p == ')')
		p++;
	else
		p += strcspn(p, " \t\r\n()\"");
	*at = p;
	return (struct str){from, (size_t)(p - from)};
}

/* Apply one pair. */
static int
apply(struct settings *s, struct str key, struct str value, struct err *e)
{
	char text[4096];

	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
		if (!str_eq(key, str_of(shared[i].old)) ||
		    value.n >= sizeof text)
			continue;
		memcpy(text, value.p, value.n);
		text[value.n] = '\0';
		return conf_set(
		    settings_rows, settings_n, s, shared[i].name, text, e);
	}
	return 0;
}

static int
slurp(const char *path, char *to, size_t size, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return err_errno(e, "%s", path);
	n = read(fd, to, size - 1);
	close(fd);
	if (n < 0)
		return err_errno(e, "%s", path);
	to[n] = '\0';
	return 0;
}

/* ((path /run/sock) (pidfile (/run/pid)) (statedir ())) */
int
settings_read_old(struct settings *s, const char *path, struct err *e)
{
	char text[16384];
	const char *at = text;
	struct str key = {NULL, 0}, t;

	if (slurp(path, text, sizeof text, e) == -1)
		return -1;
	if (text[strspn(text, " \t\r\n")] != '(')
		return err_set(e, EINVAL,
		    "%s: not the configuration of message-switch: it begins"
		    " with a parenthesis",
		    path);
	while ((t = token(&at)).n > 0) {
		if (*t.p == '(') {
			continue;
		} else if (*t.p == ')') {
			key = (struct str){NULL, 0};
		} else if (key.n == 0) {
			key = t;
		} else {
			if (apply(s, key, t, e) == -1)
				return err_prefix(e, "%s", path);
			key = (struct str){NULL, 0};
		}
	}
	return 0;
}
