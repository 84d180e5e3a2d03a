/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What the load generators share: options, the choice of a mode, the report.
 * A program is this file and a table of modes (load_modes.c, peer.c).
 */
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "proc.h"

#define EXIT_FAULTS 1 /* the broker made mistakes */
#define FILES_SPARE 64

enum type { INT, DOUBLE, TEXT, FLAG };

/* One row an option; `min` bounds numbers from below. */
static const struct row {
	const char *name;
	enum type type;
	size_t offset;
	double min;
	const char *help;
} rows[] = {
#define ROW(name, type, field, min, help)                                      \
	{                                                                      \
		name, type, offsetof(struct opts, field), min, help            \
	}
    ROW("socket", TEXT, socket, 0, "PATH  of the broker (needed)"),
    ROW("peer", TEXT, peer, 0, "NAME  kind of broker (peer only)"),
    ROW("window", INT, window, 1,
	"N  replies a server may have unconfirmed (1; peer only)"),
    ROW("seconds", DOUBLE, seconds, 0.01, "S  measured (4)"),
    ROW("warmup", DOUBLE, warmup, 0, "S  before that (0.5)"),
    ROW("conns", INT, conns, 1, "N  callers, senders, or ackers"),
    ROW("servers", INT, servers, 1, "N  (4; 1 for one caller)"),
    ROW("flight", INT, flight, 1, "N  calls of each caller (1; --libxmsg)"),
    ROW("threads", INT, threads, 1, "N  of the load generator (1)"),
    ROW("payload", INT, payload, 32, "BYTES  of a message (512)"),
    ROW("queues", INT, queues, 1, "N  to send to (one a sender, at most 16)"),
    ROW("count", INT, count, 1, "N  messages to fill or drain (100000)"),
    ROW("parked", INT, parked, 0, "N  polls that wait (1000)"),
    ROW("park-queues", INT, park_queues, 1, "N  queues they wait on (100)"),
    ROW("start", TEXT, start, 0, "COMMAND  that starts the broker again"),
    ROW("pid", INT, pid, 1, "PID  of the broker (asked of the socket)"),
    ROW("prefix", TEXT, prefix, 0, "NAME  queue names begin with (bench)"),
    ROW("no-fill", FLAG, no_fill, 0, "  the messages are there already"),
    ROW("peek", FLAG, peek, 0, "  drain: only the first transfer"),
    ROW("keep", FLAG, keep, 0, "  do not destroy the queues after"),
    ROW("leave", FLAG, leave, 0, "  restart: leave the broker running"),
    ROW("libxmsg", FLAG, libxmsg, 0, "  rpc: with libxmsg on both sides"),
    ROW("json", FLAG, json, 0, "  one JSON line after the text"),
#undef ROW
};
#define NROWS (sizeof rows / sizeof rows[0])

_Static_assert(sizeof(pid_t) == sizeof(int), "--pid is stored as an int");

/* What there is, to stdout or stderr. */
static void
print_usage(FILE *to)
{
	size_t i;

	fprintf(
	    to, "usage: %s MODE --socket PATH [OPTION...]\nmodes:\n", program);
	for (i = 0; modes[i].name != NULL; i++)
		fprintf(to, "  %-8s %s\n", modes[i].name, modes[i].help);
	fprintf(to, "options:\n");
	for (i = 0; i < NROWS; i++)
		fprintf(to, "  --%s %s\n", rows[i].name, rows[i].help);
}

/* Store one option; -1 when the value is not a number it takes. */
static int
set_option(struct opts *o, const struct row *row, const char *value)
{
	void *to = (char *)o + row->offset;
	char *end = NULL;
	double v;

	if (row->type == TEXT) {
		*(const char **)to = value;
		return 0;
	}
	if (row->type == FLAG) {
		*(bool *)to = true;
		return 0;
	}
	v = strtod(value, &end);
	if (end == value || *end != '\0' || !(v >= row->min) || v > 1e9)
		return -1;
	if (row->type == DOUBLE)
		*(double *)to = v;
	else
		*(int *)to = (int)v;
	return 0;
}

/* The mode's name and the options; NULL when they are not right. */
static const struct mode *
read_options(struct opts *o, int argc, char **argv)
{
	struct option long_opts[NROWS + 1] = {{0}};
	const struct mode *m = NULL;
	size_t i;
	int c, at;

	for (i = 0; i < NROWS; i++)
		long_opts[i] = (struct option){rows[i].name,
		    rows[i].type == FLAG ? no_argument : required_argument,
		    NULL, 1};
	while ((c = getopt_long(argc, argv, "", long_opts, &at)) != -1) {
		if (c != 1)
			return NULL;
		if (set_option(o, &rows[at], optarg) < 0) {
			fprintf(stderr, "%s: --%s: not allowed: %s\n", program,
			    rows[at].name, optarg);
			return NULL;
		}
	}
	for (i = 0; optind == argc - 1 && modes[i].name != NULL; i++)
		if (strcmp(argv[optind], modes[i].name) == 0)
			m = &modes[i];
	if (m != NULL && o->conns == 0)
		o->conns = m->conns;
	if (m != NULL && o->queues == 0 && m->conns > 16)
		o->queues = 1; /* a backlog is one queue */
	return o->socket != NULL ? m : NULL;
}

/* Ask the socket who listens there. */
static void
find_broker(struct opts *o)
{
	struct conn c;
	struct eng e;

	eng_init(&e, o->socket);
	if (conn_open(&c, &e, NULL, "who"))
		o->pid = proc_peer(c.fd);
	conn_close(&c);
	eng_fini(&e);
}

/* The broker's mistakes, in numbers and the first in words. */
static void
put_faults(struct report *r, const struct faults *f)
{
	int i;

	report_int(r, "faults", (int64_t)faults_total(f), NULL);
	for (i = 0; i < FAULT_N; i++)
		if (f->n[i] > 0)
			report_int(
			    r, fault_name(i), (int64_t)f->n[i], fault_name(i));
	if (f->first[0] != '\0')
		report_text(r, "first_fault", f->first, "FAULT");
	else
		report_line(r, "  no faults: every answer was right");
}

/* Run a mode and print; the exit status. */
static int
run(const struct mode *m, struct opts *o)
{
	struct faults f = {0};
	struct err e = {0};
	struct report r;
	int rc;

	if (o->pid <= 0 && m->finds_pid)
		find_broker(o);
	report_init(&r);
	report_text(&r, "mode", m->name, NULL);
	rc = m->run(o, &r, &f, &e);
	put_faults(&r, &f);
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", program, e.text);
	else
		rc = report_print(&r, o->json);
	report_fini(&r);
	if (rc < 0)
		return EX_UNAVAILABLE;
	return faults_total(&f) > 0 ? EXIT_FAULTS : EX_OK;
}

int
main(int argc, char **argv)
{
	struct opts o = {.prefix = "bench",
	    .window = 1,
	    .seconds = 4,
	    .warmup = 0.5,
	    .threads = 1,
	    .flight = 1,
	    .payload = 512,
	    .count = 100000,
	    .parked = 1000,
	    .park_queues = 100};
	const struct mode *m;
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EX_OK;
	}
	m = read_options(&o, argc, argv);
	if (m == NULL) {
		print_usage(stderr);
		return EX_USAGE;
	}
	if (proc_need_files(
		(unsigned long)o.conns * (o.libxmsg ? 5 : 2) + FILES_SPARE,
		&e) < 0) {
		fprintf(stderr, "%s: %s\n", program, e.text);
		return EX_UNAVAILABLE;
	}
	return run(m, &o);
}
