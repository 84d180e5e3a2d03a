/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* log: one event is one line, with a level, and no text can forge another. */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "log.h"

static int real_err = -1, file = -1;
static char got[16384];

/* Standard error into a file. */
static void
catch_begin(void)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	file = dup(fileno(f));
	fclose(f);
	fflush(stderr);
	real_err = dup(2);
	assert_int_not_equal(real_err, -1);
	assert_int_equal(dup2(file, 2), 2);
}

/* What came, as a string. */
static const char *
catch_end(void)
{
	ssize_t n = pread(file, got, sizeof got - 1, 0);

	assert_int_equal(dup2(real_err, 2), 2);
	close(real_err);
	close(file);
	assert_true(n >= 0);
	got[n] = '\0';
	return got;
}

/* No journal around us; the next line is for a fresh program. */
static int
setup(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("prog", LOG_TO_STDERR, LOG_L_INFO);
	return 0;
}

/* Program, level, subsystem, text. */
static void
log_line_form(void **state)
{
	(void)state;
	catch_begin();
	log_error("store", "disk %d is %s", 7, "full");
	log_warn("http", "w");
	log_info("main", "i");
	assert_string_equal(catch_end(),
	    "prog: error store: disk 7 is full\n"
	    "prog: warn http: w\n"
	    "prog: info main: i\n");
}

/* A program without a name has none in front. */
static void
log_without_name(void **state)
{
	(void)state;
	log_open(NULL, LOG_TO_STDERR, LOG_L_INFO);
	catch_begin();
	log_info("main", "i");
	assert_string_equal(catch_end(), "info main: i\n");
}

/* What is less important than the level is not said. */
static void
log_levels(void **state)
{
	static const char *const want[] = {"error", "warn", "info", "debug"};
	char text[200];

	(void)state;
	for (int lv = LOG_L_ERROR; lv <= LOG_L_DEBUG; lv++) {
		*text = '\0';
		for (int i = 0; i <= lv; i++)
			sprintf(
			    text + strlen(text), "prog: %s s: x\n", want[i]);
		log_set_level((enum log_level)lv);
		catch_begin();
		log_error("s", "x");
		log_warn("s", "x");
		log_info("s", "x");
		log_debug("s", "x");
		assert_string_equal(catch_end(), text);
	}
}

/* Names of levels, any case. */
static void
log_level_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_L_ERROR);
	assert_int_equal(log_level_parse("Warn"), LOG_L_WARN);
	assert_int_equal(log_level_parse("INFO"), LOG_L_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_L_DEBUG);
	assert_int_equal(log_level_parse("warning"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

/* Nothing in the text starts a line or drives a terminal. */
static void
log_escapes(void **state)
{
	(void)state;
	catch_begin();
	log_info("s", "a%sb", "\n\r\t\033[31m\x7f\xc3\xa9%s");
	assert_string_equal(catch_end(),
	    "prog: info s: a\\x0a\\x0d\\x09\\x1b[31m\\x7f\\xc3\\xa9%sb\n");
}

/* A long text is cut, also when every byte is escaped; it stays a line. */
static void
log_cuts(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	catch_begin();
	log_info("s", "%s", text);
	memset(text, '\n', sizeof text - 1);
	log_info("s", "%s", text);
	catch_end();
	assert_int_equal(
	    strlen(got), 2 * strlen("prog: info s: \n") + 1023 * 5);
	assert_int_equal(strcspn(got, "\n"), strlen("prog: info s: ") + 1023);
	assert_int_equal(got[strlen(got) - 1], '\n');
}

/* Under the journal the priority goes in front. */
static void
log_journal_priority(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	catch_begin(); /* a file: not a terminal */
	log_open("prog", LOG_TO_STDERR, LOG_L_DEBUG);
	log_error("s", "e");
	log_warn("s", "w");
	log_info("s", "i");
	log_debug("s", "d");
	assert_string_equal(catch_end(),
	    "<3>prog: error s: e\n<4>prog: warn s: w\n"
	    "<6>prog: info s: i\n<7>prog: debug s: d\n");
}

/* errno stays, also when nothing could be written. */
static void
log_keeps_errno(void **state)
{
	int saved;

	(void)state;
	catch_begin();
	errno = ENOSPC;
	log_info("s", "%d", 1);
	saved = errno;
	close(2);
	errno = EMLINK;
	log_info("s", "%d", 2);
	if (errno != EMLINK)
		saved = -1;
	catch_end();
	assert_int_equal(saved, ENOSPC);
	assert_string_equal(got, "prog: info s: 1\n");
}

/* To syslog nothing appears on standard error. */
static void
log_to_syslog(void **state)
{
	(void)state;
	catch_begin();
	log_open("prog", LOG_TO_SYSLOG, LOG_L_INFO);
	log_info("s", "x");
	assert_string_equal(catch_end(), "");
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(log_line_form),
	    T(log_without_name),
	    T(log_levels),
	    T(log_level_names),
	    T(log_escapes),
	    T(log_cuts),
	    T(log_journal_priority),
	    T(log_keeps_errno),
	    T(log_to_syslog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
