/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What a call sees of the world: state, plugins, clock.  What it has seen once
 * is noted in the task's memo, so that it sees the same when it is repeated.
 */
#ifndef XMSG_WORLD_H
#define XMSG_WORLD_H

#include "call.h"

struct task;

/* The world of a task; the task must outlive the call. */
struct call_world world_of(struct task *t);

#endif
