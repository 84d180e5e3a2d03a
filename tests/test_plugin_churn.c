/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Plugin churn (promise R20): a process of its own makes, changes, renames,
 * links, breaks and removes plugins, and now and then the folders they are in,
 * up to 1,000 times a second.  A second after it has ended, exactly those are
 * served that the folder says, with the answers that are in it now; descriptors
 * and watches are as many as before.  What the folder says is worked out here
 * anew, by other code than that under test.
 *
 * XMSG_CHURN_S: how many seconds of it (3 when not given).
 */
#include "test_plugin_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/rnd.h"

#define NAMES	 12
#define RATE	 1000 /* changes a second */
#define LIMIT_NS (1 * NS_PER_SEC)

static struct rnd rnd;
static struct kit *kit;

/* ---- watches that fail at random ---- */

static unsigned add_fails; /* one in so many; 0: none */
static struct rnd add_rnd;
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

int
__wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (add_fails && rnd_below(&add_rnd, add_fails) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return __real_inotify_add_watch(fd, path, mask);
}

/* ---- the other process: changes; what fails, fails ---- */

/* One of the folders. */
static const char *
any_folder(void)
{
	uint32_t n = rnd_below(&rnd, 3 * NAMES);

	if (n < NAMES)
		return kit_path(kit, "volume/x.%u", n);
	if (n < 2 * NAMES)
		return kit_path(kit, "datapath/d%u", n - NAMES);
	return kit_path(kit, "../../pool/p%u", n % 4);
}

/* A file in one of the folders. */
static const char *
any_file(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", any_folder(), name);
	return path;
}

/* Write n bytes of a text, behind what is there or from its beginning. */
static void
put(const char *path, int flags, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0755);

	if (fd == -1)
		return;
	if (write(fd, text, n) != (ssize_t)n)
		_exit(81);
	close(fd);
}

/* An answer: mostly good. */
static const char *
any_text(void)
{
	static const char *const versions[] = {
	    "5.0", "5.0", "5.0", "3.0", "4.0"};
	static char text[100];

	snprintf(text, sizeof text,
	    "{\"plugin\":\"%u\",\"required_api_version\":\"%s\"}",
	    rnd_below(&rnd, 10), versions[rnd_below(&rnd, 5)]);
	return text;
}

static void
remove_all(const char *path)
{
	char command[600];
	struct stat st;

	if (lstat(path, &st) == -1)
		return;
	if (!S_ISDIR(st.st_mode)) {
		unlink(path);
		return;
	}
	snprintf(command, sizeof command, "rm -rf '%s'", path);
	if (system(command) != 0)
		_exit(82);
}

static void
op_make(void)
{
	mkdir(any_folder(), 0755);
}

static void
op_write(void)
{
	const char *text = any_text();

	put(any_file("Plugin.Query"), O_TRUNC, text, strlen(text));
}

/* As a copy does that is not finished. */
static void
op_write_half(void)
{
	const char *text = any_text(), *path = any_file("Plugin.Query");
	size_t half = strlen(text) / 2;

	put(path, O_TRUNC, text, half);
	if (rnd_below(&rnd, 4))
		put(path, O_APPEND, text + half, strlen(text) - half);
}

/* As a package manager does. */
static void
op_replace(void)
{
	char tmp[520], to[512];
	const char *text = any_text();

	snprintf(to, sizeof to, "%s", any_file("Plugin.Query"));
	snprintf(tmp, sizeof tmp, "%s.tmp", to);
	put(tmp, O_TRUNC, text, strlen(text));
	rename(tmp, to);
}

static void
op_script_link(void)
{
	const char *text = any_text();
	char dir[400], path[512];

	snprintf(dir, sizeof dir, "%s", any_folder());
	snprintf(path, sizeof path, "%s/query.sh", dir);
	put(path, O_TRUNC, text, strlen(text));
	snprintf(path, sizeof path, "%s/Plugin.Query", dir);
	if (rnd_below(&rnd, 2)) {
		unlink(path);
		(void)!symlink("query.sh", path);
	}
}

static void
op_rename(void)
{
	char from[400];

	snprintf(from, sizeof from, "%s", any_folder());
	rename(from, any_folder());
}

static void
op_link(void)
{
	char to[400];
	const char *at = any_folder();

	if (strstr(at, "/pool/"))
		return;
	snprintf(to, sizeof to, "%s/pool/p%u", kit->dir, rnd_below(&rnd, 4));
	remove_all(at);
	(void)!symlink(to, at);
}

static void
op_unlink(void)
{
	unlink(any_file("Plugin.Query"));
}

static void
op_remove(void)
{
	remove_all(any_folder());
}

static void
op_chmod(void)
{
	static const mode_t modes[] = {0755, 0755, 0755, 0700, 0777, 0644};

	if (rnd_below(&rnd, 2))
		chmod(any_file("Plugin.Query"), modes[rnd_below(&rnd, 6)]);
	else
		chmod(any_folder(), modes[rnd_below(&rnd, 5)]);
}

static void
op_stray(void)
{
	static const char *const names[] = {
	    "volume/file", "volume/.hidden", "volume/x.1~", "datapath/f"};
	const char *path = kit_path(kit, "%s", names[rnd_below(&rnd, 4)]);

	if (rnd_below(&rnd, 2))
		put(path, O_TRUNC, "x", 1);
	else
		unlink(path);
}

/* Seldom: the folders themselves. */
static void
op_root(void)
{
	char away[400];

	snprintf(away, sizeof away, "%s/away", kit->dir);
	switch (rnd_below(&rnd, 40)) {
	case 0: remove_all(kit->root); break;
	case 1: remove_all(kit_path(kit, "volume")); break;
	case 2: remove_all(kit_path(kit, "datapath")); break;
	case 3:
		rename(kit->root, away);
		rename(away, kit->root);
		break;
	default: return;
	}
	mkdir(kit->root, 0755);
	mkdir(kit_path(kit, "volume"), 0755);
	mkdir(kit_path(kit, "datapath"), 0755);
}

static void (*const ops[])(void) = {op_make, op_make, op_make, op_write,
    op_write, op_write, op_write, op_write_half, op_replace, op_replace,
    op_script_link, op_rename, op_link, op_unlink, op_remove, op_chmod,
    op_chmod, op_stray, op_root};

/* All of it, at the rate. */
static void
churn(int64_t ns)
{
	int64_t begin = kit_now(), i;

	for (i = 0;; i++) {
		int64_t at = begin + i * NS_PER_SEC / RATE;
		struct timespec ts = {at / NS_PER_SEC, at % NS_PER_SEC};
		if (at > begin + ns)
			break;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		ops[rnd_below(&rnd, sizeof ops / sizeof *ops)]();
	}
	dprintf(1, "# %lld changes in %lld ms\n", (long long)i,
	    (long long)((kit_now() - begin) / NS_PER_MS));
}

/* ---- what the folder says ---- */

/* The answer of this folder, a new reference; NULL: it must not be served. */
static json_t *
expected(const char *folder)
{
	char path[520];
	struct stat st;
	json_t *j;
	const char *version;

	snprintf(path, sizeof path, "%s/Plugin.Query", folder);
	if (stat(folder, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    (st.st_mode & 022))
		return NULL;
	if (stat(path, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 022) || !(st.st_mode & 0111))
		return NULL;
	j = json_load_file(path, 0, NULL);
	version = json_string_value(json_object_get(j, "required_api_version"));
	if (version && (!strcmp(version, "3.0") || !strcmp(version, "5.0")))
		return j;
	json_decref(j);
	return NULL;
}

/* Is this one as it should be?  *served counts those that should be served. */
static bool
as_expected(enum plugin_kind kind, const char *name, const char *folder,
    unsigned *served, bool aloud)
{
	struct plugin *p = plugins_find(kit->ps, kind, name);
	json_t *j = expected(folder);
	struct stat st;
	bool is = p && p->state == PLUGIN_SERVING, good;

	*served += j != NULL;
	good = is == (j != NULL) && (!is || json_equal(j, p->query));
	/* one that is no folder is not known at all */
	if (stat(folder, &st) == -1 || !S_ISDIR(st.st_mode))
		good &= p == NULL;
	if (!good && aloud)
		print_message("# %s: %s, %s (%s)\n", name,
		    j ? "to be served" : "not to be served",
		    is ? "is" : "is not", p ? p->why : "not known");
	json_decref(j);
	return good;
}

/* Is everything as it should be, and nothing else served? */
static bool
converged(bool aloud, unsigned *served)
{
	bool good = true;
	char name[20];

	*served = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "x.%u", i);
		good &= as_expected(
		    V, name, kit_path(kit, "volume/%s", name), served, aloud);
		snprintf(name, sizeof name, "d%u", i);
		good &= as_expected(
		    D, name, kit_path(kit, "datapath/%s", name), served, aloud);
	}
	return good && *served == kit->served;
}

/* Folders above the root, the root, both folders, and what is in them: each
 * folder once, by whatever names it is there. */
static unsigned
folders(void)
{
	struct stat st[2 * NAMES];
	unsigned n = 0, more = 4;

	for (unsigned i = 0; i < 2 * NAMES; i++) {
		const char *path = i < NAMES
		    ? kit_path(kit, "volume/x.%u", i)
		    : kit_path(kit, "datapath/d%u", i - NAMES);
		bool again = false;
		if (stat(path, &st[n]) == -1 || !S_ISDIR(st[n].st_mode))
			continue;
		for (unsigned j = 0; j < n; j++)
			again |= st[j].st_ino == st[n].st_ino;
		n += !again;
	}
	for (const char *c = kit->root + 1; *c; c++)
		more += *c == '/';
	return n + more;
}

/* ---- the run ---- */

/* How long? */
static int64_t
duration(int64_t otherwise_s)
{
	const char *text = getenv("XMSG_CHURN_S");

	return (text ? atoll(text) : otherwise_s) * NS_PER_SEC;
}

/* Run it, and see. */
static void
run(struct kit *k, int64_t ns, int64_t settle_ms)
{
	unsigned fds, most = 0, served;
	int64_t quiet;
	pid_t pid;
	int status;

	kit = k;
	kit_ageing_ns = 0;
	kit_log_keep(false);
	k->conf.settle_ns = settle_ms * NS_PER_MS;
	assert_int_equal(mkdir(kit_path(k, "../../pool"), 0755), 0);
	kit_start(k);
	UNTIL(k, plugins_settled(k->ps));
	fds = kit_fds();
	pid = fork();
	if (pid == 0) {
		churn(ns);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		unsigned now = kit_fds();
		most = now > most ? now : most;
		kit_turn(k);
	}
	assert_int_equal(status, 0);
	quiet = kit_now();
	while (!converged(false, &served) && kit_now() < quiet + LIMIT_NS)
		kit_turn(k);
	print_message("# %u probes, %u served, quiet after %lld ms\n",
	    k->probes, served, (long long)((kit_now() - quiet) / NS_PER_MS));
	assert_true(converged(true, &served));
	assert_in_range(most, 1, fds + 1);
	/* and it stays so, after one more look */
	kit_plugin(k, "volume/z");
	UNTIL(k, kit_served(k, V, "z"));
	kit_remove(k, "volume/z");
	UNTIL(k, plugins_find(k->ps, V, "z") == NULL);
	assert_true(converged(true, &served));
}

/* With all that the kernel gives. */
static void
with_inotify(void **state)
{
	struct kit *k = *state;
	unsigned fds = kit_fds();

	run(k, duration(3), 200);
	assert_int_equal(kit_watches(), folders());
	assert_int_equal(kit_fds(), fds + 1);
}

/* With nothing of it. */
static void
without_inotify(void **state)
{
	struct kit *k = *state;
	unsigned fds = kit_fds();

	run(k, duration(1), 200);
	assert_int_equal(kit_watches(), 0);
	assert_int_equal(kit_fds(), fds);
}

/* With watches refused now and then, so that it goes back and forth; looking
 * often. */
static void
now_and_then(void **state)
{
	struct kit *k = *state;
	unsigned fds = kit_fds();

	k->conf.rescan_ns = 10 * NS_PER_MS;
	add_fails = 100;
	add_rnd = rnd_start("watches that fail");
	run(k, duration(1), 5);
	add_fails = 0;
	UNTIL(k, kit_watches() == folders());
	assert_int_equal(kit_fds(), fds + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		with_inotify, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		without_inotify, kit_setup_scanning, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		now_and_then, kit_setup, kit_teardown),
	};

	rnd = rnd_start("changes");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
