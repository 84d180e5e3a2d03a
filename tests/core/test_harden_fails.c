/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* harden: a right that cannot be given up is told, whichever it is, and nothing
 * after it is tried. */
#include "support/unit.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "harden.h"

/* Every call goes to a table: which fail, what was asked for. */
enum {
	INITGROUPS,
	SETRESGID,
	SETRESUID,
	NO_NEW_PRIVS,
	RLIMIT,
	CAPGET,
	CAPSET,
	SECCOMP,
	NCALLS
};

static bool fails[NCALLS];
static int asked[NCALLS];
static long seccomp_says; /* when it does not fail */
static unsigned short lines; /* of the filter it was given */
static bool capable; /* are there capabilities? */
static struct passwd *account;

static int
call(int which)
{
	asked[which]++;
	errno = EPERM;
	return fails[which] ? -1 : 0;
}

int __wrap_initgroups(const char *user, gid_t gid);
int __wrap_setresgid(gid_t a, gid_t b, gid_t c);
int __wrap_setresuid(uid_t a, uid_t b, uid_t c);
int __wrap_setrlimit(int which, const struct rlimit *r);
int __wrap_prctl(int what, ...);
long __wrap_syscall(long nr, ...);
struct passwd *__wrap_getpwnam(const char *user);

int
__wrap_initgroups(const char *user, gid_t gid)
{
	(void)user, (void)gid;
	return call(INITGROUPS);
}

int
__wrap_setresgid(gid_t a, gid_t b, gid_t c)
{
	assert_true(a == b && b == c);
	return call(SETRESGID);
}

int
__wrap_setresuid(uid_t a, uid_t b, uid_t c)
{
	assert_true(a == b && b == c);
	assert_int_equal(asked[SETRESGID], 1); /* before it no longer can */
	return call(SETRESUID);
}

int
__wrap_setrlimit(int which, const struct rlimit *r)
{
	assert_int_equal(which, RLIMIT_CORE);
	assert_int_equal(r->rlim_max, 0);
	return call(RLIMIT);
}

/* The bounding set has three. */
int
__wrap_prctl(int what, ...)
{
	va_list ap;
	unsigned long n;

	va_start(ap, what);
	n = va_arg(ap, unsigned long);
	va_end(ap);
	if (what == PR_SET_NO_NEW_PRIVS)
		return call(NO_NEW_PRIVS);
	return what != PR_CAPBSET_READ || n < 3 ? 0 : -1;
}

long
__wrap_syscall(long nr, ...)
{
	const struct sock_fprog *fp;
	struct __user_cap_data_struct *d;
	va_list ap;

	va_start(ap, nr);
	(void)va_arg(ap, void *);
	d = va_arg(ap, void *);
	fp = va_arg(ap, void *);
	va_end(ap);
	if (nr == SYS_capget) {
		memset(d, 0, 2 * sizeof *d);
		d[1].permitted = capable;
		return call(CAPGET);
	}
	if (nr == SYS_capset) {
		assert_int_equal(d[0].permitted | d[1].permitted, 0);
		return call(CAPSET);
	}
	assert_int_equal(nr, SYS_seccomp);
	lines = fp->len;
	return call(SECCOMP) == 0 ? seccomp_says : -1;
}

struct passwd *
__wrap_getpwnam(const char *user)
{
	(void)user;
	return account;
}

static int
setup(void **state)
{
	static struct passwd other;

	(void)state;
	memset(fails, 0, sizeof fails);
	memset(asked, 0, sizeof asked);
	other = (struct passwd){.pw_uid = geteuid() + 1, .pw_gid = 7};
	account = &other;
	capable = true;
	seccomp_says = 0;
	return 0;
}

/* It fails with a sentence that has this in it. */
static void
refused(int rc, const struct err *e, const char *says)
{
	assert_int_equal(rc, -1);
	if (strstr(e->text, says) == NULL)
		fail_msg("said: %s", e->text);
}

static void
becoming_another_user(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(harden_become("", &e), 0);
	assert_int_equal(harden_become("other", &e), 0);
	assert_int_equal(asked[SETRESUID], 1);
	for (int i = INITGROUPS; i <= SETRESUID; i++) {
		setup(NULL);
		fails[i] = true;
		refused(harden_become("other", &e), &e, "cannot become");
		for (int k = i + 1; k <= SETRESUID; k++)
			assert_int_equal(asked[k], 0);
	}
	setup(NULL);
	account->pw_uid = geteuid(); /* it is already */
	assert_int_equal(harden_become("me", &e), 0);
	assert_int_equal(asked[INITGROUPS], 0);
	account = NULL;
	refused(harden_become("nobody", &e), &e, "there is no user");
}

static void
dropping_rights(void **state)
{
	static const struct {
		int call;
		const char *says;
	} cases[] = {
	    {NO_NEW_PRIVS, "gaining rights"},
	    {RLIMIT, "core dumps"},
	    {CAPGET, "ask for the capabilities"},
	    {CAPSET, "give up the capabilities"},
	};
	struct err e;

	(void)state;
	assert_int_equal(harden_drop(&e), 0);
	assert_int_equal(asked[CAPSET], 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setup(NULL);
		fails[cases[i].call] = true;
		refused(harden_drop(&e), &e, cases[i].says);
	}
	setup(NULL);
	capable = false; /* there is nothing to give up */
	assert_int_equal(harden_drop(&e), 0);
	assert_int_equal(asked[CAPSET], 0);
}

static void
filtering_calls(void **state)
{
	const int *nr;
	struct err e;

	(void)state;
	assert_int_equal(harden_filter(&e), 0);
	assert_true(lines > 2 * harden_calls(&nr)); /* two for each and more */
	fails[SECCOMP] = true;
	refused(harden_filter(&e), &e, "cannot set a filter");
	setup(NULL);
	seccomp_says = 17; /* the thread that did not follow */
	refused(harden_filter(&e), &e, "thread 17 has a filter");
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
	    T(becoming_another_user),
	    T(dropping_rights),
	    T(filtering_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
