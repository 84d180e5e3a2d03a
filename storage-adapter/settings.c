/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The table of the adapter's settings. */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "xalloc.h"

#define S(f) offsetof(struct asettings, f)
#define KIB  1024LL
#define MIB  (1024LL * 1024)
#define GIB  (1024LL * 1024 * 1024)
#define SEC  NS_PER_SEC
#define DAY  (86400 * SEC)

/* clang-format off */
const struct conf_row asettings_rows[] = {
	{"adapter", "socket", CONF_STR, S(socket),
	 "/var/run/message-switch/sock", 0, 0, 0,
	 "Unix socket of the message switch."},
	{"adapter", "root", CONF_STR, S(root),
	 "/usr/libexec/xapi-storage-script", 0, 0, 0,
	 "Folder with volume/ and datapath/, in which plugins are."},
	{"adapter", "state", CONF_STR, S(state), "/var/lib/xmsg-storaged",
	 0, 0, 0,
	 "Folder for attached SRs, running scripts and the record of calls."},
	{"adapter", "pidfile", CONF_STR, S(pidfile), "", 0, 0, 0,
	 "File to write the process id to; empty: none."},
	{"adapter", "control", CONF_STR, S(control), "xmsg.storaged", 0, 0, 0,
	 "Queue on which the adapter answers operators; empty: none."},
	{"adapter", "log_level", CONF_STR, S(log_level), "info", 0, 0,
	 CONF_RELOAD,
	 "Least severe messages that are logged: error, warn, info, debug."},
	{"adapter", "syslog", CONF_BOOL, S(syslog), "no", 0, 0, 0,
	 "Log to syslog instead of standard error."},
	{"plugins", "check_owner", CONF_BOOL, S(check_owner), "yes", 0, 0, 0,
	 "Refuse scripts that somebody other than root, the adapter's user or"
	 " one of plugins.owners could change."},
	{"plugins", "owners", CONF_STR, S(owners), "", 0, 0, 0,
	 "Further users, by name or number, who may own plugins."},
	{"plugins", "settle", CONF_TIME, S(settle), "200ms", 0, 60 * SEC, 0,
	 "Quiet time after a change of a plugin folder before it counts."},
	{"plugins", "rescan", CONF_TIME, S(rescan), "2s", SEC / 10,
	 3600 * SEC, 0, "How often folders are read where inotify fails."},
	{"plugins", "retry", CONF_TIME, S(retry_max), "60s", SEC, DAY, 0,
	 "Longest wait before a plugin that does not answer is asked again."},
	{"limits", "concurrent", CONF_BOOL, S(concurrent), "yes", 0, 0, 0,
	 "Serve several calls of a queue at a time."},
	{"limits", "queue", CONF_INT, S(queue), "128", 1, 100000, CONF_RELOAD,
	 "Calls of one queue under way; an SR without one may begin one"
	 " beyond it."},
	{"limits", "sr", CONF_INT, S(sr), "32", 1, 100000, CONF_RELOAD,
	 "Calls of one SR under way; further ones wait."},
	{"limits", "scripts", CONF_INT, S(scripts), "512", 1, 100000,
	 CONF_RELOAD, "Scripts running in all; further ones wait."},
	{"limits", "in_hand", CONF_INT, S(in_hand), "4096", 1, 1000000, 0,
	 "Calls of one queue taken from the switch, waiting ones included."},
	{"scripts", "runner", CONF_STR, S(runner), "", 0, 0, 0,
	 "Program that supervises one script; empty: xmsg-run beside this"
	 " program, or where it was installed."},
	{"scripts", "path", CONF_STR, S(path),
	 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0, 0,
	 CONF_RELOAD, "PATH of scripts."},
	{"scripts", "env", CONF_STR, S(env), "", 0, 0, 0,
	 "Further variables of scripts, as \"NAME=VALUE NAME=VALUE\"."},
	{"scripts", "time", CONF_TIME, S(time), "600s", 0, 365 * DAY,
	 CONF_RELOAD, "Time limit of a script; 0: none."},
	{"scripts", "times", CONF_STR, S(times), "", 0, 0, CONF_RELOAD,
	 "Time limits of single methods, as \"Volume.copy=2h Data.copy=0\"."},
	{"scripts", "query_time", CONF_TIME, S(query_time), "30s", SEC / 10,
	 3600 * SEC, 0, "Time limit of Plugin.Query when a plugin is tried."},
	{"scripts", "output", CONF_SIZE, S(output), "16M", KIB, GIB, 0,
	 "Most that a script may print; beyond: it is ended."},
	{"scripts", "stderr", CONF_SIZE, S(stderr_bytes), "64K", KIB,
	 16 * MIB, 0, "How much of the end of standard error is kept."},
	{"scripts", "grace", CONF_TIME, S(grace), "250ms", 0, 10 * SEC, 0,
	 "Wait for the end of output after a script has exited."},
	{"scripts", "term", CONF_TIME, S(term), "5s", 0, 600 * SEC, 0,
	 "Time between SIGTERM and SIGKILL."},
	{"scripts", "nofile", CONF_INT, S(nofile), "4096", 16, 1048576, 0,
	 "Descriptors that a script may have."},
	{"scripts", "cgroup", CONF_STR, S(cgroup), "", 0, 0, 0,
	 "Delegated cgroup (version 2) folder in which each run gets a group;"
	 " empty: none."},
	{"record", "size", CONF_SIZE, S(record), "4M", 64 * KIB, GIB, 0,
	 "Size of the record of calls."},
};
/* clang-format on */

const size_t asettings_n = sizeof asettings_rows / sizeof *asettings_rows;

/* "2h" into ns, by the same rules as any setting. */
static int
time_of(const char *text, int64_t *ns, struct err *e)
{
	struct asettings s;
	int rc;

	conf_defaults(asettings_rows, asettings_n, &s);
	rc = conf_set(asettings_rows, asettings_n, &s, "scripts.time", text, e);
	*ns = s.time;
	conf_fini(asettings_rows, asettings_n, &s);
	return rc;
}

/* The next "NAME=TIME" of the list; 1: there was one, 0: none, -1: no such. */
static int
next_time(const char **at, char name[64], int64_t *ns, struct err *e)
{
	const char *p = *at + strspn(*at, " \t,");
	size_t n = strcspn(p, " \t,"), eq = strcspn(p, "=");
	char value[32];

	if (n == 0)
		return 0;
	*at = p + n;
	if (eq >= n || eq == 0 || eq >= 64 || n - eq > sizeof value)
		return err_set(e, EINVAL,
		    "scripts.times: \"%.*s\" is not METHOD=TIME", (int)n, p);
	memcpy(name, p, eq);
	name[eq] = '\0';
	memcpy(value, p + eq + 1, n - eq - 1);
	value[n - eq - 1] = '\0';
	if (time_of(value, ns, e) == -1)
		return err_prefix(e, "scripts.times: %s", name);
	return 1;
}

int64_t
asettings_time(const struct asettings *s, const char *method)
{
	const char *at = s->times;
	char name[64];
	int64_t ns = 0;

	while (next_time(&at, name, &ns, NULL) == 1)
		if (strcasecmp(name, method) == 0)
			return ns;
	return s->time;
}

/* The next owner of the list, as asettings_check found it good. */
static int
next_owner(const char **at, unsigned *uid, struct err *e)
{
	const char *p = *at + strspn(*at, " \t,");
	size_t n = strcspn(p, " \t,");
	struct passwd pw, *found;
	char name[64], room[4096], *end;

	if (n == 0)
		return 0;
	*at = p + n;
	if (n >= sizeof name)
		return err_set(e, EINVAL, "plugins.owners: no such user");
	memcpy(name, p, n);
	name[n] = '\0';
	*uid = (unsigned)strtoul(name, &end, 10);
	if (isdigit((unsigned char)*name) && *end == '\0')
		return 1;
	if (getpwnam_r(name, &pw, room, sizeof room, &found) != 0 ||
	    found == NULL)
		return err_set(
		    e, EINVAL, "plugins.owners: there is no user \"%s\"", name);
	*uid = pw.pw_uid;
	return 1;
}

unsigned *
asettings_owners(const struct asettings *s, size_t *n)
{
	unsigned *uids = NULL, uid = 0;
	const char *at = s->owners;

	for (*n = 0; next_owner(&at, &uid, NULL) == 1; (*n)++) {
		uids = xreallocarray(uids, *n + 1, sizeof *uids);
		uids[*n] = uid;
	}
	return uids;
}

char **
asettings_env(const struct asettings *s)
{
	size_t len = strlen(s->env), most = len / 2 + 2, n = 0;
	char **v = xmalloc(most * sizeof *v + len + 1), *p;

	/* the words stand behind the array */
	p = memcpy(v + most, s->env, len + 1);
	for (char *w = strtok_r(p, " \t", &p); w != NULL;
	     w = strtok_r(NULL, " \t", &p))
		v[n++] = w;
	v[n] = NULL;
	return v;
}

/* Each variable has a name. */
static int
check_env(const struct asettings *s, struct err *e)
{
	char **v = asettings_env(s);
	int rc = 0;

	for (size_t i = 0; v[i] != NULL && rc == 0; i++)
		if (strcspn(v[i], "=") == 0 || strchr(v[i], '=') == NULL)
			rc = err_set(e, EINVAL,
			    "scripts.env: \"%s\" is not NAME=VALUE", v[i]);
	free(v);
	return rc;
}

int
asettings_check(const struct asettings *s, struct err *e)
{
	const char *at = s->times;
	char name[64];
	int64_t ns;
	unsigned uid;
	int rc;

	while ((rc = next_time(&at, name, &ns, e)) == 1)
		if (strchr(name, '.') == NULL)
			return err_set(e, EINVAL,
			    "scripts.times: \"%s\" is not INTERFACE.METHOD",
			    name);
	if (rc == -1)
		return -1;
	at = s->owners;
	while ((rc = next_owner(&at, &uid, e)) == 1)
		;
	return rc == -1 ? -1 : check_env(s, e);
}
