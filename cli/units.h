/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Ages, durations, sizes and times of day as people read them.  The only place
 * where they are turned into text.  Pure, but for the time zone.
 */
#ifndef XMSG_CLI_UNITS_H
#define XMSG_CLI_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define UNITS_MAX 48 /* bytes any of them writes at most, with the NUL */

/* How long ago: "0.2s", "42s", "3m12s", "2h05m", "4d03h"; cut, not rounded, so
 * that nothing looks older than it is.  Below 0 counts as 0. */
void units_age(char out[UNITS_MAX], double seconds);

/* How long it took: "85us", "0.4ms", "12ms", "1.25s", then as an age. */
void units_took(char out[UNITS_MAX], double seconds);

/* The same age in words: "1 day, 2 hours and 3 seconds"; parts that are 0 are
 * left out, less than a second is "0 seconds". */
void units_words(char out[UNITS_MAX * 2], int64_t seconds);

/* Events a second: "0", "0.4", "12", "3400". */
void units_rate(char out[UNITS_MAX], double a_second);

/* "512", "1.2k", "34M": powers of 1024, cut. */
void units_size(char out[UNITS_MAX], int64_t bytes);

/* "12:01:03.221", with the date in front when it is not today's, with a Z
 * behind when utc. */
void units_time(char out[UNITS_MAX], double epoch, double now, bool utc);

#endif
