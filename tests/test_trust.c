/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* trust: who could change what is run (promises D4).  Owners can only be given
 * away by root, so as an ordinary user the cases about owners are not in the
 * list; as root, one of them is run as an ordinary user, too. */
#include "support/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin.h"
#include "support/tempdir.h"

#define OTHER  4242
#define NOBODY 65534

struct env {
	char dir[TEMPDIR_MAX];
	struct err e;
};

static const struct trust strict = {.check = true};

static int
setup(void **state)
{
	struct env *v = calloc(1, sizeof *v);

	umask(022);
	tempdir_make(v->dir);
	chmod(v->dir, 0755);
	trust_set(&strict);
	*state = v;
	return 0;
}

static int
teardown(void **state)
{
	struct env *v = *state;

	trust_set(&strict);
	tempdir_remove(v->dir);
	free(v);
	return 0;
}

/* A path in the folder, one of eight at a time. */
static const char *
at(const struct env *v, const char *name)
{
	static char paths[8][TEMPDIR_MAX + 300];
	static unsigned i;
	char *p = paths[i++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", v->dir, name);
	return p;
}

static void
folder(const struct env *v, const char *name, int mode)
{
	assert_int_equal(mkdir(at(v, name), 0755), 0);
	assert_int_equal(chmod(at(v, name), (mode_t)mode), 0);
}

static void
file(const struct env *v, const char *name, int mode)
{
	tempdir_write(at(v, name), "x", 1);
	assert_int_equal(chmod(at(v, name), (mode_t)mode), 0);
}

static void
lnk(const struct env *v, const char *to, const char *name)
{
	assert_int_equal(symlink(to, at(v, name)), 0);
}

static void
good(struct env *v, const char *name)
{
	memset(&v->e, 0, sizeof v->e);
	if (trust_path(at(v, name), &v->e) == -1)
		fail_msg("%s: %s", name, v->e.text);
}

/* Refused because of `culprit`, with these words; then mended with the command
 * in the sentence, as long as there is one. */
static void
bad(struct env *v, const char *name, const char *culprit, const char *words)
{
	char head[TEMPDIR_MAX + 400];

	memset(&v->e, 0, sizeof v->e);
	assert_int_equal(trust_path(at(v, name), &v->e), -1);
	snprintf(head, sizeof head, "%s %s", at(v, culprit), words);
	if (strncmp(v->e.text, head, strlen(head)) != 0)
		fail_msg("want %s, have %s", head, v->e.text);
}

/* Do what the sentence says. */
static void
mend(const struct env *v)
{
	const char *command = strstr(v->e.text, ": ch");

	assert_non_null(command);
	assert_int_equal(system(command + 2), 0);
}

/* Modes of the file itself. */
static void
the_file(void **state)
{
	static const struct {
		int mode;
		const char *words;
	} rows[] = {
	    {0775, "can be written by its group: chmod g-w "},
	    {0757, "can be written by everybody: chmod o-w "},
	    {0777, "can be written by its group and everybody: chmod go-w "},
	    {01777, "can be written by its group and everybody: chmod go-w "},
	};
	struct env *v = *state;

	file(v, "f", 0755);
	good(v, "f");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		chmod(at(v, "f"), (mode_t)rows[i].mode);
		bad(v, "f", "f", rows[i].words);
		mend(v);
		good(v, "f");
	}
	chmod(at(v, "f"), 0700);
	good(v, "f");
}

/* Each folder above counts, however far up. */
static void
the_folders(void **state)
{
	struct env *v = *state;

	folder(v, "a", 0755);
	folder(v, "a/b", 0755);
	file(v, "a/b/f", 0755);
	good(v, "a/b/f");
	good(v, "a/b");
	chmod(at(v, "a"), 0775);
	bad(v, "a/b/f", "a", "can be written by its group");
	bad(v, "a", "a", "can be written by its group");
	mend(v);
	good(v, "a/b/f");
	chmod(at(v, "a/b"), 0757);
	bad(v, "a/b/f", "a/b", "can be written by everybody");
	bad(v, "a//b/./f", "a/b", "can be written by everybody");
}

/* A sticky folder above does no harm; one to run from does. */
static void
sticky(void **state)
{
	struct env *v = *state;

	folder(v, "s", 01777);
	file(v, "s/f", 0755);
	good(v, "s/f");
	bad(v, "s", "s", "can be written by its group and everybody");
	folder(v, "s/d", 0755);
	file(v, "s/d/f", 0755);
	good(v, "s/d/f");
	lnk(v, "s", "link");
	bad(v, "link", "s", "can be written");
	good(v, "link/f");
}

/* Links are followed, and what they lead to counts with all above it. */
static void
links(void **state)
{
	struct env *v = *state;

	folder(v, "a", 0755);
	folder(v, "open", 0755);
	folder(v, "open/in", 0755);
	file(v, "open/in/f", 0755);
	lnk(v, "../open/in/f", "a/rel");
	lnk(v, at(v, "open/in/f"), "a/abs");
	lnk(v, "a", "dir");
	lnk(v, "rel", "a/twice");
	lnk(v, "../dir/../a/./rel", "a/winding");
	good(v, "a/rel");
	good(v, "a/abs");
	good(v, "dir/twice");
	good(v, "a/winding");
	chmod(at(v, "open"), 0777);
	bad(v, "a/rel", "open", "can be written");
	bad(v, "a/abs", "open", "can be written");
	bad(v, "dir/twice", "open", "can be written");
	bad(v, "a/winding", "open", "can be written");
	good(v, "a");
	chmod(at(v, "open"), 0755);
	chmod(at(v, "open/in/f"), 0757);
	bad(v, "dir/twice", "open/in/f", "can be written");
	mend(v);
	good(v, "dir/twice");
}

/* Ways that end nowhere. */
static void
nowhere(void **state)
{
	struct env *v = *state;
	char name[16], to[16], deep[5000];

	memset(&v->e, 0, sizeof v->e);
	assert_int_equal(trust_path(at(v, "no"), &v->e), -1);
	assert_int_equal(v->e.code, ENOENT);
	lnk(v, "no", "dangling");
	assert_int_equal(trust_path(at(v, "dangling"), &v->e), -1);
	assert_int_equal(v->e.code, ENOENT);
	lnk(v, "loop", "loop");
	assert_int_equal(trust_path(at(v, "loop"), &v->e), -1);
	assert_int_equal(v->e.code, ELOOP);
	file(v, "f", 0755);
	assert_int_equal(trust_path(at(v, "f/g"), &v->e), -1);
	assert_int_equal(v->e.code, ENOTDIR);
	/* 40 links are followed, 41 are not */
	lnk(v, "f", "l1");
	for (int i = 2; i <= 41; i++) {
		snprintf(name, sizeof name, "l%d", i);
		snprintf(to, sizeof to, "l%d", i - 1);
		lnk(v, to, name);
	}
	good(v, "l40");
	assert_int_equal(trust_path(at(v, "l41"), &v->e), -1);
	assert_int_equal(v->e.code, ELOOP);
	/* too long: a name, a path */
	memset(deep, 'x', sizeof deep);
	deep[0] = '/';
	deep[sizeof deep - 1] = '\0';
	assert_int_equal(trust_path(deep, &v->e), -1);
	assert_int_equal(v->e.code, ENAMETOOLONG);
	deep[300] = '\0';
	assert_int_equal(trust_path(deep, &v->e), -1);
	assert_int_equal(v->e.code, ENAMETOOLONG);
}

/* From the current folder, and the root folder itself. */
static void
short_paths(void **state)
{
	struct env *v = *state;

	file(v, "f", 0755);
	file(v, "g", 0757);
	assert_int_equal(chdir(v->dir), 0);
	assert_int_equal(trust_path("f", &v->e), 0);
	assert_int_equal(trust_path("./f", &v->e), 0);
	assert_int_equal(trust_path(".", &v->e), 0);
	assert_int_equal(trust_path("g", &v->e), -1);
	assert_non_null(strstr(v->e.text, at(v, "g")));
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(trust_path("/", &v->e), 0);
	assert_int_equal(trust_path("/..", &v->e), 0);
}

/* A name that a shell would trip over is written so that it does not. */
static void
odd_names(void **state)
{
	struct env *v = *state;
	char command[600];

	file(v, "two words; 'x'\n\xff", 0757);
	assert_int_equal(trust_path(at(v, "two words; 'x'\n\xff"), &v->e), -1);
	assert_null(strchr(v->e.text, '\n'));
	assert_non_null(
	    strstr(v->e.text, "/two words; \\'x\\'\\x0a\\xff' can be written"));
	snprintf(command, sizeof command, "%s", strstr(v->e.text, "chmod"));
	tempdir_write(at(v, "run"), command, strlen(command));
	snprintf(command, sizeof command, "bash %s", at(v, "run"));
	assert_int_equal(system(command), 0);
	good(v, "two words; 'x'\n\xff");
}

/* Not checked at all when the settings say so. */
static void
unchecked(void **state)
{
	struct env *v = *state;

	file(v, "f", 0777);
	trust_set(&(struct trust){.check = false});
	good(v, "f");
	good(v, "no");
	trust_set(&strict);
	bad(v, "f", "f", "can be written");
}

/* Owners: of the file, a folder above, a link. */
static void
owners(void **state)
{
	struct env *v = *state;
	uid_t listed[] = {17, OTHER};

	folder(v, "d", 0755);
	file(v, "d/f", 0755);
	lnk(v, "f", "d/l");
	assert_int_equal(chown(at(v, "d/f"), OTHER, 0), 0);
	bad(v, "d/f", "d/f", "belongs to uid 4242");
	bad(v, "d/l", "d/f", "belongs to uid 4242");
	trust_set(&(struct trust){.check = true, .uids = listed, .nuids = 2});
	listed[1] = 1; /* they were copied */
	good(v, "d/f");
	good(v, "d/l");
	trust_set(&strict);
	bad(v, "d/f", "d/f", "belongs to uid 4242");
	mend(v);
	good(v, "d/f");
	assert_int_equal(lchown(at(v, "d/l"), OTHER, 0), 0);
	bad(v, "d/l", "d/l", "belongs to uid 4242");
	mend(v);
	good(v, "d/l");
	assert_int_equal(chown(at(v, "d"), OTHER, 0), 0);
	bad(v, "d/f", "d", "belongs to uid 4242");
	mend(v);
	/* in a sticky folder the entry's owner decides */
	chmod(at(v, "d"), 01777);
	good(v, "d/f");
	assert_int_equal(chown(at(v, "d/f"), OTHER, 0), 0);
	bad(v, "d/f", "d/f", "belongs to uid 4242");
}

/* As somebody else than root: root's and one's own are good, a third one's are
 * not, also when that is nobody special. */
static void
as_a_user(void **state)
{
	struct env *v = *state;
	int status;
	pid_t pid;

	file(v, "roots", 0755);
	file(v, "mine", 0755);
	file(v, "third", 0755);
	assert_int_equal(chown(at(v, "mine"), NOBODY, NOBODY), 0);
	assert_int_equal(chown(at(v, "third"), OTHER, 0), 0);
	bad(v, "mine", "mine", "belongs to uid 65534");
	pid = fork();
	if (pid == 0) {
		int r = 0;
		if (setresuid(NOBODY, NOBODY, NOBODY) == -1)
			_exit(90);
		r |= trust_path(at(v, "roots"), NULL) != 0;
		r |= (trust_path(at(v, "mine"), NULL) != 0) << 1;
		r |= (trust_path(at(v, "third"), NULL) == 0) << 2;
		_exit(r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest modes[] = {
	    CASE(the_file),
	    CASE(the_folders),
	    CASE(sticky),
	    CASE(links),
	    CASE(nowhere),
	    CASE(short_paths),
	    CASE(odd_names),
	    CASE(unchecked),
	};
	const struct CMUnitTest all[] = {
	    modes[0],
	    modes[1],
	    modes[2],
	    modes[3],
	    modes[4],
	    modes[5],
	    modes[6],
	    modes[7],
	    CASE(owners),
	    CASE(as_a_user),
	};

	if (geteuid() != 0)
		return cmocka_run_group_tests(modes, NULL, NULL);
	return cmocka_run_group_tests(all, NULL, NULL);
}
