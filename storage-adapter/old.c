/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Every option takes a value, booleans too, and every option is a key of the
 * file.  The file overrides the command line.  Keys that mean nothing here are
 * taken and dropped.
 */
#include "old.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

#define NAME	   "xapi-storage-script"
#define LINE_BYTES 8192

const char old_usage[] =
    "usage: " NAME " [OPTION=VALUE]...\n"
    "\n"
    "Serve storage plugins on the message switch. This is xmsg-storaged(8)"
    " under its old name.\n"
    "\n"
    "  --root=DIR            plugins [/var/lib/xapi/storage-scripts]\n"
    "  --state=FILE          state; kept in a folder beside this file\n"
    "                        [/var/run/nonpersistent/" NAME "/state.db]\n"
    "  --switch-path=SOCKET  message switch [/var/run/message-switch/sock]\n"
    "  --concurrent=BOOL     several calls of a queue at a time [true]\n"
    "  --self-test-only=BOOL run the self test, then end [false]\n"
    "  --search-path=DIRS    further folders for relative names\n"
    "  --config=FILE         settings [/etc/" NAME ".conf]\n"
    "  --config-dir=DIR      further settings [/etc/" NAME ".conf.d]\n"
    "  --help, --version\n"
    "\n"
    "Taken and not used: --use-switch --pidfile --log --loglevel\n"
    "  --disable-logging-for --inventory --timeslice\n";

/* What the original knows, with its defaults. */
enum {
	ROOT,
	STATE,
	SELF_TEST,
	CONCURRENT,
	SWITCH,
	USE_SWITCH,
	SEARCH,
	CONFIG,
	CONFIG_DIR,
	N_USED,
};
static const struct {
	const char *name, *def;
	bool boolean;
} keys[] = {
    [ROOT] = {"root", "/var/lib/xapi/storage-scripts", false},
    [STATE] = {"state", "/var/run/nonpersistent/" NAME "/state.db", false},
    [SELF_TEST] = {"self-test-only", "false", true},
    [CONCURRENT] = {"concurrent", "true", true},
    [SWITCH] = {"switch-path", "/var/run/message-switch/sock", false},
    [USE_SWITCH] = {"use-switch", "true", true},
    [SEARCH] = {"search-path", "", false},
    [CONFIG] = {"config", "/etc/" NAME ".conf", false},
    [CONFIG_DIR] = {"config-dir", "/etc/" NAME ".conf.d", false},
    {"pidfile", "", false},
    {"log", "", false},
    {"loglevel", "", false},
    {"disable-logging-for", "", false},
    {"inventory", "", false},
    {"timeslice", "", false},
};
#define N_KEYS (sizeof keys / sizeof *keys)

struct values {
	char *v[N_USED];
};

/* The number of a key of n bytes, or -1. */
static int
key_of(const char *name, size_t n)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strlen(keys[i].name) == n &&
		    memcmp(keys[i].name, name, n) == 0)
			return (int)i;
	return -1;
}

/* Keep a value; -1 when it is not one. */
static int
keep(struct values *v, int key, const char *value, struct err *e)
{
	if (key < 0 || key >= N_USED)
		return 0;
	if (keys[key].boolean && strcmp(value, "true") != 0 &&
	    strcmp(value, "false") != 0)
		return err_set(e, EINVAL,
		    "%s: \"%s\" is neither true nor"
		    " false",
		    keys[key].name, value);
	free(v->v[key]);
	v->v[key] = xstrdup(value);
	return 0;
}

/* ---- the command line ---- */

/* The options; 0 or the exit status. */
static int
read_argv(int argc, char **argv, struct values *v, struct old *o, struct err *e)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + 2, *eq = strchr(argv[i], '=');
		size_t n = eq ? (size_t)(eq - name) : strlen(argv[i]) - 2;
		int key;

		if (strncmp(argv[i], "--", 2) != 0) {
			err_set(
			    e, EINVAL, "too many arguments: \"%s\"", argv[i]);
			return OLD_VALUE;
		}
		if (strcmp(name, "help") == 0) {
			o->help = true;
			return 0;
		}
		if (strcmp(name, "version") == 0) {
			o->version = true;
			return 0;
		}
		key = key_of(name, n);
		if (key == -1) {
			err_set(e, EINVAL, "unknown option \"%s\"", argv[i]);
			return OLD_VALUE;
		}
		if (eq == NULL && ++i == argc) {
			err_set(e, EINVAL, "option --%s needs a value",
			    keys[key].name);
			return OLD_VALUE;
		}
		if (keep(v, key, eq ? eq + 1 : argv[i], e) == -1)
			return OLD_VALUE;
	}
	return 0;
}

/* ---- the files ---- */

/* Cut blanks at the end. */
static void
trim(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		s[--n] = '\0';
}

/* One line: key = value, quotes taken off. */
static int
read_line(char *line, struct values *v, struct err *e)
{
	char *eq, *value;
	size_t n;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t");
	eq = strchr(line, '=');
	if (eq == NULL)
		return 0;
	*eq = '\0';
	trim(line);
	value = eq + 1 + strspn(eq + 1, " \t");
	trim(value);
	n = strlen(value);
	if (n >= 2 && (*value == '"' || *value == '\'') &&
	    value[n - 1] == *value) {
		value[n - 1] = '\0';
		value++;
	}
	return keep(v, key_of(line, strlen(line)), value, e);
}

/* A file that need not be there. */
static int
read_file(const char *path, struct values *v, struct err *e)
{
	char line[LINE_BYTES];
	FILE *f = fopen(path, "re");
	int rc = 0, n = 0;

	if (f == NULL)
		return errno == ENOENT ? 0 : err_errno(e, "%s", path);
	while (rc == 0 && fgets(line, sizeof line, f) != NULL) {
		n++;
		rc = read_line(line, v, e);
	}
	if (rc == -1)
		err_prefix(e, "%s:%d", path, n);
	else if (ferror(f))
		rc = err_errno(e, "%s", path);
	fclose(f);
	return rc;
}

static int
visible(const struct dirent *de)
{
	return de->d_name[0] != '.';
}

/* The fragments of a folder, sorted. */
static int
read_folder(const char *dir, struct values *v, struct err *e)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, visible, alphasort), rc = 0;

	if (n == -1)
		return errno == ENOENT ? 0 : err_errno(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		if (rc == 0)
			rc = read_file(path, v, e);
		free(path);
		free(list[i]);
	}
	free(list);
	return rc;
}

/* ---- into our settings ---- */

/* A relative name: found in $PATH, then in search-path, else as it is. */
static char *
resolve(const char *name, const char *search)
{
	const char *lists[] = {getenv("PATH"), search};

	for (size_t i = 0; *name != '/' && i < 2; i++)
		for (const char *p = lists[i]; p != NULL && *p != '\0';) {
			size_t n = strcspn(p, ":");
			char *path = xasprintf("%.*s/%s", (int)n, p, name);

			if (n > 0 && access(path, F_OK) == 0)
				return path;
			free(path);
			p += n + (p[n] == ':');
		}
	return xstrdup(name);
}

/* Make the folders above and at `path`. */
static int
make_folders(char *path, struct err *e)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, c ? 0755 : 0700) == -1 && errno != EEXIST) {
			err_errno(e, "cannot make %s", path);
			*p = c;
			return -1;
		}
		*p = c;
		if (c == '\0')
			return 0;
	}
}

static int
apply(const struct values *v, struct asettings *s, struct old *o, struct err *e)
{
	char *root = resolve(v->v[ROOT], v->v[SEARCH]),
	     *state = resolve(v->v[STATE], v->v[SEARCH]),
	     *slash = strrchr(state, '/'), *folder;
	int rc;

	folder = xasprintf("%.*s/xmsg-storaged",
	    slash ? (int)(slash - state) : 1, slash ? state : ".");
	rc = make_folders(folder, e);
	if (rc == 0)
		rc = conf_set(
		    asettings_rows, asettings_n, s, "adapter.root", root, e);
	if (rc == 0)
		rc = conf_set(
		    asettings_rows, asettings_n, s, "adapter.state", folder, e);
	if (rc == 0)
		rc = conf_set(asettings_rows, asettings_n, s, "adapter.socket",
		    v->v[SWITCH], e);
	s->concurrent = strcmp(v->v[CONCURRENT], "true") == 0;
	o->self_test = strcmp(v->v[SELF_TEST], "true") == 0;
	if (strcmp(v->v[USE_SWITCH], "false") == 0)
		log_warn("settings",
		    "use-switch=false is not supported: the"
		    " tracing service is on the switch");
	if (rc == 0 && access(root, X_OK) == -1)
		rc = err_errno(e,
		    "%s: set --root to the folder of the"
		    " plugins",
		    root);
	free(folder);
	free(root);
	o->state = state;
	return rc;
}

int
old_read(
    int argc, char **argv, struct asettings *s, struct old *o, struct err *e)
{
	struct values v;
	int status;

	memset(o, 0, sizeof *o);
	for (int i = 0; i < N_USED; i++)
		v.v[i] = xstrdup(keys[i].def);
	status = read_argv(argc, argv, &v, o, e);
	if (status == 0 && !o->help && !o->version &&
	    (read_file(v.v[CONFIG], &v, e) == -1 ||
		read_folder(v.v[CONFIG_DIR], &v, e) == -1 ||
		apply(&v, s, o, e) == -1))
		status = 2;
	for (int i = 0; i < N_USED; i++)
		free(v.v[i]);
	return status;
}

void
old_fini(struct old *o)
{
	free(o->state);
}
