/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* cli/chart: pairing, latency, what is open, gaps, three forms. */
#include "support/unit.h"

#include "../cli/chart.h"

#define T0 1700049600.0 /* 2023-11-15 12:00:00 UTC */

/* A call that was answered, one that was delivered twice, one still open. */
static const struct event story[] = {
    {.seq = 0,
	.time = T0,
	.type = RING_START,
	.took_s = -1,
	.text = STR("0.1.0")},
    {.seq = 1,
	.time = T0,
	.type = RING_LOGIN,
	.took_s = -1,
	.client = STR("xapi")},
    {.seq = 2,
	.time = T0,
	.type = RING_PUBLISH,
	.id = 5,
	.took_s = -1,
	.client = STR("xapi"),
	.queue = STR("zfs"),
	.peer = STR("xapi"),
	.text = STR("{\"method\":\"SR.scan\",\"params\":[]}")},
    {.seq = 3,
	.time = T0,
	.type = RING_DELIVER,
	.id = 5,
	.took_s = -1,
	.client = STR("plug"),
	.queue = STR("zfs")},
    {.seq = 4,
	.time = T0 + 3,
	.type = RING_DELIVER,
	.id = 5,
	.took_s = -1,
	.client = STR("plug"),
	.queue = STR("zfs")},
    {.seq = 5,
	.time = T0 + 3.2,
	.type = RING_REPLY,
	.id = 6,
	.re_id = 5,
	.took_s = 3.2,
	.client = STR("plug"),
	.queue = STR("xapi"),
	.peer = STR("zfs"),
	.text = STR("{\"result\":\"x\"}")},
    {.seq = 6,
	.time = T0 + 3.2,
	.type = RING_ACK,
	.id = 5,
	.took_s = -1,
	.client = STR("plug"),
	.queue = STR("zfs")},
    {.seq = 7,
	.time = T0 + 3.2,
	.type = RING_DELIVER,
	.id = 6,
	.re_id = 5,
	.took_s = -1,
	.client = STR("xapi"),
	.queue = STR("xapi")},
    {.seq = 10,
	.time = T0 + 3.3,
	.type = RING_PUBLISH,
	.id = 9,
	.took_s = -1,
	.client = STR("xapi"),
	.queue = STR("zfs"),
	.peer = STR("xapi"),
	.text = STR("hello \"you\"\n")},
};

static const struct events whole = {
    .v = (struct event *)(uintptr_t)story,
    .n = sizeof story / sizeof *story,
};

static char *
draw(enum chart_form form, const struct events *l, size_t last)
{
	struct chart_options o = {.last = last,
	    .gap_s = 1,
	    .now = T0 + 63.3,
	    .columns = 100,
	    .utc = true};
	struct buf b = BUF_INIT;

	chart_put(&b, form, l, &o);
	return buf_steal(&b, NULL);
}

static void
expect(
    enum chart_form form, const struct events *l, size_t last, const char *want)
{
	char *got = draw(form, l, last);

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void
chart_as_text(void **state)
{
	(void)state;
	expect(CHART_TEXT, &whole, 0,
	    "               xapi                   zfs                      "
	    "plug\n"
	    "12:00:00.000Z  * start: 0.1.0\n"
	    "12:00:00.000Z  |--SR.scan :5--------->|                        |\n"
	    "12:00:00.000Z  |                      |--SR.scan :5----------->|\n"
	    "               ... 3.0s ...\n"
	    "12:00:03.000Z  |                      |--SR.scan :5 again (2)->|\n"
	    "12:00:03.200Z  |<.OK 3.20s :5..................................|\n"
	    "               ... 2 events missing ...\n"
	    "12:00:03.300Z  |--hello \"you\"\\n :9 ?->|"
	    "                        |\n"
	    "               * no answer to zfs:9 hello \"you\"\\n from xapi "
	    "for 1m00s\n");
}

/* Only the last request; its lanes, not those of others. */
static void
chart_of_the_last_one(void **state)
{
	(void)state;
	expect(CHART_TEXT, &whole, 1,
	    "               xapi                   zfs\n"
	    "12:00:03.300Z  |--hello \"you\"\\n :9 ?->|\n"
	    "               * no answer to zfs:9 hello \"you\"\\n from xapi "
	    "for 1m00s\n");
}

static void
chart_for_mscgen(void **state)
{
	(void)state;
	expect(CHART_MSCGEN, &whole, 0,
	    "msc {\n"
	    "  hscale = \"auto\", wordwraparcs = \"true\";\n"
	    "  \"xapi\", \"zfs\", \"plug\";\n"
	    "  --- [label = \"start: 0.1.0\"];\n"
	    "  \"xapi\" => \"zfs\" [label = \"SR.scan :5\"];\n"
	    "  \"zfs\" => \"plug\" [label = \"SR.scan :5\"];\n"
	    "  ... [label = \"3.0s\"];\n"
	    "  \"zfs\" => \"plug\" [label = \"SR.scan :5 again (2)\"];\n"
	    "  \"plug\" >> \"xapi\" [label = \"OK 3.20s :5\"];\n"
	    "  ... [label = \"2 events missing\"];\n"
	    "  \"xapi\" -x \"zfs\" [label = \"hello \\\"you\\\"/n :9 ?\"];\n"
	    "  --- [label = \"no answer to zfs:9 hello \\\"you\\\"/n from "
	    "xapi for 1m00s\"];\n"
	    "}\n");
}

static void
chart_for_mermaid(void **state)
{
	(void)state;
	expect(CHART_MERMAID, &whole, 1,
	    "sequenceDiagram\n"
	    "  participant p0 as xapi\n"
	    "  participant p1 as zfs\n"
	    "  p0-xp1: hello #34;you#34;#92;n #58;9 ?\n"
	    "  Note over p0,p1: no answer to zfs#58;9 hello "
	    "#34;you#34;#92;n from xapi for 1m00s\n");
}

/* No events at all: still something each reader accepts. */
static void
chart_of_nothing(void **state)
{
	static const struct events none = {0};

	(void)state;
	expect(CHART_TEXT, &none, 0, "");
	expect(CHART_MSCGEN, &none, 0,
	    "msc {\n  hscale = \"auto\", wordwraparcs = \"true\";\n"
	    "  \"no messages\";\n}\n");
	expect(CHART_MERMAID, &none, 0, "sequenceDiagram\n");
}

/* A reply whose request is out of sight goes to its reply queue; a client may
 * talk to a queue of its own name. */
static void
chart_without_the_beginning(void **state)
{
	static const struct event v[] = {
	    {.seq = 7,
		.time = T0,
		.type = RING_REPLY,
		.id = 6,
		.re_id = 5,
		.took_s = -1,
		.client = STR("plug"),
		.queue = STR("xapi:1"),
		.text = STR("{\"error\":1}")},
	    {.seq = 8,
		.time = T0,
		.type = RING_PUBLISH,
		.id = 8,
		.took_s = -1,
		.client = STR("me"),
		.queue = STR("me"),
		.text = STR("x")},
	    {.seq = 9,
		.time = T0,
		.type = RING_ACK,
		.id = 8,
		.took_s = -1,
		.client = STR("me"),
		.queue = STR("me")},
	    {.seq = 10,
		.time = T0,
		.type = RING_HOLD,
		.id = 8,
		.took_s = -1,
		.queue = STR("me"),
		.text = STR("held by an operator")},
	};
	struct events l = {.v = (struct event *)(uintptr_t)v, .n = 4};

	(void)state;
	expect(CHART_TEXT, &l, 0,
	    "               plug                          xapi:1      me\n"
	    "12:00:00.000Z  |..FAILURE :5 (asked before).>|           |\n"
	    "12:00:00.000Z  |                             |           "
	    "| <- x :8\n"
	    "12:00:00.000Z  * hold me:8: held by an operator\n");
}

/* Any order and mixture of events is drawn, never more than once each. */
static void
chart_of_anything_ends(void **state)
{
	static const struct str names[] = {STR("a"), STR("b"), STR(""),
	    STR("a-very-long-name-of-a-client-that-is-cut")};
	struct event v[64];
	struct events l = {.v = v, .n = 64};
	unsigned seed = 1;
	char *got;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 64; i++) {
			seed = seed * 1103515245 + 12345;
			v[i] = (struct event){
			    .seq = (int64_t)(i + seed % 3),
			    .time = T0 + (double)(seed % 97),
			    .type = (enum ring_type)(1 + seed / 7 % 14),
			    .id = seed / 64 % 9,
			    .re_id = seed / 128 % 9,
			    .took_s = seed % 5 ? -1 : 0.5,
			    .client = names[seed / 256 % 4],
			    .queue = names[seed / 512 % 4],
			    .peer = names[seed / 1024 % 4],
			    .text = names[seed / 2048 % 4],
			};
		}
		for (int f = CHART_TEXT; f <= CHART_MERMAID; f++) {
			got = draw((enum chart_form)f, &l, 0);
			assert_non_null(got);
			free(got);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chart_as_text),
	    cmocka_unit_test(chart_of_the_last_one),
	    cmocka_unit_test(chart_for_mscgen),
	    cmocka_unit_test(chart_for_mermaid),
	    cmocka_unit_test(chart_of_nothing),
	    cmocka_unit_test(chart_without_the_beginning),
	    cmocka_unit_test(chart_of_anything_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
