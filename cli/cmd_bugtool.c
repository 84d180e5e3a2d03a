/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * bugtool: one report for a support archive.  What collects it reads lines and
 * waits for them, throws errors away, and has a limit of its own: so all goes to
 * standard output in whole lines, each part has a bound, the whole ends in time
 * whether a broker answers or not, and the status is always 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "act.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "dbfile.h"
#include "look.h"
#include "msgs.h"
#include "redact.h"
#include "text.h"
#include "units.h"
#include "version.h"
#include "xalloc.h"

#define LIMIT	     (6 * NS_PER_SEC) /* for the broker: it has half of it */
#define ASIDE	     (2 * NS_PER_SEC) /* for the adapter: one second a question */
#define LAST_S	     9 /* then it ends, whatever it does */
#define DB_MS	     1500 /* for a look through the database */
#define BROKER_CONF  "/etc/xmsg.conf"
#define ADAPTER_CONF "/etc/xmsg-storaged.conf"
#define KiB	     1024
#define OLDEST	     20
#define EXPLAINED    5

static const char late[] =
    "== the report ends here: its time limit of 9 seconds has passed ==\n";

/* Whole lines have been written so far. */
static void
on_alarm(int sig)
{
	ssize_t n = write(STDOUT_FILENO, late, sizeof late - 1);

	(void)sig, (void)n;
	_exit(0);
}

/* ---- parts ---- */

/* The end of a part: say when it was cut. */
static void
end_part(struct cli *c)
{
	struct out *o = &c->out;

	(void)out_flush(o); /* nobody to tell */
	o->bounded = false;
	if (o->cut && !c->json) {
		buf_adds(out_buf(o), "-- the rest of this part is left out --");
		out_line(o, true);
	}
	o->cut = o->failed = false;
}

static const char *under; /* the part under way */

static void
title(struct cli *c, const char *text, size_t kib)
{
	under = text;
	if (!c->json) {
		buf_addf(out_buf(&c->out), "\n== %s ==", text);
		out_line(&c->out, true);
	}
	c->out.bounded = true;
	c->out.quota = kib * KiB;
}

/* An option as if it had been given. */
struct given {
	const char *name, *value;
};

/* Another command, as a part.  It has its own options. */
static void
part(struct cli *c, const char *text, size_t kib, const struct cmd *cmd,
    const struct given *given)
{
	static struct opt rows[8];
	const struct cmd *self = c->cmd;
	struct opts opts = c->opts;
	const char *columns = c->out.columns;

	title(c, text, kib);
	for (size_t i = 0; given && given[i].name && i < 8; i++) {
		if (strcmp(given[i].name, "columns") == 0) {
			c->out.columns = given[i].value;
			continue;
		}
		rows[i].name = given[i].name;
		opts_add(&c->opts, &rows[i], given[i].value);
	}
	c->cmd = cmd;
	(void)cmd->run(c, 0, NULL); /* it has said what went wrong */
	c->cmd = self;
	c->opts = opts;
	c->out.columns = columns;
	end_part(c);
}

static void line(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
line(struct cli *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT, *to = out_buf(&c->out);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (!c->json) {
		text_put(to, (struct str){b.p, b.n});
		out_line(&c->out, false);
	} else if (b.n > 0) {
		buf_addf(to,
		    "{\"schema\":%d,\"object\":\"line\",\"part\":", OUT_SCHEMA);
		text_json(to, str_of(under));
		buf_adds(to, ",\"text\":");
		text_json(to, (struct str){b.p, b.n});
		buf_addc(to, '}');
		out_line(&c->out, false);
	}
	buf_fini(&b);
}

static void
head(struct cli *c)
{
	time_t now = (time_t)(clock_wall_ns() / NS_PER_SEC);
	struct utsname u;
	struct tm tm;
	char when[32] = "";

	if (gmtime_r(&now, &tm) != NULL)
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	under = "report";
	line(c, "xmsg %s, report of %s", XMSG_VERSION, when);
	if (uname(&u) == 0)
		line(c, "machine %s, %s %s %s", u.nodename, u.sysname,
		    u.release, u.machine);
	line(c, "socket %s, state folder %s", c->socket, c->state_dir);
	(void)out_flush(&c->out);
}

/* A settings file without its secrets. */
static void
settings(struct cli *c, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[1024], masked[1024];

	title(c, path, 64);
	if (f == NULL)
		line(c, "%s is not there: defaults", path);
	while (f != NULL && fgets(text, sizeof text, f) != NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		line(c, "%.*s",
		    (int)redact(masked, sizeof masked, str_of(text)), masked);
	}
	if (f != NULL)
		fclose(f);
	end_part(c);
}

/* Files of the state folder, and the room there is. */
static void
folder(struct cli *c)
{
	static const char *const names[] = {"switch.db", "switch.db-wal",
	    "switch.db-shm", "switch.db.reserve", "recorder.ring", "acts.ring",
	    NULL};
	struct statvfs v;
	char size[UNITS_MAX], of[UNITS_MAX];

	title(c, "state folder", 16);
	for (size_t i = 0; names[i] != NULL; i++) {
		char *path = xasprintf("%s/%s", c->state_dir, names[i]);
		int64_t n = dbfile_size(path);

		units_size(size, n);
		if (n >= 0)
			line(c, "%s: %s bytes", path, size);
		free(path);
	}
	if (statvfs(c->state_dir, &v) == 0) {
		units_size(size, (int64_t)(v.f_bavail * v.f_frsize));
		units_size(of, (int64_t)(v.f_blocks * v.f_frsize));
		line(c, "free: %s of %s bytes", size, of);
	} else {
		line(c, "%s cannot be looked at", c->state_dir);
	}
	end_part(c);
}

static void
database(struct cli *c)
{
	static const char *const words[] = {
	    [DBFILE_OK] = "sound",
	    [DBFILE_BAD] = "damaged",
	    [DBFILE_TIME] = "too large to look through here: no damage so far",
	    [DBFILE_FAILED] = "cannot be read",
	};
	char *path = xasprintf("%s/switch.db", c->state_dir);
	struct buf b = BUF_INIT;
	struct err e = {0, ""};
	enum dbfile_rc rc = dbfile_check(path, false, DB_MS, &b, &e);

	title(c, "database", 16);
	line(c, "%s: %s%s%s", path, words[rc], e.text[0] ? ": " : "", e.text);
	if (b.n > 0)
		line(c, "%.*s", (int)b.n, b.p);
	end_part(c);
	buf_fini(&b);
	free(path);
}

/* ---- the oldest messages ---- */

struct oldest {
	struct cli *c;
	char **names;
	size_t nnames;
	struct chosen_list l;
};

static int
keep_name(void *arg, const struct look_queue *q)
{
	struct oldest *o = arg;

	if (q->messages <= 0)
		return 0;
	o->names = xreallocarray(o->names, o->nnames + 1, sizeof *o->names);
	o->names[o->nnames++] = xstrndup(q->name.p, q->name.n);
	return o->nnames == 1000;
}

static int
by_id(const void *a, const void *b)
{
	const struct chosen *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The front of each queue; ids grow over all queues. */
static void
find_oldest(struct oldest *o)
{
	int rc = look_queues(o->c, "", keep_name, o);

	for (size_t i = 0; i < o->nnames && rc == 0; i++)
		rc = look_messages(
		    o->c, o->names[i], -1, OLDEST, false, chosen_add, &o->l);
	if (o->l.n > 1)
		qsort(o->l.v, o->l.n, sizeof *o->l.v, by_id);
}

/* One of them, with what commands say of it. */
static void
show(struct cli *c, const struct cmd *cmd, const struct chosen *m)
{
	const struct cmd *self = c->cmd;
	char *ref = xasprintf("%s:%lld", m->queue, (long long)m->id);
	char *argv[] = {ref, NULL};

	c->cmd = cmd;
	(void)cmd->run(c, 1, argv); /* it may have gone meanwhile */
	c->cmd = self;
	free(ref);
}

static void
oldest(struct cli *c)
{
	struct oldest o = {.c = c};
	int64_t limit = c->limit_ns;

	title(c, "the oldest messages", 256);
	find_oldest(&o);
	for (size_t i = 0; i < o.l.n && i < OLDEST; i++) {
		show(c, &cmd_show, &o.l.v[i]);
		line(c, "%s", "");
	}
	end_part(c);
	title(c, "why they are still there", 32);
	c->limit_ns = ASIDE;
	for (size_t i = 0; i < o.l.n && i < EXPLAINED; i++)
		show(c, &cmd_why, &o.l.v[i]);
	c->limit_ns = limit;
	end_part(c);
	chosen_fini(&o.l);
	for (size_t i = 0; i < o.nnames; i++)
		free(o.names[i]);
	free(o.names);
}

/* ---- all of it ---- */

static void
from_adapter(struct cli *c)
{
	static const struct given failed[] = {
	    {"failed", NULL}, {"lines", "100"}, {NULL, NULL}};
	int64_t limit = c->limit_ns;

	c->limit_ns = ASIDE;
	if (!c->offline) {
		part(c, "running scripts", 128, &cmd_scripts, NULL);
		part(c, "plugins", 128, &cmd_plugins, NULL);
	}
	part(c, "the last 100 failed calls", 256, &cmd_calls, failed);
	c->limit_ns = limit;
}

static void
from_recorder(struct cli *c)
{
	static const struct given acts[] = {{"lines", "100"}, {NULL, NULL}};
	static const struct given events[] = {{"lines", "200"}, {NULL, NULL}};
	static const struct given chart[] = {{"lines", "200"}, {NULL, NULL}};

	part(c, "calls by queue and method", 128, &cmd_stats, NULL);
	part(c, "acts of operators", 64, &cmd_log, acts);
	part(c, "the last events", 256, &cmd_tail, events);
	if (c->json)
		return;
	part(c, "sequence chart", 512, &cmd_trace, chart);
	part(c, "sequence chart for mscgen", 512, &cmd_mscgen, chart);
}

static int
run(struct cli *c, int argc, char **argv)
{
	static const struct given verbose[] = {{NULL, NULL}};
	struct sigaction sa = {.sa_handler = on_alarm};
	bool nothing = false;

	(void)argc, (void)argv;
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	alarm(LAST_S);
	cli_stand_back();
	c->say_out = true;
	c->verbose = true;
	c->limit_ns = LIMIT;
	c->out.columns = c->out.sort = NULL;
	c->out.color = false;
	head(c);
	if (!c->offline && ask_alive(c) != 0)
		nothing = look_turn(c) != 0;
	if (!nothing) {
		look_keep_events(c);
		part(c, "broker", 64, &cmd_status, verbose);
		part(c, "queues", 128, &cmd_list, NULL);
		oldest(c);
		if (!c->offline)
			part(c, "clients", 128, &cmd_clients, NULL);
	}
	if (!nothing)
		from_recorder(c);
	from_adapter(c);
	folder(c);
	database(c);
	settings(c, BROKER_CONF);
	settings(c, ADAPTER_CONF);
	under = "report";
	line(c, "== end of the report ==");
	(void)out_flush(&c->out); /* nobody to tell */
	c->out.failed = c->dead = false;
	c->why.text[0] = '\0';
	return CLI_DONE;
}

const struct cmd cmd_bugtool = {
    .name = "bugtool",
    .help = "One report for support: all of it, in time, always status 0",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .run = run,
};
