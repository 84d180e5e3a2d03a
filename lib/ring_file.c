/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Files of rings. */
#include "ring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Map it for its writer. */
void *
ring_file_open(struct ring *ring, const char *path, size_t size, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *mem = MAP_FAILED;

	if (fd == -1) {
		err_errno(e, "%s", path);
		return NULL;
	}
	if (ftruncate(fd, (off_t)size) == -1 ||
	    (errno = posix_fallocate(fd, 0, (off_t)size)) != 0)
		err_errno(e,
		    "%s: no room for %zu bytes: free space, or set a"
		    " smaller recorder.size (the adapter: record.size)",
		    path, size);
	else if ((mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0)) == MAP_FAILED)
		err_errno(e, "cannot map %s", path);
	close(fd);
	if (mem == MAP_FAILED)
		return NULL;
	if (!ring_attach(ring, mem, size)) {
		ring_format(ring, mem, size, 0);
		/* the zeros stay in the file; they need not count as ours */
		(void)madvise(mem, size, MADV_DONTNEED);
	}
	return mem;
}
