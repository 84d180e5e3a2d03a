/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * rpc: whatever a payload is, the failure that answers it is well-formed JSON of
 * the same form, and has the same id; the method of its beginning is found
 * within bounds.
 */
#include "fuzz.h"

#include "json.h"
#include "rpc.h"

/* One well-formed object and nothing behind it. */
static void
check_object(struct str text)
{
	char *copy = fuzz_copy(text.p, text.n);
	struct json_in j;

	json_in_init(&j, copy, text.n);
	promise(json_skip(&j, json_value(&j)) && json_finish(&j));
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str payload = {(const char *)data, n};
	struct buf b = BUF_INIT;
	struct rpc r, back;
	char *text = fuzz_copy(data, n), *answer, method[32];

	promise(rpc_method(method, sizeof method, payload) <= sizeof method);
	rpc_read(&r, text, n, false);
	promise(r.id.n > 0 && r.id.n <= sizeof r.id_text);
	promise(r.method.p == NULL ||
	    (r.method.p >= text && r.method.p + r.method.n <= text + n));
	rpc_cancelled(&b, &r, r.method.p ? r.method : STR("who"), STR("why"),
	    r.method.p ? r.method : STR("both"));
	promise(buf_ok(&b));
	check_object((struct str){b.p, b.n});
	answer = fuzz_copy(b.p, b.n);
	rpc_read(&back, answer, b.n, false);
	promise(back.v2 == r.v2 && str_eq(back.id, r.id));
	buf_fini(&b);
	free(answer);
	free(text);
	text = fuzz_copy(data, n);
	rpc_read(&r, text, n, true); /* the same, when it was cut */
	promise(r.id.n > 0);
	free(text);
	return 0;
}
