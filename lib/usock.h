/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Unix stream sockets: a safe bind, a connect with a time limit, and who is at
 * the other end.
 */
#ifndef XMSG_USOCK_H
#define XMSG_USOCK_H

#include <sys/types.h>

#include "err.h"

/* Listen on path with these permissions.  A stale socket (nobody answers) is
 * replaced; a live one is left alone and reported as EADDRINUSE, and so is
 * another process that is just starting on the same path (a lock on
 * "PATH.lock" decides).  gid (gid_t)-1 leaves the group.  The parent folder must
 * exist.  *lock_fd holds the claim on the path until closed. Returns the
 * non-blocking, close-on-exec descriptor, or -1. */
int usock_listen(const char *path, mode_t mode, gid_t gid, int backlog,
    int *lock_fd, struct err *e);

/* Connect within timeout_ms; non-blocking, close-on-exec descriptor or -1.
 * e->code is the errno (ETIMEDOUT when time ran out). */
int usock_connect(const char *path, int timeout_ms, struct err *e);

struct usock_peer {
	pid_t pid; /* 0 when the peer is in another pid namespace */
	uid_t uid;
	gid_t gid;
};

/* SO_PEERCRED; -1 with errno. */
int usock_peer(int fd, struct usock_peer *peer);

/* Name of a process as in /proc/PID/comm, printable ASCII only, at most 15
 * characters; "" when it is gone. */
void usock_comm(pid_t pid, char out[16]);

#endif
