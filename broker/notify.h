/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Telling the service manager, as sd_notify(3) does, over a socket that is
 * opened once: when the broker ends it can open none any more.
 */
#ifndef XMSG_NOTIFY_H
#define XMSG_NOTIFY_H

/* The socket that NOTIFY_SOCKET names, or -1: nobody wants to know. */
int notify_open(void);

/* Tell, unless fd is -1. */
void notify_send(int fd, const char *what);

#endif
