/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the libraries share that tests put in front of the C library: wrappers
 * that ask first and pass on then.  Each library has its own
 *
 *	int preload_tick(const char *name);
 *
 * which is called before each call with its name: 0 passes the call on, an
 * error number makes it fail.
 */
#ifndef XMSG_TESTS_PRELOAD_H
#define XMSG_TESTS_PRELOAD_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

int preload_tick(const char *name) __attribute__((visibility("hidden")));

/* The name of this program; a nursery has the name nursery. */
static inline const char *
preload_name(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--nursery") == 0
	    ? "nursery"
	    : program_invocation_short_name;
}

/* The function of this name that comes after ours, looked for before main: the
 * child that borrows the runner's memory must not take the linker's lock, which
 * knows its owner by a thread id that goes when the runner is killed. */
#define NEXT(name)                                                             \
	static __typeof__(&name) next_##name;                                  \
	static void __attribute__((constructor)) find_##name(void)             \
	{                                                                      \
		next_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);      \
	}

/* One wrapper; `failed` is what it returns instead, with the error in e. */
#define WRAP_AS(type, name, params, args, failed)                              \
	type name params;                                                      \
	NEXT(name)                                                             \
	type name params                                                       \
	{                                                                      \
		int e;                                                         \
                                                                               \
		if (next_##name == NULL)                                       \
			find_##name();                                         \
		e = preload_tick(#name);                                       \
		return e != 0 ? (failed) : next_##name args;                   \
	}
#define WRAP(type, name, params, args)                                         \
	WRAP_AS(type, name, params, args, (errno = e, -1))
/* For those that return the error. */
#define WRAP_RC(name, params, args) WRAP_AS(int, name, params, args, e)

/* The open family takes a mode only when it makes a file. */
#define WRAP_OPEN(name, first_params, first_args)                              \
	int name(first_params, int flags, ...);                                \
	NEXT(name)                                                             \
	int name(first_params, int flags, ...)                                 \
	{                                                                      \
		mode_t mode = 0;                                               \
		va_list ap;                                                    \
		int e;                                                         \
                                                                               \
		va_start(ap, flags);                                           \
		if (flags & (O_CREAT | O_TMPFILE))                             \
			mode = va_arg(ap, mode_t);                             \
		va_end(ap);                                                    \
		if (next_##name == NULL)                                       \
			find_##name();                                         \
		e = preload_tick(flags & O_CREAT ? #name " O_CREAT" : #name);  \
		if (e != 0) {                                                  \
			errno = e;                                             \
			return -1;                                             \
		}                                                              \
		return next_##name(first_args, flags, mode);                   \
	}
#define PATH_PARAMS const char *path
#define AT_PARAMS   int dir, const char *path
#define AT_ARGS	    dir, path

#endif
