/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What a run found, said twice from the same calls: lines for people, and one
 * flat JSON object on one line for programs.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct hist;

struct report {
	struct buf people, json;
};

void report_init(struct report *r);
void report_fini(struct report *r);

/* `key` names the figure in JSON; `what` explains it, unit included, to people
 * (NULL: JSON only). */
void report_text(
    struct report *r, const char *key, const char *value, const char *what);
void report_int(
    struct report *r, const char *key, int64_t value, const char *what);
void report_num(
    struct report *r, const char *key, double value, const char *what);

/* p50, p90, p99, p99.9 and the longest, in microseconds, as one line. */
void report_hist(struct report *r, const struct hist *h, const char *what);

/* A line for people only, such as a heading or a row of a table. */
void report_line(struct report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Print to stdout: the lines, then with `json` the object. -1 when stdout
 * could not take it or memory ran out. */
int report_print(struct report *r, bool json);

#endif
