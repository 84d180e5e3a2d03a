/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/out, cli/msgs: tables, columns, sorting, JSON lines, states in words. */
#include "support/unit.h"

#include "../cli/msgs.h"
#include "../cli/out.h"

static const struct col cols[] = {
    {"name", "QUEUE", COL_TEXT, false, ""},
    {"messages", "MESSAGES", COL_INT, false, ""},
    {"age_s", "AGE", COL_AGE, false, ""},
    {"bytes", "BYTES", COL_SIZE, true, ""},
    {"held", "HELD", COL_BOOL, true, ""},
};

static const unsigned char *narrow; /* two columns that may be left out */

/* Three rows; what is not known stays null. */
static void
fill(struct out *o)
{
	struct err e;

	assert_int_equal(out_table(o, "queue", cols, 5, &e), 0);
	if (narrow != NULL)
		out_spare(o, narrow, 2);
	out_text(o, 0, STR("zfs"));
	out_int(o, 1, 12);
	out_real(o, 2, 192.5);
	out_int(o, 3, 2048);
	out_int(o, 4, 1);
	out_row(o);
	out_text(o, 0, STR("a\033[1m"));
	out_int(o, 1, 100);
	out_row(o);
	out_text(o, 0, STR("\xc3\xbc"));
	out_int(o, 1, 3);
	out_real(o, 2, 1);
	out_int(o, 4, 0);
	out_row(o);
	out_end(o);
}

static void
expect(struct out *o, const char *want)
{
	buf_addc(&o->b, '\0');
	assert_string_equal(o->b.p, want);
	out_fini(o);
}

static void
expect_start(struct out *o, const char *want)
{
	assert_true(o->b.n > strlen(want));
	o->b.n = strlen(want);
	expect(o, want);
}

/* Aligned by characters, numbers to the right, no blanks at the end. */
static void
tables_are_aligned(void **state)
{
	struct out o = {0};

	(void)state;
	fill(&o);
	expect(&o,
	    "QUEUE   MESSAGES    AGE\n"
	    "zfs           12  3m12s\n"
	    "a\\e[1m       100      -\n"
	    "\xc3\xbc              3   1.0s\n");
}

static void
columns_and_order_are_chosen(void **state)
{
	struct out o = {
	    .columns = "bytes,QUEUE", .sort = "-messages", .no_header = true};

	(void)state;
	fill(&o);
	expect(&o, "   -  a\\e[1m\n2.0k  zfs\n   -  \xc3\xbc\n");
	o = (struct out){.columns = "name", .sort = "age_s"};
	fill(&o); /* null last */
	expect(&o, "QUEUE\n\xc3\xbc\nzfs\na\\e[1m\n");
	o = (struct out){.columns = "name", .sort = "-age_s"};
	fill(&o); /* whatever the direction */
	expect(&o, "QUEUE\nzfs\n\xc3\xbc\na\\e[1m\n");
	o = (struct out){.columns = "name", .sort = "name"};
	fill(&o);
	expect(&o, "QUEUE\na\\e[1m\nzfs\n\xc3\xbc\n");
}

/* A terminal that is too narrow: what may be left out goes, in order, and no
 * more than has to; nothing goes of what was asked for. */
static void
a_narrow_terminal_gets_what_matters(void **state)
{
	static const unsigned char spare[] = {2, 1};
	static const struct {
		size_t room;
		const char *columns, *title;
	} rows[] = {
	    {0, NULL, "QUEUE   MESSAGES    AGE\n"},
	    {23, NULL, "QUEUE   MESSAGES    AGE\n"},
	    {22, NULL, "QUEUE   MESSAGES\n"},
	    {16, NULL, "QUEUE   MESSAGES\n"},
	    {15, NULL, "QUEUE\n"},
	    {1, NULL, "QUEUE\n"},
	    {1, "age_s,messages", "  AGE  MESSAGES\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct out o = {
		    .room = rows[i].room, .columns = rows[i].columns};

		narrow = spare;
		fill(&o);
		narrow = NULL;
		expect_start(&o, rows[i].title);
	}
}

static void
unknown_columns_are_refused(void **state)
{
	struct out o = {.columns = "name,mesages"};
	struct err e;

	(void)state;
	assert_int_equal(out_table(&o, "queue", cols, 5, &e), -1);
	assert_non_null(strstr(e.text, "did you mean messages?"));
	o = (struct out){.sort = "-zzz"};
	assert_int_equal(out_table(&o, "queue", cols, 5, &e), -1);
	assert_non_null(strstr(e.text, "no column 'zzz'"));
	o = (struct out){.columns = ""};
	assert_int_equal(out_table(&o, "queue", cols, 5, &e), -1);
}

/* Every column, every row an object; types as they are. */
static void
json_has_every_column(void **state)
{
	struct out o = {.json = true};

	(void)state;
	fill(&o);
	expect(&o,
	    "{\"schema\":1,\"object\":\"queue\",\"name\":\"zfs\","
	    "\"messages\":12,\"age_s\":192.5,\"bytes\":2048,\"held\":true}\n"
	    "{\"schema\":1,\"object\":\"queue\",\"name\":\"a\\u001b[1m\","
	    "\"messages\":100,\"age_s\":null,\"bytes\":null,\"held\":null}\n"
	    "{\"schema\":1,\"object\":\"queue\",\"name\":\"\xc3\xbc\","
	    "\"messages\":3,\"age_s\":1.0,\"bytes\":null,\"held\":false}\n");
	o = (struct out){
	    .json = true, .sort = "messages", .columns = "messages"};
	fill(&o);
	expect(&o,
	    "{\"schema\":1,\"object\":\"queue\",\"messages\":3}\n"
	    "{\"schema\":1,\"object\":\"queue\",\"messages\":12}\n"
	    "{\"schema\":1,\"object\":\"queue\",\"messages\":100}\n");
}

/* A table without rows says nothing at all. */
static void
nothing_needs_no_title(void **state)
{
	struct out o = {0};
	struct err e;

	(void)state;
	assert_int_equal(out_table(&o, "queue", cols, 5, &e), 0);
	out_end(&o);
	expect(&o, "");
}

static void
colors_do_not_move_columns(void **state)
{
	struct out o = {
	    .color = true, .columns = "name,messages", .no_header = true};
	struct err e;

	(void)state;
	assert_int_equal(out_table(&o, "queue", cols, 5, &e), 0);
	out_text(&o, 0, STR("a"));
	out_paint(&o, 0, PAINT_BAD);
	out_int(&o, 1, 1);
	out_row(&o);
	out_text(&o, 0, STR("a\0c"));
	out_int(&o, 1, 22);
	out_row(&o);
	out_end(&o);
	expect(&o, "\033[31ma\033[0m        1\na\\x00c  22\n");
}

/* ---- states in words ---- */

static void
queues_are_judged(void **state)
{
	static const struct {
		struct look_queue q;
		const char *words;
		enum paint paint;
	} rows[] = {
	    {{.last_poll_age_s = -1}, "idle", PAINT_NONE},
	    {{.last_poll_age_s = 900}, "idle", PAINT_NONE},
	    {{.consumers = 1}, "ok", PAINT_GOOD},
	    {{.messages = 1, .consumers = 1, .oldest_age_s = 59.9}, "ok",
		PAINT_GOOD},
	    {{.messages = 1, .consumers = 1, .oldest_age_s = 240},
		"stalled 4m00s", PAINT_BAD},
	    {{.messages = 1, .last_poll_age_s = -1}, "no consumer", PAINT_BAD},
	    {{.messages = 1, .last_poll_age_s = 240}, "no consumer for 4m00s",
		PAINT_BAD},
	    {{.messages = 1, .last_poll_age_s = 1}, "ok", PAINT_GOOD},
	    {{.messages = 1, .last_poll_age_s = 1, .oldest_age_s = 60},
		"stalled 1m00s", PAINT_BAD},
	    {{.messages = 2, .held = 2, .consumers = 1}, "held", PAINT_WARN},
	    {{.messages = 2, .held = 1, .consumers = 1}, "ok", PAINT_GOOD},
	};
	char words[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(queue_judge(&rows[i].q, words), rows[i].paint);
		assert_string_equal(words, rows[i].words);
	}
}

/* ---- events ---- */

static void
events_are_one_line_each(void **state)
{
	static const struct {
		struct event e;
		const char *line;
	} rows[] = {
	    {{.type = RING_PUBLISH,
		 .client = STR("xapi"),
		 .queue = STR("zfs"),
		 .id = 17,
		 .took_s = -1,
		 .text = STR("{\"method\":\"SR.scan\"}")},
		"xapi -> zfs:17  SR.scan"},
	    {{.type = RING_PUBLISH,
		 .client = STR("x\n"),
		 .queue = STR("z\033"),
		 .id = 17,
		 .took_s = -1,
		 .text = STR("a\nb")},
		"x\\n -> z\\e:17  a\\nb"},
	    {{.type = RING_DELIVER,
		 .client = STR("p"),
		 .queue = STR("zfs"),
		 .id = 17,
		 .took_s = -1},
		"zfs:17 -> p"},
	    {{.type = RING_REPLY,
		 .client = STR("p"),
		 .queue = STR("xapi"),
		 .id = 18,
		 .re_id = 17,
		 .peer = STR("zfs"),
		 .took_s = 0.179,
		 .text = STR("{\"result\":1}")},
		"p -> xapi:18  OK  answers zfs:17 after 179ms"},
	    {{.type = RING_ACK,
		 .client = STR("p"),
		 .queue = STR("zfs"),
		 .id = 17,
		 .took_s = -1},
		"p ack zfs:17"},
	    {{.type = RING_LOGIN, .client = STR("p"), .took_s = -1}, "p login"},
	    {{.type = RING_START, .took_s = -1, .text = STR("0.1.0")},
		"start  0.1.0"},
	    {{.type = RING_DESTROY, .queue = STR("q"), .took_s = -1},
		"destroy q"},
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&b);
		event_line(&b, &rows[i].e, 0, true);
		buf_addc(&b, '\0');
		assert_memory_equal(b.p, "00:00:00.000Z  ", 15);
		assert_string_equal(b.p + 15, rows[i].line);
	}
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_aligned),
	    cmocka_unit_test(columns_and_order_are_chosen),
	    cmocka_unit_test(a_narrow_terminal_gets_what_matters),
	    cmocka_unit_test(unknown_columns_are_refused),
	    cmocka_unit_test(json_has_every_column),
	    cmocka_unit_test(nothing_needs_no_title),
	    cmocka_unit_test(colors_do_not_move_columns),
	    cmocka_unit_test(queues_are_judged),
	    cmocka_unit_test(events_are_one_line_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
