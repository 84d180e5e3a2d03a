/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Stands in for libFuzzer in an ordinary build: runs a target over every file
 * of a folder, one TAP line each.  A broken promise ends the process.
 */
#include "fuzz.h"

#include <dirent.h>

#ifndef SEEDS
#error SEEDS is the folder below tests/fuzz
#endif

#define MAX_SEED (1 << 20)

/* Run one file. */
static void
replay(const char *folder, const char *name, int number)
{
	static uint8_t data[MAX_SEED];
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "rb");
	promise(f != NULL);
	n = fread(data, 1, sizeof data, f);
	promise(ferror(f) == 0);
	fclose(f);
	LLVMFuzzerTestOneInput(data, n);
	printf("ok %d - %s/%s\n", number, SEEDS, name);
	fflush(stdout);
}

/* Every file that is not hidden. */
int
main(void)
{
	const char *src = getenv("XMSG_SRCDIR");
	char folder[2048];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(
	    folder, sizeof folder, "%s/tests/fuzz/%s", src ? src : ".", SEEDS);
	d = opendir(folder);
	promise(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			replay(folder, e->d_name, ++n);
	closedir(d);
	promise(n > 0);
	printf("1..%d\n", n);
	return 0;
}
