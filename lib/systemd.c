/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Talking with the service manager. */
#include "systemd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* Connected, so that telling needs no address. */
int
systemd_notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = name != NULL ? strlen(name) : 0;
	socklen_t size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd;

	if (n == 0 || n >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, name, n);
	if (*name == '@')
		a.sun_path[0] = '\0'; /* a name outside the file system */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, size) == -1) {
		log_warn(
		    "start", "cannot reach the service manager at %s", name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

/* One datagram. */
void
systemd_notify(int fd, const char *what)
{
	if (fd != -1 && send(fd, what, strlen(what), MSG_NOSIGNAL) == -1)
		log_warn("server", "cannot tell the service manager %s", what);
}

/* A variable is a number, and this one. */
static bool
variable_is(const char *name, long long least, long long most)
{
	const char *v = getenv(name);
	char *end;
	long long n;

	if (v == NULL || *v < '0' || *v > '9')
		return false;
	n = strtoll(v, &end, 10);
	return *end == '\0' && n >= least && n <= most;
}

/* What a socket says of itself; -1 when it is none. */
static int
option(int fd, int name)
{
	int v = -1;
	socklen_t n = sizeof v;

	return getsockopt(fd, SOL_SOCKET, name, &v, &n) == 0 ? v : -1;
}

/* The first descriptor after standard error, when it is meant for us. */
int
systemd_socket(void)
{
	if (!variable_is("LISTEN_PID", getpid(), getpid()) ||
	    !variable_is("LISTEN_FDS", 1, 1024))
		return -1;
	if (option(FIRST_FD, SO_DOMAIN) != AF_UNIX ||
	    option(FIRST_FD, SO_TYPE) != SOCK_STREAM ||
	    option(FIRST_FD, SO_ACCEPTCONN) != 1 ||
	    fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(FIRST_FD, F_SETFL, O_NONBLOCK) == -1) {
		log_warn("start",
		    "what the service manager handed over is no"
		    " listening Unix socket: not used");
		return -1;
	}
	return FIRST_FD;
}
