/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Losing the power at any point while the adapter notes what is attached: after
 * it, state.db holds what the last call that returned has left, or what the call
 * under way would have left, and nothing else; and it is never set aside as
 * damaged.  synchronous=NORMAL and OFF must be seen losing.
 */
#include "support/unit.h"

#include <dirent.h>

#include <sqlite3.h>

#include "clock.h"
#include "state.h"
#include "support/crashvfs.h"
#include "support/logtest.h"
#include "support/rnd.h"
#include "support/tempdir.h"

#define CALLS 160
#define SRS   6
#define BOOT  "11111111-2222-3333-4444-555555555555"

int __real_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg);

static const char *synchronous; /* NULL: as the adapter has it */

/* Another value of the setting that everything hangs on. */
int
__wrap_sqlite3_exec(sqlite3 *db, const char *sql,
    int (*fn)(void *, int, char **, char **), void *arg, char **msg)
{
	const char *key = "synchronous = FULL;", *at = strstr(sql, key);
	char text[1000];

	if (synchronous == NULL || at == NULL)
		return __real_sqlite3_exec(db, sql, fn, arg, msg);
	snprintf(text, sizeof text, "%.*ssynchronous=%s;%s", (int)(at - sql),
	    sql, synchronous, at + strlen(key));
	return __real_sqlite3_exec(db, text, fn, arg, msg);
}

/* ---- the model ---- */

/* What there is: a version of each row, 0: none. */
struct model {
	int sr[SRS], epoch[SRS];
};

static struct model want[CALLS + 1];
static long asked[CALLS], told[CALLS]; /* points */
static char names[SRS][8];

/* The handle of a version; some are long. */
static const char *
handle(int version)
{
	static char text[9000];
	int pad = version % 9 == 0 ? 8000 : 20;

	snprintf(text, sizeof text, "%d-%0*d", version, pad, version);
	return text;
}

/* One call of the adapter, by chance; the model is changed as well. */
static void
call(struct state *st, struct rnd *r, int i)
{
	struct model *m = &want[i + 1];
	int k = (int)rnd_below(r, SRS), what = (int)rnd_below(r, 6);
	struct state_sr sr = {"q", names[k], handle(i + 1), "{}", "[]", i + 1};
	int rc;

	*m = want[i];
	if (what < 3) {
		rc = state_sr_put(st, &sr, NULL);
		m->sr[k] = i + 1;
	} else if (what == 3) {
		rc = state_sr_del(st, "q", names[k], NULL);
		m->sr[k] = 0;
	} else {
		m->epoch[k] = what == 4 ? i + 1 : 0;
		rc = state_epoch_set(st, "q", names[k], "v",
		    what == 4 ? handle(i + 1) : NULL, NULL);
	}
	assert_int_equal(rc, 0);
}

/* All calls, with restarts between. */
static void
run(const char *dir, struct rnd *r)
{
	struct state *st;

	crashvfs_start(dir);
	st = state_open(dir, BOOT, NULL);
	for (int i = 0; i < CALLS; i++) {
		assert_non_null(st);
		asked[i] = crashvfs_points();
		call(st, r, i);
		told[i] = crashvfs_points();
		if (i % 50 == 49) {
			state_close(st);
			st = state_open(dir, BOOT, NULL);
		}
	}
	state_close(st);
	crashvfs_stop();
}

/* What a state holds; false when it is nothing that was ever written. */
static bool
look(struct state *st, struct model *m)
{
	struct state_sr sr;
	const char *scheme;
	int rc;

	for (int k = 0; k < SRS; k++) {
		m->sr[k] = m->epoch[k] = 0;
		rc = state_sr_get(st, "q", names[k], &sr, NULL);
		if (rc == 1)
			m->sr[k] = (int)sr.at_ns;
		if (rc < 0 ||
		    (rc == 1 && strcmp(sr.handle, handle(m->sr[k])) != 0))
			return false;
		rc = state_epoch_get(st, "q", names[k], "v", &scheme, NULL);
		if (rc == 1)
			m->epoch[k] = atoi(scheme);
		if (rc < 0 ||
		    (rc == 1 && strcmp(scheme, handle(m->epoch[k])) != 0))
			return false;
	}
	return true;
}

/* Has something been set aside? */
static bool
set_aside(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		found |= strstr(e->d_name, ".bad-") != NULL;
	closedir(d);
	return found;
}

/* Is the image good for a crash at point n? */
static bool
good(const char *dir, long n)
{
	struct state *st = state_open(dir, BOOT, NULL);
	struct model m;
	int lo = 0, hi = 0;
	bool ok = st != NULL && look(st, &m) && !set_aside(dir);

	state_close(st);
	while (hi < CALLS && asked[hi] <= n)
		hi++;
	while (lo < hi && told[lo] <= n)
		lo++;
	for (int k = lo; ok && k <= hi; k++)
		if (memcmp(&m, &want[k], sizeof m) == 0)
			return true;
	return false;
}

/* All images; how many are not what they must be. */
static long
crash_all(long step, int more)
{
	long images = 0, bad = 0, points = crashvfs_points();
	int64_t began = clock_mono_ns();
	char dir[TEMPDIR_MAX];

	for (long n = 0; n <= points; n += step)
		for (int i = 0; i < more + 2; i++) {
			enum crash_how how = i < 2 ? (enum crash_how)i
			    : i % 2		   ? CRASH_SOME
						   : CRASH_TORN;

			if (i > 0 && !crashvfs_unsynced(n))
				break;
			tempdir_make(dir);
			crashvfs_build(n, how, (uint64_t)(n * 100 + i), dir);
			images++;
			bad += !good(dir, n);
			tempdir_remove(dir);
			logtest_clear();
		}
	print_message("# %ld points, %ld images in %.1f s: %ld bad\n", points,
	    images, (double)(clock_mono_ns() - began) / 1e9, bad);
	return bad;
}

/* Run with a setting, crash, count. */
static long
bad_with(const char *setting, long step, int more)
{
	struct rnd r = rnd_start(setting ? setting : "as it is");
	char dir[TEMPDIR_MAX];

	tempdir_make(dir);
	synchronous = setting;
	run(dir, &r);
	tempdir_remove(dir);
	step = crash_all(step, more);
	synchronous = NULL;
	return step;
}

static bool
full(void)
{
	return getenv("XMSG_FULL") != NULL;
}

static void
what_returned_lasts(void **state)
{
	(void)state;
	assert_int_equal(bad_with(NULL, full() ? 1 : 2, full() ? 12 : 1), 0);
}

static void
normal_is_seen_losing(void **state)
{
	(void)state;
	assert_true(bad_with("NORMAL", full() ? 1 : 9, 1) > 0);
}

static void
off_is_seen_losing(void **state)
{
	(void)state;
	assert_true(bad_with("OFF", full() ? 1 : 9, 1) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_returned_lasts),
	    cmocka_unit_test(normal_is_seen_losing),
	    cmocka_unit_test(off_is_seen_losing),
	};

	for (int k = 0; k < SRS; k++)
		snprintf(names[k], sizeof names[k], "sr%d", k);
	tempdir_in_memory();
	crashvfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
