/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A read that runs in one thread and is answered in another: rows are packed
 * where they are read, and unpacked where row() may be called.
 */
#ifndef XMSG_STORE_JOB_H
#define XMSG_STORE_JOB_H

#include "buf.h"
#include "sqldb.h"

struct job {
	struct store_op op; /* a copy that collects rows; first member */
	struct store_op *user;
	struct buf rows;
	struct job *next; /* for its owner's lists */
};

/* A job for a read op, which stays the caller's. */
struct job *job_new(struct store_op *op);
/* Read; in the thread that owns the connection. */
enum store_rc job_run(struct job *j, struct sqldb *db);
/* Give rows and results to the op, call its done, free the job. */
void job_finish(struct job *j);

#endif
