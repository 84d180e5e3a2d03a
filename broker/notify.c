/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Telling the service manager. */
#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

/* Connected, so that telling needs no address. */
int
notify_open(void)
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
notify_send(int fd, const char *what)
{
	if (fd != -1 && send(fd, what, strlen(what), MSG_NOSIGNAL) == -1)
		log_warn("server", "cannot tell the service manager %s", what);
}
