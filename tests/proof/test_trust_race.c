/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The argument of trust.c, tried: between the look at a path and its use nobody
 * else can change what it means (promises D4).  Trees are made at random, of
 * folders, a script and links, with owners and modes good and bad.  Another user
 * then does to every entry of the tree what can be done to one: remove, move,
 * replace, open, link.  When the path was trusted, it must lead to the same
 * bytes of the same file afterwards, whatever was tried, so there is no moment
 * at which trying would have helped.  And of the paths that were not trusted
 * some must have been changed, or the other user is no danger to anything.
 */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin.h"
#include "support/rnd.h"
#include "support/tempdir.h"

#define OTHER 4242
#define TREES 400
#define MOST  16 /* entries of a tree */
#define PATHS (TEMPDIR_MAX + 100)

struct tree {
	char dir[TEMPDIR_MAX];
	char entry[MOST][PATHS]; /* all of them; the attacker knows them */
	char evil[PATHS]; /* a file of the attacker's */
	char run[PATHS]; /* what is looked at and then run */
	unsigned n;
};

static struct rnd rnd;

static char *
add(struct tree *t, const char *above, const char *name)
{
	char *p = t->entry[t->n++];

	assert_true(t->n <= MOST);
	snprintf(p, PATHS, "%s/%s", above, name);
	return p;
}

/* An owner, mostly root; a mode, mostly a good one. */
static void
give(const char *path, bool is_link)
{
	static const mode_t modes[] = {0755, 0755, 0755, 0755, 0755, 0755, 0775,
	    0757, 0777, 01777, 01777, 01775};
	uid_t uid = rnd_below(&rnd, 12) == 0 ? OTHER : 0;

	assert_int_equal(lchown(path, uid, OTHER), 0);
	if (!is_link)
		assert_int_equal(chmod(path, modes[rnd_below(&rnd, 12)]), 0);
}

static const char *
make_folder(struct tree *t, const char *above, const char *name)
{
	const char *p = add(t, above, name);

	assert_int_equal(mkdir(p, 0755), 0);
	return p;
}

static const char *
make_script(struct tree *t, const char *above)
{
	const char *p = add(t, above, "script");

	tempdir_write(p, "good", 4);
	return p;
}

static const char *
make_link(struct tree *t, const char *to, const char *above)
{
	const char *p = add(t, above, "link");

	assert_int_equal(symlink(to, p), 0);
	return p;
}

/* a/b/script, reached by that name, or by c/link to it, or by c/link to its
 * folder. */
static void
make_tree(struct tree *t)
{
	unsigned how = (unsigned)rnd_below(&rnd, 3);
	const char *a, *b, *c, *script, *l = NULL;

	memset(t, 0, sizeof *t);
	tempdir_make(t->dir);
	assert_int_equal(chmod(t->dir, 0755), 0);
	a = make_folder(t, t->dir, "a");
	b = make_folder(t, a, "b");
	c = make_folder(t, t->dir, "c");
	script = make_script(t, b);
	if (how > 0)
		l = make_link(t, how == 1 ? script : b, c);
	snprintf(
	    t->run, PATHS, "%s%s", l ? l : script, how == 2 ? "/script" : "");
	for (unsigned i = 0; i < t->n; i++)
		give(t->entry[i], t->entry[i] == l);
	snprintf(t->evil, PATHS, "%s/evil", t->dir);
	tempdir_write(t->evil, "evil", 4);
	assert_int_equal(chown(t->evil, OTHER, OTHER), 0);
}

/* Put something of ours where p is. */
static void
replace(const struct tree *t, const char *p)
{
	char aside[PATHS + 8], inside[PATHS + 16];

	snprintf(aside, sizeof aside, "%s.old", p);
	if (rename(p, aside) == -1 && unlink(p) == -1 && rmdir(p) == -1)
		return;
	if (symlink(t->evil, p) == 0 && strstr(p, "script") == NULL) {
		unlink(p); /* a folder it must be */
		mkdir(p, 0755);
		snprintf(inside, sizeof inside, "%s/script", p);
		(void)!symlink(t->evil, inside);
		snprintf(inside, sizeof inside, "%s/b", p);
		mkdir(inside, 0755);
		snprintf(inside, sizeof inside, "%s/b/script", p);
		(void)!symlink(t->evil, inside);
	}
}

/* Write into what p is. */
static void
spoil(const char *p)
{
	int fd;

	(void)!chmod(p, 0777);
	fd = open(p, O_WRONLY | O_TRUNC | O_NOFOLLOW);
	if (fd == -1)
		return;
	(void)!write(fd, "evil", 4);
	close(fd);
}

/* As another user: everything, to everything, from the inside out and back. */
static void
attack(const struct tree *t)
{
	char other[PATHS + 8];

	for (unsigned round = 0; round < 2; round++)
		for (unsigned k = 0; k < t->n; k++) {
			const char *p = t->entry[round ? t->n - 1 - k : k];

			spoil(p);
			snprintf(other, sizeof other, "%s.new", p);
			if (link(t->evil, other) == 0)
				(void)!rename(other, p);
			(void)!rename(t->evil, p);
			replace(t, p);
		}
}

static void
attack_as_other(const struct tree *t)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(OTHER, OTHER, OTHER) == -1 ||
		    setresuid(OTHER, OTHER, OTHER) == -1)
			_exit(1);
		attack(t);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What the name leads to; ino 0: nowhere. */
struct meaning {
	ino_t ino;
	mode_t mode;
	char text[8];
};

static struct meaning
meaning_of(const char *path)
{
	struct meaning m;
	struct stat st;
	int fd = open(path, O_RDONLY);

	memset(&m, 0, sizeof m);
	if (fd == -1)
		return m;
	assert_int_equal(fstat(fd, &st), 0);
	m.ino = st.st_ino;
	m.mode = st.st_mode;
	(void)!read(fd, m.text, sizeof m.text);
	close(fd);
	return m;
}

static bool
same(const struct meaning *a, const struct meaning *b)
{
	return a->ino == b->ino && a->mode == b->mode &&
	    memcmp(a->text, b->text, sizeof a->text) == 0;
}

static void
trusted_paths_keep_their_meaning(void **state)
{
	unsigned trusted = 0, spoiled = 0, others = 0;
	struct meaning before, after;
	struct tree *t = calloc(1, sizeof *t);
	struct err e;

	(void)state;
	for (unsigned i = 0; i < TREES; i++) {
		bool good;

		make_tree(t);
		good = trust_path(t->run, &e) == 0;
		before = meaning_of(t->run);
		assert_true(before.ino != 0);
		attack_as_other(t);
		after = meaning_of(t->run);
		if (good && !same(&before, &after))
			fail_msg("tree %u: %s was trusted, and is changed", i,
			    t->run);
		trusted += good;
		others += !good;
		spoiled += !good && !same(&before, &after);
		tempdir_remove(t->dir);
	}
	free(t);
	print_message(
	    "# %u trees trusted, none changed; %u of %u others were\n", trusted,
	    spoiled, others);
	assert_true(trusted > TREES / 10);
	assert_true(spoiled > TREES / 10);
}

int
main(void)
{
	static const struct trust strict = {.check = true};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trusted_paths_keep_their_meaning),
	};

	if (geteuid() != 0) {
		printf("1..0 # SKIP only root can act as two users\n");
		return 0;
	}
	umask(022);
	trust_set(&strict);
	rnd = rnd_start("trust race");
	return cmocka_run_group_tests_name("trust race", tests, NULL, NULL);
}
