/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Output of a finished run in memory: in pages of its own, which go back to
 * the system when the result has been told, so that large outputs leave no
 * trace in the size of the process.
 */
#include "job_int.h"
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last max bytes of an open file of size bytes. */
static int
read_tail(int fd, int64_t size, int64_t max, struct str *s)
{
	int64_t from = size > max ? size - max : 0;
	size_t want = (size_t)(size - from);
	ssize_t have;
	char *p;

	p = mmap(NULL, want, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	have = whole_pread(fd, p, want, from);
	if (have != (ssize_t)want) {
		if (have != -1)
			errno = EBADMSG;
		munmap(p, want);
		return -1;
	}
	*s = (struct str){p, want};
	return 0;
}

/* The end of one file; a file that is not there is empty.  *size gets its
 * whole length. */
static int
read_file(int dir, unsigned step, enum spool_file which, int64_t max,
    struct str *s, int64_t *size)
{
	char name[SPOOL_NAME];
	struct stat st;
	int rc,
	    fd = whole_open(dir, spool_name(name, step, which),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);

	*s = (struct str){NULL, 0};
	*size = 0;
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = fstat(fd, &st);
	if (rc == 0) {
		*size = st.st_size;
		if (st.st_size > 0 && max > 0)
			rc = read_tail(fd, st.st_size, max, s);
	}
	close(fd);
	return rc;
}

/* Both.  The size of stdout must be the one in the record: after a power cut
 * the record may have been written and the output not. */
int
job_output(int dir, unsigned step, const struct spool_end *e, int64_t max_out,
    int64_t max_err, struct job_output *o)
{
	int64_t size;

	memset(o, 0, sizeof *o);
	if (read_file(dir, step, SPOOL_ERR, max_err, &o->err, &size) == -1)
		o->err = (struct str){NULL, 0}; /* a help, not the result */
	if (e->out == 0)
		return 0;
	if (read_file(dir, step, SPOOL_OUT, e->out > max_out ? e->out : max_out,
		&o->out, &size) == -1)
		return -1;
	if (size == e->out)
		return 0;
	errno = EBADMSG;
	return -1;
}

/* Give the pages back. */
void
job_output_free(struct job_output *o)
{
	if (o->out.p != NULL)
		munmap((void *)o->out.p, o->out.n);
	if (o->err.p != NULL)
		munmap((void *)o->err.p, o->err.n);
	memset(o, 0, sizeof *o);
}
