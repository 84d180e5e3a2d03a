/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Giving up rights and system calls.
 *
 * The filter is a program for the kernel's packet filter machine, made from two
 * tables: calls that serving needs, and calls that only an intruder makes.  The
 * latter end the process (SIGSYS; nothing acknowledged is lost, and the service
 * manager starts it again).  All others fail with ENOSYS, not EPERM: to a C
 * library that is an older kernel, which it knows how to live with, so that a
 * library newer than this list costs a feature and not the broker.
 *
 * The list is short because of what is done elsewhere: signals come from a
 * descriptor (server.c), the service manager's socket is opened at start
 * (systemd.c), the process id is asked for once, and all memory comes from one
 * arena, which grows without mprotect.
 */
#include "harden.h"

#include <errno.h>
#include <features.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "config.h"

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* ---- rights ---- */

/* Become another user, with the groups that it has. */
int
harden_become(const char *user, struct err *e)
{
	struct passwd *p;

	if (*user == '\0')
		return 0;
	p = getpwnam(user);
	if (p == NULL)
		return err_set(
		    e, EINVAL, "server.user: there is no user \"%s\"", user);
	if (p->pw_uid == geteuid())
		return 0;
	if (initgroups(user, p->pw_gid) == -1 ||
	    setresgid(p->pw_gid, p->pw_gid, p->pw_gid) == -1 ||
	    setresuid(p->pw_uid, p->pw_uid, p->pw_uid) == -1)
		return err_errno(e, "server.user: cannot become \"%s\"", user);
	return 0;
}

/* No capabilities: not now, and not by starting a program. */
static int
drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) == -1)
		return err_errno(e, "cannot ask for the capabilities");
	if ((d[0].permitted | d[1].permitted) == 0)
		return 0;
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++)
		(void)prctl(PR_CAPBSET_DROP, c); /* lacking the right: none */
	memset(d, 0, sizeof d);
	if (syscall(SYS_capset, &h, d) == -1)
		return err_errno(e, "cannot give up the capabilities");
	return 0;
}

/* What needs no list. */
int
harden_drop(struct err *e)
{
	struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_errno(e, "cannot give up gaining rights");
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return err_errno(e, "cannot forbid core dumps");
	/* else the arenas of the threads grow with mprotect */
	(void)mallopt(M_ARENA_MAX, 1);
	return drop_capabilities(e);
}

/* ---- system calls ---- */

/* What serving needs, the frequent ones first.  Those of several names are one
 * call to us; which one the C library uses hangs on it and on the machine. */
static const int allowed[] = {
    SYS_fcntl, /* SQLite's locks, for the most part */
    SYS_pwrite64,
    SYS_sendmsg,
    SYS_fdatasync,
    SYS_recvfrom,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#else
    SYS_epoll_pwait,
#endif
    SYS_futex,
    SYS_pread64,
    SYS_read,
    SYS_write,
    SYS_close,
    SYS_epoll_ctl,
    SYS_accept4,
    SYS_openat, /* who a peer is; the reserve; the settings again */
    SYS_getsockopt, /* the same */
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 33) /* later it is the former */
    SYS_fstat,
#endif
    SYS_fsync,
    SYS_ftruncate,
    SYS_fallocate, /* the reserve */
#ifdef SYS_unlink
    SYS_unlink, /* at the end: socket, log, pid file */
#else
    SYS_unlinkat,
#endif
    SYS_mmap, /* not to be executed: see below */
    SYS_munmap,
    SYS_madvise, /* memory that is given back */
    SYS_brk,
    SYS_sendto, /* syslog; what an answer left over */
    SYS_clock_nanosleep, /* another program has the database locked */
    SYS_clock_gettime, /* where it is a call, as on some virtual machines */
    SYS_restart_syscall, /* after SIGSTOP and SIGCONT */
    SYS_exit,
    SYS_exit_group,
};

/* What nobody but an intruder calls. */
static const int deadly[] = {SYS_execve, SYS_execveat, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev};

#define N(a) (sizeof(a) / sizeof *(a))

/* Arch, number, two lines for each call, four for mmap, the end. */
#define MOST_LINES (2 * (N(allowed) + N(deadly)) + 16)

/* For those who count. */
size_t
harden_calls(const int **nr)
{
	*nr = allowed;
	return N(allowed);
}

#ifdef ARCH

#define FIELD(f) (uint32_t) offsetof(struct seccomp_data, f)

struct program {
	struct sock_filter line[MOST_LINES];
	unsigned short n;
};

/* One line; `yes` and `no`: how many to pass over then. */
static void
add(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	p->line[p->n++] = (struct sock_filter){code, yes, no, k};
}

/* Look at a field from here on. */
static void
load(struct program *p, uint32_t field)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, field, 0, 0);
}

/* When what was loaded is k: this end. */
static void
when(struct program *p, uint32_t k, uint32_t action)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Whatever was loaded: this end. */
static void
otherwise(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* mmap, unless the memory is to be executed. */
static void
when_mmap(struct program *p)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4);
	load(p, FIELD(args[2]));
	add(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	otherwise(p, SECCOMP_RET_ALLOW);
	otherwise(p, SECCOMP_RET_ERRNO | EPERM);
}

/* The numbers of another architecture mean other calls. */
static void
check_arch(struct program *p)
{
	load(p, FIELD(arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	otherwise(p, SECCOMP_RET_KILL_PROCESS);
}

/* The whole program. */
static void
compile(struct program *p)
{
	p->n = 0;
	check_arch(p);
	load(p, FIELD(nr));
	for (size_t i = 0; i < N(allowed); i++)
		if (allowed[i] == SYS_mmap)
			when_mmap(p);
		else
			when(p, (uint32_t)allowed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < N(deadly); i++)
		when(p, (uint32_t)deadly[i], SECCOMP_RET_KILL_PROCESS);
	otherwise(p, SECCOMP_RET_ERRNO | ENOSYS);
}

/* Only the calls on the list, in every thread. */
int
harden_filter(struct err *e)
{
	struct program p;
	struct sock_fprog fp = {.filter = p.line};
	long rc;

	compile(&p);
	fp.len = p.n;
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &fp);
	if (rc == -1)
		return err_errno(e, "cannot set a filter for system calls");
	if (rc > 0)
		return err_set(e, EBUSY,
		    "thread %ld has a filter for system calls of its own", rc);
	return 0;
}

#else

/* There is no list for this machine. */
int
harden_filter(struct err *e)
{
	return err_set(e, ENOSYS,
	    "no filter for system calls: their list is for x86_64 and aarch64");
}

#endif

#ifdef FOREIGN_RUNTIME
/* What is linked in here makes calls that are not on the list, and looks into
 * its own process: a sanitizer, or gcov. */
int
harden_lock(struct err *e)
{
	(void)e;
	return 0;
}
#else
/* Closed to others first: a filter that is refused does not change that. */
int
harden_lock(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_errno(e, "cannot close the process to others");
#if !__GLIBC_PREREQ(2, 33)
	return err_set(e, ENOSYS,
	    "no filter for system calls: their list is for C libraries since"
	    " glibc 2.33");
#else
	return harden_filter(e);
#endif
}
#endif
