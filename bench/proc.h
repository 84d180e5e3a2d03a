/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the kernel knows about the broker's process and about ours: processor
 * time, memory, who listens on a socket, how many descriptors we may have.
 */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stdint.h>
#include <sys/types.h>

#include "err.h"

struct proc_mem {
	int64_t rss; /* bytes resident now */
	int64_t peak; /* most bytes ever resident (VmHWM) */
};

/* User and system time of a process so far, its living threads, in
 * microseconds; -1 when it cannot be read.  Where the kernel keeps no account
 * for the scheduler it is counted in ticks, mostly of 10 ms. */
int64_t proc_cpu_us(pid_t pid);

/* The same with all processes it started that still live. */
int64_t proc_tree_cpu_us(pid_t pid);

/* The same of this process, exactly. */
int64_t proc_own_cpu_us(void);

/* Processor time spent by everything on this machine, in microseconds. */
int64_t proc_all_cpu_us(void);

/* Zeros when it cannot be read. */
void proc_memory(pid_t pid, struct proc_mem *m);

/* The process that listens at the other end of a connected socket, or -1. */
pid_t proc_peer(int fd);

/* Make sure that this many descriptors can be open. */
int proc_need_files(unsigned long n, struct err *e);

#endif
