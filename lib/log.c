/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Log lines to stderr or syslog, one line an event, escaped. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024 /* what one line may have before escaping */

static const struct {
	const char *name;
	int prio; /* syslog priority */
} levels[] = {
    [LOG_L_ERROR] = {"error", LOG_ERR},
    [LOG_L_WARN] = {"warn", LOG_WARNING},
    [LOG_L_INFO] = {"info", LOG_INFO},
    [LOG_L_DEBUG] = {"debug", LOG_DEBUG},
};

static const char *prog;
static enum log_dest to = LOG_TO_STDERR;
static enum log_level most = LOG_L_INFO;
static char tag[64]; /* syslog borrows it */
static int journal; /* stderr is the journal: it wants "<prio>" in front */

/* Choose where lines go. */
void
log_open(const char *name, enum log_dest dest, enum log_level level)
{
	prog = name;
	to = dest;
	most = level;
	journal = getenv("JOURNAL_STREAM") != NULL && !isatty(2);
	/* the process id is asked for once, not for each line */
	snprintf(tag, sizeof tag, "%s[%ld]", name, (long)getpid());
	if (dest == LOG_TO_SYSLOG)
		openlog(tag, LOG_NDELAY, LOG_DAEMON);
}

/* Change the level of a running program. */
void
log_set_level(enum log_level level)
{
	most = level;
}

/* Name to level. */
int
log_level_parse(const char *s)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcasecmp(s, levels[i].name) == 0)
			return (int)i;
	return -1;
}

/* Escape what could start a line or drive a terminal. */
static size_t
escape(char *out, const char *in)
{
	char *q = out;

	for (; *in; in++) {
		unsigned char c = (unsigned char)*in;
		if (c >= 0x20 && c < 0x7f)
			*q++ = (char)c;
		else
			q += sprintf(q, "\\x%02x", c);
	}
	return (size_t)(q - out);
}

/* Format one line and send it off in one write. */
static void emit(enum log_level lv, const char *sub, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
emit(enum log_level lv, const char *sub, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 4 + 128];
	int saved = errno, n = 0;

	if (lv > most)
		return;
	vsnprintf(raw, sizeof raw, fmt, ap);
	if (to == LOG_TO_STDERR) {
		if (journal)
			n = sprintf(line, "<%d>", levels[lv].prio);
		n += snprintf(line + n, 100, "%s%s%s %s: ", prog ? prog : "",
		    prog ? ": " : "", levels[lv].name, sub);
	} else {
		n = snprintf(line, 100, "%s %s: ", levels[lv].name, sub);
	}
	n += (int)escape(line + n, raw);
	if (to == LOG_TO_SYSLOG) {
		syslog(levels[lv].prio, "%.*s", n, line);
	} else {
		line[n++] = '\n';
		/* nowhere left to report a failing stderr */
		if (write(2, line, (size_t)n) < 0) {
		}
	}
	errno = saved;
}

#define LOG_FN(fn, level)                                                      \
	void fn(const char *sub, const char *fmt, ...)                         \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		emit(level, sub, fmt, ap);                                     \
		va_end(ap);                                                    \
	}

LOG_FN(log_error, LOG_L_ERROR)
LOG_FN(log_warn, LOG_L_WARN)
LOG_FN(log_info, LOG_L_INFO)
LOG_FN(log_debug, LOG_L_DEBUG)
