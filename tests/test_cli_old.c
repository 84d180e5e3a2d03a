/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* message-cli: the layout of diagnostics, tail and mscgen. */
#include "support/unit.h"

#include "../cli/old.h"

#define S "000000000" /* nanoseconds of a second */

static const char contents[] =
    "{\"start_time\":0,\"current_time\":7500" S ",\"permanent_queues\":{"
    "\"dead\":{\"next_transfer_expected\":300" S ",\"queue_contents\":[]},"
    "\"late\":{\"queue_contents\":[[[\"late\",8],{\"origin\":[\"Anonymous\","
    "\"x\"],\"time\":7499" S
    ",\"message\":{\"payload\":\"a\\u001b\xff\",\"kind\":"
    "[\"Request\",\"gone\"]}}]]},"
    "\"zfs\":{\"next_transfer_expected\":7501" S ",\"queue_contents\":["
    "[[\"zfs\",7],{\"origin\":[\"Name\",\"xapi\"],\"time\":3839" S ","
    "\"message\":{\"payload\":\"{\\\"method\\\":\\\"SR.scan\\\",\\\"params\\\":"
    "[{\\\"a\\\":1}, \\\"b\\\"]}\",\"kind\":[\"Request\",\"xapi:1\"]}}]]}},"
    "\"transient_queues\":{"
    "\"xapi:1\":{\"next_transfer_expected\":7501" S ",\"queue_contents\":[]},"
    "\"xapi:2\":{\"queue_contents\":[[[\"xapi:2\",9],{\"origin\":[\"Name\","
    "\"p\"],\"time\":7500" S ",\"message\":{\"payload\":\"yes\",\"kind\":"
    "[\"Response\",[\"zfs\",7]]}}]]}}}";

static void
diagnostics_have_the_old_layout(void **state)
{
	char *json = strdup(contents);
	struct buf b = BUF_INIT;
	struct old_diag d;

	(void)state;
	assert_true(old_diag_parse(&d, json, sizeof contents - 1));
	old_diag_put(&b, &d, false);
	buf_addc(&b, '\0');
	assert_string_equal(b.p,
	    "Switch started 2 hours and 5 mins ago\n"
	    "\nServices that are running:\n"
	    "- zfs\n"
	    "    7: request from: xapi sent 1 hour, 1 min and 1 second ago\n"
	    "      - SR.scan\n"
	    "        - {\"a\":1}\n"
	    "        - \"b\"\n"
	    "      - xapi:1 is waiting for a response\n"
	    "\nServices that were called but never started:\n"
	    "- late\n"
	    "    8: request from: x sent 1 second ago\n"
	    "      - a\\e\\xff\n"
	    "      - gone appears to have crashed\n"
	    "\nServices that crashed or are deadlocked:\n"
	    "- dead: service crashed or deadlocked 2 hours ago\n"
	    "\nTemporary queues for replies:\n"
	    "- xapi:2\n"
	    "    9: request from: p sent 0 seconds ago\n"
	    "      - yes\n");
	old_diag_fini(&d);
	buf_fini(&b);
	free(json);
}

/* An answer that ends early, anywhere, is refused and not followed. */
static void
diagnostics_cut_anywhere_are_refused(void **state)
{
	struct old_diag d;

	(void)state;
	for (size_t n = 0; n < sizeof contents - 1; n++) {
		char *json = malloc(n + 1);

		memcpy(json, contents, n);
		if (old_diag_parse(&d, json, n))
			fail_msg("cut at %zu", n);
		old_diag_fini(&d);
		free(json);
	}
}

static struct old_event events[] = {
    {.seq = 0,
	.time = 100,
	.input = STR("xapi:1"),
	.queue = STR("zfs"),
	.id = 7,
	.took_s = -1,
	.payload = STR("{\"method\":\"SR.scan\",\"params\":[]}")},
    {.seq = 1,
	.time = 100.26,
	.output = STR("plug"),
	.queue = STR("zfs"),
	.id = 7,
	.took_s = -1,
	.payload = STR("a\n\"b\"\\ and so on")},
    {.seq = 2,
	.time = 1100,
	.input = STR("plug"),
	.queue = STR("xapi:1"),
	.id = 8,
	.is_reply = true,
	.took_s = -1,
	.payload = STR("{\"result\":1}")},
    {.seq = 3,
	.time = 1100,
	.output = STR("xapi:1"),
	.queue = STR("xapi:1"),
	.id = 8,
	.is_reply = true,
	.took_s = 12.34,
	.payload = STR("x")},
    {.seq = 4,
	.time = 1100,
	.input = STR("a-client-with-a-long-name:12345"),
	.queue = STR("org.xen.xapi.storage.of.a.long.name"),
	.id = 7,
	.is_ack = true,
	.took_s = -1},
};

static const struct old_events list = {.v = events, .n = 5};

static void
tail_has_the_old_columns(void **state)
{
	struct buf b = BUF_INIT;
	double start = -1;

	(void)state;
	old_tail_put(&b, &list, &start);
	buf_addc(&b, '\0');
	assert_string_equal(b.p,
	    "0.0   xapi:1          ->   zfs                            ->   "
	    "-                     "
	    "zfs.7:{\"method\":\"SR.scan\",\"params\":[]} "
	    "\n"
	    "0.3   -               ->   zfs                            ->   "
	    "plug                  zfs.7:a\\n\"b\"\\ and so on \n"
	    "000.0 -               <-   xapi:1                         <-   "
	    "plug                  xapi:1.8:{\"result\":1} \n"
	    "000.0 xapi:1          <-   xapi:1                         <-   "
	    "-               12.3  xapi:1.8:x \n"
	    "000.0 long-name:12345 ->   en.xapi.storage.of.a.long.name      "
	    "                      "
	    "org.xen.xapi.storage.of.a.long.name.7:ack \n");
	assert_true(start == 100);
	buf_fini(&b);
}

static void
mscgen_has_the_old_arcs(void **state)
{
	struct old_events l = {.v = events, .n = 4};
	struct old_events none = {0};
	struct buf b = BUF_INIT;

	(void)state;
	old_mscgen_put(&b, &l);
	buf_addc(&b, '\0');
	assert_string_equal(b.p,
	    "msc {\n"
	    "\"plug\",\"xapi:1\",\"zfs\";\n"
	    "\"xapi:1\" => \"zfs\" [ label = \"SR.scan\" ] ;\n"
	    "\"zfs\" => \"plug\" [ label = \"a\\\\n\\\"b\\\"\\\\ and\" ] ;\n"
	    "\"xapi:1\" << \"plug\" [ label = \"OK\" ] ;\n"
	    "}\n");
	buf_reset(&b);
	old_mscgen_put(&b, &none);
	buf_addc(&b, '\0');
	assert_string_equal(b.p, "msc {\n\"no messages\";\n}\n");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(diagnostics_have_the_old_layout),
	    cmocka_unit_test(diagnostics_cut_anywhere_are_refused),
	    cmocka_unit_test(tail_has_the_old_columns),
	    cmocka_unit_test(mscgen_has_the_old_arcs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
