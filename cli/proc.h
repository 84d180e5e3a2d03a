/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the kernel tells of a process, for explanations. */
#ifndef XMSG_CLI_PROC_H
#define XMSG_CLI_PROC_H

#include <stdbool.h>
#include <stdint.h>

struct proc {
	int64_t pid;
	char state; /* letter of proc(5): R S D T Z ...; 0: there is none */
	char comm[32];
	char wchan[64]; /* where it waits in the kernel, or "" */
	double cpu_s; /* processor time so far */
};

/* One process; false when it is gone or hidden. */
bool proc_look(struct proc *p, int64_t pid);

/* The same for what it started and did not leave: its session.  A process in
 * state D wins over the others; cpu_s is that of all of them. */
bool proc_session(struct proc *p, int64_t pid);

#endif
