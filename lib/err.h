/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * One error on its way to a human: a code for the program and a sentence for
 * the reader.  A function that can fail for reasons somebody will read takes a
 * `struct err *` last and returns 0 or -1; the text says what to do about it.
 */
#ifndef XMSG_ERR_H
#define XMSG_ERR_H

struct err {
	int code; /* errno or a code of the module, never 0 when set */
	char text[400]; /* one line, no newline, NUL-terminated */
};

/* Set code and text; returns -1 so that callers can `return err_set(...)`.
 * e may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Like err_set with ": <text of errno>" appended and code = errno. */
int err_errno(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "<text>: " before what is there already; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
