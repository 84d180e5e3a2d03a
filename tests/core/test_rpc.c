/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Payloads as remote calls: the method, and the failure of a cancelled one. */
#include "support/unit.h"

#include <stdlib.h>

#include "rpc.h"

static const struct {
	const char *payload, *method, *failure;
} rows[] = {
    /* the toolstack's form */
    {"{\"method\":\"SR.attach\",\"params\":[1],\"id\":12}", "SR.attach",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":12}"},
    {"{\"method\":\"a\",\"params\":[]}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {"{\"id\":\"x\\\"\\u0001y\",\"method\":\"a\"}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],"
	"\"id\":\"x\\\"\\u0001y\"}"},
    {"{\"id\":1.5,\"method\":\"a\"}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":1.5}"},
    {"{\"id\":[1],\"method\":\"a\"}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {" /* c */ {\"method\" : \"a\", \"id\" : null } ", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":null}"},
    /* inner fields are not the call's */
    {"{\"params\":[{\"method\":\"no\",\"id\":9}],\"method\":\"a\"}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    /* JSON-RPC 2.0 */
    {"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":7}", "a",
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"S\","
	"\"data\":{\"by\":\"me\",\"reason\":\"why\"}},\"id\":7}"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", "a",
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"S\","
	"\"data\":{\"by\":\"me\",\"reason\":\"why\"}},\"id\":null}"},
    {"{\"jsonrpc\":\"1.0\",\"method\":\"a\",\"id\":7}", "a",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":7}"},
    /* no calls */
    {"", "", "{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {"plain text", "",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {"[1,2]", "", "{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {"{\"method\":3,\"id\":5}", "",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":5}"},
    /* malformed: no part of it is believed */
    {"{\"method\":\"a\",\"id\":5", "",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
    {"{\"method\":\"a\",\"id\":5} x", "",
	"{\"result\":null,\"error\":[\"Cancelled\",\"S\"],\"id\":0}"},
};

/* The text has exactly these bytes. */
static void
same(const char *p, size_t n, const char *want)
{
	assert_int_equal(n, strlen(want));
	assert_memory_equal(p, want, n);
}

static void
each_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str p = str_of(rows[i].payload);
		struct buf b = BUF_INIT;
		char text[300], method[64];
		struct rpc r;

		assert_true(p.n < sizeof text);
		memcpy(text, p.p, p.n);
		rpc_read(&r, text, p.n, false);
		rpc_cancelled(&b, &r, STR("me"), STR("why"), STR("S"));
		same(b.p, b.n, rows[i].failure);
		buf_fini(&b);
		same(method, rpc_method(method, sizeof method, p),
		    rows[i].method);
	}
}

/* Only the beginning is looked at; what stands there counts. */
static void
long_payloads(void **state)
{
	size_t n = 100000;
	char *text = malloc(n), method[8];
	struct str p = {text, n};

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "{\"method\":\"SR.scan\",\"params\":\"", 30);
	same(method, rpc_method(method, sizeof method, p), "SR.scan");
	same(method, rpc_method(method, 2, p), "SR");
	memset(text, ' ', RPC_SCAN);
	memcpy(text, "{\"p\":0", 6);
	memcpy(text + RPC_SCAN, ",\"method\":\"a\"}", 14);
	assert_int_equal(rpc_method(method, sizeof method, p), 0);
	free(text);
}

/* Text that is no UTF-8 does not get into the answer. */
static void
always_utf8(void **state)
{
	struct buf b = BUF_INIT;
	struct rpc r;
	char text[] = "{}";

	(void)state;
	rpc_read(&r, text, 2, false);
	rpc_cancelled(&b, &r, STR("me"), STR(""), STR("a\xff z"));
	assert_bytes(b.p, b.n,
	    "{\"result\":null,\"error\":[\"Cancelled\","
	    "\"a\xef\xbf\xbd z\"],\"id\":0}");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_form),
	    cmocka_unit_test(long_payloads),
	    cmocka_unit_test(always_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
