/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* usock: whatever the system says while a socket is made or reached, the path is
 * not taken from somebody, and why it failed is said. */
#include "support/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "usock.h"

static int connect_says, unlink_says, lchown_says, socket_says;

int __real_connect(int fd, const struct sockaddr *a, socklen_t n);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t n);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_lchown(const char *path, uid_t uid, gid_t gid);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

/* 0, or -1 with this. */
static int
says(int code)
{
	errno = code;
	return code != 0 ? -1 : 0;
}

int
__wrap_connect(int fd, const struct sockaddr *a, socklen_t n)
{
	return says(connect_says) ? -1 : __real_connect(fd, a, n);
}

int
__wrap_unlink(const char *path)
{
	return says(unlink_says) ? -1 : __real_unlink(path);
}

int
__wrap_lchown(const char *path, uid_t uid, gid_t gid)
{
	(void)path, (void)gid;
	assert_true(uid == (uid_t)-1);
	return says(lchown_says);
}

int
__wrap_socket(int domain, int type, int protocol)
{
	return says(socket_says) ? -1 : __real_socket(domain, type, protocol);
}

struct place {
	char dir[32], path[48], lock[64];
};

/* A socket that nobody serves any more. */
static struct place
stale(void)
{
	struct place p = {.dir = "/tmp/xmsg-usock.XXXXXX"};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = __real_socket(AF_UNIX, SOCK_STREAM, 0);

	assert_non_null(mkdtemp(p.dir));
	snprintf(p.path, sizeof p.path, "%s/s", p.dir);
	snprintf(p.lock, sizeof p.lock, "%s.lock", p.path);
	strcpy(a.sun_path, p.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	return p;
}

static void
clear(const struct place *p)
{
	connect_says = unlink_says = lchown_says = socket_says = 0;
	(void)__real_unlink(p->path);
	(void)__real_unlink(p->lock);
	assert_int_equal(rmdir(p->dir), 0);
}

/* What is made of a stale socket. */
static void
listening(void **state)
{
	static const struct {
		const char *name;
		int connect, unlink, lchown, socket;
		bool listens;
		const char *says;
	} cases[] = {
	    {"nothing fails", 0, 0, 0, 0, true, ""},
	    {"too busy to answer", EAGAIN, 0, 0, 0, false,
		"another process serves"},
	    {"of another type", EPROTOTYPE, 0, 0, 0, false,
		"another process serves"},
	    {"it went meanwhile", ENOENT, 0, 0, 0, false, "cannot bind"},
	    {"not allowed to look", EACCES, 0, 0, 0, false, "cannot find out"},
	    {"cannot be removed", 0, EACCES, 0, 0, false,
		"cannot remove the stale socket"},
	    {"was removed meanwhile", 0, ENOENT, 0, 0, false, "cannot bind"},
	    {"not our group", 0, 0, EPERM, 0, false, "to group"},
	    {"no descriptors", 0, 0, 0, EMFILE, false, "cannot make a socket"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct place p = stale();
		struct err e = {0};
		struct stat st;
		int fd, lock = -1;

		connect_says = cases[i].connect;
		unlink_says = cases[i].unlink;
		lchown_says = cases[i].lchown;
		socket_says = cases[i].socket;
		fd = usock_listen(p.path, 0600, getegid(), 5, &lock, &e);
		connect_says = unlink_says = lchown_says = socket_says = 0;
		if ((fd != -1) != cases[i].listens ||
		    strstr(e.text, cases[i].says) == NULL)
			fail_msg("%s: %d: %s", cases[i].name, fd, e.text);
		if (fd != -1)
			close(fd);
		else if (cases[i].lchown == 0) /* it is where it was */
			assert_int_equal(lstat(p.path, &st), 0);
		if (lock != -1)
			close(lock);
		clear(&p);
	}
}

/* Every reason for not getting through has its advice. */
static void
connecting(void **state)
{
	static const struct {
		int code;
		const char *says;
	} cases[] = {
	    {ENOENT, "is the service running"},
	    {ECONNREFUSED, "nobody answers"},
	    {EAGAIN, "too busy"},
	    {EACCES, "not allowed"},
	    {EPERM, "not allowed"},
	    {ENOTSOCK, "not a socket"},
	    {EIO, "the system said"},
	};
	struct place p = stale();
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		connect_says = cases[i].code;
		assert_int_equal(usock_connect(p.path, 0, &e), -1);
		if (strstr(e.text, cases[i].says) == NULL)
			fail_msg("%d: %s", cases[i].code, e.text);
	}
	connect_says = 0;
	assert_int_equal(usock_connect(p.path, -1, &e), -1);
	assert_non_null(strstr(e.text, "nobody answers"));
	socket_says = EMFILE;
	assert_int_equal(usock_connect(p.path, -1, &e), -1);
	clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listening),
	    cmocka_unit_test(connecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
