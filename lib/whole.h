/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Files opened, read and written whole: what a signal interrupts is tried again,
 * what is done in part is gone on with.  -1 with errno when it cannot be. */
#ifndef XMSG_WHOLE_H
#define XMSG_WHOLE_H

#include <stddef.h>
#include <sys/types.h>

/* openat. */
int whole_open(int dir, const char *path, int flags, mode_t mode);

/* As much as there is of n bytes, from where the file stands or from `at`. */
ssize_t whole_read(int fd, void *to, size_t n);
ssize_t whole_pread(int fd, void *to, size_t n, off_t at);

/* All n bytes: 0, else -1. */
int whole_write(int fd, const void *p, size_t n);
int whole_pwrite(int fd, const void *p, size_t n, off_t at);

#endif
