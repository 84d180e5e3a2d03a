/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What a daemon and its service manager say to each other: sd_notify(3) and
 * sd_listen_fds(3).  Both protocols are a few lines and promised to be stable;
 * libsystemd, with the five libraries it brings, would be a fifth of the memory
 * of an idle broker.
 */
#ifndef XMSG_SYSTEMD_H
#define XMSG_SYSTEMD_H

/* The socket that NOTIFY_SOCKET names, or -1: nobody wants to know, or, after a
 * warning in the log, it cannot be reached.  Connected, so that one who may not
 * open sockets any more can still tell. */
int systemd_notify_open(void);

/* Tell, READY=1 say, unless fd is -1. */
void systemd_notify(int fd, const char *what);

/* A listening stream socket in the file system's or the abstract name space
 * that was handed over to this process as its first descriptor (LISTEN_PID,
 * LISTEN_FDS), or -1.  It does not block and is not inherited by programs. */
int systemd_socket(void);

#endif
