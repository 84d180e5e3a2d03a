/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* usock: who may bind a path, who gets in, who is at the other end. */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "usock.h"

#define NO_GROUP ((gid_t)-1)

int __real_chmod(const char *path, mode_t mode);
int __wrap_chmod(const char *path, mode_t mode);

static mode_t mode_before; /* of the path when chmod was called */

/* Look before chmod opens up. */
int
__wrap_chmod(const char *path, mode_t mode)
{
	struct stat st;

	mode_before = lstat(path, &st) == 0 ? st.st_mode & 07777 : (mode_t)-1;
	return __real_chmod(path, mode);
}

struct fix {
	char dir[40], path[64], lock[72];
	struct err e;
};

/* A fresh folder per test. */
static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	strcpy(f->dir, "/tmp/usock.XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/s", f->dir);
	snprintf(f->lock, sizeof f->lock, "%s.lock", f->path);
	*state = f;
	return 0;
}

/* Leave nothing behind. */
static int
teardown(void **state)
{
	struct fix *f = *state;

	unlink(f->path);
	unlink(f->lock);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* Listen or fail the test. */
static int
must_listen(struct fix *f, int backlog, int *lock)
{
	int fd = usock_listen(f->path, 0600, NO_GROUP, backlog, lock, &f->e);

	if (fd == -1)
		fail_msg("%s", f->e.text);
	return fd;
}

/* Connect or fail the test. */
static int
must_connect(struct fix *f)
{
	int fd = usock_connect(f->path, 2000, &f->e);

	if (fd == -1)
		fail_msg("%s", f->e.text);
	return fd;
}

/* Make the socket a dead process leaves behind. */
static void
leave_stale(struct fix *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
}

/* Bytes sent at one end come out at the other. */
static void
usock_connects(void **state)
{
	struct fix *f = *state;
	struct pollfd p;
	int lock, s, c, t;
	char got = 0;

	s = must_listen(f, 8, &lock);
	c = must_connect(f);
	t = accept(s, NULL, NULL);
	assert_int_not_equal(t, -1);
	assert_int_equal(write(c, "x", 1), 1);
	p = (struct pollfd){.fd = t, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(read(t, &got, 1), 1);
	assert_int_equal(got, 'x');
	close(t);
	close(c);
	close(s);
	close(lock);
}

/* Both descriptors are non-blocking and do not survive exec. */
static void
usock_sets_descriptor_flags(void **state)
{
	struct fix *f = *state;
	int lock, fd[3];

	fd[0] = must_listen(f, 8, &lock);
	fd[1] = must_connect(f);
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(fd[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fd[i], F_GETFD) & FD_CLOEXEC);
	}
	assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
	close(fd[0]);
	close(fd[1]);
	close(lock);
}

/* The mode is the one asked for, whatever the umask, and the umask stays. */
static void
usock_permissions_as_asked(void **state)
{
	static const mode_t modes[] = {0600, 0660, 0666, 0700};
	struct fix *f = *state;
	mode_t old = umask(077);
	struct stat st;

	for (size_t i = 0; i < 4; i++) {
		int lock, s;
		s = usock_listen(f->path, modes[i], getegid(), 8, &lock, &f->e);
		assert_int_not_equal(s, -1);
		assert_int_equal(lstat(f->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_int_equal(st.st_gid, getegid());
		assert_int_equal(mode_before, 0);
		close(s);
		close(lock);
	}
	assert_int_equal(umask(old), 077);
}

/* A socket nobody answers on is replaced. */
static void
usock_replaces_a_stale_socket(void **state)
{
	struct fix *f = *state;
	int lock, s;

	leave_stale(f);
	assert_int_equal(usock_connect(f->path, 1000, &f->e), -1);
	assert_int_equal(f->e.code, ECONNREFUSED);
	s = must_listen(f, 8, &lock);
	close(must_connect(f));
	close(s);
	close(lock);
	s = must_listen(f, 8, &lock); /* our own, left behind */
	close(must_connect(f));
	close(s);
	close(lock);
}

/* A live socket stays, and so does the one who serves it. */
static void
usock_leaves_a_live_socket_alone(void **state)
{
	struct fix *f = *state;
	int lock, lock2, s, rc;

	s = must_listen(f, 8, &lock);
	rc = usock_listen(f->path, 0600, NO_GROUP, 8, &lock2, &f->e);
	assert_int_equal(rc, -1);
	assert_int_equal(lock2, -1);
	assert_int_equal(f->e.code, EADDRINUSE);
	close(must_connect(f));
	close(lock); /* the claim is gone, the server is not */
	rc = usock_listen(f->path, 0600, NO_GROUP, 8, &lock2, &f->e);
	assert_int_equal(rc, -1);
	assert_int_equal(f->e.code, EADDRINUSE);
	close(must_connect(f));
	close(s);
}

/* As somebody who may not connect: run fn, in a child when we are root. */
static void
as_nobody(struct fix *f, int (*fn)(struct fix *))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 &&
		    (__real_chmod(f->dir, 0777) == -1 || setgid(4242) == -1 ||
			setuid(4242) == -1))
			_exit(99);
		_exit(fn(f));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Listen on a socket that does not let us in. */
static int
listen_on_foreign(struct fix *f)
{
	int lock;

	if (usock_listen(f->path, 0600, NO_GROUP, 8, &lock, &f->e) != -1)
		return 1;
	return f->e.code == EACCES ? 0 : 2;
}

/* Listen for a group that is not ours. */
static int
listen_for_root(struct fix *f)
{
	int lock;

	if (usock_listen(f->path, 0660, 0, 8, &lock, &f->e) != -1)
		return 1;
	if (lock != -1 || strstr(f->e.text, "group 0") == NULL)
		return 2;
	return access(f->path, F_OK) == 0 ? 3 : 0;
}

/* A group we cannot give the socket to: an error, and no socket is left. */
static void
usock_foreign_group_is_an_error(void **state)
{
	as_nobody(*state, listen_for_root);
}

/* When it cannot be told whether somebody serves it, it stays. */
static void
usock_leaves_a_doubtful_socket_alone(void **state)
{
	struct fix *f = *state;
	struct stat st;
	int lock, s;

	s = must_listen(f, 8, &lock);
	/* not 0: that is a socket which was never opened up */
	assert_int_equal(__real_chmod(f->path, 0400), 0);
	close(lock);
	unlink(f->lock);
	as_nobody(f, listen_on_foreign);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(__real_chmod(f->path, 0600), 0);
	close(must_connect(f));
	close(s);
}

/* A full backlog is a sign of life, too. */
static void
usock_full_backlog_is_alive(void **state)
{
	struct fix *f = *state;
	int lock, lock2, s, c[64], n = 0;

	s = must_listen(f, 1, &lock);
	while (n < 64 && (c[n] = usock_connect(f->path, 0, &f->e)) != -1)
		n++;
	assert_in_range(n, 1, 63);
	assert_int_equal(f->e.code, ETIMEDOUT);
	close(lock);
	assert_int_equal(
	    usock_listen(f->path, 0600, NO_GROUP, 8, &lock2, &f->e), -1);
	assert_int_equal(f->e.code, EADDRINUSE);
	while (n > 0)
		close(c[--n]);
	close(s);
}

/* Whoever is just starting holds the lock before there is a socket. */
static void
usock_lock_decides_between_starters(void **state)
{
	struct fix *f = *state;
	int lock, lock2, s;

	s = must_listen(f, 8, &lock);
	close(s);
	unlink(f->path);
	assert_int_equal(
	    usock_listen(f->path, 0600, NO_GROUP, 8, &lock2, &f->e), -1);
	assert_int_equal(f->e.code, EADDRINUSE);
	close(lock);
	s = must_listen(f, 8, &lock);
	close(s);
	close(lock);
}

/* Of many processes that start at once one wins. */
static void
usock_one_of_many_wins(void **state)
{
	struct fix *f = *state;
	int go[2], stay[2], won = 0, status;
	pid_t pid[16];
	char c;

	leave_stale(f);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(stay), 0);
	for (int i = 0; i < 16; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			int lock, s;
			close(go[1]);
			close(stay[0]);
			(void)!read(go[0], &c, 1);
			s = usock_listen(
			    f->path, 0600, NO_GROUP, 8, &lock, &f->e);
			if (s == -1 && f->e.code != EADDRINUSE)
				_exit(2);
			(void)!write(stay[1], s == -1 ? "n" : "y", 1);
			pause();
		}
	}
	close(stay[1]);
	close(go[1]); /* end of file: all run */
	for (int i = 0; i < 16; i++) {
		assert_int_equal(read(stay[0], &c, 1), 1);
		won += c == 'y';
	}
	assert_int_equal(won, 1);
	close(must_connect(f));
	for (int i = 0; i < 16; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	close(go[0]);
	close(stay[0]);
}

/* A file, a folder, a link in the way is not removed. */
static void
usock_refuses_what_is_no_socket(void **state)
{
	struct fix *f = *state;
	struct stat st;
	int lock, fd;

	fd = open(f->path, O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(
	    usock_listen(f->path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, EEXIST);
	assert_non_null(strstr(f->e.text, "not a socket"));
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(usock_connect(f->path, 100, &f->e), -1);
	unlink(f->path);
	assert_int_equal(symlink("elsewhere", f->path), 0);
	assert_int_equal(
	    usock_listen(f->path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, EEXIST);
	assert_int_equal(lstat(f->path, &st), 0);
}

/* The lock file is not followed through a link. */
static void
usock_lock_is_no_link(void **state)
{
	struct fix *f = *state;
	char victim[64];
	int lock;

	snprintf(victim, sizeof victim, "%s/victim", f->dir);
	assert_int_equal(symlink(victim, f->lock), 0);
	assert_int_equal(
	    usock_listen(f->path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, ELOOP);
	assert_int_equal(access(victim, F_OK), -1);
}

/* A path that does not fit is refused with the limit. */
static void
usock_says_the_path_limit(void **state)
{
	struct fix *f = *state;
	char path[300], fits[108];
	int lock, s;

	memset(path, 'p', sizeof path);
	path[299] = '\0';
	assert_int_equal(
	    usock_listen(path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, ENAMETOOLONG);
	assert_non_null(strstr(f->e.text, "at most 107"));
	assert_int_equal(usock_connect(path, 100, &f->e), -1);
	assert_int_equal(f->e.code, ENAMETOOLONG);
	assert_int_equal(usock_connect("", 100, &f->e), -1);
	assert_int_equal(f->e.code, EINVAL);

	path[108] = '\0'; /* one more than fits with its end */
	assert_int_equal(
	    usock_listen(path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, ENAMETOOLONG);

	/* the longest that fits */
	memset(fits, 'p', sizeof fits);
	memcpy(fits, f->dir, strlen(f->dir));
	fits[strlen(f->dir)] = '/';
	fits[107] = '\0';
	s = usock_listen(fits, 0600, NO_GROUP, 8, &lock, &f->e);
	assert_int_not_equal(s, -1);
	unlink(fits);
	close(s);
	close(lock);
	snprintf(path, sizeof path, "%s.lock", fits);
	assert_int_equal(unlink(path), 0);
}

/* The folder must exist; the text says so. */
static void
usock_wants_the_folder(void **state)
{
	struct fix *f = *state;
	char path[96];
	int lock;

	snprintf(path, sizeof path, "%s/none/s", f->dir);
	assert_int_equal(
	    usock_listen(path, 0600, NO_GROUP, 8, &lock, &f->e), -1);
	assert_int_equal(f->e.code, ENOENT);
	assert_non_null(strstr(f->e.text, "create its folder"));
	assert_int_equal(
	    usock_listen(path, 0600, NO_GROUP, 8, &lock, NULL), -1);
}

/* Nobody there: said at once, with what to do. */
static void
usock_connect_says_what_is_wrong(void **state)
{
	struct fix *f = *state;

	assert_int_equal(usock_connect(f->path, 5000, &f->e), -1);
	assert_int_equal(f->e.code, ENOENT);
	assert_non_null(strstr(f->e.text, "is the service running?"));
	leave_stale(f);
	assert_int_equal(usock_connect(f->path, 5000, &f->e), -1);
	assert_int_equal(f->e.code, ECONNREFUSED);
	assert_non_null(strstr(f->e.text, "is the service running?"));
}

/* A full backlog is waited for, and no longer than asked. */
static void
usock_connect_gives_up_in_time(void **state)
{
	struct fix *f = *state;
	int lock, s, c[64], n = 0;
	int64_t t;

	s = must_listen(f, 1, &lock);
	while (n < 64 && (c[n] = usock_connect(f->path, 0, &f->e)) != -1)
		n++;
	assert_in_range(n, 1, 63);
	t = clock_mono_ns();
	assert_int_equal(usock_connect(f->path, 120, &f->e), -1);
	t = clock_mono_ns() - t;
	assert_int_equal(f->e.code, ETIMEDOUT);
	assert_true(t >= 120 * NS_PER_MS);
	while (n > 0)
		close(c[--n]);
	close(s);
	close(lock);
}

/* Take all that waits, after the main thread got stuck. */
static void *
drain(void *arg)
{
	struct pollfd p = {.fd = *(int *)arg, .events = POLLIN};
	int n = 0, c;

	(void)poll(NULL, 0, 50);
	while (poll(&p, 1, 1000) == 1 && (c = accept(p.fd, NULL, NULL)) != -1) {
		close(c);
		n++;
	}
	return (void *)(intptr_t)n;
}

/* Room in the backlog within the limit: connected. */
static void
usock_connect_waits_for_room(void **state)
{
	struct fix *f = *state;
	int lock, s, c[64], n = 0;
	pthread_t th;
	void *taken;

	s = must_listen(f, 1, &lock);
	while (n < 64 && (c[n] = usock_connect(f->path, 0, &f->e)) != -1)
		n++;
	assert_in_range(n, 1, 63);
	assert_int_equal(pthread_create(&th, NULL, drain, &s), 0);
	close(must_connect(f));
	pthread_join(th, &taken);
	assert_int_equal((int)(intptr_t)taken, n + 1);
	while (n > 0)
		close(c[--n]);
	close(s);
	close(lock);
}

/* The kernel says who is there. */
static void
usock_peer_is_us(void **state)
{
	struct usock_peer p;
	int sp[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	assert_int_equal(usock_peer(sp[0], &p), 0);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.uid, geteuid());
	assert_int_equal(p.gid, getegid());
	close(sp[0]);
	close(sp[1]);
	assert_int_equal(usock_peer(sp[0], &p), -1);
	assert_int_equal(errno, EBADF);
}

/* A process may call itself anything; what we show is harmless. */
static void
usock_comm_is_printable(void **state)
{
	char out[16], old[16];

	(void)state;
	prctl(PR_GET_NAME, old);
	prctl(PR_SET_NAME, "a\033[31m\xff b");
	usock_comm(getpid(), out);
	assert_string_equal(out, "a?[31m? b");
	prctl(PR_SET_NAME, "fifteen-letters");
	usock_comm(getpid(), out);
	assert_string_equal(out, "fifteen-letters");
	prctl(PR_SET_NAME, "");
	usock_comm(getpid(), out);
	assert_string_equal(out, "");
	prctl(PR_SET_NAME, old);
	usock_comm(0, out);
	assert_string_equal(out, "");
	usock_comm(-1, out);
	assert_string_equal(out, "");
	usock_comm(0x7ffffff0, out);
	assert_string_equal(out, "");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(usock_connects),
	    T(usock_sets_descriptor_flags),
	    T(usock_permissions_as_asked),
	    T(usock_foreign_group_is_an_error),
	    T(usock_replaces_a_stale_socket),
	    T(usock_leaves_a_live_socket_alone),
	    T(usock_leaves_a_doubtful_socket_alone),
	    T(usock_full_backlog_is_alive),
	    T(usock_lock_decides_between_starters),
	    T(usock_one_of_many_wins),
	    T(usock_refuses_what_is_no_socket),
	    T(usock_lock_is_no_link),
	    T(usock_says_the_path_limit),
	    T(usock_wants_the_folder),
	    T(usock_connect_says_what_is_wrong),
	    T(usock_connect_gives_up_in_time),
	    T(usock_connect_waits_for_room),
	    T(usock_peer_is_us),
	    T(usock_comm_is_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
