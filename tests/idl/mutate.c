/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Stands in for libFuzzer where tests run: feeds the target of fuzz_idl with
 * changed declarations for a while.  Bytes are flipped, pieces cut, doubled,
 * moved between files, words put in; whatever comes out, the target must
 * neither break a promise nor, under the sanitizers, touch what is not its
 * own.  60 seconds where CI is set, else 5, or $XMSG_FUZZ_SECONDS.  The input
 * at hand is always in the file fuzz_idl.last, for when it was the last.
 */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "support/rnd.h"

#define MAX_INPUT (128 * 1024)
#define MAX_FILES 64
#define MAX_WORDS 128
#define PATIENCE  20 /* seconds for one input */

struct piece {
	char *p;
	size_t n;
};

/* What is put together. */
static struct piece files[MAX_FILES], words[MAX_WORDS];
static size_t n_files, n_words;

/* The input at hand, in a file that stays when the process ends. */
static struct last {
	size_t n;
	char text[MAX_INPUT];
} * last;

/* A file to begin with. */
static void
read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct piece *s = &files[n_files];

	promise(f != NULL && n_files < MAX_FILES);
	s->p = malloc(MAX_INPUT);
	promise(s->p != NULL);
	s->n = fread(s->p, 1, MAX_INPUT, f);
	fclose(f);
	n_files++;
}

/* All files of a pattern below the sources. */
static void
read_files(const char *pattern)
{
	const char *src = getenv("XMSG_SRCDIR");
	char path[4096];
	glob_t found;
	size_t i;

	snprintf(path, sizeof(path), "%s/%s", src ? src : ".", pattern);
	promise(glob(path, 0, NULL, &found) == 0);
	for (i = 0; i < found.gl_pathc; i++)
		read_file(found.gl_pathv[i]);
	globfree(&found);
}

/* The words between quotes of a dictionary for libFuzzer. */
static void
read_words(const char *name)
{
	const char *src = getenv("XMSG_SRCDIR");
	char path[4096], line[256], *end;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", src ? src : ".", name);
	f = fopen(path, "re");
	promise(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL && n_words < MAX_WORDS) {
		end = strrchr(line, '"');
		if (line[0] != '"' || end == line)
			continue;
		*end = '\0';
		words[n_words].p = strdup(line + 1);
		promise(words[n_words].p != NULL);
		words[n_words].n = strlen(words[n_words].p);
		n_words++;
	}
	fclose(f);
}

/* Put n bytes in at `at`, or as many as there is room for. */
static void
insert(size_t at, const char *p, size_t n)
{
	if (n > MAX_INPUT - last->n)
		n = MAX_INPUT - last->n;
	memmove(last->text + at + n, last->text + at, last->n - at);
	memcpy(last->text + at, p, n);
	last->n += n;
}

/* Take up to n bytes out. */
static void
cut(size_t at, size_t n)
{
	if (n > last->n - at)
		n = last->n - at;
	memmove(last->text + at, last->text + at + n, last->n - at - n);
	last->n -= n;
}

/* The beginning of the line at a place. */
static size_t
line_start(const struct piece *s, size_t at)
{
	while (at > 0 && s->p[at - 1] != '\n')
		at--;
	return at;
}

/* Some lines of some file. */
static struct piece
some_lines(struct rnd *r)
{
	const struct piece *s = &files[rnd_below(r, n_files)];
	struct piece lines = {s->p, 0};
	size_t n;

	if (s->n == 0)
		return lines;
	lines.p += line_start(s, rnd_below(r, s->n));
	n = (size_t)(s->p + s->n - lines.p);
	lines.n = rnd_below(r, 400) + 1;
	return (struct piece){lines.p, lines.n < n ? lines.n : n};
}

/* One change. */
static void
change(struct rnd *r)
{
	struct piece s = {last->text, last->n}, lines;
	size_t at = rnd_below(r, last->n + 1);
	char byte = (char)rnd_next(r), copy[400];

	switch (rnd_below(r, 8)) {
	case 0:
		if (at < last->n)
			last->text[at] ^= (char)(1 << rnd_below(r, 8));
		break;
	case 1: insert(at, &byte, 1); break;
	case 2: cut(at, rnd_below(r, 8) + 1); break;
	case 3: cut(line_start(&s, at), rnd_below(r, 200)); break;
	case 4:
		lines = some_lines(r);
		insert(line_start(&s, at), lines.p, lines.n);
		break;
	case 5:
		s = words[rnd_below(r, n_words)];
		insert(at, s.p, s.n);
		break;
	case 6:
		insert(line_start(&s, at), "          ", rnd_below(r, 6) + 1);
		break;
	default:
		lines.n = rnd_below(r, sizeof(copy)) + 1;
		if (lines.n > last->n - at)
			lines.n = last->n - at;
		memcpy(copy, last->text + at, lines.n);
		insert(rnd_below(r, last->n + 1), copy, lines.n);
	}
}

/* A new input; the number of changes is small most of the time, so that much
 * of it goes deep. */
static void
make_input(struct rnd *r)
{
	const struct piece *s = &files[rnd_below(r, n_files)];
	uint32_t n = 1u << rnd_below(r, 5);

	last->n = s->n;
	memcpy(last->text, s->p, s->n);
	for (n = rnd_below(r, n) + 1; n > 0; n--)
		change(r);
}

/* How long. */
static double
seconds(void)
{
	const char *s = getenv("XMSG_FUZZ_SECONDS");

	if (s != NULL)
		return strtod(s, NULL);
	return getenv("CI") != NULL ? 60 : 5;
}

/* Since some time. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nobody reads what the target says of its inputs. */
int
main(void)
{
	int fd = open("fuzz_idl.last", O_RDWR | O_CREAT | O_TRUNC, 0666);
	double begin = now(), limit = seconds();
	unsigned long n = 0;
	struct rnd r;
	size_t i;

	promise(fd >= 0 && ftruncate(fd, sizeof(*last)) == 0);
	last = mmap(
	    NULL, sizeof(*last), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	promise(last != MAP_FAILED);
	read_files("tests/fuzz/idl.seeds/*");
	read_files("tests/golden/*/*.yaml");
	read_files("idl/api/*.yaml");
	read_words("tests/fuzz/idl.dict");
	r = rnd_start("fuzz_idl");
	for (i = 0; i < n_files; i++)
		LLVMFuzzerTestOneInput((uint8_t *)files[i].p, files[i].n);
	for (; now() - begin < limit; n++) {
		make_input(&r);
		alarm(PATIENCE);
		LLVMFuzzerTestOneInput((uint8_t *)last->text, last->n);
		alarm(0);
	}
	printf("ok 1 - %lu changed declarations in %.0f s\n1..1\n", n, limit);
	unlink("fuzz_idl.last");
	while (n_files > 0)
		free(files[--n_files].p);
	while (n_words > 0)
		free(words[--n_words].p);
	return n == 0;
}
