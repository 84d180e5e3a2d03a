/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * doctor: look at everything that has to be right, one line each, and say how to
 * put right what is not.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "adapter.h"
#include "ask.h"
#include "clock.h"
#include "cmd.h"
#include "dbfile.h"
#include "look.h"
#include "state.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define PLUGINS	  "/usr/libexec/xapi-storage-script"
#define LITTLE	  (64LL * 1024 * 1024) /* bytes left on the disk: take care */
#define DB_MS	  2000
#define ASIDE	  (2 * NS_PER_SEC) /* for the adapter */
#define WATCHES	  8192
#define INSTANCES 128
#define SKEW_S	  5.0 /* events so far in the future: the clock was put back */

static const struct opt opts[] = {
    {"root", 0, OPT_TEXT, "DIR", "the folder of the plugins", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum verdict { GOOD, WARN, BAD };
enum { C_RESULT, C_CHECK, C_TEXT, C_FIX };

static const struct col cols[] = {
    [C_RESULT] = {"result", "RESULT", COL_TEXT, false, "ok, warning or bad"},
    [C_CHECK] = {"check", "CHECK", COL_TEXT, false, "what was looked at"},
    [C_TEXT] = {"text", "TEXT", COL_TEXT, false, "what was found"},
    [C_FIX] = {"fix", "FIX", COL_TEXT, false, "what to do"},
};

struct doctor {
	struct cli *c;
	json_t *status; /* of the broker, or NULL */
	char *dir; /* its state folder, when nobody named one */
	int warnings, bad;
};

/* Marks when the terminal can show them. */
static const char *
mark(enum verdict v)
{
	static const char *const plain[] = {"ok  ", "warn", "BAD "};
	static const char *const marks[] = {
	    "\xe2\x9c\x93", "!", "\xe2\x9c\x97"};
	const char *l = getenv("LC_ALL");

	if (l == NULL || *l == '\0')
		l = getenv("LC_CTYPE");
	if (l == NULL || *l == '\0')
		l = getenv("LANG");
	if (l != NULL && (strstr(l, "UTF-8") || strstr(l, "utf8")))
		return marks[v];
	return plain[v];
}

static void put(struct doctor *d, enum verdict v, const char *check,
    const char *fix, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* One line, and its remedy when it needs one. */
static void
put(struct doctor *d, enum verdict v, const char *check, const char *fix,
    const char *fmt, ...)
{
	static const char *const words[] = {"ok", "warning", "bad"};
	static const char *const colors[] = {
	    "\033[32m", "\033[33m", "\033[31m"};
	struct out *o = &d->c->out;
	struct buf text = BUF_INIT, *b = out_buf(o);
	size_t from = b->n;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	d->warnings += v == WARN;
	d->bad += v == BAD;
	if (d->c->json) {
		out_text(o, C_RESULT, str_of(words[v]));
		out_text(o, C_CHECK, str_of(check));
		out_text(o, C_TEXT, (struct str){text.p, text.n});
		if (v != GOOD)
			out_text(o, C_FIX, str_of(fix));
		out_row(o);
	} else {
		buf_addf(b, "%s%s%s %s: ", o->color ? colors[v] : "", mark(v),
		    o->color ? "\033[0m" : "", check);
		text_put(b, (struct str){text.p, text.n});
		out_fold(o, from, 4);
		out_line(o, true);
		if (v != GOOD && fix != NULL) {
			buf_addf(b, "    -> %s", fix);
			out_line(o, true);
		}
	}
	buf_fini(&text);
}

/* ---- the broker ---- */

static void
look_socket(struct doctor *d)
{
	const char *path = d->c->socket;
	struct stat st;

	if (stat(path, &st) == -1)
		put(d, BAD, "socket",
		    errno == EACCES
			? "use it as root, or as a member of its group"
			: "start the broker: systemctl start xmsgd",
		    "%s: %s", path, strerror(errno));
	else if (!S_ISSOCK(st.st_mode))
		put(d, BAD, "socket", "remove it, then restart xmsgd",
		    "%s is no socket", path);
	else if (access(path, R_OK | W_OK) == -1)
		put(d, BAD, "socket",
		    "use it as root, or as a member of its group", "%s: %s",
		    path, strerror(errno));
	else if (st.st_mode & S_IWOTH)
		put(d, WARN, "socket", "set socket.mode to 0660 in xmsg.conf",
		    "%s may be used by everybody (mode %03o)", path,
		    (unsigned)st.st_mode & 0777);
	else
		put(d, GOOD, "socket", NULL, "%s, mode %03o", path,
		    (unsigned)st.st_mode & 0777);
}

static void
look_answer(struct doctor *d)
{
	int64_t began = clock_mono_ns();
	struct buf t = BUF_INIT;
	char took[UNITS_MAX], up[UNITS_MAX];
	struct str version;

	ask_path(&t, "status");
	if (ask(d->c, "GET", &t, STR(""), &d->status) != 0) {
		put(d, BAD, "broker",
		    "systemctl status xmsgd tells why; then systemctl restart "
		    "xmsgd",
		    "%s", d->c->why.text);
		d->c->why.text[0] = '\0';
		d->c->dead = true;
	} else {
		units_took(took, (double)(clock_mono_ns() - began) / 1e9);
		units_age(up, ask_real(d->status, "uptime_s", 0));
		version = ask_str(d->status, "version");
		put(d, GOOD, "broker", NULL,
		    "xmsgd %.*s, pid %lld, up %s, answers in %s",
		    (int)version.n, version.p,
		    (long long)ask_int(d->status, "pid", 0), up, took);
	}
	buf_fini(&t);
}

static void
look_health(struct doctor *d)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	struct str text;
	int64_t code;

	ask_path(&t, "health");
	if (ask(d->c, "GET", &t, STR(""), &j) == 0) {
		code = ask_int(j, "code", 2);
		text = ask_str(j, "text");
		put(d,
		    code == 0	    ? GOOD
			: code == 1 ? WARN
				    : BAD,
		    "health",
		    "'xmsg ls' shows where messages wait, 'xmsg why' why",
		    "%.*s", (int)text.n, text.p ? text.p : "");
	}
	json_decref(j);
	buf_fini(&t);
}

/* Limits that are nearly used up. */
static void
look_limits(struct doctor *d)
{
	const json_t *l;
	bool good = true;

	for (size_t i = 0; (l = ask_item(d->status, "limits", i)); i++) {
		int64_t value = ask_int(l, "value", 0);
		int64_t used = ask_int(l, "used", -1);
		struct str name = ask_str(l, "name");

		if (value <= 0 || used * 10 < value * 8 ||
		    str_eq(name, STR("cache")))
			continue;
		good = false;
		put(d, WARN, "limits",
		    "find out who fills it, or raise it in "
		    "xmsg.conf",
		    "%.*s: %lld of %lld", (int)name.n, name.p, (long long)used,
		    (long long)value);
	}
	if (good)
		put(d, GOOD, "limits", NULL, "none is used by 80%% or more");
}

/* What the unit's hardening left of the process. */
static void
look_hardening(struct doctor *d)
{
	char path[64], line[256];
	unsigned long long caps = 0;
	int nnp = 0, seccomp = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%lld/status",
	    (long long)ask_int(d->status, "pid", 0));
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		(void)sscanf(line, "CapEff: %llx", &caps);
		(void)sscanf(line, "NoNewPrivs: %d", &nnp);
		(void)sscanf(line, "Seccomp: %d", &seccomp);
	}
	fclose(f);
	if (caps == 0 && nnp && seccomp)
		put(d, GOOD, "hardening", NULL,
		    "no capabilities, no new privileges, system calls "
		    "filtered");
	else
		put(d, WARN, "hardening",
		    "run it by its unit: systemctl start xmsgd",
		    "the broker runs with%s%s%s", caps ? " capabilities" : "",
		    nnp ? "" : ", able to gain privileges",
		    seccomp ? "" : ", all system calls allowed");
}

/* ---- the state folder ---- */

/* The folder of the broker that answers, unless another one was named. */
static void
find_folder(struct doctor *d)
{
	const char *path = json_string_value(
	    json_object_get(json_object_get(d->status, "store"), "path"));
	const char *end = path != NULL ? strrchr(path, '/') : NULL;

	if (d->c->state_named || end == NULL || *path != '/')
		return;
	d->dir = xstrndup(path, (size_t)(end - path));
	d->c->state_dir = d->dir;
}

static void
look_folder(struct doctor *d)
{
	const char *dir = d->c->state_dir;
	struct stat st;

	if (stat(dir, &st) == -1)
		put(d, d->status ? WARN : BAD, "state folder",
		    "say where it is: XMSG_STATE, --offline=DIR; look as root",
		    "%s: %s", dir, strerror(errno));
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		put(d, BAD, "state folder", "chmod 700 it",
		    "%s may be read by others (mode %03o): payloads have "
		    "secrets",
		    dir, (unsigned)st.st_mode & 0777);
	else
		put(d, GOOD, "state folder", NULL, "%s, mode %03o", dir,
		    (unsigned)st.st_mode & 0777);
}

static void
look_disk(struct doctor *d)
{
	struct statvfs v;
	char left[UNITS_MAX];
	int64_t n;

	if (statvfs(d->c->state_dir, &v) == -1)
		return;
	n = (int64_t)(v.f_bavail * v.f_frsize);
	units_size(left, n);
	put(d,
	    n < LITTLE / 64  ? BAD
		: n < LITTLE ? WARN
			     : GOOD,
	    "disk",
	    "make room there, or purge messages; deleting works on a full disk",
	    "%s bytes left for %s", left, d->c->state_dir);
}

static void
look_database(struct doctor *d)
{
	char *path = xasprintf("%s/switch.db", d->c->state_dir);
	char size[UNITS_MAX];
	struct buf b = BUF_INIT;
	struct err e = {0, ""};

	units_size(size, dbfile_size(path));
	if (access(path, F_OK) == -1) {
		put(d, WARN, "database", "the broker makes it when it starts",
		    "%s: %s", path, strerror(errno));
	} else {
		switch (dbfile_check(path, false, DB_MS, &b, &e)) {
		case DBFILE_OK:
			put(d, GOOD, "database", NULL, "%s, %s bytes, sound",
			    path, size);
			break;
		case DBFILE_TIME:
			put(d, GOOD, "database", NULL,
			    "%s, %s bytes, no damage in what was seen", path,
			    size);
			break;
		case DBFILE_BAD:
			put(d, BAD, "database",
			    "stop xmsgd, keep a copy, 'xmsg db export' saves "
			    "what can be read",
			    "%s is damaged", path);
			break;
		case DBFILE_FAILED:
			put(d, BAD, "database",
			    "look as root, or restore a "
			    "backup",
			    "%s", e.text);
			break;
		}
	}
	buf_fini(&b);
	free(path);
}

static void
look_clock(struct doctor *d)
{
	struct events l = {0};
	double now = (double)clock_wall_ns() / 1e9;

	if (look_events(d->c, LOOK_LAST, 1, 0, &l) == 0 && l.n > 0 &&
	    l.v[0].time > now + SKEW_S)
		put(d, WARN, "clock", "timedatectl tells whether it is kept",
		    "the last event is %.0f s in the future: the clock was "
		    "put back, ages are wrong",
		    l.v[0].time - now);
	else
		put(d, GOOD, "clock", NULL, "agrees with the recorder");
	d->c->why.text[0] = '\0';
	events_fini(&l);
}

/* ---- the storage adapter ---- */

static int64_t
number_in(const char *path)
{
	FILE *f = fopen(path, "re");
	long n = -1;

	if (f == NULL)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

static void
look_inotify(struct doctor *d)
{
	int64_t watches = number_in("/proc/sys/fs/inotify/max_user_watches");
	int64_t instances =
	    number_in("/proc/sys/fs/inotify/max_user_instances");

	if (watches < 0 || instances < 0)
		return;
	put(d, watches < WATCHES || instances < INSTANCES ? WARN : GOOD,
	    "inotify",
	    "sysctl fs.inotify.max_user_watches=8192 "
	    "fs.inotify.max_user_instances=128",
	    "%lld watches and %lld instances a user", (long long)watches,
	    (long long)instances);
}

static void
look_plugin_folder(struct doctor *d, const char *root, const char *kind)
{
	char *path = xasprintf("%s/%s", root, kind), *check;
	struct stat st;

	check = xasprintf("%s plugins", kind);
	if (stat(path, &st) == -1)
		put(d, WARN, check, "make it, owned by root, mode 755",
		    "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		put(d, BAD, check, "make it a folder", "%s is no folder", path);
	else if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		put(d, BAD, check, "chown root:root it, chmod 755 it",
		    "%s may be changed by others than root: its scripts are "
		    "not run",
		    path);
	else
		put(d, GOOD, check, NULL, "%s", path);
	free(check);
	free(path);
}

/* Is it there, and what does it not serve? */
static void
look_adapter(struct doctor *d)
{
	int64_t limit = d->c->limit_ns;
	json_t *list = NULL;
	const json_t *p;
	size_t i, served = 0;
	int rc;

	d->c->limit_ns = ASIDE;
	rc = adapter_ask(d->c, "adapter.plugins", NULL, &list);
	d->c->limit_ns = limit;
	if (rc != 0)
		put(d, WARN, "storage adapter",
		    "systemctl start xmsg-storaged, if this machine has "
		    "storage plugins",
		    "%s", d->c->why.text);
	d->c->why.text[0] = '\0';
	json_array_foreach(list, i, p)
	{
		struct str name = ask_str(p, "name"), why = ask_str(p, "why");

		if (ask_int(p, "served", 0)) {
			served++;
			continue;
		}
		put(d, BAD, "plugin", "'xmsg plugin why' tells more",
		    "%.*s is not served: %.*s", (int)name.n, name.p, (int)why.n,
		    why.p ? why.p : "");
	}
	if (rc == 0)
		put(d, GOOD, "storage adapter", NULL,
		    "serves %zu of %zu plugins", served, json_array_size(list));
	json_decref(list);
}

static int
run(struct cli *c, int argc, char **argv)
{
	const char *root = opts_text(&c->opts, "root", PLUGINS);
	struct doctor d = {.c = c};

	(void)argc, (void)argv;
	if (out_table(&c->out, "check", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	if (!c->offline) {
		look_socket(&d);
		look_answer(&d);
	}
	if (d.status != NULL) {
		look_health(&d);
		look_limits(&d);
		look_hardening(&d);
	}
	c->offline |= d.status == NULL;
	find_folder(&d);
	look_folder(&d);
	look_disk(&d);
	look_database(&d);
	look_clock(&d);
	look_inotify(&d);
	look_plugin_folder(&d, root, "volume");
	look_plugin_folder(&d, root, "datapath");
	if (d.status != NULL)
		look_adapter(&d);
	json_decref(d.status);
	free(d.dir);
	out_end(&c->out);
	if (!c->json && !c->quiet) {
		buf_addf(out_buf(&c->out), "%d bad, %d to look at", d.bad,
		    d.warnings);
		out_line(&c->out, false);
	}
	return d.bad > 0 ? CLI_NONE : CLI_DONE;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .help = "Check broker, folders, disk, database, adapter; say what to do",
    .flags = CMD_READS,
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
