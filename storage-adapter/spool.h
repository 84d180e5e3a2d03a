/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What xmsg-run and the adapter share: the files of a run and the record in
 * one of them.  Links libc only; nothing here allocates.
 *
 * Step 0 of a folder has these files, step 1 the same with a 1 in front:
 *
 *  0.boot    symbolic link, its target the boot in which the step was claimed
 *  0.run     FIFO: the claim; the runner holds its writing end while it lives
 *  0.new     the record before it has its name; means nothing
 *  0.pid     the record of a script that may have begun: its first line
 *  0.status  the same file under its last name, with its second line: over
 *  0.out     standard output; absent when empty
 *  0.err     the end of standard error; absent when empty; at most twice as
 *            long as what is kept
 *
 * A record has room for both lines from the beginning, so that writing the
 * second one needs no room on the disk.
 */
#ifndef XMSG_SPOOL_H
#define XMSG_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "job.h"

/* Steps are below this. */
#define SPOOL_STEPS 1000000
#define SPOOL_NAME  24
/* Bytes of a record, always. */
#define SPOOL_RECORD 1024

/* The nursery: the first argument of xmsg-run, and behind it padding of so many
 * bytes, over which runners write their command lines; its first message, when
 * it can begin runs; and how long a message to it may be: the words of a command
 * line, each with its NUL, with two descriptors, the writing end of the FIFO and
 * standard input. */
#define SPOOL_NURSERY	    "--nursery"
#define SPOOL_NURSERY_PAD   2048
#define SPOOL_NURSERY_HELLO "xmsg-run nursery 1\n"
#define SPOOL_NURSERY_MAX   (32 << 10)

enum spool_file {
	SPOOL_BOOT,
	SPOOL_RUN,
	SPOOL_NEW,
	SPOOL_PID,
	SPOOL_STATUS,
	SPOOL_OUT,
	SPOOL_ERR,
	SPOOL_FILES
};

/* The name of a file, for openat; returns name. */
const char *spool_name(
    char name[SPOOL_NAME], unsigned step, enum spool_file file);

/* Is name such a file?  Then which. */
bool spool_is(const char *name, unsigned *step, enum spool_file *file);

/* The first line: who runs. */
struct spool_start {
	char boot[37];
	pid_t runner;
	pid_t pid; /* of the script: also its process group and session */
	uint64_t ticks; /* when pid began, field 22 of its stat file */
	int64_t wall_ns;
	char script[256]; /* as far as it fits */
};

/* The second line: how it ended. */
struct spool_end {
	enum job_end end;
	int code;
	int64_t took_ns;
	bool stuck;
	int64_t out, err; /* bytes: kept of stdout; written to stderr in all */
	int64_t user_us, system_us, rss_kb; /* of the script and its children */
	int cgroup; /* 0, or errno: why it has no group of its own */
};

/* A whole record into buf; end may be NULL. */
void spool_write(char buf[SPOOL_RECORD], const struct spool_start *s,
    const struct spool_end *e);

/* Read the lines of a record of n bytes; false: it is not one. */
bool spool_read_start(const char *buf, size_t n, struct spool_start *s);
bool spool_read_end(const char *buf, size_t n, struct spool_end *e);

/* What the kernel says about a process. */
struct spool_proc {
	char state;
	pid_t parent, group, session;
	uint64_t ticks;
};

/* False when there is no such process. */
bool spool_proc(pid_t pid, struct spool_proc *p);

#endif
