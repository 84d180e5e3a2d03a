/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Memory given back: when it looks, when it does not wake anybody, and that
 * pages that were written go without losing a byte.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "support/tempdir.h"
#include "tidy.h"

#define SIZE (1024 * 1024)
#define MIB  (1024 * 1024)

/* Idle at first: one look, and then none without work. */
static void
looks_after_work_only(void **state)
{
	struct deadlines ds = {{0}};
	struct tidy t;

	(void)state;
	tidy_init(&t, &ds, NULL, 0);
	tidy_turn(&t, 0, 0, 0);
	assert_int_equal(deadlines_next(&ds), TIDY_NS);
	deadlines_run(&ds, TIDY_NS);
	assert_int_equal(t.given, 1);
	tidy_turn(&t, 0, 0, TIDY_NS);
	assert_int_equal(deadlines_next(&ds), -1);

	tidy_turn(&t, 1, 0, 2 * TIDY_NS);
	deadlines_run(&ds, 3 * TIDY_NS); /* busy: looks again */
	assert_int_equal(t.given, 1);
	assert_int_equal(deadlines_next(&ds), 4 * TIDY_NS);
	deadlines_run(&ds, 4 * TIDY_NS);
	assert_int_equal(t.given, 2);
	assert_int_equal(deadlines_next(&ds), -1);
	deadlines_fini(&ds);
}

/* Busy: when a lot less is in use than was. */
static void
gives_back_while_busy(void **state)
{
	static const struct {
		int64_t before, after;
		uint64_t given;
	} rows[] = {{0, 0, 0}, {64 * MIB, 63 * MIB, 0}, {64 * MIB, 1, 1},
	    {1, 64 * MIB, 0}};
	struct deadlines ds = {{0}};
	struct tidy t;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		tidy_init(&t, &ds, NULL, 0);
		tidy_turn(&t, 1, rows[i].before, 0);
		tidy_turn(&t, 2, rows[i].after, 1);
		deadlines_run(&ds, TIDY_NS);
		assert_int_equal(t.given, rows[i].given);
		deadline_clear(&ds, &t.deadline);
	}
	deadlines_fini(&ds);
}

/* How many pages of it are mapped: those that the kernel has for us. */
static size_t
mapped(const char *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long from;
	size_t kib = 0, n = 0;
	bool here = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (strchr(line, '-') != NULL &&
		    sscanf(line, "%lx-", &from) == 1)
			here = from == (unsigned long)p;
		if (here && sscanf(line, "Rss: %zu", &n) == 1)
			kib = n;
	}
	fclose(f);
	return kib;
}

static void
recorder_keeps_its_bytes(void **state)
{
	char dir[TEMPDIR_MAX], path[TEMPDIR_MAX + 8];
	struct deadlines ds = {{0}};
	struct tidy t;
	FILE *f;
	char *p;

	(void)state;
	tempdir_make(dir);
	snprintf(path, sizeof path, "%s/ring", dir);
	f = fopen(path, "w+e");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), SIZE), 0);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	assert_true(p != MAP_FAILED);
	memset(p, 'x', SIZE);
	assert_true(mapped(p) > 0);
	tidy_init(&t, &ds, p, SIZE);
	tidy_turn(&t, 0, 0, 0);
	deadlines_run(&ds, TIDY_NS);
	assert_int_equal(mapped(p), 0);
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(p[i], 'x');
	munmap(p, SIZE);
	fclose(f);
	deadlines_fini(&ds);
	tempdir_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks_after_work_only),
	    cmocka_unit_test(gives_back_while_busy),
	    cmocka_unit_test(recorder_keeps_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
