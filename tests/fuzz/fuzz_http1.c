/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * http1: the first byte chooses the side and the limits, the second where the
 * message is cut.  Whole, in two parts or byte by byte: the outcome must be the
 * same, nothing may be taken beyond it, and it must need every byte it took.
 */
#include "fuzz.h"

#include "http1.h"

static const struct http1_limits all_limits[] = {
    {8192, 16384, 64, 16 << 20},
    {40, 120, 4, 20},
};

/* The slice lies within the bytes. */
static void
check_within(struct str s, const char *p, size_t n)
{
	promise(s.p >= p && s.p <= p + n);
	promise(s.n <= (size_t)(p + n - s.p));
}

/* What is promised after DONE, and after ERROR. */
static void
check_result(const struct http1 *h, enum http1_rc rc, const char *p, size_t n)
{
	struct str v;

	if (rc == HTTP1_ERROR)
		promise(h->reason != NULL && h->status >= 400);
	if (http1_head_done(h)) {
		http1_field(h, p, "a", &v);
		http1_field(h, p, "content-length", &v);
		promise(h->head <= n);
	}
	if (rc != HTTP1_DONE)
		return;
	promise(h->reason == NULL && h->used > 0 && h->used <= n);
	promise(h->body.n <= h->limits->max_body);
	check_within(h->body, p, h->used);
	if (h->side == HTTP1_REPLY)
		return;
	check_within(h->method, p, h->used);
	check_within(h->target, p, h->used);
	promise(h->method.n >= 1 && h->method.n <= 16 && h->target.n > 0);
}

/* Feed it in two parts, the second time at another place. */
static void
check_cut(const struct http1 *want, enum http1_rc want_rc, const uint8_t *data,
    size_t n, size_t cut, bool single)
{
	char *p = fuzz_copy(data, cut), *q;
	enum http1_rc rc;
	struct http1 h;

	http1_init(&h, want->side, want->limits);
	rc = http1_feed(&h, p, cut);
	while (rc == HTTP1_MORE && cut < n) {
		q = fuzz_copy(data, single ? cut + 1 : n);
		memcpy(q, p, cut);
		free(p);
		p = q;
		cut = single ? cut + 1 : n;
		rc = http1_feed(&h, p, cut);
	}
	promise(rc == want_rc && h.status == want->status);
	promise(h.reason == want->reason);
	check_result(&h, rc, p, cut);
	if (rc == HTTP1_DONE) {
		promise(h.used == want->used && h.close == want->close);
		promise(h.minor == want->minor && h.expect == want->expect);
		promise(str_eq(h.body, want->body));
		promise(str_eq(h.method, want->method));
		promise(str_eq(h.target, want->target));
	}
	free(p);
}

/* One byte less is not enough; exactly what was used is. */
static void
check_exact(const struct http1 *want, const uint8_t *data)
{
	char *p = fuzz_copy(data, want->used - 1);
	struct http1 h;

	http1_init(&h, want->side, want->limits);
	promise(http1_feed(&h, p, want->used - 1) == HTTP1_MORE);
	free(p);
	p = fuzz_copy(data, want->used);
	http1_init(&h, want->side, want->limits);
	promise(http1_feed(&h, p, want->used) == HTTP1_DONE);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum http1_rc rc;
	struct http1 h;
	size_t cut;
	char *p;

	if (n < 2)
		return 0;
	http1_init(&h, data[0] & 1 ? HTTP1_REPLY : HTTP1_REQUEST,
	    &all_limits[data[0] >> 1 & 1]);
	cut = data[1];
	data += 2;
	n -= 2;
	cut = n == 0 ? 0 : cut * n / 256;
	p = fuzz_copy(data, n);
	rc = http1_feed(&h, p, n);
	check_result(&h, rc, p, n);
	check_cut(&h, rc, data, n, cut, false);
	if (n <= 1024)
		check_cut(&h, rc, data, n, 0, true);
	if (rc == HTTP1_DONE) {
		promise(memcmp(p + h.used, data + h.used, n - h.used) == 0);
		check_exact(&h, data);
	}
	free(p);
	return 0;
}
