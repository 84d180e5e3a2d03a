/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Plugins under test; see the header. */
#include "test_plugin_kit.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINES 512

static char lines[LINES][300];
static unsigned nlines;
static bool keeping = true;

/* ---- the log ---- */

/* Keep a line; what does not fit is dropped. */
static void
keep(const char *level, const char *fmt, va_list ap)
{
	char text[240];

	if (!keeping || nlines == LINES)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	snprintf(lines[nlines++], sizeof lines[0], "%s %s", level, text);
}

#define WRAP(fn, level)                                                        \
	void __wrap_##fn(const char *sub, const char *fmt, ...)                \
	    __attribute__((format(printf, 2, 3)));                             \
	void __wrap_##fn(const char *sub, const char *fmt, ...)                \
	{                                                                      \
		va_list ap;                                                    \
		(void)sub;                                                     \
		va_start(ap, fmt);                                             \
		keep(level, fmt, ap);                                          \
		va_end(ap);                                                    \
	}
WRAP(log_info, "info")
WRAP(log_warn, "warn")
WRAP(log_error, "error")

/* Take one line that has this part. */
bool
kit_logged(const char *part)
{
	for (unsigned i = 0; i < nlines; i++)
		if (strstr(lines[i], part)) {
			memmove(lines[i], lines[i + 1],
			    (nlines - i - 1) * sizeof lines[0]);
			nlines--;
			return true;
		}
	return false;
}

/* Forget all. */
void
kit_log_clear(void)
{
	nlines = 0;
}

/* Keep lines from now on, or drop them. */
void
kit_log_keep(bool yes)
{
	keeping = yes;
}

/* ---- inotify ---- */

int kit_no_inotify;
int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);

int
__wrap_inotify_init1(int flags)
{
	if (kit_no_inotify == 0)
		return __real_inotify_init1(flags);
	errno = kit_no_inotify;
	return -1;
}

/* ---- time ---- */

int64_t kit_ageing_ns;
int64_t __real_clock_wall_ns(void);
int64_t __wrap_clock_wall_ns(void);

int64_t
__wrap_clock_wall_ns(void)
{
	return __real_clock_wall_ns() + kit_ageing_ns;
}

/* ---- hooks ---- */

/* What the file says. */
static void
answer(struct kit *k, struct plugin *p, unsigned ticket)
{
	const char *path;
	struct err e = {0};
	json_error_t je;
	json_t *j = NULL;

	if (scripts_find(p->scripts, "Plugin.query", &path, &e) == SCRIPT_OK) {
		j = json_load_file(path, JSON_DECODE_ANY, &je);
		snprintf(e.text, sizeof e.text, "it printed no JSON");
	}
	plugins_probed(k->ps, p, ticket, j, j ? NULL : e.text);
	json_decref(j);
}

static void
on_probe(void *arg, struct plugin *p, unsigned ticket)
{
	struct kit *k = arg;

	k->probes++;
	assert_int_equal(p->state, PLUGIN_PROBING);
	if (!k->hold) {
		answer(k, p, ticket);
		return;
	}
	assert_true(k->nasked < KIT_MOST);
	k->asked[k->nasked].p = p;
	k->asked[k->nasked].kind = p->kind;
	k->asked[k->nasked++].ticket = ticket;
}

static int
on_serve(void *arg, struct plugin *p, struct err *e)
{
	struct kit *k = arg;

	k->serves++;
	assert_non_null(p->query);
	assert_non_null(p->version);
	assert_non_null(p->features);
	if (k->refuse)
		return err_set(e, 1, "%s", k->refuse);
	if (p->user == NULL)
		k->served++;
	p->user = k;
	return 0;
}

static void
on_give_up(void *arg, struct plugin *p)
{
	struct kit *k = arg;

	assert_true(p->user == k);
	assert_true(p->why[0]);
	k->gives++;
	k->served--;
}

struct search {
	const struct plugin *p;
	bool found;
};

static void
search_one(struct plugin *p, void *arg)
{
	struct search *s = arg;

	s->found |= p == s->p;
}

/* Is this one still alive? */
static bool
is_there(struct kit *k, const struct plugin *p)
{
	struct search s = {p, false};

	plugins_each(k->ps, search_one, &s);
	return s.found;
}

/* Answer one; it may be gone. */
static void
answer_held(struct kit *k, struct plugin *p, unsigned ticket)
{
	if (is_there(k, p))
		answer(k, p, ticket);
	else /* as a job does that comes late */
		plugins_probed(k->ps, p, ticket, NULL, "too late");
}

/* Answer all that wait. */
void
kit_answer(struct kit *k)
{
	size_t n = k->nasked;

	k->nasked = 0;
	for (size_t i = 0; i < n; i++)
		answer_held(k, k->asked[i].p, k->asked[i].ticket);
}

/* Answer those of a kind. */
void
kit_answer_kind(struct kit *k, enum plugin_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < k->nasked; i++)
		if (k->asked[i].kind == kind)
			answer_held(k, k->asked[i].p, k->asked[i].ticket);
		else
			k->asked[n++] = k->asked[i];
	k->nasked = n;
}

/* ---- life ---- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* A root. */
int
kit_setup(void **state)
{
	static const struct timeval tick = {0, 5000};
	struct kit *k = calloc(1, sizeof *k);

	tempdir_make(k->dir);
	chmod(k->dir, 0755);
	snprintf(k->root, sizeof k->root, "%s/top/root", k->dir);
	k->conf = (struct plugins_conf){.root = k->root,
	    .settle_ns = 20 * NS_PER_MS,
	    .rescan_ns = 100 * NS_PER_MS,
	    .retry_max_ns = 60 * NS_PER_SEC};
	umask(022);
	kit_file(k, "volume/x", "", 0644);
	kit_file(k, "datapath/x", "", 0644);
	kit_remove(k, "volume/x");
	kit_remove(k, "datapath/x");
	k->base = event_base_new();
	k->tick = event_new(k->base, -1, EV_PERSIST, on_tick, NULL);
	event_add(k->tick, &tick);
	kit_no_inotify = 0;
	kit_ageing_ns = NS_PER_SEC;
	kit_log_clear();
	kit_log_keep(true);
	*state = k;
	return 0;
}

/* The same, without inotify. */
int
kit_setup_scanning(void **state)
{
	kit_setup(state);
	kit_no_inotify = EMFILE;
	return 0;
}

/* Remove it. */
int
kit_teardown(void **state)
{
	struct kit *k = *state;

	kit_stop(k);
	event_free(k->tick);
	event_base_free(k->base);
	tempdir_remove(k->dir);
	free(k);
	return 0;
}

/* Begin. */
void
kit_start(struct kit *k)
{
	struct plugins_hooks h = {.arg = k,
	    .probe = on_probe,
	    .serve = on_serve,
	    .give_up = on_give_up};
	struct err e = {0};

	k->ps = plugins_new(k->base, &k->conf, &h, &e);
	assert_non_null(k->ps);
}

/* End. */
void
kit_stop(struct kit *k)
{
	if (k->ps == NULL)
		return;
	plugins_free(k->ps);
	k->ps = NULL;
	k->nasked = 0;
	assert_int_equal(k->served, 0);
}

/* One turn. */
void
kit_turn(struct kit *k)
{
	event_base_loop(k->base, EVLOOP_ONCE);
	if (k->ps)
		plugins_check(k->ps);
}

/* CLOCK_MONOTONIC. */
int64_t
kit_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* ---- files ---- */

/* A path below the root. */
const char *
kit_path(struct kit *k, const char *fmt, ...)
{
	static char paths[8][512];
	static unsigned at;
	char *p = paths[at++ % 8];
	int n = snprintf(p, sizeof paths[0], "%s/", k->root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p + n, sizeof paths[0] - (size_t)n, fmt, ap);
	va_end(ap);
	return p;
}

/* Make every folder above a path. */
static void
make_above(const char *path)
{
	char *copy = strdup(path);

	for (char *c = copy + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			(void)mkdir(copy, 0755);
			*c = '/';
		}
	free(copy);
}

/* A file. */
void
kit_file(struct kit *k, const char *path, const char *text, int mode)
{
	const char *full = kit_path(k, "%s", path);

	make_above(full);
	tempdir_write(full, text, strlen(text));
	assert_int_equal(chmod(full, (mode_t)mode), 0);
}

/* A good plugin. */
void
kit_plugin(struct kit *k, const char *path)
{
	const char *word = strrchr(path, '.');
	char text[300];

	word = word ? word + 1 : strchr(path, '/') + 1;
	snprintf(text, sizeof text, GOOD, word);
	kit_file(k, kit_path(k, "%s/Plugin.Query", path) + strlen(k->root) + 1,
	    text, 0755);
}

/* Remove. */
void
kit_remove(struct kit *k, const char *path)
{
	tempdir_remove(kit_path(k, "%s", path));
}

/* ---- questions ---- */

bool
kit_served(struct kit *k, enum plugin_kind kind, const char *name)
{
	struct plugin *p = plugins_find(k->ps, kind, name);

	return p && p->state == PLUGIN_SERVING;
}

bool
kit_waiting(struct kit *k, enum plugin_kind kind, const char *name)
{
	struct plugin *p = plugins_find(k->ps, kind, name);

	return p && p->state == PLUGIN_WAITING;
}

/* Is this part of the reason? */
bool
kit_why(
    struct kit *k, enum plugin_kind kind, const char *name, const char *part)
{
	char why[400];

	plugins_why_not(k->ps, kind, name, why, sizeof why);
	return strstr(why, part) != NULL;
}

struct count {
	enum plugin_state state;
	size_t n;
};

static void
count_one(struct plugin *p, void *arg)
{
	struct count *c = arg;

	c->n += p->state == c->state;
}

/* How many are in this state? */
size_t
kit_count(struct kit *k, enum plugin_state state)
{
	struct count c = {state, 0};

	plugins_each(k->ps, count_one, &c);
	return c.n;
}

/* ---- the process ---- */

/* Open descriptors. */
unsigned
kit_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 3; /* "." and ".." and this one */
}

/* Lines about watches. */
static unsigned
watches_of(const char *name)
{
	char path[300], line[300];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%s", name);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f))
		n += strncmp(line, "inotify wd:", 11) == 0;
	fclose(f);
	return n;
}

/* Watches of inotify. */
unsigned
kit_watches(void)
{
	DIR *d = opendir("/proc/self/fdinfo");
	struct dirent *de;
	unsigned n = 0;

	while ((de = readdir(d)) != NULL)
		n += watches_of(de->d_name);
	closedir(d);
	return n;
}
