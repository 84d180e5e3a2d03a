/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A fresh folder for the files of one test, and its removal. */
#ifndef XMSG_TESTS_TEMPDIR_H
#define XMSG_TESTS_TEMPDIR_H

#include <stdbool.h>
#include <stddef.h>

#define TEMPDIR_MAX 128

/* Under $TMPDIR or /tmp; ends the process when there is none. */
void tempdir_make(char dir[TEMPDIR_MAX]);
/* From now on in memory, unless $TMPDIR says where, or there is no such place:
 * for what is about files and not about disks. */
void tempdir_in_memory(void);
void tempdir_remove(const char *dir);

/* Copy a file when it is there; the bytes copied, -1 when there is none. */
long tempdir_copy(const char *from, const char *to);

/* Do two files hold the same? */
bool tempdir_same(const char *a, const char *b);

/* Write a whole file. */
void tempdir_write(const char *path, const void *p, size_t n);

#endif
