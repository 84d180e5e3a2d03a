/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* harden: what was given up does not work, and what is left does.  Each case is
 * a child, which says by its exit status what was wrong. */
#include "support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "harden.h"

#define NUMBERS 600 /* system calls that there may be */
/* uretprobe and uprobe: the kernel lets these of its own through on x86_64,
 * whatever the filter says; they end whoever else calls them. */
#define URETPROBE 335
#define UPROBE	  336

/* What must end the process. */
static const int deadly[] = {SYS_execve, SYS_execveat, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev};

/* How a child that runs fn ended, as wait() says. */
static int
child(int (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka would go on */
		signal(SIGILL, SIG_DFL);
		syscall(SYS_exit_group, fn(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
listed(const int *list, size_t n, int nr)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == nr)
			return true;
	return false;
}

/* The list is as short as promised, and names nothing twice. */
static void
the_list_is_short(void **state)
{
	const int *nr;
	size_t n = harden_calls(&nr);

	(void)state;
	assert_in_range(n, 1, HARDEN_MOST_CALLS);
	for (size_t i = 0; i < n; i++)
		assert_false(listed(nr + i + 1, n - i - 1, nr[i]));
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		assert_false(listed(nr, n, deadly[i]));
}

#ifndef __SANITIZE_THREAD__

static bool
filter(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    harden_filter(NULL) == 0;
}

/* Every other call, in turn; what is not refused is a finding. */
static int
call_others(void *arg)
{
	const int *nr;
	size_t n = harden_calls(&nr);

	(void)arg;
	if (!filter())
		return 1;
	for (int i = 0; i < NUMBERS; i++) {
		if (i == URETPROBE || i == UPROBE || listed(nr, n, i) ||
		    listed(deadly, sizeof deadly / sizeof *deadly, i))
			continue;
		errno = 0;
		if (syscall(i, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS)
			return 2;
	}
	return 0;
}

static void
other_calls_are_not_there(void **state)
{
	(void)state;
	assert_int_equal(child(call_others, NULL), 0);
}

static int
call_one(void *arg)
{
	if (filter())
		syscall(*(const int *)arg, -1, -1, -1, -1, -1, -1);
	return 3;
}

static void
an_intruders_calls_end_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
		int nr = deadly[i], status = child(call_one, &nr);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

/* Straight to the kernel: a sanitizer has an mmap of its own. */
static long
map(int prot)
{
	return syscall(
	    SYS_mmap, NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int
map_both(void *arg)
{
	(void)arg;
	if (!filter() || map(PROT_READ | PROT_WRITE) == -1)
		return 1;
	errno = 0;
	if (map(PROT_READ | PROT_EXEC) != -1 || errno != EPERM)
		return 2;
	return map(PROT_READ | PROT_WRITE | PROT_EXEC) != -1 ? 3 : 0;
}

static void
no_memory_can_be_executed(void **state)
{
	(void)state;
	assert_int_equal(child(map_both, NULL), 0);
}

/* A thread that was there before says so, waits for a byte, then makes a
 * call. */
static void *
late_call(void *arg)
{
	int *fd = arg;
	char c = 'r';

	if (write(fd[3], &c, 1) != 1)
		syscall(SYS_exit_group, 4);
	while (read(fd[0], &c, 1) != 1)
		continue;
	errno = 0;
	c = syscall(SYS_getppid) == -1 && errno == ENOSYS ? 'y' : 'n';
	if (write(fd[3], &c, 1) != 1)
		syscall(SYS_exit_group, 5);
	while (read(fd[0], &c, 1) != 0) /* to the end of the process */
		continue;
	return NULL;
}

static int
filter_beside_a_thread(void *arg)
{
	int fd[4];
	pthread_t t;
	char c = 'x';

	(void)arg;
	if (pipe(fd) == -1 || pipe(fd + 2) == -1 ||
	    pthread_create(&t, NULL, late_call, fd) != 0)
		return 1;
	if (read(fd[2], &c, 1) != 1 || !filter() || write(fd[1], &c, 1) != 1 ||
	    read(fd[2], &c, 1) != 1)
		return 2;
	return c == 'y' ? 0 : 3;
}

static void
it_holds_in_every_thread(void **state)
{
	(void)state;
	assert_int_equal(child(filter_beside_a_thread, NULL), 0);
}

#endif

/* ---- rights ---- */

static int
drop(void *arg)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	struct rlimit rl;

	(void)arg;
	if (harden_drop(NULL) == -1 || syscall(SYS_capget, &h, d) == -1)
		return 1;
	for (int i = 0; i < 2; i++)
		if (d[i].effective || d[i].permitted || d[i].inheritable)
			return 2;
	if (getrlimit(RLIMIT_CORE, &rl) == -1 || rl.rlim_max != 0)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	return geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) != 0 ? 5
									    : 0;
}

static void
rights_are_dropped(void **state)
{
	(void)state;
	assert_int_equal(child(drop, NULL), 0);
}

static int
become(void *arg)
{
	const struct passwd *p = getpwnam(arg);
	uid_t r, e, s;

	if (p == NULL || harden_become(arg, NULL) == -1)
		return 1;
	if (getresuid(&r, &e, &s) == -1 || r != p->pw_uid || e != r || s != r)
		return 2;
	if (getegid() != p->pw_gid)
		return 3;
	return setuid(0) == 0 ? 4 : 0;
}

static void
another_user_is_become(void **state)
{
	char nobody[] = "nobody";
	struct err e;

	(void)state;
	assert_int_equal(harden_become("", &e), 0);
	assert_int_equal(harden_become("no such user", &e), -1);
	assert_non_null(strstr(e.text, "no such user"));
	if (geteuid() == 0) {
		assert_int_equal(child(become, nobody), 0);
	} else {
		assert_int_equal(harden_become("root", &e), -1);
		assert_non_null(strstr(e.text, "cannot become"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_list_is_short),
#ifndef __SANITIZE_THREAD__ /* its runtime does not outlive the filter */
	    cmocka_unit_test(other_calls_are_not_there),
	    cmocka_unit_test(an_intruders_calls_end_it),
	    cmocka_unit_test(no_memory_can_be_executed),
	    cmocka_unit_test(it_holds_in_every_thread),
#endif
	    cmocka_unit_test(rights_are_dropped),
	    cmocka_unit_test(another_user_is_become),
	};

	return cmocka_run_group_tests_name("harden", tests, NULL, NULL);
}
