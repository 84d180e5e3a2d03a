/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Log lines of the programs: level, subsystem, what happened, to whom, why.
 * One event, one line, logged where the decision is made.  Control characters
 * and bytes that are not printable ASCII are written as \xHH, so that text
 * from a peer cannot forge a line.  errno is kept.
 */
#ifndef XMSG_LOG_H
#define XMSG_LOG_H

enum log_level { LOG_L_ERROR, LOG_L_WARN, LOG_L_INFO, LOG_L_DEBUG };
enum log_dest { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Until log_open, lines of level INFO and above go to stderr. `name` is
 * borrowed for the life of the process. */
void log_open(const char *name, enum log_dest dest, enum log_level level);
void log_set_level(enum log_level level);

/* "error" | "warn" | "info" | "debug" -> level, or -1. */
int log_level_parse(const char *s);

void log_error(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
