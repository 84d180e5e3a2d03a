/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* scripts: spelling, what may be run, and names that must not become paths
 * (contract 2.1, promises D4). */
#include "support/unit.h"

#include <errno.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"
#include "support/tempdir.h"

struct env {
	char dir[TEMPDIR_MAX];
	struct scripts *s;
	struct err e;
	const char *path;
};

static int readdir_fails; /* at this call from now on, 0: never */
static unsigned opendirs;
struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
DIR *__real_opendir(const char *name);
DIR *__wrap_opendir(const char *name);

struct dirent *
__wrap_readdir(DIR *d)
{
	if (readdir_fails && --readdir_fails == 0) {
		errno = EIO;
		return NULL;
	}
	return __real_readdir(d);
}

DIR *
__wrap_opendir(const char *name)
{
	opendirs++;
	return __real_opendir(name);
}

static int
setup(void **state)
{
	struct env *v = calloc(1, sizeof *v);

	umask(022);
	tempdir_make(v->dir);
	v->s = scripts_new(v->dir);
	readdir_fails = 0;
	*state = v;
	return 0;
}

static int
teardown(void **state)
{
	struct env *v = *state;

	scripts_free(v->s);
	if (access(v->dir, F_OK) == 0)
		tempdir_remove(v->dir);
	free(v);
	return 0;
}

/* A path in the folder, one of four at a time. */
static const char *
at(const struct env *v, const char *name)
{
	static char paths[4][TEMPDIR_MAX + 300];
	static unsigned i;
	char *p = paths[i++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", v->dir, name);
	return p;
}

static void
put(const struct env *v, const char *name, int mode)
{
	tempdir_write(at(v, name), "x", 1);
	assert_int_equal(chmod(at(v, name), (mode_t)mode), 0);
}

/* Look for one; the result, and that the path is the folder's `name`. */
static enum script_rc
find(struct env *v, const char *method, const char *name)
{
	enum script_rc rc;

	memset(&v->e, 0, sizeof v->e);
	rc = scripts_find(v->s, method, &v->path, &v->e);
	assert_string_equal(v->path, name ? at(v, name) : "");
	assert_int_equal(v->e.code == 0, rc == SCRIPT_OK);
	assert_int_equal(v->e.text[0] == 0, rc == SCRIPT_OK);
	return rc;
}

/* However it is written. */
static void
case_does_not_matter(void **state)
{
	struct env *v = *state;

	put(v, "Plugin.Query", 0755);
	put(v, "SR.attach", 0755);
	assert_int_equal(find(v, "Plugin.query", "Plugin.Query"), SCRIPT_OK);
	assert_int_equal(find(v, "SR.attach", "SR.attach"), SCRIPT_OK);
	assert_int_equal(find(v, "sr.ATTACH", "SR.attach"), SCRIPT_OK);
}

/* Of several spellings the first in order of bytes; one that was found is kept
 * as long as it is good, without reading the folder again. */
static void
spelling_is_remembered(void **state)
{
	struct env *v = *state;
	unsigned before;

	put(v, "SR.Stat", 0755);
	put(v, "SR.sTat", 0755);
	put(v, "sr.stat", 0755);
	assert_int_equal(find(v, "SR.stat", "SR.Stat"), SCRIPT_OK);
	before = opendirs;
	put(v, "SR.STAT", 0755);
	assert_int_equal(find(v, "SR.stat", "SR.Stat"), SCRIPT_OK);
	assert_int_equal(opendirs, before);
	unlink(at(v, "SR.Stat"));
	assert_int_equal(find(v, "SR.stat", "SR.STAT"), SCRIPT_OK);
	assert_int_equal(opendirs, before + 1);
	/* asked for as it is: not even once */
	scripts_free(v->s);
	v->s = scripts_new(v->dir);
	assert_int_equal(find(v, "sr.stat", "sr.stat"), SCRIPT_OK);
	assert_int_equal(opendirs, before + 1);
}

/* Each thing that is no script. */
static void
what_is_missing(void **state)
{
	struct env *v = *state;

	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "there is no script "));
	assert_non_null(strstr(v->e.text, "/SR.ls"));
	mkdir(at(v, "SR.ls"), 0755);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "SR.ls is not a file"));
	mkfifo(at(v, "SR.stat"), 0755);
	assert_int_equal(find(v, "SR.stat", "SR.stat"), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "is not a file"));
	assert_int_equal(symlink("nothing", at(v, "SR.create")), 0);
	assert_int_equal(find(v, "SR.create", "SR.create"), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "is a link to nothing"));
	assert_int_equal(symlink("SR.probe", at(v, "SR.probe")), 0);
	assert_int_equal(find(v, "SR.probe", "SR.probe"), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "cannot look at "));
}

/* A link to a script is one: plugins are installed so. */
static void
links_are_followed(void **state)
{
	struct env *v = *state;

	put(v, "sr.py", 0755);
	assert_int_equal(symlink("sr.py", at(v, "SR.attach")), 0);
	assert_int_equal(find(v, "SR.attach", "SR.attach"), SCRIPT_OK);
}

/* Not executable; mended by the command in the sentence. */
static void
not_executable(void **state)
{
	struct env *v = *state;

	put(v, "SR.ls", 0644);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_NOT_EXECUTABLE);
	assert_non_null(strstr(v->e.text, "SR.ls is not executable: chmod +x"));
	assert_int_equal(system(strstr(v->e.text, "chmod")), 0);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_OK);
}

/* Others could change it. */
static void
not_trusted(void **state)
{
	struct env *v = *state;

	put(v, "SR.ls", 0757);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_UNTRUSTED);
	assert_non_null(strstr(v->e.text, "can be written by everybody"));
	chmod(at(v, "SR.ls"), 0755);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_OK);
	chmod(v->dir, 0777);
	assert_int_equal(find(v, "SR.ls", "SR.ls"), SCRIPT_UNTRUSTED);
	chmod(v->dir, 0755);
}

/* The folder is gone, is a file, cannot be read to its end. */
static void
no_folder(void **state)
{
	struct env *v = *state;

	put(v, "Plugin.Query", 0755);
	readdir_fails = 1;
	assert_int_equal(
	    find(v, "Plugin.query", "Plugin.query"), SCRIPT_NO_DIR);
	readdir_fails = 4;
	assert_int_equal(
	    find(v, "plugin.query2", "plugin.query2"), SCRIPT_NO_DIR);
	assert_int_equal(find(v, "Plugin.query", "Plugin.Query"), SCRIPT_OK);
	tempdir_remove(v->dir);
	assert_int_equal(
	    find(v, "Plugin.query", "Plugin.Query"), SCRIPT_NO_DIR);
	assert_non_null(strstr(v->e.text, "cannot read the folder "));
	tempdir_write(v->dir, "x", 1);
	assert_int_equal(
	    find(v, "Plugin.query", "Plugin.Query"), SCRIPT_NO_DIR);
	unlink(v->dir);
}

/* What is no word, dot, word is not looked for, wherever it would lead. */
static void
names_are_not_paths(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a", "a.", ".a",
	    "a.b.c", "/bin/sh", "../a.b", "Volume.create/../../x",
	    "x/Volume.create", "Volume.create ", "Volume.create\n",
	    "Volume.cr\xc3\xa9", "Volume.create\x7f", "a-b.c",
	    "v23456789012345678901234567890123."
	    "23456789012345678901234567890ab"};
	struct env *v = *state;
	unsigned before = opendirs;

	put(v, "a", 0755);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(find(v, bad[i], NULL), SCRIPT_MISSING);
		assert_non_null(
		    strstr(v->e.text, "is not the name of a method"));
		assert_null(strchr(v->e.text, '\n'));
	}
	assert_int_equal(opendirs, before);
	/* one byte less is a name */
	assert_int_equal(find(v, bad[16] + 1, bad[16] + 1), SCRIPT_MISSING);
	assert_non_null(strstr(v->e.text, "there is no script"));
}

/* 10,000 names: one that is wanted is found, the others do not pile up (the
 * bound is watched by the time this takes: the list is searched one by one). */
static void
a_full_folder(void **state)
{
	struct env *v = *state;
	char name[40];

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "X%d.y", i);
		assert_int_equal(mknod(at(v, name), S_IFREG | 0755, 0), 0);
	}
	put(v, "Volume.Copy", 0755);
	assert_int_equal(find(v, "Volume.copy", "Volume.Copy"), SCRIPT_OK);
	assert_int_equal(find(v, "volume.COPY", "Volume.Copy"), SCRIPT_OK);
	assert_int_equal(find(v, "x9999.Y", "X9999.y"), SCRIPT_OK);
	assert_int_equal(find(v, "x10000.y", "x10000.y"), SCRIPT_MISSING);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(case_does_not_matter),
	    CASE(spelling_is_remembered),
	    CASE(what_is_missing),
	    CASE(links_are_followed),
	    CASE(not_executable),
	    CASE(not_trusted),
	    CASE(no_folder),
	    CASE(names_are_not_paths),
	    CASE(a_full_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
