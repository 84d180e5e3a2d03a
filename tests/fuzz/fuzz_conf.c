/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Fuzz target: any bytes as a settings file.  What is taken must print as a
 * file that gives the same settings; what is refused has a reason. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"

struct set {
	int64_t i, size, time, on;
	char *text;
};

static const struct conf_row rows[] = {
    {"a", "int", CONF_INT, offsetof(struct set, i), "1", -9, 99, CONF_RELOAD,
	"A number."},
    {"a", "size", CONF_SIZE, offsetof(struct set, size), "1K", 0, 0, 0, "x"},
    {"b", "time", CONF_TIME, offsetof(struct set, time), "1s", 0, 0, 0, "x"},
    {"b", "on", CONF_BOOL, offsetof(struct set, on), "no", 0, 0, 0, "x"},
    {"b", "text", CONF_STR, offsetof(struct set, text), "t", 0, 0, 0, "x"},
};
#define N (sizeof rows / sizeof *rows)

/* Read bytes through a file without a name. */
static int
read_bytes(struct set *s, const void *p, size_t n, struct err *e)
{
	int fd = memfd_create("conf", MFD_CLOEXEC), rc;
	char path[40];

	if (fd == -1 || write(fd, p, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	conf_defaults(rows, N, s);
	rc = conf_read(rows, N, s, path, e);
	close(fd);
	return rc;
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct err e = {0, ""};
	struct set a, b;

	if (read_bytes(&a, data, n, &e) == 0) {
		conf_print(rows, N, &a, &one);
		if (read_bytes(&b, one.p, one.n, &e) != 0)
			abort();
		conf_print(rows, N, &b, &two);
		if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
			abort();
		conf_reload(rows, N, &b, &a, NULL, NULL);
		conf_fini(rows, N, &b);
	} else if (e.code == 0 || *e.text == '\0') {
		abort();
	}
	conf_fini(rows, N, &a);
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}
