/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* systemd: what is said to the service manager, and what it hands over. */
#include "support/unit.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "systemd.h"

/* A datagram socket at a name; '@' is the abstract name space. */
static int
listen_at(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	size_t n = strlen(name);

	assert_true(fd >= 0 && n < sizeof a.sun_path);
	memcpy(a.sun_path, name, n);
	if (*name == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	return fd;
}

/* Tell at a name, and hear it. */
static void
tell(const char *name)
{
	int fd = listen_at(name), mine;
	char got[32];

	setenv("NOTIFY_SOCKET", name, 1);
	mine = systemd_notify_open();
	assert_true(mine >= 0);
	assert_int_equal(fcntl(mine, F_GETFD), FD_CLOEXEC);
	systemd_notify(mine, "READY=1");
	assert_int_equal(recv(fd, got, sizeof got, 0), 7);
	assert_memory_equal(got, "READY=1", 7);
	close(fd);
	systemd_notify(mine, "STOPPING=1"); /* nobody hears it: no signal */
	close(mine);
}

static void
tells_by_path_and_by_abstract_name(void **state)
{
	char dir[] = "/tmp/systemd.XXXXXX", name[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof name, "%s/s", dir);
	tell(name);
	unlink(name);
	rmdir(dir);
	snprintf(name, sizeof name, "@xmsg-test-%ld", (long)getpid());
	tell(name);
}

static void
tells_nobody(void **state)
{
	char longest[109];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(systemd_notify_open(), -1);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(systemd_notify_open(), -1);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(systemd_notify_open(), -1);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(systemd_notify_open(), -1);
	unsetenv("NOTIFY_SOCKET");
	systemd_notify(-1, "READY=1");
}

/* What a process makes of descriptor 3 and these variables. */
static int
takes(int fd, const char *pid, const char *count)
{
	int status;
	pid_t child;

	fflush(NULL); /* or the child says it, too */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char me[24];
		int got;

		if (fd == -1)
			close(3);
		else if (fd != 3)
			dup2(fd, 3);
		snprintf(me, sizeof me, "%ld", (long)getpid());
		if (pid != NULL)
			setenv("LISTEN_PID", *pid ? pid : me, 1);
		if (count != NULL)
			setenv("LISTEN_FDS", count, 1);
		got = systemd_socket();
		if (got != -1 &&
		    (fcntl(got, F_GETFD) != FD_CLOEXEC ||
			(fcntl(got, F_GETFL) & O_NONBLOCK) == 0))
			got = 99;
		exit(got == -1 ? 1 : got); /* and count what was run */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 1 ? -1 : WEXITSTATUS(status);
}

static void
takes_what_is_meant_for_it(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int good = socket(AF_UNIX, SOCK_STREAM, 0), pair[2], null, datagram;

	(void)state;
	/* a name of its own choice */
	assert_int_equal(
	    bind(good, (struct sockaddr *)&a, sizeof a.sun_family), 0);
	assert_int_equal(takes(good, "", "1"), -1); /* does not listen yet */
	assert_int_equal(listen(good, 1), 0);
	assert_int_equal(takes(good, "", "1"), 3);
	assert_int_equal(takes(good, "", "2"), 3);
	assert_int_equal(takes(good, NULL, "1"), -1);
	assert_int_equal(takes(good, "1", "1"), -1);
	assert_int_equal(takes(good, "", NULL), -1);
	assert_int_equal(takes(good, "", "0"), -1);
	assert_int_equal(takes(good, "", "1x"), -1);
	assert_int_equal(takes(good, "", " 1"), -1);
	assert_int_equal(takes(good, "", ""), -1);
	assert_int_equal(takes(-1, "", "1"), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(takes(pair[0], "", "1"), -1);
	datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(takes(datagram, "", "1"), -1);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(takes(null, "", "1"), -1);
	close(null);
	close(datagram);
	close(pair[0]);
	close(pair[1]);
	close(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_by_path_and_by_abstract_name),
	    cmocka_unit_test(tells_nobody),
	    cmocka_unit_test(takes_what_is_meant_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
