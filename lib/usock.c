/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Unix stream sockets.  A path in the file system outlives the process that
 * bound it, so binding safely means: take the lock that says "this path is
 * mine", look whether somebody answers all the same, and only then remove what
 * is left over.  The lock file stays behind on purpose: removing it would let
 * two processes lock two different files of that name. */
#include "usock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

#define RETRY_FIRST_MS 1 /* first pause while the peer's backlog is full */
#define RETRY_MAX_MS   16 /* it doubles up to this */

/* path as an address; -1 when it is empty or does not fit. */
static int
address(const char *path, struct sockaddr_un *a, struct err *e)
{
	size_t n = strlen(path);

	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	if (n == 0)
		return err_set(
		    e, EINVAL, "the path of the socket is empty: give one");
	if (n >= sizeof a->sun_path)
		return err_set(e, ENAMETOOLONG,
		    "the socket path has %zu bytes and the system takes at "
		    "most %zu: choose a shorter one than %.100s...",
		    n, sizeof a->sun_path - 1, path);
	memcpy(a->sun_path, path, n + 1);
	return 0;
}

/* A new stream socket. */
static int
stream(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd == -1 ? err_errno(e, "cannot make a socket") : fd;
}

/* The sentence for "somebody else has this path". */
static int
in_use(const char *path, struct err *e)
{
	return err_set(e, EADDRINUSE,
	    "another process serves %s or is about to: stop it first, or use "
	    "another path",
	    path);
}

/* Claim the path; the descriptor that holds the claim, or -1. */
static int
claim(const char *path, struct err *e)
{
	char name[sizeof(struct sockaddr_un) + sizeof ".lock"];
	int fd, rc;

	snprintf(name, sizeof name, "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 && errno == ENOENT)
		return err_errno(
		    e, "cannot make %s: create its folder first", name);
	if (fd == -1)
		return err_errno(e, "cannot open the lock file %s", name);
	while ((rc = flock(fd, LOCK_EX | LOCK_NB)) == -1 && errno == EINTR)
		continue;
	if (rc == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		in_use(path, e);
	else
		err_errno(e, "cannot lock %s", name);
	close(fd);
	return -1;
}

/* Remove what a process that is gone has left. */
static int
remove_stale(const char *path, struct err *e)
{
	if (unlink(path) == -1 && errno != ENOENT)
		return err_errno(e,
		    "cannot remove the stale socket %s: remove it by hand",
		    path);
	return 0;
}

/* What a connect that returned rc says about the other end. */
static int
judge(int rc, const char *path, struct err *e)
{
	if (rc == 0 || errno == EAGAIN || errno == EPROTOTYPE)
		return in_use(path, e);
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED)
		return err_errno(
		    e, "cannot find out whether somebody serves %s", path);
	return remove_stale(path, e);
}

/* Was it bound and never opened up?  Then its owner ended in between, since
 * the claim is ours now; and connecting would fail for lack of permission. */
static bool
half_made(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & 0777) == 0;
}

/* Make way for bind: remove a socket that nobody answers on, refuse anything
 * else that is there. */
static int
clear_stale(const struct sockaddr_un *a, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->sun_path, &st) == -1)
		return errno == ENOENT
		    ? 0
		    : err_errno(e, "cannot look at %s", a->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST,
		    "%s is there and is not a socket: move it away",
		    a->sun_path);
	if (half_made(&st))
		return remove_stale(a->sun_path, e);
	fd = stream(e);
	if (fd == -1)
		return -1;
	rc = connect(fd, (const struct sockaddr *)a, sizeof *a);
	rc = judge(rc, a->sun_path, e);
	close(fd);
	return rc;
}

/* Bind with nobody allowed: `permit` opens up, so at no time has the socket
 * wider permissions than asked for. */
static int
bind_closed(int fd, const struct sockaddr_un *a, struct err *e)
{
	mode_t old = umask(0777);
	int rc = bind(fd, (const struct sockaddr *)a, sizeof *a);

	umask(old);
	return rc == 0 ? 0 : err_errno(e, "cannot bind %s", a->sun_path);
}

/* Group first: whoever the old group is shall not get in meanwhile. */
static int
permit(const char *path, mode_t mode, gid_t gid, struct err *e)
{
	if (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) == -1)
		return err_errno(e,
		    "cannot give %s to group %u: is this process a member?",
		    path, (unsigned)gid);
	if (chmod(path, mode) == -1)
		return err_errno(e, "cannot set the permissions of %s", path);
	return 0;
}

/* Bind and listen with the claim held; the descriptor or -1. */
static int
listen_claimed(const struct sockaddr_un *a, mode_t mode, gid_t gid, int backlog,
    struct err *e)
{
	int fd = clear_stale(a, e) == -1 ? -1 : stream(e);

	if (fd == -1)
		return -1;
	if (bind_closed(fd, a, e) == -1) {
		close(fd);
		return -1;
	}
	if (listen(fd, backlog) == -1)
		err_errno(e, "cannot listen on %s", a->sun_path);
	else if (permit(a->sun_path, mode, gid, e) == 0)
		return fd;
	(void)unlink(a->sun_path); /* ours: the bind just made it */
	close(fd);
	return -1;
}

/* Bind safely and listen. */
int
usock_listen(const char *path, mode_t mode, gid_t gid, int backlog,
    int *lock_fd, struct err *e)
{
	struct sockaddr_un a;
	int fd;

	*lock_fd = -1;
	if (address(path, &a, e) == -1)
		return -1;
	*lock_fd = claim(path, e);
	if (*lock_fd == -1)
		return -1;
	fd = listen_claimed(&a, mode, gid, backlog, e);
	if (fd == -1) {
		close(*lock_fd);
		*lock_fd = -1;
	}
	return fd;
}

/* Milliseconds until deadline_ns (-1 = never), within 0..INT_MAX/2. */
static int
left_ms(int64_t deadline_ns)
{
	int64_t left;

	if (deadline_ns == -1)
		return 1 << 30;
	left = (deadline_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
	return left < 0 ? 0 : left > (1 << 30) ? 1 << 30 : (int)left;
}

/* Connect until it works, fails for good, or time runs out: 0 or an errno. */
static int
try_connect(int fd, const struct sockaddr_un *a, int64_t deadline_ns)
{
	int pause_ms = RETRY_FIRST_MS, left;

	for (;;) {
		if (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno;
		/* the backlog is full: nothing tells when it no longer is */
		left = left_ms(deadline_ns);
		if (left == 0)
			return ETIMEDOUT;
		(void)poll(NULL, 0, pause_ms < left ? pause_ms : left);
		if (pause_ms < RETRY_MAX_MS)
			pause_ms *= 2;
	}
}

/* What to do about a connect that failed. */
static const char *
advice(int code)
{
	switch (code) {
	case ENOENT: return "it is not there: is the service running?";
	case ECONNREFUSED: return "nobody answers: is the service running?";
	case ETIMEDOUT: return "it is there but too busy to answer in time";
	case EACCES:
	case EPERM: return "not allowed: try as root, or join its group";
	case ENOTSOCK: return "it is not a socket";
	default: return "the system said";
	}
}

/* Connect with a time limit. */
int
usock_connect(const char *path, int timeout_ms, struct err *e)
{
	int64_t deadline_ns = -1;
	struct sockaddr_un a;
	int fd, code;

	if (address(path, &a, e) == -1)
		return -1;
	fd = stream(e);
	if (fd == -1)
		return -1;
	if (timeout_ms >= 0)
		deadline_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	code = try_connect(fd, &a, deadline_ns);
	if (code == 0)
		return fd;
	close(fd);
	errno = code;
	return err_errno(e, "cannot connect to %s: %s", path, advice(code));
}

/* Who is at the other end. */
int
usock_peer(int fd, struct usock_peer *peer)
{
	struct ucred c;
	socklen_t n = sizeof c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) == -1)
		return -1;
	peer->pid = c.pid;
	peer->uid = c.uid;
	peer->gid = c.gid;
	return 0;
}

/* Name of a process. */
void
usock_comm(pid_t pid, char out[16])
{
	char name[40];
	ssize_t n = 0;
	int fd;

	memset(out, 0, 16);
	snprintf(name, sizeof name, "/proc/%ld/comm", (long)pid);
	fd = pid > 0 ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd == -1)
		return;
	n = read(fd, out, 15);
	close(fd);
	for (ssize_t i = 0; i < 15; i++) {
		if (i >= n || out[i] == '\n') {
			memset(out + i, 0, (size_t)(16 - i));
			return;
		}
		if (out[i] < 0x20 || out[i] > 0x7e)
			out[i] = '?';
	}
}
