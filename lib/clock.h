/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The two clocks.  Only outer layers read them; everything below is given
 * `now` as an argument.
 */
#ifndef XMSG_CLOCK_H
#define XMSG_CLOCK_H

#include <stdint.h>

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS  1000000LL

/* Nanoseconds since boot, suspend included (CLOCK_BOOTTIME): for limits. */
int64_t clock_mono_ns(void);

/* Nanoseconds since 1970 (CLOCK_REALTIME): for people. */
int64_t clock_wall_ns(void);

/* The kernel's id of this boot, 36 characters, NUL-terminated, "" when the
 * system does not tell.  -1 with errno and "" when it does but could not be
 * read: that is not another boot. */
int clock_boot_id(char out[37]);

#endif
