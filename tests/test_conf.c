/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* conf: every type, every kind of mistake, the file, the listing, a reload. */
#include "support/unit.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"

struct set {
	int64_t count, body, wait, sync, free, delay;
	char *path, *level;
};

#define AT(f) offsetof(struct set, f)

static const struct conf_row rows[] = {
    {"limits", "count", CONF_INT, AT(count), "10", -5, 1000, CONF_RELOAD,
	"How many there may be."},
    {"limits", "max_body", CONF_SIZE, AT(body), "16M", 1024, 1 << 30, 0,
	"Largest body of a request, which is a number that decides about the "
	"memory one client may take while it talks to us."},
    {"limits", "wait", CONF_TIME, AT(wait), "30s", NS_PER_MS, 300 * NS_PER_SEC,
	CONF_RELOAD, "How long a poll may wait."},
    {"limits", "delay", CONF_TIME, AT(delay), "0", 0, 0, 0, "No limit here."},
    {"store", "sync", CONF_BOOL, AT(sync), "yes", 0, 0, CONF_RELOAD,
	"Wait for the disk."},
    {"store", "free", CONF_INT, AT(free), "-7", 0, 0, 0, "Any number."},
    {"store", "path", CONF_STR, AT(path), "/var/lib/x", 0, 0, 0,
	"Where the store is."},
    {"log", "level", CONF_STR, AT(level), NULL, 0, 0, CONF_RELOAD,
	"How much is said."},
};
#define NROWS (sizeof rows / sizeof *rows)

struct fix {
	struct set s;
	struct err e;
	char path[40];
};

/* Defaults and a file name. */
static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	int fd;

	if (f == NULL)
		return -1;
	memset(&f->s, 0xa5, sizeof f->s);
	conf_defaults(rows, NROWS, &f->s);
	strcpy(f->path, "/tmp/conf.XXXXXX");
	fd = mkstemp(f->path);
	if (fd == -1)
		return -1;
	close(fd);
	*state = f;
	return 0;
}

/* Leave nothing behind. */
static int
teardown(void **state)
{
	struct fix *f = *state;

	conf_fini(rows, NROWS, &f->s);
	assert_null(f->s.path);
	unlink(f->path);
	free(f);
	return 0;
}

/* Write the file and read it. */
static int
read_bytes(struct fix *f, const char *text, size_t n)
{
	FILE *o = fopen(f->path, "w");

	assert_non_null(o);
	assert_int_equal(fwrite(text, 1, n, o), n);
	fclose(o);
	return conf_read(rows, NROWS, &f->s, f->path, &f->e);
}

/* The same for text. */
static int
read_text(struct fix *f, const char *text)
{
	return read_bytes(f, text, strlen(text));
}

/* Every field has its default, text is never NULL. */
static void
conf_defaults_fill_all(void **state)
{
	struct fix *f = *state;

	assert_int_equal(f->s.count, 10);
	assert_int_equal(f->s.body, 16 << 20);
	assert_int_equal(f->s.wait, 30 * NS_PER_SEC);
	assert_int_equal(f->s.delay, 0);
	assert_int_equal(f->s.sync, 1);
	assert_int_equal(f->s.free, -7);
	assert_string_equal(f->s.path, "/var/lib/x");
	assert_string_equal(f->s.level, "");
}

/* Values that are taken. */
static void
conf_set_takes(void **state)
{
	static const struct {
		const char *key, *value;
		size_t at;
		int64_t want;
	} c[] = {
	    {"limits.count", "0", AT(count), 0},
	    {"limits.count", "-5", AT(count), -5},
	    {"limits.count", "1000", AT(count), 1000},
	    {"store.free", "9223372036854775807", AT(free), INT64_MAX},
	    {"store.free", "-9223372036854775808", AT(free), INT64_MIN},
	    {"limits.max_body", "1024", AT(body), 1024},
	    {"limits.max_body", "1k", AT(body), 1024},
	    {"limits.max_body", "3 M", AT(body), 3 << 20},
	    {"limits.max_body", "1G", AT(body), 1 << 30},
	    {"limits.wait", "1ms", AT(wait), NS_PER_MS},
	    {"limits.wait", "5", AT(wait), 5 * NS_PER_SEC},
	    {"limits.wait", "5s", AT(wait), 5 * NS_PER_SEC},
	    {"limits.wait", "5 m", AT(wait), 300 * NS_PER_SEC},
	    {"limits.delay", "2h", AT(delay), 7200 * NS_PER_SEC},
	    {"limits.delay", "7us", AT(delay), 7000},
	    {"limits.delay", "7ns", AT(delay), 7},
	    {"store.sync", "no", AT(sync), 0},
	    {"store.sync", "TRUE", AT(sync), 1},
	    {"store.sync", "off", AT(sync), 0},
	    {"store.sync", "On", AT(sync), 1},
	    {"store.sync", "0", AT(sync), 0},
	    {"store.sync", "yes", AT(sync), 1},
	    {"store.sync", "false", AT(sync), 0},
	    {"store.sync", "1", AT(sync), 1},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		int64_t got;
		if (conf_set(rows, NROWS, &f->s, c[i].key, c[i].value, &f->e))
			fail_msg("%s: %s", c[i].key, f->e.text);
		memcpy(&got, (char *)&f->s + c[i].at, sizeof got);
		if (got != c[i].want)
			fail_msg("%s = %s: got %lld, want %lld", c[i].key,
			    c[i].value, (long long)got, (long long)c[i].want);
	}
	assert_int_equal(
	    conf_set(rows, NROWS, &f->s, "store.path", "/a b;c=d#e", NULL), 0);
	assert_string_equal(f->s.path, "/a b;c=d#e");
}

/* Mistakes, each with its sentence; nothing is changed. */
static void
conf_set_refuses(void **state)
{
	static const struct {
		const char *key, *value;
		int code;
		const char *text; /* all of it */
	} c[] = {
	    {"limits.count", "1001", ERANGE,
		"limits.count: 1001 is too large: use -5 to 1000"},
	    {"limits.count", "-6", ERANGE,
		"limits.count: -6 is too small: use -5 to 1000"},
	    {"limits.max_body", "2G", ERANGE,
		"limits.max_body: 2G is too large: use 1K to 1G"},
	    {"limits.max_body", "1023", ERANGE,
		"limits.max_body: 1023 is too small: use 1K to 1G"},
	    {"limits.wait", "0", ERANGE,
		"limits.wait: 0 is too small: use 1ms to 5m"},
	    {"limits.wait", "6m", ERANGE,
		"limits.wait: 6m is too large: use 1ms to 5m"},
	    {"limits.delay", "-1", ERANGE,
		"limits.delay: -1 is too small: use 0 or more"},
	    {"limits.count", "", EINVAL,
		"limits.count: \"\" is not a whole number"},
	    {"limits.count", "x", EINVAL,
		"limits.count: \"x\" is not a whole number"},
	    {"limits.count", "1K", EINVAL,
		"limits.count: \"1K\" is not a whole number"},
	    {"limits.count", " 1", EINVAL,
		"limits.count: \" 1\" is not a whole number"},
	    {"limits.count", "1.5", EINVAL,
		"limits.count: \"1.5\" is not a whole number"},
	    {"limits.count", "9223372036854775808", EINVAL,
		"limits.count: \"9223372036854775808\" is not a whole number"},
	    {"limits.max_body", "9007199254740992G", EINVAL,
		"limits.max_body: \"9007199254740992G\" is not a number of "
		"bytes, or one with K, M or G (as 64K)"},
	    {"limits.max_body", "1T", EINVAL,
		"limits.max_body: \"1T\" is not a number of bytes, or one with "
		"K, M or G (as 64K)"},
	    {"limits.wait", "1d", EINVAL,
		"limits.wait: \"1d\" is not a number of seconds, or one with "
		"ms, s, m or h (as 500ms)"},
	    {"store.sync", "maybe", EINVAL,
		"store.sync: \"maybe\" is not yes or no"},
	    {"store.sync", "2", EINVAL, "store.sync: \"2\" is not yes or no"},
	    {"store.path", "a\nb", EINVAL, NULL},
	    {"store.path", " a", EINVAL, NULL},
	    {"store.path", "a ", EINVAL, NULL},
	    {"store.path", "a ;b", EINVAL, NULL},
	    {"store.path", ";b", EINVAL, NULL},
	    {"limits.maxbody", "1", ENOENT,
		"unknown setting limits.maxbody (did you mean "
		"limits.max_body?)"},
	    {"limit.wait", "1", ENOENT,
		"unknown setting limit.wait (did you mean limits.wait?)"},
	    {"log.sync", "1", ENOENT,
		"unknown setting log.sync (did you mean store.sync?)"},
	    {"level", "1", ENOENT,
		"unknown setting level (did you mean log.level?)"},
	    {"quite.different", "1", ENOENT, "unknown setting quite.different"},
	    {"", "1", ENOENT, "unknown setting "},
	    {".", "1", ENOENT, "unknown setting ."},
	    {"limits", "1", ENOENT, "unknown setting limits"},
	    {"limits.", "1", ENOENT, NULL},
	    {"LIMITS.WAIT", "1", ENOENT, NULL},
	};
	struct fix *f = *state;
	struct set before = f->s;

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		assert_int_equal(
		    conf_set(rows, NROWS, &f->s, c[i].key, c[i].value, &f->e),
		    -1);
		assert_int_equal(f->e.code, c[i].code);
		if (c[i].text)
			assert_string_equal(f->e.text, c[i].text);
	}
	assert_memory_equal(&before, &f->s, sizeof before);
	assert_string_equal(f->s.path, "/var/lib/x");
	assert_int_equal(conf_set(rows, NROWS, &f->s, "x", "y", NULL), -1);
}

/* Text as long as a line of the file can hold, and longer. */
static void
conf_set_long_text(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT;
	char text[300];

	memset(text, 'x', sizeof text);
	text[191] = '\0';
	assert_int_equal(
	    conf_set(rows, NROWS, &f->s, "store.path", text, &f->e), -1);
	assert_int_equal(f->e.code, ERANGE);
	assert_non_null(strstr(f->e.text, "use at most 190 bytes"));
	text[190] = '\0';
	assert_int_equal(
	    conf_set(rows, NROWS, &f->s, "store.path", text, &f->e), 0);
	conf_print(rows, NROWS, &f->s, &b);
	assert_int_equal(read_bytes(f, b.p, b.n), 0);
	assert_string_equal(f->s.path, text);
	buf_fini(&b);
}

/* A key longer than any is refused, not overrun. */
static void
conf_set_long_key(void **state)
{
	struct fix *f = *state;
	char key[5000];

	memset(key, 'k', sizeof key);
	key[sizeof key - 1] = '\0';
	assert_int_equal(conf_set(rows, NROWS, &f->s, key, key, &f->e), -1);
	key[6] = '.';
	assert_int_equal(conf_set(rows, NROWS, &f->s, key, key, &f->e), -1);
}

/* A file with all one may write. */
static void
conf_read_takes_a_file(void **state)
{
	struct fix *f = *state;

	if (read_text(f,
		"\xef\xbb\xbf# comment\n"
		"; another\n"
		"\n"
		"[limits]\r\n"
		"  count = 12   ; inline\n"
		"\tmax_body=1M\n"
		"wait : 250ms\n"
		"[store]\n"
		"path = /srv/a=b\n"
		"sync=no\n"
		"[log]\n"
		"level =\n"
		"[limits]\n"
		"delay = 1h") == -1)
		fail_msg("%s", f->e.text);
	assert_int_equal(f->s.count, 12);
	assert_int_equal(f->s.body, 1 << 20);
	assert_int_equal(f->s.wait, 250 * NS_PER_MS);
	assert_int_equal(f->s.delay, 3600 * NS_PER_SEC);
	assert_int_equal(f->s.sync, 0);
	assert_string_equal(f->s.path, "/srv/a=b");
	assert_string_equal(f->s.level, "");
	assert_int_equal(f->s.free, -7); /* not mentioned: default */
	assert_int_equal(read_text(f, ""), 0);
}

/* A comment may be as long as it likes. */
static void
conf_read_long_comment(void **state)
{
	struct fix *f = *state;
	char text[2000];

	memset(text, 'x', sizeof text);
	text[0] = '#';
	strcpy(text + 1500, "\n[limits]\ncount = 3\n");
	assert_int_equal(read_text(f, text), 0);
	assert_int_equal(f->s.count, 3);
}

/* Mistakes with file and line; the first one ends it. */
static void
conf_read_refuses(void **state)
{
	static const struct {
		const char *text, *line, *why;
	} c[] = {
	    {"[limits]\ncount = 1\ncoutn = 2\ncount = x\n", ":3: ",
		"unknown setting limits.coutn (did you mean limits.count?)"},
	    {"[limits]\n\n\ncount = 5000\n", ":4: ", "too large"},
	    {"[limits]\ncount\n", ":2: ", "neither"},
	    {"[limits\ncount = 1\n", ":1: ", "neither"},
	    {"[limits]\njunk\ncount = x\n", ":2: ", "neither"},
	    {"[limits]\ncount = x\njunk\n", ":2: ", "not a whole number"},
	    {"count = 1\n", ":1: ", "before the first [section]"},
	    {"[limits]\n# a\n count = 1\n  two\n", ":4: ", "neither"},
	    {"[a.b]\nc = 1\n", ":2: ", "unknown setting a.b.c"},
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		char want[64];
		snprintf(want, sizeof want, "%s%s", f->path, c[i].line);
		assert_int_equal(read_text(f, c[i].text), -1);
		if (strncmp(f->e.text, want, strlen(want)) != 0 ||
		    strstr(f->e.text, c[i].why) == NULL)
			fail_msg("case %zu: %s", i, f->e.text);
	}
}

/* A long line is not cut silently, a binary file not read as text. */
static void
conf_read_refuses_long_and_binary(void **state)
{
	struct fix *f = *state;
	char text[1000];

	memset(text, 'x', sizeof text);
	memcpy(text, "[log]\nlevel = ", 14);
	text[999] = '\0';
	assert_int_equal(read_text(f, text), -1);
	assert_non_null(strstr(f->e.text, ":2: the line is too long"));
	assert_int_equal(read_bytes(f, "[log]\nlevel = a\0b\n", 18), -1);
	assert_non_null(strstr(f->e.text, ":2: a NUL byte"));
}

/* No such file; a folder. */
static void
conf_read_unreadable(void **state)
{
	struct fix *f = *state;

	assert_int_equal(
	    conf_read(rows, NROWS, &f->s, "/nonexistent/x", &f->e), -1);
	assert_int_equal(f->e.code, ENOENT);
	assert_non_null(strstr(f->e.text, "/nonexistent/x"));
	assert_int_equal(conf_read(rows, NROWS, &f->s, "/", &f->e), -1);
	assert_int_equal(conf_read(rows, NROWS, &f->s, "/", NULL), -1);
}

/* What is printed can be read and gives the same. */
static void
conf_print_is_a_file(void **state)
{
	static const char *const sets[][2] = {
	    {"limits.count", "-3"},
	    {"limits.max_body", "1025"},
	    {"limits.wait", "1500ms"},
	    {"limits.delay", "123456789ns"},
	    {"store.sync", "no"},
	    {"store.free", "-9223372036854775808"},
	    {"store.path", "/p q;r#s"},
	    {"log.level", "x"},
	};
	struct fix *f = *state;
	struct buf b = BUF_INIT;
	struct set was;
	char *text;

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		assert_int_equal(
		    conf_set(rows, NROWS, &f->s, sets[i][0], sets[i][1], &f->e),
		    0);
	was = f->s;
	was.path = strdup(f->s.path);
	was.level = strdup(f->s.level);
	conf_print(rows, NROWS, &f->s, &b);
	text = buf_steal(&b, NULL);
	assert_non_null(text);
	conf_fini(rows, NROWS, &f->s);
	conf_defaults(rows, NROWS, &f->s);
	if (read_text(f, text) == -1)
		fail_msg("%s\n%s", f->e.text, text);
	assert_memory_equal(&was, &f->s, offsetof(struct set, path));
	assert_string_equal(was.path, f->s.path);
	assert_string_equal(was.level, f->s.level);
	free(was.path);
	free(was.level);
	free(text);
}

/* The listing, byte for byte. */
static void
conf_print_form(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT;

	conf_print(rows, 3, &f->s, &b);
	conf_print(rows + 4, 3, &f->s, &b);
	conf_print(rows + 7, 1, &f->s, &b);
	buf_addc(&b, '\0');
	assert_string_equal(b.p,
	    "[limits]\n"
	    "# How many there may be.\n"
	    "# -5 to 1000; default 10; a reload changes it.\n"
	    "count = 10\n"
	    "# Largest body of a request, which is a number that decides about "
	    "the memory\n"
	    "# one client may take while it talks to us.\n"
	    "# 1K to 1G; default 16M; a change needs a restart.\n"
	    "max_body = 16M\n"
	    "# How long a poll may wait.\n"
	    "# 1ms to 5m; default 30s; a reload changes it.\n"
	    "wait = 30s\n"
	    "[store]\n"
	    "# Wait for the disk.\n"
	    "# Default yes; a reload changes it.\n"
	    "sync = yes\n"
	    "# Any number.\n"
	    "# Default -7; a change needs a restart.\n"
	    "free = -7\n"
	    "# Where the store is.\n"
	    "# Default /var/lib/x; a change needs a restart.\n"
	    "path = /var/lib/x\n"
	    "[log]\n"
	    "# How much is said.\n"
	    "# Default empty; a reload changes it.\n"
	    "level = \n");
	buf_fini(&b);
}

/* Note what a reload could not change. */
static void
note(void *arg, const struct conf_row *row)
{
	buf_addf(arg, "%s ", row->name);
}

/* A reload takes the marked ones and names the others that differ. */
static void
conf_reload_takes_marked(void **state)
{
	struct fix *f = *state;
	struct buf b = BUF_INIT;
	struct set from;

	conf_defaults(rows, NROWS, &from);
	assert_int_equal(
	    conf_set(rows, NROWS, &from, "limits.count", "1", NULL), 0);
	assert_int_equal(
	    conf_set(rows, NROWS, &from, "limits.max_body", "1K", NULL), 0);
	assert_int_equal(
	    conf_set(rows, NROWS, &from, "log.level", "new", NULL), 0);
	assert_int_equal(
	    conf_set(rows, NROWS, &from, "store.path", "/new", NULL), 0);
	conf_reload(rows, NROWS, &f->s, &from, note, &b);
	buf_addc(&b, '\0');
	assert_string_equal(b.p, "max_body path ");
	assert_int_equal(f->s.count, 1);
	assert_int_equal(f->s.body, 16 << 20);
	assert_string_equal(f->s.path, "/var/lib/x");
	assert_string_equal(f->s.level, "new");
	assert_ptr_not_equal(f->s.level, from.level);
	assert_string_equal(from.level, "new");
	conf_reload(rows, NROWS, &f->s, &from, NULL, NULL);
	conf_fini(rows, NROWS, &from);
	buf_fini(&b);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(conf_defaults_fill_all),
	    T(conf_set_takes),
	    T(conf_set_refuses),
	    T(conf_set_long_text),
	    T(conf_set_long_key),
	    T(conf_read_takes_a_file),
	    T(conf_read_long_comment),
	    T(conf_read_refuses),
	    T(conf_read_refuses_long_and_binary),
	    T(conf_read_unreadable),
	    T(conf_print_is_a_file),
	    T(conf_print_form),
	    T(conf_reload_takes_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
