/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Fuzz target: any bytes as text to redact, cut anywhere; and the same bytes as
 * a secret, properly encoded, which must be gone. */

#include "fuzz.h"

#include "buf.h"
#include "redact.h"

#define DOTS "\xe2\x80\xa6"

/* Complain with the text. */
static void
bad(const char *why, const char *p, size_t n)
{
	fprintf(stderr, "%s: %.*s\n", why, (int)n, p);
	abort();
}

/* Every cut is the beginning of the whole. */
static void
check_cut(struct str in, size_t max)
{
	size_t room = in.n * 3 + 16, whole, cut;
	char *all = malloc(room), *out = malloc(max + 1);

	if (all == NULL || out == NULL)
		abort();
	whole = redact(all, room, in);
	cut = redact(out, max, in);
	if (cut > max)
		bad("too long", in.p, in.n);
	if (cut != 0 && (cut != whole || memcmp(all, out, cut) != 0) &&
	    (memcmp(out + cut - 3, DOTS, 3) != 0 ||
		memcmp(out, all, cut - 3) != 0))
		bad("not the beginning", in.p, in.n);
	free(all);
	free(out);
}

/* Append escaped for a JSON string. */
static void
add_escaped(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"' || p[i] == '\\')
			buf_addc(b, '\\');
		if ((unsigned char)p[i] < 0x20)
			buf_addf(b, "\\u%04x", p[i]);
		else
			buf_addc(b, p[i]);
	}
}

/* {"password": the bytes}, as JSON in JSON `depth` times. */
static void
check_secret(const char *p, size_t n, int depth)
{
	struct buf in = BUF_INIT, want = BUF_INIT;
	char *out;

	buf_adds(&in, "{\"password\":\"");
	add_escaped(&in, p, n);
	buf_adds(&in, "\",\"x\":1}");
	buf_adds(&want, "{\"password\":\"***\",\"x\":1}");
	for (; depth > 0; depth--) {
		struct buf old[] = {in, want}, *new[] = {&in, &want};
		for (int i = 0; i < 2; i++) {
			buf_init(new[i]);
			buf_adds(new[i], "[\"");
			add_escaped(new[i], old[i].p, old[i].n);
			buf_adds(new[i], "\"]");
			buf_fini(&old[i]);
		}
	}
	out = malloc(in.n + 16);
	if (out == NULL || !buf_ok(&in) || !buf_ok(&want))
		abort();
	n = redact(out, in.n + 16, (struct str){in.p, in.n});
	if (n != want.n || memcmp(out, want.p, n) != 0)
		bad("leak", in.p, in.n);
	free(out);
	buf_fini(&in);
	buf_fini(&want);
}

/* One input: a byte for the cut, a byte for the depth, the text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data + 2;

	if (n < 2 || n > 4096)
		return 0;
	check_cut((struct str){p, n - 2}, data[0] * 3u);
	check_secret(p, n - 2, data[1] % 4);
	return 0;
}
