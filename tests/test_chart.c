/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* lib/chart: pairing, latency, what is open, gaps, scripts, and every form. */
#include "support/unit.h"

#include "chart.h"

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
	.missing = 2,
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
	    "  p0 [label = \"xapi\"],\n"
	    "  p1 [label = \"zfs\"],\n"
	    "  p2 [label = \"plug\"];\n"
	    "  --- [label = \"start: 0.1.0\"];\n"
	    "  p0 => p1 [label = \"SR.scan :5\"];\n"
	    "  p1 => p2 [label = \"SR.scan :5\"];\n"
	    "  ... [label = \"3.0s\"];\n"
	    "  p1 => p2 [label = \"SR.scan :5 again (2)\"];\n"
	    "  p2 >> p0 [label = \"OK 3.20s :5\"];\n"
	    "  ... [label = \"2 events missing\"];\n"
	    "  p0 -x p1 [label = \"hello \\\"you\\\"/n :9 ?\"];\n"
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
	    "               xapi:1      me                plug\n"
	    "12:00:00.000Z  |<.FAILURE :5 (asked before)..|\n"
	    "12:00:00.000Z  |           | <- x :8\n"
	    "12:00:00.000Z  * hold me:8: held by an operator\n");
}

/* What one event became in a form. */
static char *
draw_one(enum chart_form form, struct str name)
{
	struct event e = {.seq = 1,
	    .time = T0,
	    .type = RING_PUBLISH,
	    .id = 1,
	    .took_s = -1,
	    .client = name,
	    .queue = name,
	    .text = name};
	struct events l = {.v = &e, .n = 1};

	return draw(form, &l, 0);
}

/* Names and payloads stay text, in markup and in what stands in quotes. */
static void
chart_takes_no_text_for_markup(void **state)
{
	static const enum chart_form forms[] = {CHART_SVG, CHART_HTML};
	char *got;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		got = draw_one(forms[i], STR("<q x=\"1\">&'\n\xef\xbf\xbf"));
		assert_null(strstr(got, "<q"));
		assert_null(strstr(got, "\xef\xbf\xbf"));
		assert_non_null(strstr(
		    got, "&lt;q x=&quot;1&quot;&gt;&amp;&#39;\\n\xef\xbf\xbd"));
		free(got);
	}
	got = draw_one(CHART_JSON, STR("\"\\"));
	assert_non_null(strstr(got, "{\"name\":\"\\\"\\\\\","));
	free(got);
}

/* Two names that look alike are two lanes. */
static void
chart_keeps_names_apart(void **state)
{
	struct event e = {.seq = 1,
	    .time = T0,
	    .type = RING_PUBLISH,
	    .id = 1,
	    .took_s = -1,
	    .client = STR("a\n"),
	    .queue = STR("a\\n")};
	struct events l = {.v = &e, .n = 1};

	(void)state;
	expect(CHART_MSCGEN, &l, 0,
	    "msc {\n  hscale = \"auto\", wordwraparcs = \"true\";\n"
	    "  p0 [label = \"a/n\"],\n  p1 [label = \"a/n\"];\n"
	    "  p0 -x p1 [label = \":1 ?\"];\n"
	    "  --- [label = \"no answer to a/n:1  from a/n for 1m03s\"];\n"
	    "}\n");
}

/* For programs. */
static void
chart_as_json(void **state)
{
	(void)state;
	expect(CHART_JSON, &whole, 2,
	    "{\"lanes\":["
	    "{\"name\":\"xapi\",\"client\":true,\"queue\":false,\"script\":"
	    "false},"
	    "{\"name\":\"zfs\",\"client\":false,\"queue\":true,\"script\":"
	    "false},"
	    "{\"name\":\"plug\",\"client\":true,\"queue\":false,\"script\":"
	    "false}],\"steps\":["
	    "{\"kind\":\"reply\",\"time\":1700049603.200000,\"from\":2,\"to\":"
	    "0,\"id\":5,\"duration_s\":3.200000,\"open\":false,\"failed\":"
	    "false,\"label\":\"OK 3.20s :5\"},"
	    "{\"kind\":\"gap\",\"time\":null,\"from\":null,\"to\":null,"
	    "\"id\":null,\"duration_s\":null,\"open\":false,\"failed\":true,"
	    "\"label\":\"2 events missing\"},"
	    "{\"kind\":\"request\",\"time\":1700049603.300000,\"from\":0,"
	    "\"to\":1,\"id\":9,\"duration_s\":null,\"open\":true,\"failed\":"
	    "false,\"label\":\"hello \\\"you\\\"\\\\n :9 ?\"},"
	    "{\"kind\":\"note\",\"time\":null,\"from\":null,\"to\":null,"
	    "\"id\":9,\"duration_s\":null,\"open\":true,\"failed\":false,"
	    "\"label\":\"no answer to zfs:9 hello \\\"you\\\"\\\\n from xapi"
	    " for 1m00s\"}]}\n");
}

/* The scripts of a call stand between its delivery and its answer; the one that
 * runs has no end. */
static void
chart_with_scripts(void **state)
{
	static const struct chart_run runs[] = {
	    {.id = 5, .script = STR("SR.scan"), .took_s = 0.012},
	    {.id = 5,
		.script = STR("SR.ls"),
		.end = STR("exit 1"),
		.took_s = 2.5},
	    {.id = 9, .script = STR("never"), .took_s = -1},
	    {.id = 77, .script = STR("other"), .took_s = 1},
	};
	struct chart_options o = {.now = T0 + 4,
	    .columns = 200,
	    .utc = true,
	    .runs = runs,
	    .nruns = 4};
	struct event v[8];
	struct events l = {.v = v, .n = 8};
	struct buf b = BUF_INIT;
	char *got;

	(void)state;
	memcpy(v, story, sizeof v);
	v[6] = (struct event){.seq = 6,
	    .time = T0 + 3.3,
	    .type = RING_PUBLISH,
	    .id = 9,
	    .took_s = -1,
	    .client = STR("xapi"),
	    .queue = STR("zfs"),
	    .text = STR("x")};
	v[7] = (struct event){.seq = 7,
	    .time = T0 + 3.3,
	    .type = RING_DELIVER,
	    .id = 9,
	    .took_s = -1,
	    .client = STR("plug"),
	    .queue = STR("zfs")};
	chart_put(&b, CHART_MERMAID, &l, &o);
	got = buf_steal(&b, NULL);
	assert_non_null(strstr(got,
	    "  p2->>p3: run\n"
	    "  p3-->>p2: 12ms\n"
	    "  p2->>p4: run\n"
	    "  p4-->>p2: exit 1 2.50s\n"
	    "  p2-->>p0: OK 3.20s #58;5\n"));
	assert_non_null(strstr(got, "  p2-xp5: running\n"));
	assert_null(strstr(got, "other"));
	free(got);
}

/* Who ran them is who got the request, though somebody else answered it. */
static void
chart_with_scripts_of_a_cancelled_call(void **state)
{
	static const struct chart_run run = {
	    .id = 5, .script = STR("SR.scan"), .end = STR("cancelled")};
	struct event v[] = {story[2], story[3],
	    {.seq = 4,
		.time = T0 + 1,
		.type = RING_REPLY,
		.id = 6,
		.re_id = 5,
		.took_s = 1,
		.client = STR("op"),
		.queue = STR("xapi"),
		.text = STR("{\"error\":[\"Cancelled\"]}")},
	    {.seq = 5,
		.time = T0 + 1,
		.type = RING_CANCEL,
		.id = 5,
		.took_s = -1,
		.queue = STR("zfs")}};
	struct events l = {.v = v, .n = 4};
	struct chart_options o = {
	    .last = 1, .now = T0 + 4, .runs = &run, .nruns = 1};
	struct buf b = BUF_INIT;
	char *got;

	(void)state;
	chart_put(&b, CHART_MERMAID, &l, &o);
	got = buf_steal(&b, NULL);
	assert_string_equal(got,
	    "sequenceDiagram\n"
	    "  participant p0 as op\n"
	    "  participant p1 as xapi\n"
	    "  participant p2 as plug\n"
	    "  participant p3 as SR.scan\n"
	    "  p2->>p3: run\n"
	    "  p3-->>p2: cancelled 0us\n"
	    "  p0-->>p1: FAILURE 1.00s #58;5\n"
	    "  Note over p0,p3: cancel zfs#58;5\n");
	free(got);
}

/* Lanes above the bound share one. */
static void
chart_bounds_its_lanes(void **state)
{
	struct chart_options o = {.now = T0 + 4, .lanes = 1, .utc = true};
	struct buf b = BUF_INIT;
	char *got;

	(void)state;
	chart_put(&b, CHART_JSON, &whole, &o);
	got = buf_steal(&b, NULL);
	assert_non_null(strstr(got, "\"name\":\"xapi\""));
	assert_non_null(strstr(got, "\"name\":\"(others)\""));
	assert_null(strstr(got, "\"name\":\"zfs\""));
	assert_non_null(strstr(got, "\"from\":1,\"to\":1,\"id\":5"));
	free(got);
}

/* The lanes that a terminal has room for fit into it. */
static void
chart_fits_a_terminal(void **state)
{
	struct chart_options o = {.now = T0 + 4, .columns = 80, .utc = true};
	char name[9][40], *got, *line, *rest;
	struct event v[9];
	struct events l = {.v = v, .n = 9};
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(
		    name[i], sizeof name[i], "a client of a long name, %d", i);
		v[i] = story[2];
		v[i].seq = (uint64_t)i;
		v[i].id = i + 1;
		v[i].client = str_of(name[i]);
	}
	o.lanes = chart_text_lanes(o.columns);
	assert_int_equal(o.lanes, 4);
	assert_int_equal(chart_text_lanes(0), 2);
	assert_int_equal(chart_text_lanes(67), 2);
	assert_int_equal(chart_text_lanes(68), 3);
	chart_put(&b, CHART_TEXT, &l, &o);
	got = buf_steal(&b, NULL);
	assert_non_null(strstr(got, "(others)"));
	for (line = strtok_r(got, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		if (strchr(line, '*') == NULL && strlen(line) > 80)
			fail_msg("%zu columns: %s", strlen(line), line);
	free(got);
}

/* A request that was cancelled is not open. */
static void
chart_knows_what_was_cancelled(void **state)
{
	struct event v[] = {story[2],
	    {.seq = 3,
		.time = T0,
		.type = RING_CANCEL,
		.id = 5,
		.took_s = -1,
		.queue = STR("zfs"),
		.text = STR("by me")}};
	struct events l = {.v = v, .n = 2};

	(void)state;
	expect(CHART_TEXT, &l, 0,
	    "               xapi           zfs\n"
	    "12:00:00.000Z  |--SR.scan :5->|\n"
	    "12:00:00.000Z  * cancel zfs:5: by me\n");
}

/* Where numbers are left out, and what of that is left when events are. */
static bool
is_ack(void *arg, const struct event *e)
{
	(void)arg;
	return e->type == RING_ACK;
}

static void
events_know_what_is_missing(void **state)
{
	static const int64_t seqs[] = {3, 4, 7, 8, 20, 21};
	struct events l = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		events_add(&l,
		    &(struct event){.seq = seqs[i],
			.type = i == 1 || i > 3 ? RING_ACK : RING_LOGIN});
	events_find_missing(&l);
	assert_int_equal(l.v[2].missing, 2);
	assert_int_equal(l.v[4].missing, 11);
	events_filter(&l, is_ack, NULL);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.v[0].missing, 0);
	assert_int_equal(l.v[1].missing, 13);
	assert_int_equal(l.v[2].missing, 0);
	events_fini(&l);
}

/* By name. */
static void
chart_forms_have_names(void **state)
{
	(void)state;
	assert_int_equal(chart_form(STR("text")), CHART_TEXT);
	assert_int_equal(chart_form(STR("json")), CHART_JSON);
	assert_int_equal(chart_form(STR("png")), CHART_FORMS);
	assert_string_equal(chart_type(CHART_SVG), "image/svg+xml");
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
		for (int f = CHART_TEXT; f < CHART_FORMS; f++) {
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
	    cmocka_unit_test(chart_takes_no_text_for_markup),
	    cmocka_unit_test(chart_keeps_names_apart),
	    cmocka_unit_test(chart_as_json),
	    cmocka_unit_test(chart_with_scripts),
	    cmocka_unit_test(chart_with_scripts_of_a_cancelled_call),
	    cmocka_unit_test(chart_bounds_its_lanes),
	    cmocka_unit_test(chart_fits_a_terminal),
	    cmocka_unit_test(chart_knows_what_was_cancelled),
	    cmocka_unit_test(events_know_what_is_missing),
	    cmocka_unit_test(chart_forms_have_names),
	    cmocka_unit_test(chart_of_anything_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
