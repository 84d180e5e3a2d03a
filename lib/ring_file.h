/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* A ring in a file of its own: made, or taken up from the run before. */
#ifndef XMSG_RING_FILE_H
#define XMSG_RING_FILE_H

#include <stddef.h>

#include "err.h"
#include "ring.h"

/* Map the file at path, `size` bytes long (a multiple of 8, at least
 * RING_MIN_SIZE), for its one writer; it is made when it is not there, and one
 * that is damaged or has another size begins anew.  All its blocks are there
 * from the start: a hole would be a SIGBUS on a full disk.  Returns the memory,
 * shared with the file, which the caller unmaps, or NULL with e set. */
void *ring_file_open(
    struct ring *ring, const char *path, size_t size, struct err *e);

#endif
