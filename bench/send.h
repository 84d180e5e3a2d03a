/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Publishing: connections that send one message after another and wait for
 * each acknowledgement.
 */
#ifndef BENCH_SEND_H
#define BENCH_SEND_H

#include "stage.h"

/* Payloads are this letter, the message's number from 0 in so many digits, a
 * blank, and filling up to opts.payload bytes. */
#define SEND_LETTER  'm'
#define SEND_DIGITS  12
#define SEND_PAYLOAD 16 /* the least payload that holds it */

/* Messages per second for opts.seconds. */
int send_for_a_time(const struct opts *o, struct stage *s, struct err *e);

/* opts.count messages in all, as fast as they are taken. */
int send_a_number(const struct opts *o, struct stage *s, struct err *e);

/* How many queues are used, and the name of one. */
int send_queues(const struct opts *o);
void send_queue_name(const struct opts *o, int i, char *to, size_t size);

/* Remove all of them, or create them anew, empty. */
void send_destroy_queues(const struct opts *o, struct faults *f);
void send_create_queues(const struct opts *o, struct faults *f);

/* Write a number into the digits of a payload. */
void send_put_number(char *digits, uint64_t n);

#endif
