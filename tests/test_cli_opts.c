/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/opts, cli/pick, cli/cmd: options, abbreviations, suggestions, tables. */
#include "support/unit.h"

#include "../cli/cmd.h"
#include "../cli/pick.h"

static const struct opt rows[] = {
    {"json", 'j', OPT_FLAG, NULL, "", NULL},
    {"socket", 's', OPT_TEXT, "PATH", "", "path"},
    {"lines", 'n', OPT_NUMBER, "N", "", NULL},
    {"timeout", 't', OPT_SECONDS, "SEC", "", NULL},
    {"color", 0, OPT_WORD, "auto|always|never", "", NULL},
    {"columns", 0, OPT_TEXT, "LIST", "", NULL},
    {"offline", 0, OPT_MAYBE, "STATE", "", NULL},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

#define MOST 12

/* Parse a line of words; operands are joined with '|' in rest. */
static int
parse(struct opts *o, const char *line, char rest[200], struct err *e)
{
	static char copy[200];
	char *argv[MOST + 1] = {NULL}, *save = NULL;
	int argc = 0, n;

	memset(o, 0, sizeof *o);
	o->tables[1] = rows;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && argc < MOST;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	n = opts_parse(o, argc, argv, false, e);
	rest[0] = '\0';
	for (int i = 0; i < n; i++) {
		strcat(rest, argv[i]);
		strcat(rest, "|");
	}
	if (n >= 0)
		assert_null(argv[n]);
	return n;
}

/* Options stand anywhere, in every form. */
static void
options_are_taken_in_every_form(void **state)
{
	static const struct {
		const char *line, *rest, *name, *value;
	} good[] = {
	    {"a --json b", "a|b|", "json", NULL},
	    {"a -j b", "a|b|", "json", NULL},
	    {"--socket /x a", "a|", "socket", "/x"},
	    {"--socket=/x a", "a|", "socket", "/x"},
	    {"--path=/x", "", "socket", "/x"},
	    {"-s/x", "", "socket", "/x"},
	    {"-js /x", "", "socket", "/x"},
	    {"-n5 -", "-|", "lines", "5"},
	    {"--lin 5", "", "lines", "5"},
	    {"--off", "", "offline", NULL},
	    {"--offline=/d x", "x|", "offline", "/d"},
	    {"--offline /d", "/d|", "offline", NULL},
	    {"--color never", "", "color", "never"},
	    {"-n 1 -n 2", "", "lines", "2"},
	    {"-j -- --json -x", "--json|-x|", "json", NULL},
	};
	struct opts o;
	struct err e;
	char rest[200];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		const char *v;

		if (parse(&o, good[i].line, rest, &e) < 0)
			fail_msg("%s: %s", good[i].line, e.text);
		assert_string_equal(rest, good[i].rest);
		assert_true(opts_has(&o, good[i].name));
		v = opts_text(&o, good[i].name, "def");
		if ((v == NULL) != (good[i].value == NULL) ||
		    (v != NULL && strcmp(v, good[i].value) != 0))
			fail_msg("%s: got %s", good[i].line, v);
	}
	assert_false(opts_has(&o, "lines"));
	assert_int_equal(opts_number(&o, "lines", 7), 7);
}

/* What is wrong is refused, with the name of what was meant. */
static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
	    {"--sokcet x", "did you mean --socket?"},
	    {"--jsonn", "did you mean --json?"},
	    {"--zzzzzzz", "unknown option --zzzzzzz"},
	    {"-x", "unknown option -x"},
	    {"--col x", "could be several"},
	    {"--json=1", "takes no value"},
	    {"--socket", "wants a value: PATH"},
	    {"--lines x", "a whole number"},
	    {"--lines -5", "a whole number"},
	    {"--lines 99999999999999999999", "a whole number"},
	    {"--timeout 0", "seconds"},
	    {"--timeout -1", "seconds"},
	    {"--timeout nan", "seconds"},
	    {"--timeout 5x", "seconds"},
	    {"--color sometimes", "auto|always|never"},
	    {"--color auto|always", "auto|always|never"},
	};
	struct opts o;
	struct err e;
	char rest[200];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (parse(&o, bad[i].line, rest, &e) != -1)
			fail_msg("%s: taken", bad[i].line);
		if (strstr(e.text, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].line, e.text);
	}
}

static void
times_take_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* 0: refused */
	} times[] = {
	    {"1", 1000000000},
	    {"0.5", 500000000},
	    {"500ms", 500000000},
	    {"2m", 120000000000},
	    {"1h", 3600000000000},
	    {"30s", 30000000000},
	    {"ms", 0},
	    {"", 0},
	    {"1e300", 0},
	    {"1e-30", 0},
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		ns = 0;
		if (opts_seconds(times[i].text, &ns) != (times[i].ns != 0))
			fail_msg("'%s'", times[i].text);
		if (times[i].ns != 0)
			assert_int_equal(ns, times[i].ns);
	}
}

/* So many options do not overflow anything. */
static void
too_many_options_are_refused(void **state)
{
	static char flag[] = "-j";
	char *argv[OPTS_MOST + 2];
	struct opts o = {.tables = {rows}};
	struct err e;

	(void)state;
	for (int i = 0; i < OPTS_MOST + 1; i++)
		argv[i] = flag;
	argv[OPTS_MOST + 1] = NULL;
	assert_int_equal(opts_parse(&o, OPTS_MOST, argv + 1, false, &e), 0);
	opts_add(&o, &rows[0], NULL);
	assert_int_equal(o.n, OPTS_MOST);
	o.n = 0;
	argv[1] = flag; /* was made the end of the operands */
	assert_int_equal(opts_parse(&o, OPTS_MOST + 1, argv, false, &e), -1);
}

/* ---- pick ---- */

static void
distance_counts_edits(void **state)
{
	(void)state;
	assert_int_equal(pick_distance("list", "list"), 0);
	assert_int_equal(pick_distance("list", "lits"), 1);
	assert_int_equal(pick_distance("list", "lis"), 1);
	assert_int_equal(pick_distance("list", "alist"), 1);
	assert_int_equal(pick_distance("list", "lisp"), 1);
	assert_int_equal(pick_distance("", "abc"), 3);
	assert_int_equal(pick_distance("shutdown", "status"), 6);
}

static void
pick_wants_one_name(void **state)
{
	static const char *const names[] = {
	    "list", "listen", NULL, "send", "serve"};
	int abbreviated;

	(void)state;
	assert_int_equal(pick(names, 5, "list", &abbreviated), 0);
	assert_int_equal(abbreviated, 0);
	assert_int_equal(pick(names, 5, "liste", &abbreviated), 1);
	assert_int_equal(abbreviated, 1);
	assert_int_equal(pick(names, 5, "li", &abbreviated), PICK_MANY);
	assert_int_equal(pick(names, 5, "se", NULL), PICK_MANY);
	assert_int_equal(pick(names, 5, "", NULL), PICK_NONE);
	assert_int_equal(pick(names, 5, "lists", NULL), PICK_NONE);
	assert_string_equal(pick_nearest(names, 5, "sned"), "send");
	assert_null(pick_nearest(names, 5, "whatever"));
	assert_null(pick_nearest(names, 5, ""));
}

/* ---- the tables of commands ---- */

static void
commands_are_found(void **state)
{
	static const struct {
		const struct cmd *const *table;
		const char *word;
		const char *name; /* NULL: not found */
		const char *says;
	} words[] = {
	    {cmds, "list", "list", NULL},
	    {cmds, "ls", "list", NULL},
	    {cmds, "li", "list", NULL},
	    {cmds, "tai", "tail", NULL},
	    {cmds, "diag", "diagnostics", NULL},
	    {cmds, "cha", NULL, "no command 'cha'"}, /* alias: whole only */
	    {cmds, "destroy", "destroy", NULL},
	    {cmds, "destr", NULL, "must be written out: destroy"},
	    {cmds, "shutdow", NULL, "must be written out: shutdown"},
	    {cmds, "ac", NULL, "must be written out: ack"},
	    {cmds, "s", NULL, "could be show, status"},
	    {cmds, "lsit", NULL, "did you mean list?"},
	    {cmds, "destory", NULL, "did you mean destroy?"},
	    {cmds, "", NULL, "no command ''"},
	    {old_cmds, "diag", "diagnostics", NULL},
	    {old_cmds, "tail", "tail", NULL},
	    {old_cmds, "t", "tail", NULL},
	    {old_cmds, "shut", "shutdown", NULL},
	    {old_cmds, "des", "destroy", NULL},
	    {old_cmds, "d", NULL, "could be destroy, diagnostics"},
	    {old_cmds, "status", NULL, "no command 'status'"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct cmd *c =
		    cmd_find(words[i].table, words[i].word, &e);

		if ((c != NULL) != (words[i].name != NULL))
			fail_msg(
			    "'%s': %s", words[i].word, c ? c->name : e.text);
		if (c != NULL)
			assert_string_equal(c->name, words[i].name);
		else if (strstr(e.text, words[i].says) == NULL)
			fail_msg("'%s': %s", words[i].word, e.text);
	}
}

/* The nine of the original, no more and no less. */
static void
old_commands_are_nine(void **state)
{
	static const char *const names[] = {"ack", "call", "destroy",
	    "diagnostics", "list", "mscgen", "serve", "shutdown", "tail"};
	struct err e;
	size_t n = 0;

	(void)state;
	while (old_cmds[n] != NULL)
		n++;
	assert_int_equal(n, 9);
	for (size_t i = 0; i < 9; i++)
		assert_non_null(cmd_find(old_cmds, names[i], &e));
}

/* Names once, options once, a letter once; a help line that is a sentence
 * without its full stop. */
static void
check_options(const struct cmd *c, const struct opt *common)
{
	for (const struct opt *o = c->opts; o != NULL && o->name; o++) {
		assert_true(strlen(o->help) > 5);
		assert_true((o->arg == NULL) == (o->type == OPT_FLAG));
		for (const struct opt *p = c->opts; p < o; p++) {
			assert_string_not_equal(o->name, p->name);
			assert_true(o->letter == 0 || o->letter != p->letter);
		}
		for (const struct opt *p = common; p->name != NULL; p++) {
			if (strcmp(o->name, p->name) == 0)
				fail_msg("%s --%s", c->name, o->name);
			if (o->letter != 0 && o->letter == p->letter)
				fail_msg("%s -%c", c->name, o->letter);
		}
	}
}

static void
tables_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; cmds[i] != NULL; i++) {
		const struct cmd *c = cmds[i];

		assert_non_null(c->run);
		assert_true(strlen(c->help) > 10);
		assert_true(c->help[strlen(c->help) - 1] != '.');
		assert_true(c->max == -1 || c->max >= c->min);
		assert_true(c->min == 0 || c->args != NULL);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(c->name, cmds[k]->name);
		check_options(c, cmd_opts);
	}
	for (size_t i = 0; old_cmds[i] != NULL; i++)
		check_options(old_cmds[i], old_opts);
}

/* Several acts: the status tells whether all, some or none went well. */
static void
tally_tells_part_from_whole(void **state)
{
	struct tally t = {0, 0, 0};

	(void)state;
	assert_int_equal(tally_code(&t), CLI_NONE);
	tally_add(&t, CLI_DONE);
	assert_int_equal(tally_code(&t), CLI_DONE);
	tally_add(&t, CLI_REFUSED);
	tally_add(&t, CLI_NONE);
	assert_int_equal(tally_code(&t), CLI_PART);
	t.done = 0;
	assert_int_equal(tally_code(&t), CLI_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_are_taken_in_every_form),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(times_take_units),
	    cmocka_unit_test(too_many_options_are_refused),
	    cmocka_unit_test(distance_counts_edits),
	    cmocka_unit_test(pick_wants_one_name),
	    cmocka_unit_test(commands_are_found),
	    cmocka_unit_test(old_commands_are_nine),
	    cmocka_unit_test(tables_are_sound),
	    cmocka_unit_test(tally_tells_part_from_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
