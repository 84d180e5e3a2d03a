/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* status: the broker in one screen, or one queue; health; clients. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "dbfile.h"
#include "look.h"
#include "msgs.h"
#include "state.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define ERRORS 10 /* requests that were refused */

/* ---- status ---- */

static void
line(struct cli *c, const char *name, struct str value)
{
	struct buf *b = out_buf(&c->out);

	buf_addf(b, "%-12s ", name);
	text_put(b, value);
	out_line(&c->out, false);
}

static void linef(struct cli *c, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
linef(struct cli *c, const char *name, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	line(c, name, (struct str){b.p, b.n});
	buf_fini(&b);
}

/* What there is, in numbers. */
static void
holds(struct cli *c, int64_t queues, int64_t messages, int64_t bytes)
{
	char size[UNITS_MAX];

	units_size(size, bytes);
	linef(c, "holds", "%lld queue%s, %lld message%s, %s bytes",
	    (long long)queues, queues == 1 ? "" : "s", (long long)messages,
	    messages == 1 ? "" : "s", size);
}

/* Limits that are used, and how much. */
static void
limits(struct cli *c, const json_t *j)
{
	const json_t *l;
	size_t i;

	for (i = 0; (l = ask_item(j, "limits", i)) != NULL; i++) {
		int64_t value = ask_int(l, "value", 0);
		int64_t used = ask_int(l, "used", -1);
		struct str name = ask_str(l, "name");

		if (value <= 0 || (used < 0 && !c->verbose))
			continue;
		if (used < 0)
			linef(c, "limit", "%.*s %lld", (int)name.n, name.p,
			    (long long)value);
		else
			linef(c, "limit", "%.*s %lld of %lld (%.0f%%)",
			    (int)name.n, name.p, (long long)used,
			    (long long)value,
			    100.0 * (double)used / (double)value);
	}
}

static void
counters(struct cli *c, const json_t *j)
{
	json_t *all = json_object_get(j, "counters");
	void *at = json_object_iter(all);

	for (; at != NULL; at = json_object_iter_next(all, at))
		linef(c, "count", "%s %.15g", json_object_iter_key(at),
		    json_number_value(json_object_iter_value(at)));
}

/* How large the database and its neighbours are, for those who may look. */
static void
files(struct cli *c, struct str path)
{
	static const struct {
		const char *end, *name;
	} parts[] = {
	    {"", "database"}, {"-wal", "log"}, {".reserve", "reserve"}};
	struct buf b = BUF_INIT;
	char size[UNITS_MAX];

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char *file =
		    xasprintf("%.*s%s", (int)path.n, path.p, parts[i].end);
		int64_t n = path.n > 0 ? dbfile_size(file) : -1;

		units_size(size, n);
		if (n >= 0)
			buf_addf(&b, "%s%s %s", b.n > 0 ? ", " : "",
			    parts[i].name, size);
		free(file);
	}
	line(c, "size", (struct str){b.p, b.n});
	buf_fini(&b);
}

/* The last requests that were refused, and why. */
static void
errors(struct cli *c)
{
	struct events l = {0};
	char when[UNITS_MAX];

	c->event_kinds = "refuse";
	(void)look_events(
	    c, LOOK_LAST, ERRORS, 0, &l); /* then there are none */
	c->event_kinds = NULL;
	c->why.text[0] = '\0';
	for (size_t i = 0; i < l.n; i++) {
		units_time(when, l.v[i].time, c->out.now, c->utc);
		linef(c, "refused", "%s  %.*s, asked by %.*s[%lld]", when,
		    (int)l.v[i].queue.n, l.v[i].queue.p, (int)l.v[i].client.n,
		    l.v[i].client.p, (long long)l.v[i].pid);
	}
	events_fini(&l);
}

/* For people. */
static void
put_status(struct cli *c, const json_t *j)
{
	const json_t *s = json_object_get(j, "store");
	struct str version = ask_str(j, "version"), path = ask_str(s, "path");
	char up[UNITS_MAX];

	units_age(up, ask_real(j, "uptime_s", 0));
	line(c, "state", ask_str(j, "state"));
	linef(c, "broker", "xmsgd %.*s, pid %lld, up %s", (int)version.n,
	    version.p, (long long)ask_int(j, "pid", 0), up);
	line(c, "socket", ask_str(j, "socket"));
	linef(c, "store", "%.*s%s, last id %lld", (int)path.n,
	    path.p ? path.p : "", ask_int(s, "durable", 0) ? "" : " (volatile)",
	    (long long)ask_int(s, "last_id", 0));
	files(c, path);
	line(c, "boot", ask_str(j, "boot_id"));
	holds(c, ask_int(j, "queues", 0), ask_int(j, "messages", 0),
	    ask_int(j, "bytes", 0));
	linef(c, "clients", "%lld connections, %lld sessions, %lld polls wait",
	    (long long)ask_int(j, "connections", 0),
	    (long long)ask_int(j, "sessions", 0),
	    (long long)ask_int(j, "parked", 0));
	limits(c, j);
	if (c->verbose)
		counters(c, j);
	errors(c);
}

/* The broker's object as one line, with ours in front. */
static void
put_json(struct cli *c, const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (text != NULL && strlen(text) > 2)
		buf_addf(out_buf(&c->out),
		    "{\"schema\":%d,\"object\":\"status\",%s", OUT_SCHEMA,
		    text + 1);
	out_line(&c->out, false);
	free(text);
}

static int
add_up(void *arg, const struct look_queue *q)
{
	int64_t *total = arg;

	total[0]++;
	total[1] += q->messages;
	total[2] += q->bytes;
	return 0;
}

/* What the folder tells. */
static int
put_state(struct cli *c)
{
	int64_t total[3] = {0, 0, 0};
	char ago[UNITS_MAX] = "";
	const char *how;
	double last = state_last_event(c, &how);
	int rc = look_queues(c, "", add_up, total);

	if (last >= 0)
		units_age(ago, (double)clock_wall_ns() / 1e9 - last);
	if (c->json) {
		json_t *j = json_pack("{s:s,s:s,s:I,s:I,s:I,s:f}", "state",
		    "offline", "folder", c->state_dir, "queues",
		    (json_int_t)total[0], "messages", (json_int_t)total[1],
		    "bytes", (json_int_t)total[2], "last_event", last);

		if (j != NULL)
			put_json(c, j);
		json_decref(j);
		return rc;
	}
	line(c, "state", STR("offline"));
	line(c, "folder", str_of(c->state_dir));
	holds(c, total[0], total[1], total[2]);
	if (how != NULL)
		linef(c, "last event", "%s ago; the broker %s", ago, how);
	return rc;
}

/* Only the queue that was asked for. */
struct one {
	struct cli *c;
	const char *name;
	bool found;
};

static int
only(void *arg, const struct look_queue *q)
{
	struct one *o = arg;

	if (!str_eq(q->name, str_of(o->name)))
		return 0;
	o->found = true;
	(void)queues_add(o->c, q);
	return 1;
}

/* One queue, and its oldest messages. */
static int
queue_status(struct cli *c, const char *name)
{
	struct one o = {c, name, false};
	int rc = queues_table(c) == -1 ? CLI_USAGE : 0;

	if (rc == 0)
		rc = look_queues(c, name, only, &o);
	if (rc == 0 && !o.found) {
		(void)err_set(&c->why, 1, "there is no queue '%s'", name);
		rc = CLI_NONE;
	}
	if (rc == 0) {
		out_end(&c->out);
		c->out.columns = c->out.sort = NULL;
		rc = msgs_table(c);
	}
	if (rc == 0)
		rc = look_messages(c, name, -1, 10, true, msgs_add, c);
	if (rc == 0)
		out_end(&c->out);
	return cli_fail(c, rc);
}

/* Used by diagnostics too. */
static int
broker_status(struct cli *c)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	int rc = CLI_DEAD;

	if (c->offline) {
		rc = state_open(c, &c->why) == 0 ? put_state(c) : CLI_NONE;
		return rc;
	}
	ask_path(&t, "status");
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	if (rc == 0 && c->json)
		put_json(c, j);
	else if (rc == 0)
		put_status(c, j);
	json_decref(j);
	if (rc == CLI_DEAD && (rc = look_turn(c)) == 0)
		rc = put_state(c);
	return rc;
}

static int
run_status(struct cli *c, int argc, char **argv)
{
	if (argc > 0)
		return queue_status(c, argv[0]);
	return cli_fail(c, broker_status(c));
}

const struct cmd cmd_status = {
    .name = "status",
    .args = "[QUEUE]",
    .help = "How the broker does, or one queue",
    .flags = CMD_READS,
    .min = 0,
    .max = 1,
    .run = run_status,
};

/* ---- clients ---- */

enum {
	C_PID,
	C_UID,
	C_COMM,
	C_UNIT,
	C_TOKEN,
	C_PARKED,
	C_QUEUES,
	C_AGE,
	C_REQUESTS,
	C_IN,
	C_OUT
};

static const struct col client_cols[] = {
    [C_PID] = {"pid", "PID", COL_INT, false, "process"},
    [C_UID] = {"uid", "UID", COL_INT, false, "user"},
    [C_COMM] = {"comm", "COMMAND", COL_TEXT, false, "name of the process"},
    [C_UNIT] = {"unit", "UNIT", COL_TEXT, true,
	"service that the process belongs to"},
    [C_TOKEN] = {"token", "TOKEN", COL_TEXT, false, "logged in as"},
    [C_PARKED] = {"parked", "WAITS", COL_BOOL, false, "its poll waits"},
    [C_QUEUES] = {"queues", "QUEUES", COL_TEXT, false, "queues it polls"},
    [C_AGE] = {"age_s", "AGE", COL_AGE, false, "since it connected"},
    [C_REQUESTS] = {"requests", "REQUESTS", COL_INT, false, "so far"},
    [C_IN] = {"bytes_in", "IN", COL_SIZE, false, "bytes it has sent"},
    [C_OUT] = {"bytes_out", "OUT", COL_SIZE, false, "bytes it was sent"},
};

/* The service manager's unit of a process: the end of its control group. */
static void
put_unit(struct out *o, int64_t pid)
{
	char path[64], line[512], *unit;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%lld/cgroup", (long long)pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		unit = strrchr(line, '/');
		if (unit != NULL && strchr(unit, '.') != NULL)
			out_text(o, C_UNIT, str_of(unit + 1));
	}
	if (f != NULL)
		fclose(f);
}

static void
put_client(struct cli *c, const json_t *j)
{
	struct buf names = BUF_INIT;
	struct out *o = &c->out;
	const json_t *q;
	size_t i;

	for (i = 0; (q = ask_item(j, "queues", i)) != NULL; i++) {
		if (i > 0)
			buf_adds(&names, ",");
		buf_adds(&names, json_string_value(q));
	}
	out_int(o, C_PID, ask_int(j, "pid", 0));
	out_int(o, C_UID, ask_int(j, "uid", 0));
	out_text(o, C_COMM, ask_str(j, "comm"));
	put_unit(o, ask_int(j, "pid", 0));
	out_text(o, C_TOKEN, ask_str(j, "token"));
	out_int(o, C_PARKED, ask_int(j, "parked", 0));
	out_text(o, C_QUEUES, (struct str){names.p, names.n});
	out_real(o, C_AGE, ask_real(j, "age_s", 0));
	out_int(o, C_REQUESTS, ask_int(j, "requests", 0));
	out_int(o, C_IN, ask_int(j, "bytes_in", 0));
	out_int(o, C_OUT, ask_int(j, "bytes_out", 0));
	out_row(o);
	buf_fini(&names);
}

static int
run_clients(struct cli *c, int argc, char **argv)
{
	static const unsigned char spare[] = {
	    C_UID, C_REQUESTS, C_PARKED, C_IN, C_OUT, C_AGE, C_COMM};
	struct buf t = BUF_INIT;
	json_t *j = NULL, *client;
	size_t i;
	int rc;

	(void)argc, (void)argv;
	if (out_table(&c->out, "client", client_cols,
		sizeof client_cols / sizeof *client_cols, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	out_spare(&c->out, spare, sizeof spare);
	ask_path(&t, "clients");
	rc = ask(c, "GET", &t, STR(""), &j);
	buf_fini(&t);
	for (i = 0; (client = ask_item(j, "clients", i)) != NULL; i++)
		put_client(c, client);
	out_end(&c->out);
	json_decref(j);
	return cli_fail(c, rc);
}

const struct cmd cmd_clients = {
    .name = "clients",
    .help =
	"List connections: process, user, token, what they wait for, traffic",
    .min = 0,
    .max = 0,
    .run = run_clients,
};
