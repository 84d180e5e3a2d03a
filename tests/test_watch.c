/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* watch: what it tells of folders, and that it goes on telling when the kernel
 * loses events, has no room, or fails. */
#include "test_plugin_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

static struct watch *w;
static unsigned news, changes, gones, looks;
static char last[64]; /* name in the last news */

/* ---- calls that fail ---- */

static long add_fails; /* the n-th call from now on, and all after it */
static int add_errno;
static int read_errno; /* of inotify */
static unsigned overflows; /* that were read */
static const char *opendir_fails; /* of a path that ends so */

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);
DIR *__real_opendir(const char *name);
DIR *__wrap_opendir(const char *name);

static int64_t
    step_ns; /* times of files are as coarse as this; 0: as they are */
int __real_fstatat(int dir, const char *name, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *name, struct stat *st, int flags);

/* As on a file system with a slow clock. */
int
__wrap_fstatat(int dir, const char *name, struct stat *st, int flags)
{
	int rc = __real_fstatat(dir, name, st, flags);

	if (rc == 0 && step_ns) {
		st->st_mtim.tv_nsec -= st->st_mtim.tv_nsec % step_ns;
		st->st_ctim.tv_nsec -= st->st_ctim.tv_nsec % step_ns;
	}
	return rc;
}

int
__wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (add_fails && --add_fails == 0) {
		add_fails = 1;
		errno = add_errno;
		return -1;
	}
	return __real_inotify_add_watch(fd, path, mask);
}

ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
	ssize_t got;
	char *p = buf;

	if (read_errno) {
		errno = read_errno;
		read_errno = 0;
		return -1;
	}
	got = __real_read(fd, buf, n);
	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *ev = (const void *)(p + at);
		overflows += (ev->mask & IN_Q_OVERFLOW) != 0;
		at += (ssize_t)(sizeof *ev + ev->len);
	}
	return got;
}

DIR *
__wrap_opendir(const char *name)
{
	size_t n = strlen(name), m;

	if (opendir_fails) {
		m = strlen(opendir_fails);
		if (n >= m && strcmp(name + n - m, opendir_fails) == 0) {
			errno = EMFILE;
			return NULL;
		}
	}
	return __real_opendir(name);
}

/* ---- the watch under test ---- */

static void
seen(void *arg, enum plugin_kind kind, const char *name, enum watch_what what,
    void **user)
{
	(void)arg, (void)kind;
	news += what == WATCH_NEW;
	changes += what == WATCH_CHANGED;
	gones += what == WATCH_GONE;
	/* what is kept with a name stays with it */
	if (what == WATCH_NEW) {
		assert_null(*user);
		*user = strdup(name);
	}
	assert_string_equal(*user, name);
	snprintf(last, sizeof last, "%s", name);
	if (what == WATCH_GONE) {
		free(*user);
		*user = NULL;
	}
}

static void
looked(void *arg)
{
	(void)arg;
	looks++;
}

static int
setup(void **state)
{
	kit_setup(state);
	add_fails = read_errno = 0;
	step_ns = 0;
	overflows = news = changes = gones = looks = 0;
	opendir_fails = NULL;
	return 0;
}

static void
start(struct kit *k)
{
	struct watch_hooks h = {.seen = seen, .looked = looked};
	struct err e = {0};

	w = watch_new(k->base, &k->conf, &h, &e);
	assert_non_null(w);
	assert_int_equal(looks, 0);
	UNTIL(k, looks > 0);
}

/* Remove everything, so that all is told to be gone, then end. */
static void
stop(struct kit *k)
{
	tempdir_remove(k->root);
	UNTIL(k, news == gones);
	watch_free(w);
	w = NULL;
	mkdir(k->root, 0755);
	mkdir(kit_path(k, "volume"), 0755);
	mkdir(kit_path(k, "datapath"), 0755);
	kit_log_clear();
}

/* Folders above the root, the root and both folders. */
static unsigned
usual_watches(const struct kit *k)
{
	unsigned n = 4;

	for (const char *c = k->root + 1; *c; c++)
		n += *c == '/';
	return n;
}

/* ---- cases ---- */

/* New, changed, gone; and what is no change. */
static void
tells_by_name(void **state)
{
	struct kit *k = *state;

	kit_plugin(k, "volume/a");
	kit_plugin(k, "datapath/b");
	start(k);
	assert_int_equal(news, 2);
	kit_plugin(k, "volume/c");
	UNTIL(k, news == 3);
	assert_string_equal(last, "c");
	assert_int_equal(changes, 0);
	chmod(kit_path(k, "volume/a/Plugin.Query"), 0700);
	UNTIL(k, changes == 1);
	assert_string_equal(last, "a");
	kit_file(k, "datapath/b/SR.ls", "x", 0755);
	UNTIL(k, changes == 2);
	assert_string_equal(last, "b");
	chmod(kit_path(k, "volume/c"), 0700);
	UNTIL(k, changes == 3);
	assert_string_equal(last, "c");
	/* not executable, hidden, left over: no change */
	kit_file(k, "volume/a/lib.py", "x", 0644);
	kit_file(k, "volume/a/.lock", "x", 0755);
	kit_file(k, "volume/a/SR.ls~", "x", 0755);
	mkdir(kit_path(k, "volume/a/__pycache__"), 0755);
	rename(kit_path(k, "volume/c"), kit_path(k, "volume/d"));
	UNTIL(k, news == 4 && gones == 1);
	assert_int_equal(changes, 3);
	stop(k);
}

/* Nothing happens above the root that we would wake up for. */
static void
others_files_do_not_wake_us(void **state)
{
	struct kit *k = *state;
	char path[300];
	unsigned before;

	k->conf.settle_ns = 0;
	start(k);
	before = looks;
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof path, "%s/top/noise", k->dir);
		tempdir_write(path, "x", 1);
		kit_turn(k);
		unlink(path);
	}
	kit_plugin(k, "volume/a");
	UNTIL(k, news == 1);
	assert_in_range(looks - before, 1, 20);
	stop(k);
}

/* News without end do not keep us from looking. */
static void
no_quiet(void **state)
{
	struct kit *k = *state;
	int64_t end;

	k->conf.settle_ns = 1 * NS_PER_MS;
	start(k);
	end = kit_now() + KIT_LONG;
	kit_plugin(k, "volume/a");
	while (news == 0) {
		assert_true(kit_now() < end);
		kit_file(k, "volume/stray", "x", 0644);
		kit_turn(k);
	}
	stop(k);
}

/* A file that changes twice within one step of the file system's clock. */
static void
quick_changes_are_told(void **state)
{
	struct kit *k = *state;
	unsigned before;

	kit_ageing_ns = 0;
	step_ns = 10 * NS_PER_MS;
	k->conf.settle_ns = 0;
	kit_file(k, "volume/a/Plugin.Query", "0", 0755);
	start(k);
	for (int i = 0; i < 300; i++) {
		int fd = open(
		    kit_path(k, "volume/a/Plugin.Query"), O_WRONLY | O_CLOEXEC);
		before = changes;
		assert_int_equal(write(fd, "1", 1), 1);
		close(fd);
		UNTIL(k, changes > before);
	}
	stop(k);
}

/* The queue of events runs over: everything is looked at. */
static void
overflow(void **state)
{
	struct kit *k = *state;
	char noise[300];
	long most;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &most), 1);
	fclose(f);
	kit_plugin(k, "volume/a");
	kit_plugin(k, "volume/b");
	start(k);
	/* with what does not count, so that only the overflow does */
	snprintf(noise, sizeof noise, "%s/top/noise", k->dir);
	for (long i = 0; i <= most / 2; i++) {
		mknod(noise, S_IFREG | 0644, 0);
		unlink(noise);
	}
	/* these are not in the queue any more */
	kit_plugin(k, "volume/c");
	chmod(kit_path(k, "volume/a"), 0700);
	kit_remove(k, "volume/b");
	UNTIL(k, news == 3 && changes == 1 && gones == 1);
	assert_int_equal(overflows, 1);
	/* and it goes on */
	kit_plugin(k, "volume/d");
	UNTIL(k, news == 4);
	assert_int_equal(overflows, 1);
	stop(k);
}

/* Each watch in turn is one too many, with each error that says so. */
static void
no_room_for_watches(void **state)
{
	static const int codes[] = {ENOSPC, ENOMEM};
	struct kit *k = *state;
	unsigned fds;

	k->conf.rescan_ns = 5 * NS_PER_MS;
	for (unsigned i = 0; i < 2; i++) {
		for (long n = 1; n <= (long)usual_watches(k) + 2; n++) {
			unsigned before = news;
			kit_plugin(k, "volume/a");
			kit_plugin(k, "datapath/b");
			fds = kit_fds();
			add_errno = codes[i];
			add_fails = n;
			start(k);
			assert_int_equal(news, before + 2);
			assert_int_equal(kit_watches(), 0);
			assert_int_equal(kit_fds(), fds);
			assert_true(kit_logged("cannot watch"));
			kit_plugin(k, "volume/c");
			UNTIL(k, news == before + 3);
			assert_false(kit_logged("cannot watch"));
			stop(k);
			looks = 0;
		}
	}
	/* said, tried in vain, and at last not in vain */
	kit_plugin(k, "volume/a");
	add_fails = 1;
	start(k);
	UNTIL(k, looks > 100);
	assert_true(kit_logged("cannot watch"));
	assert_false(kit_logged("cannot watch"));
	add_fails = 0;
	UNTIL(k, kit_watches() == usual_watches(k) + 1);
	assert_true(kit_logged("is watched again"));
	stop(k);
}

/* inotify cannot be begun, or breaks. */
static void
no_inotify(void **state)
{
	static const int codes[] = {EMFILE, ENFILE, ENOMEM, ENOSYS};
	struct kit *k = *state;

	k->conf.rescan_ns = 5 * NS_PER_MS;
	for (unsigned i = 0; i < 4; i++) {
		unsigned before = news;
		kit_no_inotify = codes[i];
		kit_plugin(k, "volume/a");
		looks = 0;
		start(k);
		kit_plugin(k, "volume/c");
		UNTIL(k, news == before + 2);
		assert_true(kit_logged(strerror(codes[i])));
		stop(k);
	}
	kit_no_inotify = 0;
	kit_plugin(k, "volume/a");
	looks = 0;
	start(k);
	assert_true(kit_watches() > 0);
	read_errno = EIO;
	kit_plugin(k, "volume/c");
	UNTIL(k, kit_watches() == 0);
	assert_true(kit_logged(strerror(EIO)));
	UNTIL(k, kit_watches() > 0);
	assert_int_equal(news - gones, 2);
	stop(k);
}

/* A folder that cannot be read is not an empty one. */
static void
unreadable_is_not_empty(void **state)
{
	struct kit *k = *state;
	unsigned before;

	k->conf.rescan_ns = 5 * NS_PER_MS;
	kit_plugin(k, "volume/a");
	start(k);
	opendir_fails = "/volume";
	kit_plugin(k, "volume/b");
	UNTIL(k, kit_logged("volume: Too many open files; what was in it is"));
	assert_int_equal(news, 1);
	assert_int_equal(gones, 0);
	before = looks;
	UNTIL(k, looks > before + 3);
	assert_false(kit_logged("Too many"));
	opendir_fails = NULL;
	UNTIL(k, news == 2);
	assert_true(kit_logged("volume is there again"));
	/* the same for a plugin's own folder */
	opendir_fails = "/volume/a";
	kit_plugin(k, "volume/c");
	UNTIL(k, news == 3);
	assert_int_equal(gones + changes, 0);
	opendir_fails = NULL;
	stop(k);
}

/* Watches are as many as folders, whatever has come and gone. */
static void
watches_stay_flat(void **state)
{
	struct kit *k = *state;
	unsigned fds;
	char name[40];

	start(k);
	fds = kit_fds();
	assert_int_equal(kit_watches(), usual_watches(k));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "volume/x.%d", i);
		kit_plugin(k, name);
		if (i % 7 == 0)
			kit_turn(k);
		if (i % 2)
			kit_remove(k, name);
		if (i % 50 == 49)
			kit_remove(k, "volume");
	}
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "datapath/x.%d", i);
		kit_plugin(k, name);
	}
	mkdir(kit_path(k, "volume"), 0755);
	assert_int_equal(
	    symlink("../datapath/x.1", kit_path(k, "volume/l")), 0);
	UNTIL(k, news - gones == 6);
	/* the link leads to a folder that has one */
	UNTIL(k, kit_watches() == usual_watches(k) + 5);
	assert_int_equal(kit_fds(), fds);
	/* one that is moved away still is, but not for us */
	rename(kit_path(k, "datapath/x.0"), kit_path(k, "away"));
	UNTIL(k, kit_watches() == usual_watches(k) + 4);
	/* a change of what the link leads to is told for both names */
	changes = 0;
	chmod(kit_path(k, "datapath/x.1"), 0700);
	UNTIL(k, changes == 2);
	stop(k);
	assert_int_equal(kit_watches(), 0);
	assert_int_equal(kit_fds(), fds - 1);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, kit_teardown)
	const struct CMUnitTest tests[] = {
	    CASE(tells_by_name),
	    CASE(others_files_do_not_wake_us),
	    CASE(no_quiet),
	    CASE(quick_changes_are_told),
	    CASE(overflow),
	    CASE(no_room_for_watches),
	    CASE(no_inotify),
	    CASE(unreadable_is_not_empty),
	    CASE(watches_stay_flat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
